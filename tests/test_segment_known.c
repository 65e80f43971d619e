/* What is known of profiles besides their events: of one profile the same as of
 * everybody, after merges and unmerges, and the same as the rest of the library says.
 */
#include "segment/known.h"

#include "harness.h"
#include "shop.h"

#include <stdio.h>
#include <string.h>

/* An expression that reads everything there is to know. */
static const char *const all_of_it = "country = \"DE\" or city = \"Ulm\" or n = 1 or "
                                     "has(email) or shared_device()";

typedef struct known_case {
    shop s;
    cj__reader *reader;
    cj__set set;
    cj__known known;
} known_case;

enum { KNOWN_NAMES = 3 };
static const char *const trait_names[KNOWN_NAMES] = {"n", "country", "city"};

/* Load what an expression reads; of one profile, or of everybody (0). */
static void known_begin(known_case *c, const char *expression, uint32_t only)
{
    const cj__text nameless = {NULL, 0};
    cj__text names[KNOWN_NAMES + 1];
    uint32_t index;

    expect_ok(cj__reader_open(c->s.db, &c->reader));
    cj__set_begin(&c->set, c->s.db, cj__reader_conn(c->reader));
    expect_ok(cj__set_add(&c->set, nameless, cj__text_of(expression), &index));
    for (int i = 0; i < KNOWN_NAMES; i++) /* in any order, and one of them twice */
        names[i] = cj__text_of(trait_names[i]);
    names[KNOWN_NAMES] = names[1];
    expect_ok(
        cj__known_load(&c->known, c->reader, &c->set, names, KNOWN_NAMES + 1, only));
}

static void known_end(known_case *c)
{
    cj__known_end(&c->known);
    cj__set_end(&c->set);
    cj__reader_end(c->reader);
}

/* A profile as lines: traits in order, "user_id 1 email 2", "shared", "vip". */
static char *known_text(const known_case *c, uint32_t profile)
{
    static const char *const kinds[] = {"",      "user_id", "crm_id",    "loyalty_card",
                                        "email", "phone",   "device_id", "anonymous_id",
                                        "guest"};
    api_text text = {0};
    cj__facts f = {0};
    char line[300], time[25];
    int64_t n = 0;

    api_put(&text, "");
    cj__known_facts(&c->known, profile, &f);
    ck_assert_int_eq(f.profile, profile);
    for (int64_t i = 0; i < f.n_traits; i++) {
        const cj__fact_trait *t = &f.traits[i];

        cj__time_format(t->time_ms, time);
        time[10] = '\0'; /* the day */
        (void)snprintf(
            line, sizeof line, "%.*s %s %.*s %.*s\n", (int)t->name.n, t->name.data,
            time, (int)t->value.n, t->value.data,
            cj__text_equal(t->source, cj__text_of("host")) ? 0 : (int)t->source.n,
            t->source.data);
        api_put(&text, line);
    }
    for (int kind = 1; kind < 9; kind++) {
        n += f.n_identifiers[kind];
        if (f.n_identifiers[kind] == 0)
            continue;
        (void)snprintf(line, sizeof line, "%s %lld ", kinds[kind],
                       (long long)f.n_identifiers[kind]);
        api_put(&text, line);
    }
    ck_assert_int_eq(f.n_identifiers[0], n);
    api_put(&text, f.shared_device ? "shared " : "");
    for (size_t i = 0; i < c->set.n_lists; i++) {
        if (cj__known_on_list(&c->known, i, profile)) {
            (void)snprintf(line, sizeof line, "on %.*s ", (int)c->set.lists[i].name.n,
                           c->set.lists[i].name.data);
            api_put(&text, line);
        }
    }
    return text.data;
}

/* Loaded with everybody, and alone. */
static void expect_known(known_case *c, const char *expression, const char *customer,
                         const char *want)
{
    const uint32_t profile = (uint32_t)shop_who(&c->s, customer);

    ck_assert_uint_ne(profile, 0);
    for (int alone = 0; alone < 2; alone++) {
        char *got;

        known_begin(c, expression, alone ? profile : 0);
        got = known_text(c, profile);
        if (strcmp(got, want) != 0)
            ck_abort_msg("%s%s:\n%s\n---- instead of\n%s", customer,
                         alone ? " alone" : "", got, want);
        free(got);
        known_end(c);
    }
}

