/* Who is who: joins, refusals, merge and unmerge; the cases that other systems' tests
 * state (Unomi, PostHog, Snowplow, Segment, RudderStack), and random graphs against a
 * slow fold. */
#include "harness.h"
#include "people.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void expect_people(cj_db *db, const char *expected)
{
    char *text = people_all(db, people_count(db, "identifiers"));

    ck_assert_str_eq(text, expected);
    free(text);
    people_sound(db);
}

START_TEST(test_identity_graph__identifiers_of_one_message_are_one_person)
{
    cj_db *db = people_open();

    ck_assert_int_eq(people_say(db, "anonymous_id=a1"), 1);
    ck_assert_int_eq(people_say(db, "anonymous_id=a1 user_id=ann"), 1);
    ck_assert_int_eq(people_say(db, "user_id=ann email=Ann@x.org"), 1);
    expect_people(db, "1:anonymous_id=a1+user_id=ann+email=ann@x.org");
    people_close(db);
}
END_TEST

/* Two persons who met through one identifier later: the oldest id survives, whichever
 * side is the larger. */
START_TEST(test_identity_graph__the_oldest_survives)
{
    cj_db *db = people_open();

    people_say(db, "anonymous_id=a1");
    people_say(db, "user_id=ann email=ann@x.org");
    people_say(db, "user_id=ann phone=030111222");
    ck_assert_int_eq(people_who(db, "phone=030-111-222"), 2);
    people_say(db, "user_id=ann anonymous_id=a1");
    ck_assert_int_eq(people_who(db, "phone=030-111-222"), 1);
    expect_people(db, "1:anonymous_id=a1+user_id=ann+email=ann@x.org+phone=030111222");
    people_close(db);
}
END_TEST

/* A second customer logs in on the same phone (Snowplow's Bob and Alice). */
START_TEST(test_identity_graph__a_unique_conflict_never_merges)
{
    cj_db *db = people_open();

    people_say(db, "user_id=alice device_id=phone-1");
    people_say(db, "user_id=bob device_id=phone-1");
    expect_people(db, "1:user_id=alice+device_id=phone-1 3:user_id=bob");
    ck_assert_int_eq(people_say(db, "user_id=bob email=bob@x.org"), 3);
    people_close(db);
}
END_TEST

START_TEST(test_identity_graph__conflicts_are_per_kind)
{
    cj_db *db = people_open();

    people_say(db, "user_id=ann email=ann@x.org");
    people_say(db, "crm_id=77 phone=030999888");
    people_say(db,
               "email=ann@x.org phone=030999888"); /* a user_id and a crm_id: fine */
    ck_assert_int_eq(people_who(db, "crm_id=77"), 1);
    people_say(db, "crm_id=78 email=ann@x.org"); /* a second crm_id: not */
    ck_assert_int_eq(people_who(db, "crm_id=78"), 5);
    people_sound(db);
    people_close(db);
}
END_TEST

START_TEST(test_identity_graph__junk_creates_nothing)
{
    cj_db *db = people_open();
    cj_identifier junk = {sizeof junk, "user_id", "null"};
    cj_event e = {.struct_size = sizeof e,
                  .name = "page_view",
                  .identifiers = &junk,
                  .n_identifiers = 1};

    ck_assert_int_eq(cj_record(db, &e), CJ_EREJECT);
    ck_assert_int_eq(cj_identify(db, &junk, 1, NULL, 0, NULL, NULL), CJ_EREJECT);
    ck_assert_int_eq(people_count(db, "identifiers"), 0);
    ck_assert_int_eq(people_count(db, "failed_events"), 2);
    people_say(db, "user_id=null anonymous_id=a1");
    people_say(db, "user_id=null anonymous_id=a2");
    expect_people(db, "1:anonymous_id=a1 2:anonymous_id=a2");
    people_close(db);
}
END_TEST

/* The till types its own e-mail for customers who give none. */
START_TEST(test_identity_graph__the_host_blocks_the_tills_address)
{
    cj_db *db = people_open();

    ck_assert_int_eq(cj_identifier_block(db, "email", "Till@shop.example"), CJ_OK);
    ck_assert_int_eq(cj_identifier_block(db, "email", "till@shop.example"), CJ_EEXISTS);
    ck_assert_int_eq(cj_identifier_block(db, "mail", "till@shop.example"), CJ_EINVAL);
    ck_assert_int_eq(cj_identifier_block(db, "email", "null"), CJ_EINVAL);
    people_say(db, "loyalty_card=c1 email=till@shop.example");
    people_say(db, "loyalty_card=c2 email=TILL@shop.example");
    expect_people(db, "1:loyalty_card=c1 2:loyalty_card=c2");
    people_close(db);
}
END_TEST

