/* A refresh by one scan of the value projection: the states it gives are walked along
 * beside those that are kept, and whoever differs is scored. */
#include "metrics/clv_refresh.h"

#define REFRESH_HEAD 9 /* of a record: u32 profile, u32 bytes, u8 is_ahead */

static void head_write(char *to, uint32_t profile, size_t n, int is_ahead)
{
    for (int i = 0; i < 4; i++) {
        to[i] = (char)(profile >> (8 * i));
        to[4 + i] = (char)(n >> (8 * i));
    }
    to[8] = (char)is_ahead;
}

static uint32_t head_read(const char *from)
{
    uint32_t value = 0;

    for (int i = 0; i < 4; i++)
        value |= (uint32_t)(unsigned char)from[i] << (8 * i);
    return value;
}

static int32_t whole_profile(const void *arg, cj__str *partial, uint32_t profile,
                             const cj__columns *columns, int64_t first, int64_t n)
{
    const cj__clv_fold *fold = arg;
    const size_t start = partial->n;
    int64_t split = first;
    cj__clv_state s;

    while (split < first + n && columns->time_ms[split] < fold->as_of_ms)
        split++;
    cj__clv_state_begin(&s, fold, profile);
    cj__clv_state_rows(&s, columns, first, split);
    (void)cj__str_extend(partial, REFRESH_HEAD);
    if (split > first)
        cj__clv_state_write(partial, &s);
    if (cj__str_status(partial) != CJ_OK)
        return cj__str_status(partial);
    head_write(partial->data + start, profile, partial->n - start - REFRESH_HEAD,
               split < first + n);
    return CJ_OK;
}

/* Who was joined to somebody since: a guest may be known by now. */
static int32_t whole_joined(cj__refresh *r, cj__map *joined)
{
    cj__query q = {0};
    int row;
    int32_t rc;

    CJ_TRY(cj__query_begin(cj__writer(r->db), STMT_LOG_AFTER, &q));
    cj__query_int64(&q, 1, r->log);
    for (;;) {
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        CJ_TRY(cj__map_put(joined, (uint64_t)cj__query_get_int64(&q, 2), 1));
    }
out:
    cj__query_end(&q);
    return rc;
}

/* One profile as the scan has it (now.n 0: it is not there) and as it was kept. */
static int32_t whole_compare(cj__refresh *r, uint32_t profile, cj__text now,
                             cj__text then)
{
    cj__clv_fact ignored;
    cj__clv_state s;
    int was = 0;
    int32_t rc = CJ_OK;

    if (then.n > 0 && !r->is_other) { /* another format would not be read */
        CJ_TRY(cj__clv_state_read(&s, &r->fold, profile, then));
        was = cj__clv_state_fact(&s, &ignored);
    }
    if (now.n == 0)
        cj__clv_state_begin(&s, &r->fold, profile);
    else
        CJ_TRY(cj__clv_state_read(&s, &r->fold, profile, now));
    CJ_TRY(cj__refresh_put(r, &s, now, was));
out:
    return rc;
}

static int whole_differs(const cj__refresh *r, const cj__map *joined, uint32_t profile,
                         cj__text now, cj__text then)
{
    uint64_t ignored;

    if (!cj__text_equal(now, then))
        return 1;
    return now.n > 0 &&
           (r->o->everybody || r->is_other || cj__map_get(joined, profile, &ignored));
}

static int32_t whole_walk(cj__refresh *r, const cj__str *partial, const cj__map *joined)
{
    const cj__text none = {"", 0};
    cj__scored kept;
    size_t at = 0;
    int has = 0;
    int32_t rc;

    CJ_TRY(cj__scores_next(&r->scores, &kept, &has));
    while (has || at < partial->n) {
        const char *head = partial->data + at;
        const uint64_t now = at < partial->n ? head_read(head) : UINT64_MAX;
        const uint64_t then = has ? kept.profile : UINT64_MAX;
        const uint32_t profile = (uint32_t)(now < then ? now : then);
        cj__text a = none, b = then <= now ? kept.state : none;

        if (now <= then) {
            a = (cj__text){head + REFRESH_HEAD, head_read(head + 4)};
            r->is_ahead |= head[8] != 0;
            at += REFRESH_HEAD + a.n;
        }
        if (whole_differs(r, joined, profile, a, b))
            CJ_TRY(whole_compare(r, profile, a, b));
        if (then <= now)
            CJ_TRY(cj__scores_next(&r->scores, &kept, &has));
    }
out:
    return rc;
}

int32_t cj__refresh_scan(cj__refresh *r)
{
    cj__fold fold = {.columns = CJ__COL_TIME | CJ__COL_NAME | CJ__COL_VALUE,
                     .profile = whole_profile,
                     .arg = &r->fold};
    const cj__scan_options scan = {.value_only = 1,
                                   .guests = 1, /* they may become known */
                                   .threads = r->o->threads,
                                   .reader = r->reader,
                                   .progress = r->o->progress,
                                   .progress_user = r->o->progress_user};
    cj__map joined;
    int32_t rc;

    cj__map_init(&joined, &r->db->cx.allocator);
    r->result.is_whole = 1;
    CJ_TRY(cj__refresh_again(r));
    CJ_TRY(whole_joined(r, &joined));
    CJ_TRY(cj__scan(r->db, &scan, &fold, 1));
    CJ_TRY(whole_walk(r, &fold.partial, &joined));
out:
    cj__map_end(&joined);
    cj__str_end(&fold.partial);
    return rc;
}
