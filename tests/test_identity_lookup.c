/* From identifier to node: cold and warm handles, several runs on disk, two handles
 * that write in turn, rolled back transactions. */
#include "harness.h"
#include "identity/internal.h"
#include "people.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static cj__text name_of(int i, char to[32])
{
    (void)snprintf(to, 32, "device-%d", i);
    return cj__text_of(to);
}

/* The node of device i in an open transaction. */
static uint32_t node_of(cj_db *db, int i, int create)
{
    char text[32];
    cj__identifier id =
        cj__identifier_of(db, cj__kind_named("device_id"), name_of(i, text));

    if (i % 2 != 0) /* a look before is for speed only */
        ck_assert_int_eq(cj__identifier_look(db, &id), CJ_OK);
    ck_assert_int_eq(cj__identifier_node(db, &id, create), CJ_OK);
    return id.key.id;
}

/* Devices [from, until) in one transaction, then a run when there are enough. */
static void add(cj_db *db, int from, int until)
{
    ck_assert_int_eq(cj__write_begin(db), CJ_OK);
    for (int i = from; i < until; i++)
        ck_assert_uint_eq(node_of(db, i, 1), (uint32_t)i + 1);
    ck_assert_int_eq(cj__identity_flush(db), CJ_OK);
    ck_assert_int_eq(cj__write_end(db, CJ_OK), CJ_OK);
}

static cj_db *another(void)
{
    char path[64];
    cj_db *db;

    (void)snprintf(path, sizeof path, "/tmp/cj_people_%d.cj", (int)getpid());
    ck_assert_int_eq(cj_open(path, NULL, &db), CJ_OK);
    return db;
}

START_TEST(test_identity_lookup__runs_are_few_and_complete)
{
    cj_db *db = people_open();

    for (int i = 0; i < 12; i++) {
        add(db, i * 10000, (i + 1) * 10000);
        ck_assert_uint_le(db->identity->n_runs, 4);
    }
    people_sound(db);
    people_close(db);
}
END_TEST

/* A new handle asks the disk, and answers as the old one did; what it does not know, it
 * does not find. */
START_TEST(test_identity_lookup__a_cold_handle_finds_all)
{
    enum { N = 30000 };
    cj_db *db = people_open(), *cold;

    for (int i = 0; i < 3; i++)
        add(db, i * (N / 3), (i + 1) * (N / 3));
    add(db, N, N + 50); /* not in a run */
    cold = another();
    ck_assert_int_eq(cj__write_begin(cold), CJ_OK);
    for (int i = 0; i < 20; i++) {
        ck_assert_uint_eq(node_of(cold, i * 1499, 0), (uint32_t)i * 1499 + 1);
        ck_assert_uint_eq(node_of(cold, N + 1000 + i, 0), 0);
    }
    ck_assert_int_eq(cold->identity->complete, 0); /* not yet worth loading them all */
    ck_assert_uint_lt(cold->identity->known.n, 10000);
    for (int i = 0; i < N + 50; i++)
        ck_assert_uint_eq(node_of(cold, i, 0), (uint32_t)i + 1);
    ck_assert_int_eq(cold->identity->complete, 1);
    ck_assert_uint_eq(cold->identity->known.n, N + 50);
    ck_assert_int_eq(cj__write_end(cold, CJ_OK), CJ_OK);
    ck_assert_int_eq(cj_close(cold), CJ_OK);
    people_close(db);
}
END_TEST

START_TEST(test_identity_lookup__a_snapshot_finds_all)
{
    cj_db *db = people_open();
    char text[32];
    int64_t profile;

    add(db, 0, 9000);
    add(db, 9000, 9100);
    for (int i = 0; i < 9100; i += 97) {
        (void)name_of(i, text);
        ck_assert_int_eq(cj_profile_find(db, "device_id", text, &profile), CJ_OK);
        ck_assert_int_eq(profile, i + 1);
    }
    (void)name_of(9100, text);
    ck_assert_int_eq(cj_profile_find(db, "device_id", text, &profile), CJ_ENOTFOUND);
    ck_assert_int_eq(cj_profile_find(db, "user_id", "device-1", &profile),
                     CJ_ENOTFOUND);
    people_close(db);
}
END_TEST

START_TEST(test_identity_lookup__two_handles_in_turn)
{
    cj_db *a = people_open(), *b = another();

    for (int i = 0; i < 200; i++) {
        cj_db *db = i % 2 ? b : a;
        ck_assert_int_eq(cj__write_begin(db), CJ_OK);
        if (i > 0)
            ck_assert_uint_eq(node_of(db, i - 1, 1), (uint32_t)i); /* the other's */
        ck_assert_uint_eq(node_of(db, i, 1), (uint32_t)i + 1);
        ck_assert_int_eq(cj__write_end(db, CJ_OK), CJ_OK);
    }
    ck_assert_int_eq(cj_close(b), CJ_OK);
    people_sound(a);
    people_close(a);
}
END_TEST

START_TEST(test_identity_lookup__a_rollback_forgets)
{
    cj_db *a = people_open(), *b = another();

    add(a, 0, 3);
    ck_assert_int_eq(cj__write_begin(a), CJ_OK);
    ck_assert_uint_eq(node_of(a, 100, 1), 4);
    ck_assert_int_eq(cj__write_end(a, CJ_EINTERRUPT), CJ_EINTERRUPT);
    ck_assert_int_eq(cj__write_begin(b), CJ_OK); /* the number goes to somebody else */
    ck_assert_uint_eq(node_of(b, 200, 1), 4);
    ck_assert_int_eq(cj__write_end(b, CJ_OK), CJ_OK);
    ck_assert_int_eq(cj__write_begin(a), CJ_OK);
    ck_assert_uint_eq(node_of(a, 100, 0), 0);
    ck_assert_uint_eq(node_of(a, 200, 0), 4);
    ck_assert_uint_eq(node_of(a, 100, 1), 5);
    ck_assert_int_eq(cj__write_end(a, CJ_OK), CJ_OK);
    ck_assert_int_eq(cj_close(b), CJ_OK);
    people_sound(a);
    people_close(a);
}
END_TEST

/* The same value of two kinds is two identifiers. */
START_TEST(test_identity_lookup__kinds_are_apart)
{
    cj_db *db = people_open();

    ck_assert_int_eq(people_say(db, "user_id=42"), 1);
    ck_assert_int_eq(people_say(db, "crm_id=42"), 2);
    ck_assert_int_eq(people_say(db, "loyalty_card=42"), 3);
    ck_assert_int_eq(people_who(db, "crm_id=42"), 2);
    people_close(db);
}
END_TEST

HARNESS_MAIN("identity_lookup", test_identity_lookup__runs_are_few_and_complete,
             test_identity_lookup__a_cold_handle_finds_all,
             test_identity_lookup__a_snapshot_finds_all,
             test_identity_lookup__two_handles_in_turn,
             test_identity_lookup__a_rollback_forgets,
             test_identity_lookup__kinds_are_apart)
