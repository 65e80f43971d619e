/* The writer's directory of parts, and how one is removed.  Loaded when first needed in
 * a transaction, forgotten when parts change. */
#include "store/internal.h"

void cj__parts_reset(cj_db *db)
{
    cj__map_clear(&db->store->messages.sealed);
    db->store->n_parts = 0;
    db->store->parts_loaded = 0;
}

/* The row of PART_ALL that the query stands on. */
cj__part_info cj__part_info_read(const cj__query *q)
{
    return (cj__part_info){
        .part = cj__query_get_int64(q, 0),
        .from_ms = cj__query_get_int64(q, 1),
        .until_ms = cj__query_get_int64(q, 2),
        .min_ms = cj__query_get_int64(q, 3),
        .max_ms = cj__query_get_int64(q, 4),
        .n_events = cj__query_get_int64(q, 5),
        .n_values = cj__query_get_int64(q, 6),
        .n_messages = cj__query_get_int64(q, 7),
        .bits = cj__query_get_int64(q, 8),
        .n_core = (int64_t)(cj__query_get_blob(q, 9).n / CJ__DIRECTORY_ENTRY),
        .n_projection = (int64_t)(cj__query_get_blob(q, 10).n / CJ__DIRECTORY_ENTRY),
    };
}

int32_t cj__parts_load(cj_db *db)
{
    cj__store *s = db->store;
    cj__query q = {0};
    int row;
    int32_t rc;

    if (s->parts_loaded)
        return CJ_OK;
    cj__parts_reset(db);
    s->parts_max_ms = INT64_MIN;
    CJ_TRY(cj__query_begin(&s->writer, STMT_PART_ALL, &q));
    for (;;) {
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        CJ_TRY(cj__array_grow(&db->cx.allocator, (void **)&s->parts, &s->parts_capacity,
                              s->n_parts + 1, sizeof *s->parts, 1u << 24));
        s->parts[s->n_parts] = cj__part_info_read(&q);
        if (s->parts[s->n_parts].max_ms > s->parts_max_ms)
            s->parts_max_ms = s->parts[s->n_parts].max_ms;
        s->n_parts++;
    }
    s->parts_loaded = 1;
out:
    cj__query_end(&q);
    return rc;
}

static int32_t part_delete_range(cj_db *db, int stmt, int64_t from, int64_t until)
{
    cj__query q = {0};
    int32_t rc;

    CJ_TRY(cj__query_begin(cj__writer(db), stmt, &q));
    cj__query_int64(&q, 1, from);
    if (until != 0)
        cj__query_int64(&q, 2, until);
    CJ_TRY(cj__query_run(&q));
out:
    cj__query_end(&q);
    return rc;
}

int32_t cj__part_delete(cj_db *db, const cj__part_info *part)
{
    int64_t from = part->part << CJ__PART_SHIFT;
    int64_t until = (part->part + 1) << CJ__PART_SHIFT;
    int32_t rc;

    CJ_TRY(part_delete_range(db, STMT_BLOCK_DELETE, from, until));
    CJ_TRY(part_delete_range(db, STMT_BUCKET_DELETE, from, until));
    CJ_TRY(part_delete_range(db, STMT_PART_DELETE, part->part, 0));
out:
    return rc;
}
