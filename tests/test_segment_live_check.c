/* What cj_check finds wrong with live segments in a file that somebody else has written
 * to; and reading a profile's state, whatever bytes it holds. */
#include "harness.h"
#include "live_shop.h"
#include "segment/live.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

/* ---- wounds ------------------------------------------------------------------------
 */

static void check_make(live_shop *s)
{
    live_begin(s, 3, 1000);
    for (int i = 0; i < 12; i++)
        live_record(s, 8);
    api_expect_sound(s->db);
    expect_ok(cj_close(s->db));
}

static void check_run(const live_shop *s, const char *sql)
{
    sqlite3 *sq;

    ck_assert_int_eq(sqlite3_open(s->file.path, &sq), SQLITE_OK);
    ck_assert_msg(sqlite3_exec(sq, sql, NULL, NULL, NULL) == SQLITE_OK, "%s: %s", sql,
                  sqlite3_errmsg(sq));
    ck_assert_int_gt(sqlite3_changes(sq), 0);
    (void)sqlite3_close(sq);
}

static char *check_problems(cj_db *db)
{
    cj_table *t;
    char *text;

    expect_ok(cj_check(db, &t));
    expect_ok(cj_table_format(t, "csv", &text, NULL));
    cj_table_free(t);
    return text;
}

typedef struct check_wound {
    const char *sql, *found;
} check_wound;

static const check_wound check_wounds[] = {
    {"UPDATE segment_state SET states = x'02'",                                 "is damaged"                 },
    {"UPDATE segment_state SET states = x''",                                   "is damaged"                 },
    {"UPDATE segment_state SET states = substr(states, 1, length(states) - 1)",
     "is damaged"                                                                                            },
    {"UPDATE segment_state SET states = x'01FF7F0102'",                         "which is not live"          },
    {"UPDATE segment_state SET next_ms = next_ms - 1",                          "not due when its state says"},
    {"UPDATE segment_state SET profile = profile + 5000",                       "there is no profile"        },
    {"DELETE FROM segment_state WHERE profile = 1",                             "by the feed there are"      },
    {"DELETE FROM segment_change WHERE change = 1",                             "not by the feed"            },
    {"UPDATE segment_change SET entered = 1 - entered WHERE change = 1",
     "changes nothing"                                                                                       },
    {"UPDATE segment_change SET time_ms = time_ms + 1 WHERE entered = 1",
     "not by the feed"                                                                                       },
    {"UPDATE segment_change SET cause = 9 WHERE change = 1",                    "names what is not there"    },
    {"UPDATE segment_change SET segment = 99999",                               "names what is not there"    },
    {"UPDATE segment SET live = 0",                                             "which is not live"          },
};

START_TEST(test_segment_live_check__every_wound_is_found)
{
    for (size_t i = 0; i < sizeof check_wounds / sizeof check_wounds[0]; i++) {
        live_shop s;
        char *text;

        check_make(&s);
        check_run(&s, check_wounds[i].sql);
        s.db = live_open(&s);
        text = check_problems(s.db);
        ck_assert_msg(strstr(text, check_wounds[i].found) != NULL, "%s said\n%s",
                      check_wounds[i].sql, text);
        cj_text_free(text);
        live_end(&s);
    }
}
END_TEST

/* Recording on a damaged state is refused, and leaves nothing behind. */
START_TEST(test_segment_live_check__recording_on_damage_is_an_error)
{
    char users[LIVE_PEOPLE][16];
    cj_identifier ids[LIVE_PEOPLE];
    cj_event e[LIVE_PEOPLE];
    live_shop s;
    int64_t n;
    cj_table *t;

    for (int i = 0; i < LIVE_PEOPLE; i++) {
        (void)snprintf(users[i], sizeof users[i], "u%d", i);
        ids[i] = (cj_identifier){sizeof ids[i], "user_id", users[i]};
        e[i] = (cj_event){.struct_size = (int64_t)sizeof e[i],
                          .name = "view",
                          .identifiers = &ids[i],
                          .n_identifiers = 1};
    }
    check_make(&s);
    check_run(&s, "UPDATE segment_state SET states = x'07', next_ms = 1");
    s.db = live_open(&s);
    n = api_n_events(s.db);
    for (int i = 0; i < 3; i++)
        expect_code(CJ_ECORRUPT,
                    cj_record_many(s.db, e, LIVE_PEOPLE, (int64_t)sizeof *e, NULL));
    ck_assert_int_eq(api_n_events(s.db), n);
    expect_code(CJ_ECORRUPT, cj_segment_advance(s.db, 0, NULL));
    live_end(&s);

    check_make(&s);
    check_run(&s, "DELETE FROM segment WHERE name = 'buyers'");
    s.db = live_open(&s);
    expect_code(CJ_ECORRUPT, cj_segment_feed(s.db, 0, 0, &t));
    ck_assert_ptr_null(t);
    live_end(&s);
}
END_TEST