START_TEST(test_identity_graph__alias_links_or_refuses)
{
    cj_db *db = people_open();
    cj_identifier ann = {sizeof ann, "user_id", "ann"},
                  bob = {sizeof bob, "user_id", "bob"};
    cj_identifier a1 = {sizeof a1, "anonymous_id", "a1"};

    ck_assert_int_eq(cj_alias(db, &ann, &a1), CJ_OK);
    ck_assert_int_eq(cj_alias(db, &ann, &a1), CJ_OK); /* again: nothing new */
    ck_assert_int_eq(people_last_edge(db), 1);
    ck_assert_int_eq(cj_alias(db, &bob, &a1), CJ_EEXISTS);
    ck_assert_int_eq(cj_alias(db, &bob, &a1), CJ_EEXISTS); /* again: refused again */
    expect_people(db, "1:user_id=ann+anonymous_id=a1 3:user_id=bob");
    people_close(db);
}
END_TEST

START_TEST(test_identity_graph__merge_by_hand_also_against_a_conflict)
{
    cj_db *db = people_open();
    int64_t edge;

    people_say(db, "user_id=ann email=ann@x.org");
    people_say(db, "user_id=anne email=anne@y.org");
    ck_assert_int_eq(cj_merge(db, 3, 2, &edge), CJ_OK); /* any of their nodes will do */
    expect_people(db, "1:user_id=ann+email=ann@x.org+user_id=anne+email=anne@y.org");
    ck_assert_int_eq(cj_merge(db, 1, 3, NULL), CJ_EEXISTS);
    ck_assert_int_eq(cj_merge(db, 1, 99, NULL), CJ_ENOTFOUND);
    ck_assert_int_eq(cj_merge(db, 0, 1, NULL), CJ_ENOTFOUND);
    ck_assert_int_eq(cj_unmerge(db, edge), CJ_OK);
    expect_people(db, "1:user_id=ann+email=ann@x.org 3:user_id=anne+email=anne@y.org");
    ck_assert_int_eq(cj_unmerge(db, edge), CJ_ENOTFOUND);
    ck_assert_int_eq(cj_unmerge(db, 99), CJ_ENOTFOUND);
    people_close(db);
}
END_TEST

/* An edge that was refused because of another joins when that one is taken out: as if
 * it had never been. */
START_TEST(test_identity_graph__unmerge_lets_refused_edges_join)
{
    cj_db *db = people_open();
    int64_t wrong;

    people_say(db, "user_id=ann device_id=d1");
    wrong = people_last_edge(db) - 1; /* by event, then by identify */
    people_say(db, "user_id=bob device_id=d1");
    expect_people(db, "1:user_id=ann+device_id=d1 3:user_id=bob");
    ck_assert_int_eq(cj_unmerge(db, wrong), CJ_OK);
    ck_assert_int_eq(cj_unmerge(db, wrong + 1), CJ_OK);
    expect_people(db, "1:user_id=ann 2:device_id=d1+user_id=bob");
    people_say(db, "user_id=ann device_id=d1"); /* removed is removed */
    expect_people(db, "1:user_id=ann 2:device_id=d1+user_id=bob");
    people_close(db);
}
END_TEST

START_TEST(test_identity_graph__events_before_login_belong_to_the_person)
{
    cj_db *db = people_open();
    cj_events_options o = {.struct_size = sizeof o, .profile = 1};
    cj_table *t;

    for (int i = 0; i < 3; i++)
        people_say(db, "anonymous_id=a1");
    people_say(db, "anonymous_id=a1 user_id=ann");
    people_say(db, "user_id=ann");
    ck_assert_int_eq(cj_events(db, &o, &t), CJ_OK);
    ck_assert_int_eq(cj_table_rows(t), 5);
    cj_table_free(t);
    people_close(db);
}
END_TEST

START_TEST(test_identity_graph__edges_say_what_became_of_them)
{
    cj_db *db = people_open();
    cj_table *t;
    char *text;

    people_say(db, "user_id=ann device_id=d1");
    people_say(db, "user_id=bob device_id=d1");
    ck_assert_int_eq(cj_unmerge(db, 2), CJ_OK);
    ck_assert_int_eq(cj_edges(db, 3, &t), CJ_OK);
    text = people_csv(t);
    ck_assert_str_eq(
        text,
        "edge,node_a,node_b,time_ms,cause,state,reason\n"
        "3,2,3,1735689601000,event,refused,both profiles hold a unique identifier of "
        "one kind\n"
        "4,2,3,1735689601000,identify,refused,both profiles hold a unique identifier "
        "of one kind\n");
    free(text);
    ck_assert_int_eq(cj_edges(db, 0, &t), CJ_OK);
    ck_assert_int_eq(cj_table_rows(t), 4);
    cj_table_free(t);
    ck_assert_int_eq(cj_edges(db, 17, &t), CJ_ENOTFOUND);
    people_close(db);
}
END_TEST

/* ---- random graphs against the fold, said slowly
 * ------------------------------------------- */

enum { NODES = 60, EDGES = 300 };

typedef struct slow_edge {
    int a, b, by_hand, removed;
} slow_edge;

typedef struct slow {
    int unique[NODES + 1]; /* is it a user_id? */
    slow_edge edges[EDGES + 1];
    int n_edges;
    int root[NODES + 1];
} slow;

