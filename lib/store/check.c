/* Verify what the store holds: SQLite's own structure, journal rows, parts with their
 * directories, blocks with their checksums and order, the value projection against the
 * core, message hashes against their buckets.  Reads a snapshot; goes on after a
 * problem. */
#include "store/internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct check_part {
    cj__conn *conn;
    cj_table *problems;
    const cj__part_info *info;
    cj__row *rows; /* CJ__BLOCK_EVENTS */
    cj__arena texts;
    int64_t n_terms, n_nodes;
    cj__row last;
    int64_t n_rows, n_values;
    uint64_t core_values, projected_values; /* order-free sums of what orders say */
} check_part;

void cj__problem(cj_table *t, const char *place, const char *format, ...)
{
    char text[160];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    cj__table_put(t, 0, place);
    cj__table_put(t, 1, text);
}

/* A failed read of one place is a problem of the file, unless memory or patience ended.
 */
static int32_t check_note(cj_table *t, const char *place, int32_t rc)
{
    if (rc != CJ_ECORRUPT)
        return rc;
    cj__problem(t, place, "%s", cj__error_text());
    return CJ_OK;
}

static int32_t check_sqlite(cj__conn *conn, cj_table *t)
{
    cj__query q = {0};
    int row;
    int32_t rc;

    CJ_TRY(cj__query_begin(conn, STMT_INTEGRITY_CHECK, &q));
    for (;;) {
        cj__text line;
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        line = cj__query_get_text(&q, 0);
        if (line.n != 2 || memcmp(line.data, "ok", 2) != 0)
            cj__problem(t, "sqlite", "%.150s", line.data);
    }
out:
    cj__query_end(&q);
    return check_note(t, "sqlite", rc);
}

/* ---- rows
 * ------------------------------------------------------------------------------- */

static void check_row(check_part *c, const char *place, const cj__row *row)
{
    const uint32_t terms[] = {row->name,    row->channel, row->campaign,
                              row->content, row->product, row->currency};

    if (row->node < 1 || row->node > c->n_nodes)
        cj__problem(c->problems, place, "an event of node %u, of %lld", row->node,
                    (long long)c->n_nodes);
    for (size_t i = 0; i < sizeof terms / sizeof terms[0]; i++)
        if (terms[i] > c->n_terms || (i == 0 && terms[i] == 0))
            cj__problem(c->problems, place, "an event names term %u, of %lld", terms[i],
                        (long long)c->n_terms);
}

static int32_t check_journal(check_part *c)
{
    cj__query q = {0};
    int row;
    int32_t rc;

    CJ_TRY(cj__query_begin(c->conn, STMT_JOURNAL_EVERY, &q));
    for (;;) {
        cj__text messages, events;
        int64_t n = 0;
        size_t at = 0;
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        CJ_TRY(cj__journal_blobs(&q, &messages, &events));
        while (at < events.n) {
            cj__row event;
            CJ_TRY(cj__journal_next(events, &at, &event));
            check_row(c, "journal", &event);
            n++;
        }
        if (n != cj__query_get_int64(&q, 1) || messages.n % 16 != 0)
            cj__problem(c->problems, "journal", "batch %lld is not what it says",
                        (long long)cj__query_get_int64(&q, 0));
    }
out:
    cj__query_end(&q);
    return check_note(c->problems, "journal", rc);
}

/* ---- parts
 * --------------------------------------------------------------------------------- */

static int check_in_order(const cj__row *a, const cj__row *b)
{
    return a->node < b->node || (a->node == b->node && a->time_ms <= b->time_ms);
}

/* What the projection must repeat of a row, as one number. */
static uint64_t check_value_hash(const cj__row *row)
{
    const int64_t numbers[] = {row->time_ms, row->value_minor, row->node,
                               row->name,    row->channel,     row->campaign};

    return cj__hash64(row->currency, numbers, sizeof numbers);
}

static void check_rows(check_part *c, const char *place, int family, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        const cj__row *row = &c->rows[i];
        check_row(c, place, row);
        if (row->time_ms < c->info->from_ms || row->time_ms >= c->info->until_ms ||
            row->time_ms < c->info->min_ms || row->time_ms > c->info->max_ms)
            cj__problem(c->problems, place, "row %lld lies outside its slice",
                        (long long)i);
        if (c->n_rows > 0 && !check_in_order(&c->last, row))
            cj__problem(c->problems, place, "row %lld is out of order", (long long)i);
        c->last = *row;
        c->n_rows++;
        if (family == CJ__FAMILY_VALUE) {
            c->projected_values += check_value_hash(row);
        } else if (cj__row_is_value(row)) {
            c->n_values++;
            c->core_values += check_value_hash(row);
        }
    }
}