START_TEST(test_segment_live_check__so_many_and_no_more)
{
    live_shop s;

    live_begin(&s, 3, 1000);
    expect_ok(cj_close(s.db));
    check_run(&s,
              "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
              "WHERE i < 985) INSERT INTO segment (name, kind, live, time_ms, source) "
              "SELECT 'n' || i, 1, 1, 0, 'count(x) >= ' || i FROM n");
    check_run(&s, "UPDATE meta SET value = value + 1 WHERE name = 'segments_version'");
    s.db = live_open(&s);
    ck_assert_int_eq(api_stat(s.db, "live_segments"), 998);
    expect_ok(cj_segment_define(s.db, "a", "count(x) >= 1", CJ_SEGMENT_LIVE));
    expect_ok(cj_segment_define(s.db, "b", "count(x) >= 1", CJ_SEGMENT_LIVE));
    expect_code(CJ_ELIMIT,
                cj_segment_define(s.db, "c", "count(x) >= 1", CJ_SEGMENT_LIVE));
    expect_ok(cj_segment_define(s.db, "c", "count(x) >= 1", 0));
    ck_assert_int_eq(api_stat(s.db, "live_segments"), 1000);
    live_record(&s, 8);
    api_expect_sound(s.db);
    live_end(&s);
}
END_TEST

/* ---- bytes -------------------------------------------------------------------------
 */

static int check_walk(const void *bytes, size_t n, cj__live_entry *entries, int most)
{
    const cj__text text = {bytes, n};
    cj__live_entry e = {0};
    size_t at = 0;
    int n_entries = 0, more;

    while ((more = cj__live_entry_next(text, &at, &e)) > 0) {
        ck_assert_int_lt(n_entries, most);
        entries[n_entries++] = e;
    }
    return more < 0 ? -1 : n_entries;
}

START_TEST(test_segment_live_check__bytes_by_hand)
{
    cj__live_entry e[8];

    ck_assert_int_eq(check_walk("\1", 1, e, 8), 0);
    /* segment 5 since 3; segment 7 until -1; segment 8 both */
    ck_assert_int_eq(check_walk("\1\5\1\6\2\2\1\1\3\2\4", 11, e, 8), 3);
    ck_assert(e[0].segment == 5 && e[0].is_in && e[0].since_ms == 3);
    ck_assert(e[0].until_ms == INT64_MAX);
    ck_assert(e[1].segment == 7 && !e[1].is_in && e[1].until_ms == -1);
    ck_assert(e[2].segment == 8 && e[2].is_in && e[2].since_ms == 1);
    ck_assert(e[2].until_ms == 2);
    ck_assert_int_eq(check_walk("", 0, e, 8), -1);         /* no version */
    ck_assert_int_eq(check_walk("\2", 1, e, 8), -1);       /* another */
    ck_assert_int_eq(check_walk("\1\5", 2, e, 8), -1);     /* no flags */
    ck_assert_int_eq(check_walk("\1\5\0", 3, e, 8), -1);   /* none of them */
    ck_assert_int_eq(check_walk("\1\5\4", 3, e, 8), -1);   /* unknown ones */
    ck_assert_int_eq(check_walk("\1\0\1\6", 4, e, 8), -1); /* the same segment again */
    ck_assert_int_eq(check_walk("\1\5\1", 3, e, 8), -1);   /* no time */
    ck_assert_int_eq(check_walk("\1\5\3\6", 4, e, 8), -1); /* one of two */
    ck_assert_int_eq(check_walk("\1\5\1\377", 4, e, 8), -1); /* half a number */
}
END_TEST

START_TEST(test_segment_live_check__any_bytes_end)
{
    uint64_t dice = 17;
    uint8_t bytes[64];
    cj__live_entry e[64];

    for (int i = 0; i < 200000; i += harness_stride(20)) {
        const size_t n = api_random(&dice) % sizeof bytes;

        for (size_t k = 0; k < n; k++)
            bytes[k] = (uint8_t)(api_random(&dice) % (i % 3 == 0 ? 256 : 5));
        if (n > 0)
            bytes[0] = 1;
        ck_assert_int_ge(check_walk(bytes, n, e, 64), -1);
    }
}
END_TEST

HARNESS_MAIN("segment_live_check", test_segment_live_check__every_wound_is_found,
             test_segment_live_check__recording_on_damage_is_an_error,
             test_segment_live_check__so_many_and_no_more,
             test_segment_live_check__bytes_by_hand,
             test_segment_live_check__any_bytes_end)