/* ---- traits ---------------------------------------------------------------- */

START_TEST(test_known__traits_by_name_and_time)
{
    known_case c;

    shop_open(&c.s, NULL, 0);
    shop_traits(&c.s, "ann 2025-03-01 country \"AT\" crm\n"
                      "ann 2025-01-01 country \"DE\" web\n"
                      "ann 2025-02-01 city \"Wien\"\n"
                      "ann 2025-02-01 unread 7\n"
                      "bob 2025-02-01 n 5\n"
                      "cid 2025-02-01 unread 8\n");
    expect_known(&c, "orders() = 1", "ann",
                 "city 2025-02-01 \"Wien\" \n"
                 "country 2025-01-01 \"DE\" web\n"
                 "country 2025-03-01 \"AT\" crm\n");
    expect_known(&c, "orders() = 1", "bob", "n 2025-02-01 5 \n");
    expect_known(&c, "orders() = 1", "cid", "");
    shop_close(&c.s);
}
END_TEST

/* Nulls are values too: they forget.  Each source is who made it so. */
START_TEST(test_known__nulls_and_sources)
{
    known_case c;

    shop_open(&c.s, NULL, 0);
    shop_traits(&c.s, "ann 2025-01-01 country \"DE\" web\n"
                      "ann 2025-02-01 country null crm\n"
                      "ann 2025-03-01 country [\"DE\",\"AT\"] web\n"
                      "bob 2025-01-01 country true\n"
                      "bob 2025-02-01 country null erp\n");
    expect_known(&c, all_of_it, "ann",
                 "country 2025-01-01 \"DE\" web\n"
                 "country 2025-02-01 null crm\n"
                 "country 2025-03-01 [\"DE\",\"AT\"] web\n"
                 "user_id 1 ");
    expect_in(&c.s, "2025-02-15", "country is missing", "1 2");
    expect_in(&c.s, "2025-01-15", "country is missing", "");
    expect_in(&c.s, "2025-03-15", "country is missing", "2");
    expect_in(&c.s, "2025-02-15", "source(country) = \"crm\"", "1");
    expect_in(&c.s, "2025-02-15", "source(country) = \"erp\"", "2");
    expect_in(&c.s, "2025-03-01", "source(country) = \"web\"", "1");
    expect_in(&c.s, "2025-01-15", "country is true", "2");
    shop_close(&c.s);
}
END_TEST

START_TEST(test_known__a_value_of_the_same_moment_replaces)
{
    known_case c;

    shop_open(&c.s, NULL, 0);
    shop_traits(&c.s, "ann 2025-01-01 n 1 web\n"
                      "ann 2025-01-01 n 2 crm\n"
                      "ann 2025-01-01 n 1 erp\n");
    expect_known(&c, all_of_it, "ann", "n 2025-01-01 1 erp\nuser_id 1 ");
    shop_close(&c.s);
}
END_TEST