static int32_t check_block(check_part *c, int family, int64_t index,
                           const uint32_t *entry)
{
    int64_t id =
        c->info->part << CJ__PART_SHIFT | (int64_t)family << CJ__FAMILY_SHIFT | index;
    cj__query q = {0};
    cj__text core, properties;
    cj__block_header header;
    char place[64];
    int64_t n;
    int row;
    int32_t rc;

    (void)snprintf(place, sizeof place, "part %lld block %lld",
                   (long long)c->info->part, (long long)id);
    cj__arena_reset(&c->texts);
    CJ_TRY(cj__query_begin(c->conn, STMT_BLOCK_GET, &q));
    cj__query_int64(&q, 1, id);
    CJ_TRY(cj__query_step(&q, &row));
    if (!row)
        CJ_TRY(cj__fail(CJ_ECORRUPT, "the block is missing"));
    core = cj__query_get_blob(&q, 0);
    properties = cj__query_get_blob(&q, 1);
    CJ_TRY(cj__block_open(core, properties, &header));
    if (header.n > CJ__BLOCK_EVENTS)
        CJ_TRY(cj__fail(CJ_ECORRUPT, "the block says it holds %lld events",
                        (long long)header.n));
    CJ_TRY(cj__block_rows(core, properties, &c->texts, c->rows, &n));
    if (n != entry[2] || n == 0 || c->rows[0].node != entry[0] ||
        c->rows[n - 1].node != entry[1])
        CJ_TRY(cj__fail(CJ_ECORRUPT, "the directory of its part says something else"));
    check_rows(c, place, family, n);
out:
    cj__query_end(&q);
    return check_note(c->problems, place, rc);
}

static int32_t check_family(check_part *c, int family, cj__text directory)
{
    int64_t n = (int64_t)(directory.n / CJ__DIRECTORY_ENTRY);
    int32_t rc = CJ_OK;

    c->n_rows = 0;
    for (int64_t i = 0; i < n && rc == CJ_OK; i++) {
        uint32_t entry[3];
        memcpy(entry, directory.data + i * CJ__DIRECTORY_ENTRY, sizeof entry);
        rc = cj__interrupted(&c->conn->db->cx);
        if (rc == CJ_OK)
            rc = check_block(c, family, i, entry);
    }
    if (rc == CJ_OK && c->n_rows != (family == CJ__FAMILY_VALUE ? c->info->n_values
                                                                : c->info->n_events))
        cj__problem(c->problems, "part",
                    "part %lld holds %lld events of family %d, and "
                    "says otherwise",
                    (long long)c->info->part, (long long)c->n_rows, family);
    return rc;
}

static int32_t check_messages(check_part *c)
{
    const cj__allocator *a = &c->conn->db->cx.allocator;
    size_t bytes = cj__size_product((size_t)c->info->n_messages + 1, sizeof(uint64_t));
    uint64_t *hashes = cj__alloc(a, bytes);
    int32_t rc;

    if (hashes == NULL)
        return CJ_ENOMEM;
    rc = check_note(c->problems, "message_bucket",
                    cj__message_run_read(c->conn, c->info, hashes));
    cj__free(a, hashes, bytes);
    return rc;
}

static int32_t check_one_part(check_part *c, const cj__query *q)
{
    cj__text core = cj__query_get_blob(q, 9), projection = cj__query_get_blob(q, 10);
    int32_t rc;

    c->n_values = 0;
    c->core_values = c->projected_values = 0;
    CJ_TRY(check_family(c, CJ__FAMILY_CORE, core));
    CJ_TRY(check_family(c, CJ__FAMILY_VALUE, projection));
    if (c->n_values != c->info->n_values || c->core_values != c->projected_values)
        cj__problem(c->problems, "part",
                    "the value projection of part %lld is not what "
                    "its events say",
                    (long long)c->info->part);
    CJ_TRY(check_messages(c));
out:
    return rc;
}

/* Slices do not overlap, but for parts of the same one. */
static void check_grid(check_part *c, int64_t *until_ms, int64_t *from_ms)
{
    const cj__part_info *p = c->info;

    if (p->from_ms != *from_ms && p->from_ms < *until_ms)
        cj__problem(c->problems, "part", "the slice of part %lld overlaps another",
                    (long long)p->part);
    *from_ms = p->from_ms;
    *until_ms = p->until_ms;
}

static int32_t check_parts(check_part *c)
{
    int64_t from_ms = INT64_MIN, until_ms = INT64_MIN;
    cj__part_info info;
    cj__query q = {0};
    int row;
    int32_t rc;

    CJ_TRY(cj__query_begin(c->conn, STMT_PART_ALL, &q));
    for (;;) {
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        info = cj__part_info_read(&q);
        c->info = &info;
        check_grid(c, &until_ms, &from_ms);
        CJ_TRY(check_one_part(c, &q));
    }
out:
    cj__query_end(&q);
    return rc;
}

int32_t cj__store_check(cj_db *db, cj__conn *conn, cj_table *problems)
{
    const cj__allocator *a = &db->cx.allocator;
    const size_t bytes = (size_t)CJ__BLOCK_EVENTS * sizeof(cj__row);
    check_part c = {.conn = conn, .problems = problems};
    int32_t rc;

    cj__arena_init(&c.texts, a);
    c.rows = cj__alloc(a, bytes);
    if (c.rows == NULL)
        return CJ_ENOMEM;
    CJ_TRY(check_sqlite(conn, problems));
    CJ_TRY(cj__query_one(conn, STMT_TERM_MAX, &c.n_terms));
    CJ_TRY(cj__query_one(conn, STMT_IDENTIFIER_MAX, &c.n_nodes));
    CJ_TRY(check_journal(&c));
    CJ_TRY(check_parts(&c));
out:
    cj__free(a, c.rows, bytes);
    cj__arena_end(&c.texts);
    return rc;
}
