/* cj_compact: seal what is in the journal, merge the parts of each slice, merge weeks
 * that lie more than two months behind the newest event into months, give free pages
 * back. Each step is a transaction of its own: stopped half way, the file is good and
 * smaller. */
#include "store/internal.h"

/* The parts [first, end) of the directory that should be one, after `from_ms`; and the
 * slice that they make.  first == end: nothing is left to do. */
static void compact_next(const cj__store *s, int64_t from_ms, size_t *first,
                         size_t *end, cj__slice *slice)
{
    int64_t newest = INT64_MIN;

    for (size_t i = 0; i < s->n_parts; i++)
        if (s->parts[i].max_ms > newest)
            newest = s->parts[i].max_ms;
    *first = *end = 0;
    for (size_t i = 0; i < s->n_parts; i = *end) {
        cj__slice month = cj__slice_month(s->parts[i].from_ms);
        *slice = (cj__slice){s->parts[i].from_ms, s->parts[i].until_ms};
        if (month.until_ms < newest - CJ__KEEP_WEEKS_MS)
            *slice = month;
        *first = i;
        for (*end = i; *end < s->n_parts && s->parts[*end].from_ms < slice->until_ms;)
            ++*end;
        if (s->parts[i].from_ms >= from_ms &&
            (*end - i > 1 || s->parts[i].until_ms - s->parts[i].from_ms !=
                                 slice->until_ms - slice->from_ms))
            return;
    }
    *first = *end;
}

/* One merge; *from_ms moves past it, INT64_MAX when all is done. */
static int32_t compact_step(cj_db *db, int64_t *from_ms, int64_t *done, int64_t *total)
{
    cj__store *s = db->store;
    cj__part_info *parts = NULL;
    size_t first, end, bytes = 0;
    cj__slice slice;
    int64_t begin = *from_ms;
    int32_t rc = cj__write_begin(db);

    if (rc != CJ_OK)
        return rc;
    CJ_TRY(cj__parts_load(db));
    compact_next(s, begin, &first, &end, &slice);
    *from_ms = INT64_MAX;
    *total = (int64_t)s->n_parts;
    *done = (int64_t)first;
    if (first < end) {
        bytes = (end - first) * sizeof *parts;
        parts = cj__alloc(&db->cx.allocator, bytes);
        if (parts == NULL)
            CJ_TRY(CJ_ENOMEM);
        for (size_t i = first; i < end; i++)
            parts[i - first] = s->parts[i];
        CJ_TRY(cj__merge_parts(db, parts, end - first, slice));
        *from_ms = slice.until_ms;
    }
out:
    cj__free(&db->cx.allocator, parts, bytes);
    return cj__write_end(db, rc);
}

/* VACUUM when more than a quarter of the file is free. */
static int32_t compact_vacuum(cj_db *db)
{
    cj__store *s = db->store;
    int64_t free_pages, pages, ignored;
    int32_t rc = cj__write_begin(db);

    if (rc != CJ_OK)
        return rc;
    CJ_TRY(cj__query_one(&s->writer, STMT_FREELIST_COUNT, &free_pages));
    CJ_TRY(cj__query_one(&s->writer, STMT_PAGE_COUNT, &pages));
    CJ_TRY(cj__query_one(&s->writer, STMT_COMMIT, &ignored));
    if (free_pages > pages / 4)
        CJ_TRY(cj__query_one(&s->writer, STMT_VACUUM, &ignored));
    (void)sqlite3_wal_checkpoint_v2(s->writer.sq, NULL, SQLITE_CHECKPOINT_TRUNCATE,
                                    NULL,
                                    NULL); /* a reader in its way: the next one will */
    CJ_TRY(cj__query_one(&s->writer, STMT_BEGIN_WRITE, &ignored));
out:
    return cj__write_end(db, rc);
}

int32_t cj__compact(cj_db *db, cj_progress_fn progress, void *progress_user)
{
    int64_t from_ms = INT64_MIN, done = 0, total = 0;
    int32_t rc = cj__write_begin(db);

    if (rc != CJ_OK)
        return rc;
    rc = cj__seal(db, 1, 1);
    if (rc == CJ_OK)
        rc = cj__journal_forget_spent(db);
    rc = cj__write_end(db, rc);
    while (rc == CJ_OK && from_ms != INT64_MAX) {
        rc = compact_step(db, &from_ms, &done, &total);
        if (rc == CJ_OK && progress != NULL &&
            progress(progress_user, done, total) != 0)
            rc = cj__fail(CJ_EINTERRUPT, "stopped by the progress hook");
    }
    return rc == CJ_OK ? compact_vacuum(db) : rc;
}
