/* The plan of a scan: one read snapshot, its parts, its identity array and the
 * journal's rows that are wanted.  It decides what is read, never how. */
#include "scan/internal.h"

#include "identity/identity.h"

#include <string.h>

static int32_t plan_node(cj__plan *p, uint32_t node)
{
    int32_t rc =
        cj__array_grow(&p->db->cx.allocator, (void **)&p->nodes, &p->nodes_capacity,
                       (size_t)p->n_nodes_of + 1, sizeof *p->nodes, UINT32_MAX);

    if (rc == CJ_OK)
        p->nodes[p->n_nodes_of++] = node;
    return rc;
}

int32_t cj__plan_turn(cj__plan *p, int64_t *at)
{
    int32_t rc = CJ_OK;

    p->opts.profile = (uint32_t)(p->opts.some[*at] >> 32);
    p->n_nodes_of = 0;
    for (; *at < p->opts.n_some && p->opts.some[*at] >> 32 == p->opts.profile; ++*at)
        CJ_TRY(plan_node(p, (uint32_t)p->opts.some[*at]));
out:
    return rc;
}

/* The one profile asked for: its nodes alone are looked at.  None when there is no such
 * profile, or when it is a guest that nobody wants. */
static int32_t plan_profile(cj__plan *p)
{
    cj__conn *conn = cj__reader_conn(p->reader);
    int64_t n_nodes;
    cj__node node;
    uint32_t *nodes;
    size_t n;
    int32_t rc;

    CJ_TRY(cj__query_one(conn, STMT_IDENTIFIER_MAX, &n_nodes));
    p->n_nodes = (uint32_t)n_nodes;
    if (p->opts.profile > p->n_nodes)
        return CJ_OK;
    CJ_TRY(cj__node_read(conn, p->opts.profile, &node));
    if (node.profile != p->opts.profile ||
        (!p->opts.guests && (node.mask & CJ__MASK_KNOWN) == 0))
        return CJ_OK;
    p->opts.guests = 1; /* it has been looked at */
    CJ_TRY(cj__profile_nodes(conn, p->opts.profile, &p->arena, &nodes, &n));
    for (size_t i = 0; i < n; i++)
        CJ_TRY(plan_node(p, nodes[i]));
out:
    return rc;
}

/* How the profiles lie: none merged and all wanted is worth to know. */
static int32_t plan_look(cj__plan *p)
{
    int64_t n_guests;
    int32_t rc = cj__reader_profile_counts(p->reader, &p->n_foreign, &n_guests);

    p->all_wanted = p->opts.profiles == NULL && (p->opts.guests || n_guests == 0);
    p->simple = p->n_foreign == 0 && p->all_wanted;
    return rc;
}

static int32_t plan_names(cj__plan *p)
{
    uint32_t last = 0;
    size_t words;

    if (p->opts.n_names == 0)
        return CJ_OK;
    for (size_t i = 0; i < p->opts.n_names; i++)
        last = p->opts.names[i] > last ? p->opts.names[i] : last;
    words = (size_t)(last >> 6) + 1;
    p->n_name_bits = last + 1;
    p->names = cj__arena_alloc(&p->arena, words * sizeof *p->names);
    if (p->names == NULL)
        return CJ_ENOMEM;
    memset(p->names, 0, words * sizeof *p->names);
    for (size_t i = 0; i < p->opts.n_names; i++)
        p->names[p->opts.names[i] >> 6] |= (uint64_t)1 << (p->opts.names[i] & 63);
    return CJ_OK;
}

static int plan_takes(const cj__plan *p, const cj__row *row)
{
    if (row->time_ms < p->from_ms || row->time_ms >= p->until_ms ||
        !cj__plan_names(p, row->name) || !cj__plan_products(p, row->product))
        return 0;
    if (p->opts.value_only && (!row->has_value || (row->name != CJ__NAME_ORDER &&
                                                   row->name != CJ__NAME_REFUND)))
        return 0;
    return cj__plan_wants(p, cj__plan_root(p, row->node));
}

/* The journal's rows: all, or those of one profile. */
static int32_t plan_rows(cj__plan *p, int64_t *n_out)
{
    const cj__node_list nodes = {p->nodes, (size_t)p->n_nodes_of};
    cj__row *rows;
    int32_t rc;

    if (p->opts.profile == 0)
        return cj__reader_journal(p->reader, &p->rows, n_out);
    rc = cj__reader_journal_of(p->reader, &nodes, &p->arena, &rows, n_out);
    p->rows = rows;
    return rc;
}