/* Of one moment the younger node's is the newest, whichever came first. */
START_TEST(test_known__traits_of_who_became_one)
{
    int64_t edge;
    known_case c;

    shop_open(&c.s, NULL, 0);
    shop_traits(&c.s, "ann 2025-05-01 country \"DE\"\n"
                      "email:b@x.org 2025-01-01 n 7\n" /* the younger one */
                      "ann 2025-01-01 n 5\n"
                      "email:b@x.org 2025-02-01 n 1\n"
                      "email:b@x.org 2025-06-01 country \"AT\"\n");
    expect_known(&c, all_of_it, "ann",
                 "country 2025-05-01 \"DE\" \n"
                 "n 2025-01-01 5 \n"
                 "user_id 1 ");
    expect_in(&c.s, "2025-01-10", "n = 5", "1");
    edge = shop_merge(&c.s, "ann", "email:b@x.org");
    expect_known(&c, all_of_it, "email:b@x.org",
                 "country 2025-05-01 \"DE\" \n"
                 "country 2025-06-01 \"AT\" \n"
                 "n 2025-01-01 5 \n"
                 "n 2025-01-01 7 \n"
                 "n 2025-02-01 1 \n"
                 "user_id 1 email 1 ");
    expect_in(&c.s, "2025-01-10", "n = 7", "1");
    expect_in(&c.s, "2025-01-10", "n = 5", "");
    expect_in(&c.s, "2025-02-10", "n = 1", "1");
    expect_in(&c.s, "2025-05-10", "country = \"DE\"", "1");
    expect_in(&c.s, "2025-06-10", "country = \"AT\"", "1");
    expect_ok(cj_unmerge(c.s.db, edge));
    expect_known(&c, all_of_it, "ann",
                 "country 2025-05-01 \"DE\" \n"
                 "n 2025-01-01 5 \n"
                 "user_id 1 ");
    expect_known(&c, all_of_it, "email:b@x.org",
                 "country 2025-06-01 \"AT\" \n"
                 "n 2025-01-01 7 \n"
                 "n 2025-02-01 1 \n"
                 "email 1 ");
    expect_in(&c.s, "2025-01-10", "n = 5", "1");
    expect_in(&c.s, "2025-01-10", "n = 7", "2");
    shop_close(&c.s);
}
END_TEST

/* ---- identifiers ----------------------------------------------------------- */

START_TEST(test_known__identifiers_of_each_kind)
{
    int64_t edge;
    known_case c;

    shop_open(&c.s, NULL, 0);
    shop_events(&c.s, "ann+email:a@x.org+device_id:d1 2025-01-01 x\n"
                      "ann+email:b@x.org 2025-01-01 x\n"
                      "crm_id:c1+loyalty_card:l1+phone:+491711234567 2025-01-01 x\n"
                      "anonymous_id:v1 2025-01-01 x\n"
                      "guest:t1 2025-01-01 x\n");
    expect_known(&c, all_of_it, "ann", "user_id 1 email 2 device_id 1 ");
    expect_known(&c, all_of_it, "anonymous_id:v1", "anonymous_id 1 ");
    expect_known(&c, all_of_it, "guest:t1", "guest 1 ");
    expect_in(&c.s, "2025-02-01", "identifiers(email) = 2", "1");
    expect_in(&c.s, "2025-02-01", "has(guest) and not has(user_id)", "9");
    edge = shop_merge(&c.s, "guest:t1", "ann");
    expect_known(&c, all_of_it, "guest:t1", "user_id 1 email 2 device_id 1 guest 1 ");
    expect_in(&c.s, "2025-02-01", "identifiers() = 5", "1");
    expect_ok(cj_unmerge(c.s.db, edge));
    expect_known(&c, all_of_it, "ann", "user_id 1 email 2 device_id 1 ");
    expect_in(&c.s, "2025-02-01", "identifiers() = 5", "");
    /* not read: not counted */
    expect_known(&c, "orders() = 1", "ann", "");
    shop_close(&c.s);
}
END_TEST

/* Two users at one device: the second user cannot be the same person as the first. */
START_TEST(test_known__a_shared_device)
{
    known_case c;

    shop_open(&c.s, NULL, 0);
    shop_events(&c.s, "ann+device_id:till 2025-01-01 x\n"
                      "dan+device_id:d2 2025-01-01 x\n");
    expect_in(&c.s, "2025-02-01", "shared_device()", "");
    shop_events(&c.s, "bob+device_id:till 2025-01-02 x\n");
    expect_known(&c, all_of_it, "ann", "user_id 1 device_id 1 shared ");
    expect_known(&c, all_of_it, "bob", "user_id 1 shared ");
    expect_known(&c, all_of_it, "dan", "user_id 1 device_id 1 ");
    expect_in(&c.s, "2025-02-01", "shared_device()", "1 5");
    expect_in(&c.s, "2025-02-01", "not shared_device()", "3");
    /* it stays so of whoever they become: dan is now bob */
    (void)shop_merge(&c.s, "dan", "bob");
    expect_known(&c, all_of_it, "dan", "user_id 2 device_id 1 shared ");
    expect_in(&c.s, "2025-02-01", "shared_device()", "1 3");
    expect_known(&c, "orders() = 1", "ann", "");
    shop_close(&c.s);
}
END_TEST

