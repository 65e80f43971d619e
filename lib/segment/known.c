/* See known.h.  Rows of nodes come in order of nodes and are dealt out to profiles; a
 * node that no longer exists in the snapshot's array cannot be, and is damage. */
#include "segment/known.h"

#include "identity/identity.h"
#include "profile/score.h"

#include <stdlib.h>
#include <string.h>

#define KNOWN_TRAITS ((size_t)UINT32_MAX - 1)

typedef struct known_row {
    uint32_t slot, name, node; /* name: its place among those asked for */
    int is_score;
    cj__fact_trait trait;
} known_row;

typedef struct known_load {
    cj__known *k;
    cj__reader *reader;
    const cj__text *names;
    uint32_t *ids; /* of the names' terms; 0: nobody ever had it */
    size_t n_names;
    cj__str text; /* of a score */
    known_row *rows;
    size_t n_rows, capacity;
} known_load;

static int32_t known_slot(const cj__known *k, int64_t node, uint32_t *slot_out)
{
    if (node < 1 || node > k->n_nodes)
        return cj__fail(CJ_ECORRUPT, "a node that does not exist is named; cj_check");
    *slot_out = k->only == 0                     ? k->profile_of[node]
                : k->profile_of[node] == k->only ? 0
                                                 : UINT32_MAX;
    return CJ_OK;
}

/* ---- traits
 * ------------------------------------------------------------------------------- */

static int known_order(const void *a, const void *b)
{
    const known_row *x = a, *y = b;

    if (x->slot != y->slot)
        return x->slot < y->slot ? -1 : 1;
    if (x->name != y->name)
        return x->name < y->name ? -1 : 1;
    if (x->trait.time_ms != y->trait.time_ms)
        return x->trait.time_ms < y->trait.time_ms ? -1 : 1;
    if (x->node != y->node)
        return x->node < y->node ? -1 : 1;
    return x->is_score - y->is_score;
}

static int32_t known_put(known_load *l, known_row row, cj__text value)
{
    int32_t rc;

    CJ_TRY(known_slot(l->k, row.node, &row.slot));
    row.trait.name = l->names[row.name];
    row.trait.value.data = cj__arena_text(&l->k->arena, value.data, value.n);
    row.trait.value.n = value.n;
    if (row.trait.value.data == NULL)
        return CJ_ENOMEM;
    CJ_TRY(cj__array_grow(l->k->arena.allocator, (void **)&l->rows, &l->capacity,
                          l->n_rows + 1, sizeof row, KNOWN_TRAITS));
    l->rows[l->n_rows++] = row;
out:
    return rc;
}

/* A row of TRAIT_ALL, or of TRAIT_OF_NODE when `shift` is -1. */
static int32_t known_trait(known_load *l, const cj__query *q, uint32_t node, int shift)
{
    const uint32_t id = (uint32_t)cj__query_get_int64(q, 1 + shift);
    known_row row = {.node = node};
    int32_t rc;

    while (row.name < l->n_names && l->ids[row.name] != id)
        row.name++;
    if (row.name == l->n_names)
        return CJ_OK;
    row.trait.time_ms = cj__query_get_int64(q, 2 + shift);
    CJ_TRY(cj__reader_term(l->reader, (uint32_t)cj__query_get_int64(q, 3 + shift),
                           &row.trait.source));
    CJ_TRY(known_put(l, row, cj__query_get_text(q, 4 + shift)));
out:
    return rc;
}

static int32_t known_score(void *user, const cj__told *told)
{
    known_load *l = user;
    known_row row = {
        .node = told->node,
        .is_score = 1,
        .trait = {.time_ms = told->time_ms, .source = cj__text_of(CJ__SCORE_SOURCE)}
    };
    int32_t rc;

    while (row.name < l->n_names && !cj__text_equal(l->names[row.name], told->name))
        row.name++;
    if (row.name == l->n_names)
        return CJ_OK;
    cj__str_clear(&l->text);
    cj__score_text(&l->text, told->number, told->value,
                   cj__reader_db(l->reader)->currency_exponent);
    CJ_TRY(cj__str_status(&l->text));
    CJ_TRY(known_put(l, row, (cj__text){l->text.data, l->text.n}));
out:
    return rc;
}

/* Of a node; 0: of everybody. */
static int32_t known_scores(known_load *l, uint32_t node)
{
    for (size_t i = 0; i < l->n_names; i++) {
        if (cj__score_is_name(l->names[i]))
            return cj__scores_told(cj__reader_db(l->reader), cj__reader_conn(l->reader),
                                   node, known_score, l);
    }
    return CJ_OK;
}

