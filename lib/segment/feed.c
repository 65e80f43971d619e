/* The feed: who entered and left which segment, when and why, in order.  Read only,
 * from a snapshot; rows are written by live_state.c. */
#include "segment/live.h"

#include "store/reader.h"

#include <stdlib.h>

#define FEED_ROWS 10000
#define FEED_NAMES (1u << 24)

typedef struct feed_name {
    int64_t segment;
    cj__text name;
} feed_name;

typedef struct feed {
    cj_db *db;
    cj__reader *reader;
    cj__arena arena;
    feed_name *names; /* by segment; dropped ones too */
    size_t n, capacity;
} feed;

static int32_t feed_names(feed *f)
{
    cj__query q = {0};
    int row;
    int32_t rc;

    CJ_TRY(cj__query_begin(cj__reader_conn(f->reader), STMT_SEGMENT_NAMES, &q));
    for (;;) {
        cj__text name;

        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        name = cj__query_get_text(&q, 1);
        CJ_TRY(cj__array_grow(&f->db->cx.allocator, (void **)&f->names, &f->capacity,
                              f->n + 1, sizeof *f->names, FEED_NAMES));
        f->names[f->n].segment = cj__query_get_int64(&q, 0);
        f->names[f->n].name.n = name.n;
        f->names[f->n].name.data = cj__arena_text(&f->arena, name.data, name.n);
        if (f->names[f->n].name.data == NULL)
            CJ_TRY(CJ_ENOMEM);
        f->n++;
    }
out:
    cj__query_end(&q);
    return rc;
}

static int feed_order(const void *a, const void *b)
{
    const feed_name *x = a, *y = b;

    return (x->segment > y->segment) - (x->segment < y->segment);
}

static const char *feed_cause(int64_t cause)
{
    static const char *const causes[] = {[CJ__CHANGE_EVENT] = "event",
                                         [CJ__CHANGE_CLOCK] = "clock",
                                         [CJ__CHANGE_DEFINITION] = "definition",
                                         [CJ__CHANGE_IDENTITY] = "identity"};

    return cause >= CJ__CHANGE_EVENT && cause <= CJ__CHANGE_IDENTITY ? causes[cause]
                                                                     : NULL;
}

static int32_t feed_row(const feed *f, const cj__query *q, cj_table *t)
{
    const feed_name key = {.segment = cj__query_get_int64(q, 1)};
    const feed_name *name =
        f->n == 0 ? NULL : bsearch(&key, f->names, f->n, sizeof key, feed_order);
    const char *cause = feed_cause(cj__query_get_int64(q, 5));

    if (name == NULL || cause == NULL)
        return cj__fail(CJ_ECORRUPT, "change %lld of the feed is damaged; run cj_check",
                        (long long)cj__query_get_int64(q, 0));
    cj__table_int64(t, 0, cj__query_get_int64(q, 0));
    cj__table_text(t, 1, name->name.data, name->name.n);
    cj__table_int64(t, 2, cj__query_get_int64(q, 2));
    cj__table_int64(t, 3, cj__query_get_int64(q, 3));
    cj__table_put(t, 4, cj__query_get_int64(q, 4) ? "entered" : "left");
    cj__table_put(t, 5, cause);
    return CJ_OK;
}

static int32_t feed_rows(const feed *f, int64_t after, int64_t limit, cj_table *t)
{
    cj__query q = {0};
    int row;
    int32_t rc;

    CJ_TRY(cj__query_begin(cj__reader_conn(f->reader), STMT_CHANGE_AFTER, &q));
    cj__query_int64(&q, 1, after);
    cj__query_int64(&q, 2, limit);
    for (;;) {
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        CJ_TRY(feed_row(f, &q, t));
    }
out:
    cj__query_end(&q);
    return rc;
}

int32_t cj__segment_feed(cj_db *db, int64_t after, int64_t limit, cj_table **out)
{
    feed f = {.db = db};
    cj_table *t = NULL;
    int32_t rc;

    *out = NULL;
    if (after < 0 || limit < 0 || limit > CJ__MAX_FEED)
        return cj__fail(CJ_EINVAL, "after is 0 or a change; limit is 0..%d",
                        CJ__MAX_FEED);
    cj__arena_init(&f.arena, &db->cx.allocator);
    CJ_TRY(cj__reader_open(db, &f.reader));
    CJ_TRY(feed_names(&f));
    CJ_TRY(cj__table_new(&db->cx.allocator,
                         "change:i segment:t profile:i time_ms:i what:t cause:t", &t));
    CJ_TRY(feed_rows(&f, after, limit == 0 ? FEED_ROWS : limit, t));
    rc = cj__table_finish(t, out);
    t = NULL;
out:
    cj__table_free(t);
    cj__free(&db->cx.allocator, f.names, f.capacity * sizeof *f.names);
    cj__arena_end(&f.arena);
    cj__reader_end(f.reader);
    return rc;
}