/* ---- lists ----------------------------------------------------------------- */

START_TEST(test_known__lists_follow_merges)
{
    static const char *const lists = "in_list(\"vip\") or in_list(\"staff\") or "
                                     "in_list(\"nobody\")";
    int64_t edge;
    known_case c;

    shop_open(&c.s, NULL, 0);
    shop_events(&c.s, "ann 2025-01-01 x\n"
                      "bob 2025-01-01 x\n"
                      "cid 2025-01-01 x\n");
    shop_list(&c.s, "vip", "bob");
    shop_list(&c.s, "staff", "bob cid bob");
    shop_list(&c.s, "nobody", "");
    expect_known(&c, lists, "ann", "");
    expect_known(&c, lists, "bob", "on vip on staff ");
    expect_known(&c, lists, "cid", "on staff ");
    edge = shop_merge(&c.s, "bob", "ann");
    expect_known(&c, lists, "ann", "on vip on staff ");
    expect_in(&c.s, "2025-01-01", "in_list(\"vip\")", "1");
    expect_ok(cj_unmerge(c.s.db, edge));
    expect_known(&c, lists, "ann", "");
    expect_known(&c, lists, "bob", "on vip on staff ");
    /* put on the list as one, they stay on it when they are two: the older one */
    (void)shop_merge(&c.s, "cid", "ann");
    shop_list(&c.s, "vip", "cid");
    expect_in(&c.s, "2025-01-01", "in_list(\"vip\")", "1");
    shop_close(&c.s);
}
END_TEST

START_TEST(test_known__nobody_is_there)
{
    known_case c;
    int64_t n;

    shop_open(&c.s, NULL, 0);
    shop_list(&c.s, "empty", "");
    known_begin(&c, "in_list(\"empty\") or has(email) or shared_device() or n = 1", 0);
    ck_assert_uint_eq(c.known.n_nodes, 0);
    known_end(&c);
    known_begin(&c, all_of_it, 7); /* a profile that does not exist */
    ck_assert_uint_eq(c.known.n_traits, 0);
    known_end(&c);
    memset(&c.known, 0, sizeof c.known);
    cj__known_end(&c.known);
    expect_ok(cj_segment_count(c.s.db, "empty", NULL, &n));
    ck_assert_int_eq(n, 0);
    shop_close(&c.s);
}
END_TEST

/* ---- random people --------------------------------------------------------- */

enum { PEOPLE = 24 };

static void person_name(int i, char name[32])
{
    const char *before = i % 4 == 1   ? "email:"
                         : i % 4 == 2 ? "device_id:"
                         : i % 4 == 3 ? "guest:g"
                                      : "";

    (void)snprintf(name, 32, "%su%d%s", before, i, i % 4 == 1 ? "@x.org" : "");
}

static void random_traits(shop *s, uint64_t *dice, int n)
{
    static const char *const values[] = {"1",      "2",         "null",
                                         "\"DE\"", "[1,\"a\"]", "true"};
    static const char *const sources[] = {"", " crm", " web"};
    char name[32], line[200];

    for (int i = 0; i < n; i++) {
        person_name((int)(api_random(dice) % PEOPLE), name);
        (void)snprintf(line, sizeof line, "%s 2025-01-%02d %s %s%s", name,
                       1 + (int)(api_random(dice) % 5),
                       trait_names[api_random(dice) % KNOWN_NAMES],
                       values[api_random(dice) % 6], sources[api_random(dice) % 3]);
        shop_traits(s, line);
    }
}