static int32_t known_traits_of(known_load *l, uint32_t node)
{
    cj__query q = {0};
    int row;
    int32_t rc;

    CJ_TRY(cj__query_begin(cj__reader_conn(l->reader), STMT_TRAIT_OF_NODE, &q));
    cj__query_int64(&q, 1, node);
    cj__query_int64(&q, 2, INT64_MAX);
    for (;;) {
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        CJ_TRY(known_trait(l, &q, node, -1));
    }
    CJ_TRY(known_scores(l, node));
out:
    cj__query_end(&q);
    return rc;
}

static int32_t known_traits_all(known_load *l)
{
    cj__query q = {0};
    int row;
    int32_t rc;

    CJ_TRY(cj__query_begin(cj__reader_conn(l->reader), STMT_TRAIT_ALL, &q));
    for (;;) {
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        CJ_TRY(known_trait(l, &q, (uint32_t)cj__query_get_int64(&q, 0), 0));
    }
    CJ_TRY(known_scores(l, 0));
out:
    cj__query_end(&q);
    return rc;
}

/* Rows, sorted, as facts with a start for each slot. */
static int32_t known_traits_deal(known_load *l)
{
    cj__known *k = l->k;
    size_t at = 0;

    if (l->n_rows > 0)
        qsort(l->rows, l->n_rows, sizeof *l->rows, known_order);
    k->traits = cj__arena_alloc(&k->arena, (l->n_rows + 1) * sizeof *k->traits);
    k->starts = cj__arena_alloc(&k->arena, (k->n_slots + 1) * sizeof *k->starts);
    if (k->traits == NULL || k->starts == NULL)
        return CJ_ENOMEM;
    for (size_t slot = 0; slot < k->n_slots; slot++) {
        k->starts[slot] = (uint32_t)at;
        for (; at < l->n_rows && l->rows[at].slot == slot; at++)
            k->traits[at] = l->rows[at].trait;
    }
    k->starts[k->n_slots] = (uint32_t)at;
    k->n_traits = at;
    return CJ_OK;
}

static int known_name_order(const void *a, const void *b)
{
    const cj__text *x = a, *y = b;
    const size_t n = x->n < y->n ? x->n : y->n;
    const int order = memcmp(x->data, y->data, n);

    return order != 0 ? order : x->n < y->n ? -1 : x->n > y->n;
}

/* The names in order of their bytes, as facts have them, and their terms. */
static int32_t known_names(known_load *l, const cj__text *names, size_t n)
{
    cj__text *sorted = cj__arena_alloc(&l->k->arena, (n + 1) * sizeof *sorted);
    int32_t rc = CJ_OK;

    l->ids = cj__arena_alloc(&l->k->arena, (n + 1) * sizeof *l->ids);
    if (sorted == NULL || l->ids == NULL)
        return CJ_ENOMEM;
    if (n > 0) {
        memcpy(sorted, names, n * sizeof *names);
        qsort(sorted, n, sizeof *sorted, known_name_order);
    }
    l->names = sorted;
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || !cj__text_equal(sorted[i], sorted[i - 1]))
            sorted[l->n_names++] = sorted[i];
    }
    for (size_t i = 0; i < l->n_names; i++)
        CJ_TRY(cj__reader_term_id(l->reader, CJ__SPACE_TRAIT, sorted[i], &l->ids[i]));
out:
    return rc;
}

static int32_t known_traits(known_load *l, const cj__text *names, size_t n)
{
    const cj__known *k = l->k;
    int32_t rc = CJ_OK;

    if (n == 0)
        return CJ_OK; /* an array for everybody would only say so */
    CJ_TRY(known_names(l, names, n));
    if (l->n_names > 0 && k->only == 0)
        CJ_TRY(known_traits_all(l));
    for (uint32_t node = k->only; l->n_names > 0 && k->only != 0 && node <= k->n_nodes;
         node++) {
        if (k->profile_of[node] == k->only)
            CJ_TRY(known_traits_of(l, node));
    }
    CJ_TRY(known_traits_deal(l));
out:
    return rc;
}

/* ---- identifiers, shared devices, lists
 * ------------------------------------------------------- */

static int32_t known_identifiers(cj__known *k, cj__reader *reader)
{
    cj__query q = {0};
    uint32_t slot;
    int row;
    int32_t rc;

    k->identifiers = cj__arena_alloc(&k->arena, k->n_slots * sizeof *k->identifiers);
    if (k->identifiers == NULL)
        return CJ_ENOMEM;
    memset(k->identifiers, 0, k->n_slots * sizeof *k->identifiers);
    CJ_TRY(cj__query_begin(cj__reader_conn(reader), STMT_IDENTIFIER_AFTER, &q));
    cj__query_int64(&q, 1, k->only == 0 ? 0 : (int64_t)k->only - 1);
    for (;;) {
        int64_t kind;

        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        CJ_TRY(known_slot(k, cj__query_get_int64(&q, 0), &slot));
        kind = cj__query_get_int64(&q, 1);
        if (slot == UINT32_MAX || kind < 1 || kind > CJ__N_KINDS)
            continue;
        k->identifiers[slot][kind]++;
        k->identifiers[slot][0]++;
    }
out:
    cj__query_end(&q);
    return rc;
}

