/* Cold profiles become hot: their events by one scan that decodes their rows alone,
 * their traits and identifiers row by row, from a read snapshot, which does not show
 * the transaction that is open; their states from the transaction itself. */
#include "segment/live.h"

#include "identity/identity.h"
#include "profile/score.h"
#include "scan/scan.h"

#include <stdlib.h>

#define LOAD_PAIRS ((size_t)UINT32_MAX)

typedef struct load {
    struct cj__live *l;
    cj__reader *reader;
    const uint32_t *profiles; /* the cold ones, ascending */
    size_t n;
    uint64_t *pairs; /* profile << 32 | node, ascending */
    size_t n_pairs, capacity;
} load;

/* ---- events
 * ---------------------------------------------------------------------------- */

static int32_t load_events(const void *arg, cj__str *partial, uint32_t profile,
                           const cj__columns *c, int64_t first, int64_t n)
{
    const load *d = *(const load *const *)arg;
    cj__live_person *p = cj__live_hot(d->l, profile);
    int32_t rc;

    (void)partial;
    if (p == NULL)
        return cj__fail(CJ_ECORRUPT, "a scan shows a profile that was not asked for");
    rc = cj__frame_reserve(&p->events, n);
    if (rc != CJ_OK)
        return rc;
    cj__frame_put_columns(&p->events, c, first, n);
    return cj__frame_own(&p->events, 0, n);
}

static int32_t load_scan(load *d)
{
    const cj__scan_options opts = {
        .some = d->pairs,
        .n_some = (int64_t)d->n_pairs,
        .guests = 1,
        .threads = 1,
        .reader = d->reader,
    };
    cj__fold fold = {.columns = d->l->rows.columns, .profile = load_events, .arg = &d};
    int32_t rc = cj__scan(d->l->db, &opts, &fold, 1);

    cj__str_end(&fold.partial);
    return rc;
}

/* ---- nodes: identifiers and traits
 * ---------------------------------------------------------- */

static int32_t load_trait(load *d, const cj__query *q, cj__live_person *p,
                          uint32_t node)
{
    cj__fact_trait trait = {.time_ms = cj__query_get_int64(q, 1)};
    int64_t place;
    int32_t rc;

    CJ_TRY(cj__live_term(d->l, (uint32_t)cj__query_get_int64(q, 0), &trait.name));
    place = cj__live_trait_place(d->l, trait.name);
    if (place < 0)
        return CJ_OK;
    CJ_TRY(cj__live_term(d->l, (uint32_t)cj__query_get_int64(q, 2), &trait.source));
    trait.value = cj__query_get_text(q, 3);
    CJ_TRY(cj__live_put_trait(d->l, p, node, &trait));
out:
    return rc;
}

typedef struct load_scores {
    load *d;
    cj__live_person *p;
} load_scores;

static int32_t load_score(void *user, const cj__told *told)
{
    const load_scores *s = user;
    struct cj__live *l = s->d->l;
    cj__fact_trait trait = {.name = told->name,
                            .time_ms = told->time_ms,
                            .source = cj__text_of(CJ__SCORE_SOURCE)};
    const int64_t place = cj__live_trait_place(l, told->name);
    cj__str text;
    int32_t rc;

    if (place < 0)
        return CJ_OK;
    trait.name = l->trait_names[place];
    cj__str_init(&text, l->allocator, CJ__MAX_NAME);
    cj__score_text(&text, told->number, told->value, l->db->currency_exponent);
    CJ_TRY(cj__str_status(&text));
    trait.value = (cj__text){text.data, text.n};
    CJ_TRY(cj__live_put_trait(l, s->p, told->node, &trait));
out:
    cj__str_end(&text);
    return rc;
}

static int32_t load_traits(load *d, cj__live_person *p, uint32_t node)
{
    cj__conn *conn = cj__reader_conn(d->reader);
    load_scores scores = {d, p};
    cj__query q = {0};
    int row;
    int32_t rc;

    CJ_TRY(cj__query_begin(conn, STMT_TRAIT_OF_NODE, &q));
    cj__query_int64(&q, 1, node);
    cj__query_int64(&q, 2, INT64_MAX);
    for (;;) {
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        CJ_TRY(load_trait(d, &q, p, node));
    }
    CJ_TRY(cj__scores_told(d->l->db, conn, node, load_score, &scores));
out:
    cj__query_end(&q);
    return rc;
}