static void random_identity(shop *s, uint64_t *dice, int n)
{
    char a[32], b[32], line[100];
    cj_table *t;

    for (int i = 0; i < n; i++) {
        person_name((int)(api_random(dice) % PEOPLE), a);
        person_name((int)(api_random(dice) % PEOPLE), b);
        switch (api_random(dice) % 4) {
        case 0: /* who says both is one, or is refused */
            (void)snprintf(line, sizeof line, "%s+%s 2025-01-01 x\n", a, b);
            shop_events(s, line);
            break;
        case 1:
            if (shop_who(s, a) != shop_who(s, b))
                (void)shop_merge(s, a, b);
            break;
        default:
            expect_ok(cj_edges(s->db, 0, &t));
            if (cj_table_rows(t) > 0) /* it may be gone already */
                (void)cj_unmerge(s->db, 1 + (int64_t)(api_random(dice) %
                                                      (uint64_t)cj_table_rows(t)));
            cj_table_free(t);
        }
    }
}

/* The last trait of each name by then, unless it was forgotten. */
static char *newest_traits(const cj__facts *f, int64_t at)
{
    char line[300], time[25];
    api_text text = {0};

    api_put(&text, "");
    for (int64_t i = 0; i < f->n_traits; i++) {
        const cj__fact_trait *t = &f->traits[i], *next = t + 1;

        if (t->time_ms > at || cj__text_equal(t->value, cj__text_of("null")) ||
            (i + 1 < f->n_traits && next->time_ms <= at &&
             cj__text_equal(t->name, next->name)))
            continue;
        cj__time_format(t->time_ms, time);
        (void)snprintf(line, sizeof line, "%.*s %.*s %.*s %s\n", (int)t->name.n,
                       t->name.data, (int)t->value.n, t->value.data, (int)t->source.n,
                       t->source.data, time);
        api_put(&text, line);
    }
    return text.data;
}

/* The profile's own tables say the same of it. */
static void expect_as_tables(known_case *c, int64_t profile)
{
    const int64_t from = shop_time(&c->s, "2025-01-01");
    cj__facts f = {0};
    cj_table *t;
    int refused = 0;

    cj__known_facts(&c->known, (uint32_t)profile, &f);
    for (int64_t day = 0; day < 6; day++) {
        char *got, *want = newest_traits(&f, from + day * INT64_C(86400000));

        expect_ok(
            cj_profile_traits(c->s.db, profile, from + day * INT64_C(86400000), &t));
        got = shop_rows(t);
        ck_assert_str_eq(got, want);
        free(got);
        free(want);
    }
    expect_ok(cj_profile_identifiers(c->s.db, profile, &t));
    ck_assert_int_eq(cj_table_rows(t), f.n_identifiers[0]);
    cj_table_free(t);
    expect_ok(cj_edges(c->s.db, profile, &t));
    for (int64_t i = 0; i < cj_table_rows(t); i++) {
        const int64_t *offsets;
        const char *state = cj_table_text(t, 5, &offsets);

        refused |= strncmp(state + offsets[i], "refused", 7) == 0;
    }
    cj_table_free(t);
    ck_assert_int_eq(f.shared_device, refused);
}

static void expect_consistent(known_case *c, const char *expression)
{
    char *texts[4 * PEOPLE + 1] = {NULL};
    uint32_t n_nodes;

    known_begin(c, expression, 0);
    n_nodes = c->known.n_nodes;
    ck_assert_uint_le(n_nodes, 4 * PEOPLE);
    for (uint32_t i = 1; i <= n_nodes; i++) {
        if (c->known.profile_of[i] != i)
            continue;
        texts[i] = known_text(c, i);
        expect_as_tables(c, i);
    }
    known_end(c);
    for (uint32_t i = 1; i <= n_nodes; i++) {
        char *alone;

        if (texts[i] == NULL)
            continue;
        known_begin(c, expression, i);
        alone = known_text(c, i);
        ck_assert_str_eq(alone, texts[i]);
        free(alone);
        free(texts[i]);
        known_end(c);
    }
}

