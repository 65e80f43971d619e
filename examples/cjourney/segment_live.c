/* Live segments: who entered and left, and letting time pass.  What a poller of a shop
 * does by cj_segment_feed, here for people and shell scripts. */
#include "segment.h"

int run_segment_feed(program *p)
{
    int64_t after = 0, limit = 0, n, last;
    cj_table *t = NULL;
    int32_t rc;
    int code = option_int64(p, "after", 0, INT64_MAX, &after);

    if (code == DONE)
        code = option_int64(p, "limit", 1, 1000000, &limit);
    if (code != DONE)
        return code;
    rc = cj_segment_feed(p->db, after, limit, &t);
    if (rc != CJ_OK)
        return complain_library(p, rc);
    n = cj_table_rows(t);
    last = n == 0 ? 0 : table_int64(t, table_column(t, "change"), n - 1);
    code = table_print(p, t);
    if (n > 0)
        note(p, "what comes next: cjourney -d %s segment feed --after %lld", p->file,
             (long long)last);
    else if (after == 0)
        note(p,
             "nobody yet; keep one live: cjourney -d %s segment define NAME "
             "EXPRESSION --live",
             p->file);
    return code;
}

int run_segment_advance(program *p)
{
    int64_t now_ms = 0, n = 0;
    grid g = {0};
    int32_t rc;
    int code = option_time(p, "to", &now_ms);

    if (code != DONE)
        return code;
    rc = cj_segment_advance(p->db, now_ms, &n);
    if (rc != CJ_OK)
        return complain_library(p, rc);
    note(p, "%lld entered or left by the clock", (long long)n);
    grid_column_add(&g, "changes", "changes", CELL_COUNT);
    grid_number(&g, n);
    write_result(p, &g);
    return DONE;
}