static int32_t load_node(load *d, cj__live_person *p, uint32_t node)
{
    cj__live_node entry = {.node = node,
                           .shared = (uint8_t)cj__live_shares(d->l, node)};
    cj__query q = {0};
    int row;
    int32_t rc;

    CJ_TRY(cj__query_begin(cj__reader_conn(d->reader), STMT_IDENTIFIER_GET, &q));
    cj__query_int64(&q, 1, node);
    CJ_TRY(cj__query_step(&q, &row));
    if (row && cj__query_get_int64(&q, 0) >= 1 &&
        cj__query_get_int64(&q, 0) <= CJ__N_KINDS)
        entry.kind = (uint8_t)cj__query_get_int64(&q, 0);
    CJ_TRY(cj__live_put_node(d->l, p, entry));
    if (d->l->n_trait_names > 0)
        CJ_TRY(load_traits(d, p, node));
out:
    cj__query_end(&q);
    return rc;
}

static int32_t load_nodes(load *d, cj__live_person *p)
{
    cj__arena arena;
    uint32_t *nodes;
    size_t n;
    int32_t rc;

    cj__arena_init(&arena, d->l->allocator);
    CJ_TRY(
        cj__profile_nodes(cj__reader_conn(d->reader), p->profile, &arena, &nodes, &n));
    for (size_t i = 0; i < n; i++) {
        CJ_TRY(cj__array_grow(d->l->allocator, (void **)&d->pairs, &d->capacity,
                              d->n_pairs + 1, sizeof *d->pairs, LOAD_PAIRS));
        d->pairs[d->n_pairs++] = (uint64_t)p->profile << 32 | nodes[i];
        CJ_TRY(load_node(d, p, nodes[i]));
    }
out:
    cj__arena_end(&arena);
    return rc;
}

/* ---- states
 * ------------------------------------------------------------------------------------
 */

static int32_t load_states(load *d, cj__live_person *p)
{
    cj__query q = {0};
    int row;
    int32_t rc;

    CJ_TRY(cj__query_begin(cj__writer(d->l->db), STMT_STATE_GET, &q));
    cj__query_int64(&q, 1, p->profile);
    CJ_TRY(cj__query_step(&q, &row));
    if (!row)
        goto out;
    p->has_row = 1;
    p->next_ms = cj__query_get_int64(&q, 0);
    CJ_TRY(cj__live_states_read(d->l, cj__query_get_blob(&q, 1), p->states));
out:
    cj__query_end(&q);
    return rc;
}

/* ---- all of it
 * ----------------------------------------------------------------------- */

static int load_order(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static int32_t load_cold(load *d)
{
    cj__live_person *p;
    int32_t rc;

    CJ_TRY(cj__live_tail_load(d->l, d->reader));
    for (size_t i = 0; i < d->n; i++) {
        CJ_TRY(cj__live_person_new(d->l, d->profiles[i], &p));
        CJ_TRY(load_states(d, p));
        CJ_TRY(load_nodes(d, p));
    }
    if (d->l->columns_read != 0) {
        qsort(d->pairs, d->n_pairs, sizeof *d->pairs, load_order);
        CJ_TRY(load_scan(d));
    }
    for (size_t i = 0; i < d->n_pairs; i++)
        CJ_TRY(cj__live_tail_take(d->l, (uint32_t)d->pairs[i],
                                  cj__live_hot(d->l, (uint32_t)(d->pairs[i] >> 32))));
    for (size_t i = 0; i < d->n; i++)
        cj__live_weigh(d->l, cj__live_hot(d->l, d->profiles[i]));
out:
    return rc;
}

/* What fails halfway fails the transaction, and with that all that is hot cools. */
int32_t cj__live_warm(struct cj__live *l, const uint32_t *profiles, size_t n)
{
    uint32_t *cold = cj__arena_alloc(&l->scratch, (n + 1) * sizeof *cold);
    load d = {.l = l, .profiles = cold};
    int32_t rc = CJ_OK;

    if (cold == NULL)
        return CJ_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        if (cj__live_hot(l, profiles[i]) == NULL)
            cold[d.n++] = profiles[i];
    }
    if (d.n == 0)
        return CJ_OK;
    CJ_TRY(cj__reader_open(l->db, &d.reader));
    CJ_TRY(load_cold(&d));
out:
    cj__free(l->allocator, d.pairs, d.capacity * sizeof *d.pairs);
    cj__reader_end(d.reader);
    return rc;
}