START_TEST(test_known__random_people)
{
    char text[300];

    for (uint64_t seed = 1; seed <= 6; seed++) {
        uint64_t dice = seed;
        char name[32], line[100];
        known_case c;

        shop_open(&c.s, NULL, 0);
        for (int i = 0; i < PEOPLE; i++) {
            person_name(i, name);
            (void)snprintf(line, sizeof line, "%s 2025-01-01 x\n", name);
            shop_events(&c.s, line);
        }
        shop_list(&c.s, "vip", "u0 email:u5@x.org guest:gu7 u12");
        (void)snprintf(text, sizeof text, "%s or in_list(\"vip\")", all_of_it);
        for (int step = 0; step < 5; step++) {
            random_traits(&c.s, &dice, 20);
            random_identity(&c.s, &dice, 6);
            expect_consistent(&c, text);
        }
        shop_close(&c.s);
    }
}
END_TEST

/* ---- memory ---------------------------------------------------------------- */

START_TEST(test_known__memory_runs_out)
{
    const cj__text names[] = {cj__text_of("n"), cj__text_of("city")};

    for (uint32_t only = 0; only < 2; only++) {
        int32_t rc = CJ_ENOMEM;
        known_case c;

        shop_open(&c.s, NULL, 0);
        shop_traits(&c.s, "ann 2025-01-01 n 1 crm\nann+email:a@x.org 2025-01-02 n 2\n"
                          "bob 2025-01-01 city \"Ulm\"\n");
        shop_list(&c.s, "vip", "bob");
        known_begin(&c, "has(email) or shared_device() or in_list(\"vip\") or n = 1",
                    only);
        for (int64_t n = 1; rc != CJ_OK; n++) {
            cj__known again;

            api_heap_arm(&c.s.heap, n, n % 2 == 0);
            rc = cj__known_load(&again, c.reader, &c.set, names, 2, only);
            api_heap_disarm(&c.s.heap);
            ck_assert_msg(rc == CJ_OK || rc == CJ_ENOMEM, "%s", cj_errmsg());
            ck_assert_int_eq(rc == CJ_OK, c.s.heap.n_failed == 0);
            cj__known_end(&again); /* after a failure there is nothing to end */
            ck_assert_int_lt(n, 10000);
        }
        known_end(&c);
        shop_close(&c.s);
    }
}
END_TEST

/* Who reads no traits loads none: of everybody, or of one. */
START_TEST(test_known__no_names_no_traits)
{
    const cj__text nameless = {NULL, 0};
    uint32_t index;
    known_case c;

    shop_open(&c.s, NULL, 0);
    shop_events(&c.s, "ann 2025-01-01 x\nbob 2025-01-02 x\n");
    shop_traits(&c.s, "ann 2025-01-01 country \"DE\"\n");
    for (uint32_t only = 0; only <= 2; only++) {
        expect_ok(cj__reader_open(c.s.db, &c.reader));
        cj__set_begin(&c.set, c.s.db, cj__reader_conn(c.reader));
        expect_ok(cj__set_add(&c.set, nameless, cj__text_of("orders() = 0"), &index));
        expect_ok(cj__known_load(&c.known, c.reader, &c.set, NULL, 0, only));
        ck_assert_ptr_null(c.known.starts);
        ck_assert_uint_eq(c.known.n_traits, 0);
        for (uint32_t profile = 1; profile <= 2; profile++) {
            cj__facts f = {.n_traits = 77};

            if (only != 0 && only != profile)
                continue;
            cj__known_facts(&c.known, profile, &f);
            ck_assert_int_eq(f.profile, profile);
            ck_assert_int_eq(f.n_traits, 0);
        }
        known_end(&c);
    }
    expect_in(&c.s, "2025-02-01", "orders() = 0", "1 2");
    expect_in(&c.s, "2025-02-01", "orders() = 0 and country = \"DE\"", "1");
    shop_close(&c.s);
}
END_TEST

HARNESS_MAIN("segment_known", test_known__traits_by_name_and_time,
             test_known__nulls_and_sources,
             test_known__a_value_of_the_same_moment_replaces,
             test_known__traits_of_who_became_one, test_known__identifiers_of_each_kind,
             test_known__a_shared_device, test_known__lists_follow_merges,
             test_known__nobody_is_there, test_known__random_people,
             test_known__no_names_no_traits, test_known__memory_runs_out)