static int32_t plan_journal(cj__plan *p)
{
    uint64_t *spare;
    int64_t n_rows;
    int32_t rc;

    rc = plan_rows(p, &n_rows);
    if (rc != CJ_OK || n_rows == 0)
        return rc;
    p->journal = cj__arena_alloc(&p->arena, (size_t)n_rows * 2 * sizeof(uint64_t));
    if (p->journal == NULL)
        return CJ_ENOMEM;
    spare = p->journal + n_rows;
    for (int64_t i = 0; i < n_rows; i++) {
        const cj__row *row = &p->rows[i];

        if (row->node < 1 || row->node > p->n_nodes)
            return cj__fail(CJ_ECORRUPT,
                            "the journal names a node that does not exist");
        if (plan_takes(p, row))
            p->journal[p->n_journal++] =
                (uint64_t)cj__plan_root(p, row->node) << 32 | (uint64_t)i;
    }
    cj__sort_pairs(p->journal, spare, p->n_journal, p->n_nodes);
    return CJ_OK;
}

int32_t cj__plan_open(cj__plan *p, cj_db *db, const cj__scan_options *opts)
{
    int32_t rc;
    int family = opts->value_only ? CJ__FAMILY_VALUE : CJ__FAMILY_CORE;

    memset(p, 0, sizeof *p);
    p->db = db;
    p->opts = *opts;
    p->from_ms = opts->from_ms == 0 ? INT64_MIN : opts->from_ms;
    p->until_ms = opts->until_ms == 0 ? INT64_MAX : opts->until_ms;
    cj__arena_init(&p->arena, &db->cx.allocator);
    p->reader = opts->reader;
    if (p->reader == NULL)
        CJ_TRY(cj__reader_open(db, &p->reader));
    if (opts->profile != 0)
        CJ_TRY(plan_profile(p));
    else if (opts->n_some == 0 || opts->unsealed)
        CJ_TRY(cj__reader_profiles(p->reader, &p->profile_of, &p->mask, &p->n_nodes));
    CJ_TRY(cj__reader_parts(p->reader, family, (cj__slice){p->from_ms, opts->until_ms},
                            &p->arena, &p->parts, &p->n_parts));
    for (int64_t i = 0; i < p->n_parts; i++) {
        p->n_blocks += p->parts[i].n_blocks;
        p->n_events += p->parts[i].n_events;
    }
    CJ_TRY(plan_names(p));
    if (opts->profile == 0 && opts->n_some == 0)
        CJ_TRY(plan_look(p));
    if (p->opts.n_some == 0 || p->opts.unsealed)
        CJ_TRY(plan_journal(p));
out:
    if (rc != CJ_OK)
        cj__plan_end(p);
    return rc;
}

void cj__plan_end(cj__plan *p)
{
    if (p->opts.reader == NULL)
        cj__reader_end(p->reader);
    p->reader = NULL;
    cj__arena_end(&p->arena);
    cj__free(&p->db->cx.allocator, p->nodes, p->nodes_capacity * sizeof *p->nodes);
    p->nodes = NULL;
}

static int64_t plan_journal_from(const cj__plan *p, uint32_t profile)
{
    int64_t low = 0, high = p->n_journal;

    while (low < high) {
        int64_t middle = low + (high - low) / 2;

        if (p->journal[middle] >> 32 < profile)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void cj__plan_journal(const cj__plan *p, uint32_t lo, uint32_t hi, int64_t *first,
                      int64_t *end)
{
    *first = plan_journal_from(p, lo);
    *end = plan_journal_from(p, hi);
}

int64_t cj__plan_block(const cj__part *part, uint32_t node)
{
    int64_t low = 0, high = part->n_blocks;

    while (low < high) {
        int64_t middle = low + (high - low) / 2;

        if (part->blocks[middle].last_node < node)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int cj__bits_any(const uint64_t *bits, uint32_t first, uint32_t last)
{
    uint32_t a = first >> 6, b = last >> 6;
    uint64_t from = ~(uint64_t)0 << (first & 63);
    uint64_t to = ~(uint64_t)0 >> (63 - (last & 63));

    if (a == b)
        return (bits[a] & from & to) != 0;
    if ((bits[a] & from) != 0 || (bits[b] & to) != 0)
        return 1;
    for (uint32_t i = a + 1; i < b; i++) {
        if (bits[i] != 0)
            return 1;
    }
    return 0;
}