static void slow_fold(slow *s)
{
    for (int i = 1; i <= NODES; i++)
        s->root[i] = i;
    for (int e = 1; e <= s->n_edges; e++) {
        int a = s->root[s->edges[e].a], b = s->root[s->edges[e].b], ua = 0, ub = 0;
        if (s->edges[e].removed || a == b)
            continue;
        for (int i = 1; i <= NODES; i++) {
            ua |= s->root[i] == a && s->unique[i];
            ub |= s->root[i] == b && s->unique[i];
        }
        if (ua && ub && !s->edges[e].by_hand)
            continue;
        for (int i = 1; i <= NODES; i++)
            if (s->root[i] == a || s->root[i] == b)
                s->root[i] = a < b ? a : b;
    }
}

static uint32_t slow_random(uint32_t *state, uint32_t below)
{
    *state = *state * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)*state * below >> 32);
}

static void slow_id(const slow *s, int node, char to[32])
{
    (void)snprintf(to, 32, "%s=n%d", s->unique[node] ? "user_id" : "device_id", node);
}

static void expect_roots(cj_db *db, const slow *s)
{
    char id[32];

    for (int i = 1; i <= NODES; i++) {
        slow_id(s, i, id);
        ck_assert_int_eq(people_who(db, id), s->root[i]);
    }
}

static void step_alias(cj_db *db, slow *s, uint32_t *random)
{
    int x = 1 + (int)slow_random(random, NODES),
        y = 1 + (int)slow_random(random, NODES);
    char tx[32], ty[32];
    cj_identifier ix = {sizeof ix, s->unique[x] ? "user_id" : "device_id", tx};
    cj_identifier iy = {sizeof iy, s->unique[y] ? "user_id" : "device_id", ty};
    int known = x == y;

    for (int e = 1; e <= s->n_edges; e++)
        known |= !s->edges[e].by_hand && ((s->edges[e].a == x && s->edges[e].b == y) ||
                                          (s->edges[e].a == y && s->edges[e].b == x));
    if (known)
        return;
    (void)snprintf(tx, sizeof tx, "n%d", x);
    (void)snprintf(ty, sizeof ty, "n%d", y);
    s->edges[++s->n_edges] = (slow_edge){.a = x, .b = y};
    slow_fold(s);
    ck_assert_int_eq(cj_alias(db, &ix, &iy),
                     s->root[x] == s->root[y] ? CJ_OK : CJ_EEXISTS);
}

static void step_merge(cj_db *db, slow *s, uint32_t *random)
{
    int x = 1 + (int)slow_random(random, NODES),
        y = 1 + (int)slow_random(random, NODES);
    int64_t edge;

    if (s->root[x] == s->root[y]) {
        ck_assert_int_eq(cj_merge(db, x, y, &edge), CJ_EEXISTS);
        return;
    }
    ck_assert_int_eq(cj_merge(db, x, y, &edge), CJ_OK);
    s->edges[++s->n_edges] = (slow_edge){s->root[x], s->root[y], 1, 0};
    ck_assert_int_eq(edge, s->n_edges);
    slow_fold(s);
}

static void step_unmerge(cj_db *db, slow *s, uint32_t *random)
{
    int e = s->n_edges == 0 ? 0 : 1 + (int)slow_random(random, (uint32_t)s->n_edges);

    ck_assert_int_eq(cj_unmerge(db, e),
                     e == 0 || s->edges[e].removed ? CJ_ENOTFOUND : CJ_OK);
    if (e > 0)
        s->edges[e].removed = 1;
    slow_fold(s);
}

static void random_history(uint32_t seed)
{
    uint32_t random = seed;
    cj_db *db = people_open();
    static slow s;
    char id[32];

    memset(&s, 0, sizeof s);
    for (int i = 1; i <= NODES; i++) {
        s.unique[i] = slow_random(&random, 4) == 0;
        slow_id(&s, i, id);
        people_say(db, id);
    }
    slow_fold(&s);
    for (int i = 0; i < 250; i++) {
        uint32_t what = slow_random(&random, 10);
        if (what < 6)
            step_alias(db, &s, &random);
        else if (what < 8)
            step_merge(db, &s, &random);
        else
            step_unmerge(db, &s, &random);
        if (i % 10 == 0)
            expect_roots(db, &s);
    }
    expect_roots(db, &s);
    people_sound(db);
    people_close(db);
}

START_TEST(test_identity_graph__random_histories_equal_the_slow_fold)
{
    for (uint32_t i = 0; i < 5; i++)
        random_history(20250301 + i);
}
END_TEST

HARNESS_MAIN("identity_graph",
             test_identity_graph__identifiers_of_one_message_are_one_person,
             test_identity_graph__the_oldest_survives,
             test_identity_graph__a_unique_conflict_never_merges,
             test_identity_graph__conflicts_are_per_kind,
             test_identity_graph__junk_creates_nothing,
             test_identity_graph__the_host_blocks_the_tills_address,
             test_identity_graph__alias_links_or_refuses,
             test_identity_graph__merge_by_hand_also_against_a_conflict,
             test_identity_graph__unmerge_lets_refused_edges_join,
             test_identity_graph__events_before_login_belong_to_the_person,
             test_identity_graph__edges_say_what_became_of_them,
             test_identity_graph__random_histories_equal_the_slow_fold)
