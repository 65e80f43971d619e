/* What must be true of live segments in a file: states that can be read, of profiles
 * and live segments that there are, due when the least until says so; and the feed,
 * replayed from its beginning, is the membership. */
#include "segment/live.h"

#include "store/reader.h"

typedef struct check {
    cj__conn *conn;
    cj_table *problems;
    cj__map live;    /* ids of segments; 1: live, 2: not, or dropped */
    cj__map members; /* segment << 32 | profile -> since + 1, by the feed; 0: left */
    int64_t n_feed, n_states;
} check;

static int32_t check_segments(check *c)
{
    cj__query q = {0};
    int row;
    int32_t rc;

    CJ_TRY(cj__query_begin(c->conn, STMT_SEGMENT_NAMES, &q));
    for (;;) {
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        CJ_TRY(cj__map_put(&c->live, (uint64_t)cj__query_get_int64(&q, 0), 2));
    }
    cj__query_end(&q);
    CJ_TRY(cj__query_begin(c->conn, STMT_SEGMENT_ALL, &q));
    for (;;) {
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        if (cj__query_get_int64(&q, 2) == 1)
            CJ_TRY(cj__map_put(&c->live, (uint64_t)cj__query_get_int64(&q, 0), 1));
    }
out:
    cj__query_end(&q);
    return rc;
}

static uint64_t check_key(int64_t segment, int64_t profile)
{
    return (uint64_t)segment << 32 | (uint64_t)profile;
}

static int32_t check_change(check *c, const cj__query *q)
{
    const int64_t segment = cj__query_get_int64(q, 1);
    const int64_t entered = cj__query_get_int64(q, 4);
    const int64_t cause = cj__query_get_int64(q, 5);
    const uint64_t key = check_key(segment, cj__query_get_int64(q, 2));
    uint64_t was = 0, known;

    if (!cj__map_get(&c->live, (uint64_t)segment, &known) || cause < CJ__CHANGE_EVENT ||
        cause > CJ__CHANGE_IDENTITY)
        cj__problem(c->problems, "segment_change",
                    "change %lld names what is not there",
                    (long long)cj__query_get_int64(q, 0));
    (void)cj__map_get(&c->members, key, &was);
    if ((was != 0) == (entered != 0))
        cj__problem(c->problems, "segment_change", "change %lld changes nothing",
                    (long long)cj__query_get_int64(q, 0));
    c->n_feed += (entered != 0) - (was != 0);
    return cj__map_put(&c->members, key,
                       entered ? (uint64_t)cj__query_get_int64(q, 3) + 1 : 0);
}

static int32_t check_feed(check *c)
{
    cj__query q = {0};
    int row;
    int32_t rc;

    CJ_TRY(cj__query_begin(c->conn, STMT_CHANGE_AFTER, &q));
    cj__query_int64(&q, 1, 0);
    cj__query_int64(&q, 2, -1);
    for (;;) {
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        CJ_TRY(check_change(c, &q));
    }
out:
    cj__query_end(&q);
    return rc;
}

static void check_state(check *c, int64_t profile, int64_t next_ms, cj__text bytes)
{
    int64_t least = INT64_MAX;
    cj__live_entry e = {0};
    uint64_t known, since;
    size_t at = 0;
    int more;

    while ((more = cj__live_entry_next(bytes, &at, &e)) > 0) {
        if (!cj__map_get(&c->live, (uint64_t)e.segment, &known) || known != 1)
            cj__problem(c->problems, "segment_state",
                        "profile %lld has a state of segment %lld, which is not live",
                        (long long)profile, (long long)e.segment);
        least = e.until_ms < least ? e.until_ms : least;
        if (!e.is_in)
            continue;
        c->n_states++;
        since = 0;
        (void)cj__map_get(&c->members, check_key(e.segment, profile), &since);
        if (since != (uint64_t)e.since_ms + 1)
            cj__problem(c->problems, "segment_state",
                        "profile %lld is in segment %lld, and not by the feed",
                        (long long)profile, (long long)e.segment);
    }
    if (more < 0)
        cj__problem(c->problems, "segment_state",
                    "the state of profile %lld is damaged", (long long)profile);
    else if (least != next_ms)
        cj__problem(c->problems, "segment_state",
                    "profile %lld is not due when its state says", (long long)profile);
}

static int32_t check_states(check *c)
{
    cj__query q = {0};
    cj__node node;
    int row;
    int32_t rc;

    CJ_TRY(cj__query_begin(c->conn, STMT_STATE_AFTER, &q));
    cj__query_int64(&q, 1, 0);
    cj__query_int64(&q, 2, -1);
    for (;;) {
        int64_t profile;

        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        profile = cj__query_get_int64(&q, 0);
        CJ_TRY(cj__node_read(c->conn, (uint32_t)profile, &node));
        if (node.profile != profile)
            cj__problem(c->problems, "segment_state", "there is no profile %lld",
                        (long long)profile);
        check_state(c, profile, cj__query_get_int64(&q, 1), cj__query_get_blob(&q, 2));
    }
out:
    cj__query_end(&q);
    return rc;
}

int32_t cj__live_check(cj_db *db, cj__conn *conn, cj_table *problems)
{
    check c = {.conn = conn, .problems = problems};
    int32_t rc;

    cj__map_init(&c.live, &db->cx.allocator);
    cj__map_init(&c.members, &db->cx.allocator);
    CJ_TRY(check_segments(&c));
    CJ_TRY(check_feed(&c));
    CJ_TRY(check_states(&c));
    if (c.n_feed != c.n_states)
        cj__problem(problems, "segment_change",
                    "by the feed there are %lld memberships, by the states %lld",
                    (long long)c.n_feed, (long long)c.n_states);
out:
    cj__map_end(&c.live);
    cj__map_end(&c.members);
    return rc;
}
