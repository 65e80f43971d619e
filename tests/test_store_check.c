/* cj_check finds each kind of damage, says where, and goes on. */
#include "harness.h"
#include "people.h"

#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define START_MS INT64_C(1735689600000)

/* A file with sealed events, a journal, several identifiers, edges and a removed one.
 */
static void make_file(const char *path)
{
    cj_open_options o = {.struct_size = sizeof o, .seal_events = 40};
    cj_db *db;

    (void)unlink(path);
    ck_assert_int_eq(cj_open(path, &o, &db), CJ_OK);
    for (int i = 0; i < 95; i++) {
        char user[16], device[16], message[16];
        cj_identifier ids[2] = {
            {sizeof ids[0], "user_id",   user  },
            {sizeof ids[0], "device_id", device}
        };
        cj_event e = {.struct_size = sizeof e, .identifiers = ids, .n_identifiers = 2};
        (void)snprintf(user, sizeof user, "u%d", i % 10);
        (void)snprintf(device, sizeof device, "d%d", i % 20);
        (void)snprintf(message, sizeof message, "m%d", i);
        e.time_ms = START_MS + i * INT64_C(7200000);
        e.name = i % 4 == 0 ? "order" : "page_view";
        e.value_minor = i % 4 == 0 ? 1000 + i : 0;
        e.message_id = message;
        e.properties = "{\"a\":1}";
        ck_assert_int_eq(cj_record(db, &e), CJ_OK);
    }
    ck_assert_int_eq(cj_unmerge(db, 3), CJ_OK);
    people_sound(db);
    ck_assert_int_eq(cj_close(db), CJ_OK);
}

/* What cj_check says after a statement was run on the file by somebody else. */
static char *damage(const char *sql)
{
    char path[64], *problems;
    sqlite3 *sq;
    cj_table *t;
    cj_db *db;

    (void)snprintf(path, sizeof path, "/tmp/cj_check_%d.cj", (int)getpid());
    make_file(path);
    ck_assert_int_eq(sqlite3_open(path, &sq), SQLITE_OK);
    ck_assert_msg(sqlite3_exec(sq, sql, NULL, NULL, NULL) == SQLITE_OK, "%s: %s", sql,
                  sqlite3_errmsg(sq));
    ck_assert_int_gt(sqlite3_changes(sq), 0);
    sqlite3_close(sq);
    ck_assert_int_eq(cj_open(path, NULL, &db), CJ_OK);
    ck_assert_msg(cj_check(db, &t) == CJ_OK, "%s: %s", sql, cj_errmsg());
    problems = people_csv(t);
    ck_assert_int_eq(cj_close(db), CJ_OK);
    (void)unlink(path);
    return problems;
}

typedef struct wound {
    const char *sql, *place;
} wound;

static const wound wounds[] = {
    {"UPDATE block SET core = substr(core, 1, length(core) - 1) WHERE block = "
     "(SELECT min(block) FROM block)",                               "block"         },
    {"UPDATE block SET core = x'00' || substr(core, 2) WHERE block = "
     "(SELECT max(block) FROM block)",                               "block"         },
    {"UPDATE block SET properties = x'ff' || substr(properties, 2) WHERE block = "
     "(SELECT min(block) FROM block WHERE length(properties) > 0)",  "block"         },
    {"DELETE FROM block WHERE block = (SELECT max(block) FROM block)",    "block"         },
    {"UPDATE part SET n_events = n_events + 1",                           "part"          },
    {"UPDATE part SET min_ms = min_ms + 1000000000",                      "slice"         },
    {"UPDATE part SET until_ms = from_ms + 1000 WHERE part = 1",          "slice"         },
    {"UPDATE part SET core = substr(core, 1, 8) || x'01000000'",          "directory"     },
    {"UPDATE part SET projection = x'', n_values = 0",                    "projection"    },
    {"UPDATE part SET n_messages = n_messages + 1",                       "message_bucket"},
    {"DELETE FROM message_bucket",                                        "message_bucket"},
    {"UPDATE message_bucket SET hashes = substr(hashes, 1, 2)",           "message_bucket"},
    {"UPDATE journal SET n_events = n_events + 1",                        "journal"       },
    {"UPDATE journal SET messages = x'00'",                               "journal"       },
    {"UPDATE journal SET events = substr(events, 1, length(events) - 1)", "journal"       },
    {"UPDATE journal SET events = x'00' || substr(events, 2)",            "journal"       },
    {"UPDATE journal SET checksum = checksum + 1",                        "journal"       },
    {"DELETE FROM term WHERE term > 3",                                   "term"          },
    {"DELETE FROM identifier WHERE node = 5",                             "identifier"    },
    {"UPDATE identifier SET kind = 77 WHERE node = 2",                    "identifier"    },
    {"UPDATE node_page SET data = zeroblob(4000)",                        "node_page"     },
    {"UPDATE edge SET state = 2 WHERE edge = 1",                          "edge"          },
    {"UPDATE edge SET node_b = 99999 WHERE edge = 2",                     "edge"          },
    {"UPDATE edge SET state = 1 WHERE edge = 3",                          "node_page"     },
};

START_TEST(test_store_check__every_wound_is_found)
{
    for (size_t i = 0; i < sizeof wounds / sizeof wounds[0]; i++) {
        char *problems = damage(wounds[i].sql);
        ck_assert_msg(strstr(problems, wounds[i].place) != NULL, "%s said\n%s",
                      wounds[i].sql, problems);
        free(problems);
    }
}
END_TEST

/* One damaged block does not hide another. */
START_TEST(test_store_check__goes_on_after_a_problem)
{
    char *problems = damage("UPDATE block SET core = x'07'");
    int lines = 0;

    for (const char *p = problems; *p != '\0'; p++)
        lines += *p == '\n';
    ck_assert_int_gt(lines, 4);
    free(problems);
}
END_TEST

/* Reading a damaged file answers with an error, and with no table. */
START_TEST(test_store_check__reading_damage_is_an_error)
{
    char path[64];
    sqlite3 *sq;
    cj_table *t;
    cj_db *db;

    (void)snprintf(path, sizeof path, "/tmp/cj_check_%d.cj", (int)getpid());
    make_file(path);
    ck_assert_int_eq(sqlite3_open(path, &sq), SQLITE_OK);
    ck_assert_int_eq(
        sqlite3_exec(sq, "UPDATE block SET core = x'07'", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(sq);
    ck_assert_int_eq(cj_open(path, NULL, &db), CJ_OK);
    ck_assert_int_eq(cj_rfm(db, NULL, &t), CJ_ECORRUPT);
    ck_assert_ptr_null(t);
    ck_assert_int_eq(cj_events(db, NULL, &t), CJ_ECORRUPT);
    ck_assert_ptr_null(t);
    ck_assert_ptr_nonnull(strstr(cj_errmsg(), "damaged"));
    ck_assert_int_eq(cj_close(db), CJ_OK);
    (void)unlink(path);
}
END_TEST

HARNESS_MAIN("store_check", test_store_check__every_wound_is_found,
             test_store_check__goes_on_after_a_problem,
             test_store_check__reading_damage_is_an_error)
