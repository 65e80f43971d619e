/* Merging parts into one: several parts of a slice, or the weeks of a month. Streaming,
 * one block of each part at a time; the order of arrival survives because of two equal
 * (node, time) the part with the lower id comes first. */
#include "store/internal.h"

#include <string.h>

#define MERGE_FAN_IN                                                                   \
    4 /* parts of like size before they are merged: each event is                      \
       * rewritten log4(n) times instead of with every seal */

typedef struct merge_source {
    cj_db *db;
    const cj__part_info *part;
    int64_t next_block, n, at;
    cj__row *rows;
    cj__arena texts;
} merge_source;

#define MERGE_ROWS_BYTES ((size_t)CJ__BLOCK_EVENTS * sizeof(cj__row))

static int32_t merge_decode(merge_source *s, cj__text core, cj__text properties)
{
    cj__block_header header;
    int32_t rc;

    CJ_TRY(cj__block_open(core, properties, &header));
    if (header.n > CJ__BLOCK_EVENTS)
        CJ_TRY(cj__fail(CJ_ECORRUPT, "a block of part %lld is larger than a block",
                        (long long)s->part->part));
    core.data = cj__arena_text(&s->texts, core.data, core.n);
    properties.data = cj__arena_text(&s->texts, properties.data, properties.n);
    if (core.data == NULL || properties.data == NULL)
        CJ_TRY(CJ_ENOMEM);
    CJ_TRY(cj__block_rows(core, properties, &s->texts, s->rows, &s->n));
    s->at = 0;
    s->next_block++;
out:
    return rc;
}

/* Read the next block when the last one is used up; n is 0 at the end. */
static int32_t merge_fill(merge_source *s, cj__part_writer *w)
{
    cj__query q = {0};
    int row;
    int32_t rc = CJ_OK;

    if (s->at < s->n)
        return CJ_OK;
    s->n = s->at = 0;
    if (s->next_block == s->part->n_core)
        return CJ_OK;
    cj__part_let_go(w, &s->texts);
    CJ_TRY(cj__interrupted(&s->db->cx));
    CJ_TRY(cj__query_begin(cj__writer(s->db), STMT_BLOCK_GET, &q));
    cj__query_int64(&q, 1, s->part->part << CJ__PART_SHIFT | s->next_block);
    CJ_TRY(cj__query_step(&q, &row));
    if (!row)
        CJ_TRY(cj__fail(CJ_ECORRUPT, "block %lld of part %lld is missing",
                        (long long)s->next_block, (long long)s->part->part));
    CJ_TRY(merge_decode(s, cj__query_get_blob(&q, 0), cj__query_get_blob(&q, 1)));
out:
    cj__query_end(&q);
    return rc;
}

static int merge_before(const merge_source *a, const merge_source *b)
{
    const cj__row *x = &a->rows[a->at], *y = &b->rows[b->at];

    if (x->node != y->node)
        return x->node < y->node;
    if (x->time_ms != y->time_ms)
        return x->time_ms < y->time_ms;
    return a->part->part < b->part->part;
}

static int32_t merge_rows(merge_source *sources, size_t n, cj__part_writer *w)
{
    int32_t rc = CJ_OK;

    for (;;) {
        merge_source *best = NULL;
        for (size_t i = 0; i < n; i++) {
            CJ_TRY(merge_fill(&sources[i], w));
            if (sources[i].n > 0 && (best == NULL || merge_before(&sources[i], best)))
                best = &sources[i];
        }
        if (best == NULL)
            break;
        CJ_TRY(cj__part_row(w, &best->rows[best->at]));
        best->at++;
    }
out:
    return rc;
}

static int32_t merge_messages(cj_db *db, const cj__part_info *parts, size_t n,
                              cj__part_writer *w)
{
    const cj__allocator *a = &db->cx.allocator;
    uint64_t *hashes;
    size_t bytes;
    int64_t total = 0, at = 0;
    int32_t rc;

    for (size_t i = 0; i < n; i++)
        total += parts[i].n_messages;
    bytes = cj__size_product((size_t)total + 1, sizeof *hashes);
    hashes = cj__alloc(a, bytes);
    if (hashes == NULL)
        return CJ_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        CJ_TRY(cj__message_run_read(cj__writer(db), &parts[i], hashes + at));
        at += parts[i].n_messages;
    }
    CJ_TRY(cj__part_finish(w, hashes, total));
out:
    cj__free(a, hashes, bytes);
    return rc;
}

int32_t cj__merge_parts(cj_db *db, const cj__part_info *parts, size_t n,
                        cj__slice slice)
{
    const cj__allocator *a = &db->cx.allocator;
    merge_source *sources = cj__alloc_zero(a, cj__size_product(n, sizeof *sources));
    cj__part_writer *w = NULL;
    int32_t rc = CJ_OK;

    if (sources == NULL)
        return CJ_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        sources[i].db = db;
        sources[i].part = &parts[i];
        cj__arena_init(&sources[i].texts, a);
        sources[i].rows = cj__alloc(a, MERGE_ROWS_BYTES);
        if (sources[i].rows == NULL)
            CJ_TRY(CJ_ENOMEM);
    }
    CJ_TRY(cj__part_begin(db, slice, &w));
    for (size_t i = 0; i < n; i++)
        cj__part_cover(w, parts[i].min_ms, parts[i].max_ms);
    CJ_TRY(merge_rows(sources, n, w));
    CJ_TRY(merge_messages(db, parts, n, w));
    for (size_t i = 0; i < n; i++)
        CJ_TRY(cj__part_delete(db, &parts[i]));
out:
    cj__part_end(w);
    for (size_t i = 0; i < n; i++) {
        cj__free(a, sources[i].rows, MERGE_ROWS_BYTES);
        cj__arena_end(&sources[i].texts);
    }
    cj__free(a, sources, n * sizeof *sources);
    return rc;
}

/* Merge the newest parts of a slice while they are of like size.  Parts of one slice
 * stand together in the directory, by id. */
int32_t cj__merge_slice(cj_db *db, int64_t from_ms)
{
    cj__store *s = db->store;
    cj__part_info parts[64]; /* the directory is reloaded below our feet */
    size_t end, first;
    int64_t sum;
    int32_t rc = cj__parts_load(db);

    if (rc != CJ_OK)
        return rc;
    for (end = s->n_parts; end > 0 && s->parts[end - 1].from_ms != from_ms;)
        end--;
    if (end == 0)
        return CJ_OK;
    first = end - 1;
    sum = s->parts[first].n_events;
    while (first > 0 && end - first < 64 && s->parts[first - 1].from_ms == from_ms &&
           s->parts[first - 1].n_events <= sum) {
        first--;
        sum += s->parts[first].n_events;
    }
    if (end - first < MERGE_FAN_IN)
        return CJ_OK;
    memcpy(parts, s->parts + first, (end - first) * sizeof *parts);
    return cj__merge_parts(db, parts, end - first,
                           (cj__slice){parts[0].from_ms, parts[0].until_ms});
}