static int32_t known_shared(cj__known *k, cj__reader *reader)
{
    cj__query q = {0};
    uint32_t slot;
    int row;
    int32_t rc;

    k->shared = cj__arena_alloc(&k->arena, k->n_slots);
    if (k->shared == NULL)
        return CJ_ENOMEM;
    memset(k->shared, 0, k->n_slots);
    CJ_TRY(cj__query_begin(cj__reader_conn(reader), STMT_EDGE_AFTER, &q));
    cj__query_int64(&q, 1, 0);
    for (;;) {
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        if (cj__query_get_int64(&q, 5) != CJ__EDGE_REFUSED)
            continue;
        for (int end = 1; end <= 2; end++) {
            CJ_TRY(known_slot(k, cj__query_get_int64(&q, end), &slot));
            if (slot != UINT32_MAX)
                k->shared[slot] = 1;
        }
    }
out:
    cj__query_end(&q);
    return rc;
}

/* Lists are read where definitions are. */
static int32_t known_list(cj__known *k, const cj__set *set, int64_t id, uint8_t **out)
{
    cj__query q = {0};
    uint8_t *is_on = cj__arena_alloc(&k->arena, k->n_slots);
    uint32_t slot;
    int row;
    int32_t rc;

    if (is_on == NULL)
        return CJ_ENOMEM;
    memset(is_on, 0, k->n_slots);
    CJ_TRY(cj__query_begin(set->conn, STMT_LIST_NODES, &q));
    cj__query_int64(&q, 1, id);
    for (;;) {
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        CJ_TRY(known_slot(k, cj__query_get_int64(&q, 0), &slot));
        if (slot != UINT32_MAX)
            is_on[slot] = 1;
    }
    *out = is_on;
out:
    cj__query_end(&q);
    return rc;
}

static int32_t known_lists(cj__known *k, const cj__set *set)
{
    int32_t rc = CJ_OK;

    k->lists = cj__arena_alloc(&k->arena, (set->n_lists + 1) * sizeof *k->lists);
    if (k->lists == NULL)
        return CJ_ENOMEM;
    for (size_t i = 0; i < set->n_lists; i++)
        CJ_TRY(known_list(k, set, set->lists[i].id, &k->lists[i]));
out:
    return rc;
}

/* ---- the whole
 * ------------------------------------------------------------------------------------
 */

int32_t cj__known_load(cj__known *k, cj__reader *reader, const cj__set *set,
                       const cj__text *names, size_t n_names, uint32_t only)
{
    known_load l = {.k = k, .reader = reader};
    const uint8_t *mask;
    int32_t rc;

    memset(k, 0, sizeof *k);
    cj__arena_init(&k->arena, &set->db->cx.allocator);
    cj__str_init(&l.text, &set->db->cx.allocator, CJ__MAX_NAME);
    k->only = only;
    CJ_TRY(cj__reader_profiles(reader, &k->profile_of, &mask, &k->n_nodes));
    k->n_slots = only == 0 ? (size_t)k->n_nodes + 1 : 1;
    CJ_TRY(known_traits(&l, names, n_names));
    if (set->reads_identifiers)
        CJ_TRY(known_identifiers(k, reader));
    if (set->reads_shared)
        CJ_TRY(known_shared(k, reader));
    CJ_TRY(known_lists(k, set));
out:
    cj__str_end(&l.text);
    cj__free(&set->db->cx.allocator, l.rows, l.capacity * sizeof *l.rows);
    if (rc != CJ_OK)
        cj__known_end(k);
    return rc;
}

void cj__known_end(cj__known *k)
{
    cj__arena_end(&k->arena);
    memset(k, 0, sizeof *k);
}

void cj__known_facts(const cj__known *k, uint32_t profile, cj__facts *facts)
{
    const size_t slot = k->only == 0 ? profile : 0;

    facts->profile = profile;
    facts->traits = k->starts == NULL ? NULL : k->traits + k->starts[slot];
    facts->n_traits = k->starts == NULL ? 0 : k->starts[slot + 1] - k->starts[slot];
    for (int i = 0; i < 9; i++)
        facts->n_identifiers[i] = k->identifiers == NULL ? 0 : k->identifiers[slot][i];
    facts->shared_device = k->shared != NULL && k->shared[slot];
}

int8_t cj__known_on_list(const cj__known *k, size_t list, uint32_t profile)
{
    return (int8_t)k->lists[list][k->only == 0 ? profile : 0];
}
