/* Definitions and lists: made, replaced, refused and dropped, each whole or not at all;
 * names, times, and two processes at one file. */
#include "harness.h"
#include "shop.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* All definitions as "name kind live day expression" lines. */
static char *member_all(cj_db *db)
{
    cj_table *t;

    expect_ok(cj_segments(db, &t));
    ck_assert_int_eq(cj_table_columns(t), 5);
    ck_assert_str_eq(cj_table_name(t, 0), "segment");
    ck_assert_str_eq(cj_table_name(t, 1), "kind");
    ck_assert_str_eq(cj_table_name(t, 2), "live");
    ck_assert_str_eq(cj_table_name(t, 3), "defined_ms");
    ck_assert_str_eq(cj_table_name(t, 4), "expression");
    return shop_rows(t);
}

static void expect_all(shop *s, const char *want)
{
    char *got = member_all(s->db);

    if (strcmp(got, want) != 0)
        ck_abort_msg("%s---- instead of\n%s", got, want);
    free(got);
}

static int64_t member_count(shop *s, const char *name)
{
    int64_t n = 77;

    expect_ok(cj_segment_count(s->db, name, NULL, &n));
    return n;
}

/* ---- expressions ----------------------------------------------------------- */

START_TEST(test_member__definitions_are_kept_in_canonical_text)
{
    shop s;

    shop_open(&s, NULL, 0);
    expect_all(&s, "");
    s.now_ms = shop_time(&s, "2026-02-03T04:05:06.007");
    shop_define(&s, "lapsed = orders( last 90 DAYS )=0 AND revenue()>200 EUR\n");
    s.now_ms += 1000;
    shop_define(&s, "buyers = ((orders() >= 1))\n");
    expect_all(&s,
               "buyers expression 0 2026-02-03T04:05:07.007Z orders() >= 1\n"
               "lapsed expression 0 2026-02-03T04:05:06.007Z orders(last 90 days) = "
               "0 and revenue() > 200 EUR\n");
    shop_reopen(&s, 0);
    expect_all(&s,
               "buyers expression 0 2026-02-03T04:05:07.007Z orders() >= 1\n"
               "lapsed expression 0 2026-02-03T04:05:06.007Z orders(last 90 days) = "
               "0 and revenue() > 200 EUR\n");
    shop_close(&s);
}
END_TEST

START_TEST(test_member__defining_again_replaces)
{
    shop s;

    shop_open(&s, NULL, 0);
    shop_events(&s, "ann 2025-01-01 order 10\n"
                    "ann 2025-01-02 order 10\n"
                    "bob 2025-01-01 order 10\n");
    shop_define(&s, "many = orders() >= 2\n"
                    "rest = not in_segment(\"many\")\n");
    ck_assert_int_eq(member_count(&s, "rest"), 1);
    s.now_ms = shop_time(&s, "2026-05-05");
    shop_define(&s, "many = orders() >= 3\n");
    ck_assert_int_eq(member_count(&s, "many"), 0);
    ck_assert_int_eq(member_count(&s, "rest"), 2);
    expect_all(&s, "many expression 0 2026-05-05T00:00:00.000Z orders() >= 3\n"
                   "rest expression 0 2026-01-01T00:00:00.000Z not "
                   "in_segment(\"many\")\n");
    /* one that is refused leaves the old one */
    expect_code(CJ_EINVAL, cj_segment_define(s.db, "many", "orders() >= ", 0));
    expect_code(CJ_EINVAL, cj_segment_define(s.db, "many", "in_segment(\"rest\")", 0));
    expect_code(CJ_ENOTFOUND,
                cj_segment_define(s.db, "many", "in_segment(\"nowhere\")", 0));
    expect_all(&s, "many expression 0 2026-05-05T00:00:00.000Z orders() >= 3\n"
                   "rest expression 0 2026-01-01T00:00:00.000Z not "
                   "in_segment(\"many\")\n");
    shop_close(&s);
}
END_TEST

START_TEST(test_member__flags_are_not_there_yet)
{
    static const int64_t flags[] = {2, -1, 1024, INT64_MAX, INT64_MIN};
    shop s;

    shop_open(&s, NULL, 0);
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        expect_code(CJ_EINVAL, cj_segment_define(s.db, "a", "orders() = 1", flags[i]));
    expect_all(&s, "");
    shop_close(&s);
}
END_TEST

/* ---- names ----------------------------------------------------------------- */

static void expect_name(shop *s, const char *name, int64_t position, const char *text)
{
    const int64_t nobody = 0;

    if (text == NULL) {
        expect_ok(cj_segment_define(s->db, name, "orders() = 1", 0));
        expect_ok(cj_segment_drop(s->db, name));
        expect_ok(cj_segment_define_list(s->db, name, &nobody, 0));
        ck_assert_int_eq(member_count(s, name), 0);
        expect_ok(cj_segment_drop(s->db, name));
        return;
    }
    expect_error_is(cj_segment_define(s->db, name, "orders() = 1", 0), CJ_EINVAL,
                    position, text);
    expect_error_is(cj_segment_define_list(s->db, name, &nobody, 0), CJ_EINVAL,
                    position, text);
}

START_TEST(test_member__names)
{
    static const char *const bytes = "a segment's name has 1 to 200 bytes";
    static const char *const controls = "a segment's name holds no control characters";
    static const char *const utf8 = "a segment's name is UTF-8 text";
    char name[202];
    shop s;

    shop_open(&s, NULL, 0);
    memset(name, 'x', sizeof name);
    name[201] = '\0';
    expect_name(&s, "", -1, bytes);
    expect_name(&s, name, -1, bytes);
    name[200] = '\0';
    expect_name(&s, name, -1, NULL);
    expect_name(&s, "a\nb", 1, controls);
    expect_name(&s, "\t", 0, controls);
    expect_name(&s, "end\x7f", 3, controls);
    expect_name(&s, "caf\xe9", -1, utf8);
    expect_name(&s, "\xc0\x80", -1, utf8);
    expect_name(&s, "\xed\xa0\x80", -1, utf8);
    expect_name(&s, "a\xf0\x9f\x98", -1, utf8);
    expect_name(&s, "caf\xc3\xa9 \xf0\x9f\x98\x80", -1, NULL);
    expect_name(&s, " ", -1, NULL);
    expect_name(&s, "and", -1, NULL); /* words of the language are only names here */
    expect_name(&s, "\"quoted\" \\ and 'more' /", -1, NULL);
    expect_name(&s, "in_list(\"x\")", -1, NULL);
    expect_all(&s, "");
    shop_close(&s);
}
END_TEST

/* Names are exact: of other case, or with a blank more, they are others. */
START_TEST(test_member__names_are_exact)
{
    int64_t n;
    shop s;

    shop_open(&s, NULL, 0);
    shop_events(&s, "ann 2025-01-01 order 10\n");
    shop_define(&s, "vip = orders() = 1\n"
                    "VIP = orders() = 2\n"
                    "vip  = orders() = 3\n"
                    "say \"hi\" \\ = in_segment(\"vip\")\n");
    ck_assert_int_eq(member_count(&s, "vip"), 1);
    ck_assert_int_eq(member_count(&s, "VIP"), 0);
    ck_assert_int_eq(member_count(&s, "vip "), 0);
    ck_assert_int_eq(member_count(&s, "say \"hi\" \\"), 1);
    expect_in(&s, "2026-01-01", "in_segment(\"say \\\"hi\\\" \\\\\")", "1");
    expect_code(CJ_ENOTFOUND, cj_segment_count(s.db, "Vip", NULL, &n));
    ck_assert_int_eq(n, 0);
    expect_code(CJ_ENOTFOUND, cj_segment_count(s.db, "", NULL, &n));
    expect_code(CJ_ENOTFOUND, cj_segment_count(s.db, "\xff\n", NULL, &n));
    expect_code(CJ_ENOTFOUND, cj_segment_drop(s.db, "Vip"));
    shop_close(&s);
}
END_TEST

/* ---- lists ----------------------------------------------------------------- */

START_TEST(test_member__lists)
{
    const int64_t twice[] = {3, 1, 3, 1};
    cj_segment_options o;
    cj_table *t;
    char *rows;
    shop s;

    shop_open(&s, NULL, 0);
    shop_events(&s, "ann 2025-01-01 x\nbob 2025-01-01 x\ncid 2025-01-01 x\n");
    s.now_ms = shop_time(&s, "2026-04-01");
    expect_ok(cj_segment_define_list(s.db, "vip", twice, 4));
    expect_all(&s, "vip list 0 2026-04-01T00:00:00.000Z -\n");
    o = shop_options(&s, "2026-01-01");
    expect_ok(cj_segment_members(s.db, "vip", &o, &t));
    rows = shop_rows(t);
    ck_assert_str_eq(rows, "1 1 never\n3 1 never\n");
    free(rows);
    s.now_ms = shop_time(&s, "2026-04-02");
    shop_list(&s, "vip", "bob"); /* replaced, not added to */
    expect_in(&s, "2026-01-01", "in_list(\"vip\")", "2");
    expect_all(&s, "vip list 0 2026-04-02T00:00:00.000Z -\n");
    shop_list(&s, "vip", "");
    ck_assert_int_eq(member_count(&s, "vip"), 0);
    expect_ok(cj_segment_define_list(s.db, "vip", NULL, 0));
    shop_close(&s);
}
END_TEST

/* One wrong profile: nothing changes, and the position is its index. */
START_TEST(test_member__a_list_is_replaced_whole_or_not_at_all)
{
    static const int64_t wrong[] = {0,         -1,         4,         INT64_MAX,
                                    INT64_MIN, 4294967295, 4294967297};
    int64_t profiles[] = {1, 2, 3, 1, 2};
    shop s;

    shop_open(&s, NULL, 0);
    shop_events(&s, "ann 2025-01-01 x\nbob 2025-01-01 x\ncid 2025-01-01 x\n");
    shop_list(&s, "vip", "bob");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        for (int64_t at = 0; at < 5; at++) {
            const int64_t right = profiles[at];

            s.now_ms += 1000;
            profiles[at] = wrong[i];
            expect_error_is(cj_segment_define_list(s.db, "vip", profiles, 5),
                            CJ_ENOTFOUND, at, "there is no such profile");
            expect_error_is(cj_segment_define_list(s.db, "new", profiles, 5),
                            CJ_ENOTFOUND, at, "there is no such profile");
            profiles[at] = right;
        }
    }
    expect_all(&s, "vip list 0 2026-01-01T00:00:00.000Z -\n");
    expect_in(&s, "2026-01-01", "in_list(\"vip\")", "2");
    /* who was merged into another is no profile any more */
    (void)shop_merge(&s, "ann", "cid");
    expect_error_is(cj_segment_define_list(s.db, "vip", profiles, 5), CJ_ENOTFOUND, 2,
                    "there is no such profile");
    expect_in(&s, "2026-01-01", "in_list(\"vip\")", "2");
    shop_close(&s);
}
END_TEST

START_TEST(test_member__a_list_may_be_long)
{
    enum { MANY = 5000 };
    static int64_t profiles[MANY];
    static cj_event events[MANY];
    static cj_identifier ids[MANY];
    static char names[MANY][16];
    shop s;

    shop_open(&s, NULL, 0);
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(names[i], sizeof names[i], "u%d", i);
        ids[i] = (cj_identifier){sizeof ids[i], "user_id", names[i]};
        events[i] = (cj_event){.struct_size = sizeof events[i],
                               .time_ms = 1735689600000,
                               .name = "x",
                               .identifiers = &ids[i],
                               .n_identifiers = 1};
        profiles[i] = MANY - i;
    }
    expect_ok(cj_record_many(s.db, events, MANY, 0, NULL));
    expect_ok(cj_segment_define_list(s.db, "all", profiles, MANY));
    ck_assert_int_eq(member_count(&s, "all"), MANY);
    profiles[MANY - 1] = MANY + 1;
    expect_error_is(cj_segment_define_list(s.db, "all", profiles, MANY), CJ_ENOTFOUND,
                    MANY - 1, "there is no such profile");
    ck_assert_int_eq(member_count(&s, "all"), MANY);
    expect_ok(cj_segment_define_list(s.db, "all", profiles, 10));
    ck_assert_int_eq(member_count(&s, "all"), 10);
    shop_close(&s);
}
END_TEST

START_TEST(test_member__a_name_is_a_list_or_an_expression)
{
    const int64_t one = 1;
    shop s;

    shop_open(&s, NULL, 0);
    shop_events(&s, "ann 2025-01-01 x\n");
    shop_define(&s, "buyers = orders() >= 1\n");
    shop_list(&s, "vip", "ann");
    expect_error_is(cj_segment_define(s.db, "vip", "orders() = 1", 0), CJ_EEXISTS, -1,
                    "there is a list of that name; drop it first");
    expect_error_is(cj_segment_define_list(s.db, "buyers", &one, 1), CJ_EEXISTS, -1,
                    "there is a segment of that name; drop it first");
    expect_all(&s, "buyers expression 0 2026-01-01T00:00:00.000Z orders() >= 1\n"
                   "vip list 0 2026-01-01T00:00:00.000Z -\n");
    ck_assert_int_eq(member_count(&s, "vip"), 1);
    expect_ok(cj_segment_drop(s.db, "vip"));
    expect_ok(cj_segment_drop(s.db, "buyers"));
    expect_ok(cj_segment_define(s.db, "vip", "orders() = 1", 0));
    expect_ok(cj_segment_define_list(s.db, "buyers", &one, 1));
    ck_assert_int_eq(member_count(&s, "vip"), 0);
    ck_assert_int_eq(member_count(&s, "buyers"), 1);
    shop_close(&s);
}
END_TEST

/* ---- dropping -------------------------------------------------------------- */

START_TEST(test_member__what_is_needed_cannot_be_dropped)
{
    shop s;

    shop_open(&s, NULL, 0);
    shop_events(&s, "ann 2025-01-01 x\n");
    shop_list(&s, "vip", "ann");
    shop_define(&s, "a = in_list(\"vip\")\n"
                    "b = not in_segment(\"a\")\n"
                    "c = in_segment(\"b\") or orders() = 1\n"
                    "other = orders() = 2\n");
    expect_error_is(cj_segment_drop(s.db, "vip"), CJ_EEXISTS, -1,
                    "segment `a` needs it; drop that first");
    expect_error_is(cj_segment_drop(s.db, "a"), CJ_EEXISTS, -1,
                    "segment `b` needs it; drop that first");
    expect_error_is(cj_segment_drop(s.db, "b"), CJ_EEXISTS, -1,
                    "segment `c` needs it; drop that first");
    ck_assert_int_eq(member_count(&s, "vip"), 1);
    expect_ok(cj_segment_drop(s.db, "other"));
    expect_ok(cj_segment_drop(s.db, "c"));
    expect_error_is(cj_segment_drop(s.db, "c"), CJ_ENOTFOUND, -1,
                    "no such segment; see the list of segments");
    shop_define(&s, "b = orders() = 3\n"); /* it no longer needs a */
    expect_ok(cj_segment_drop(s.db, "a"));
    expect_ok(cj_segment_drop(s.db, "vip"));
    expect_all(&s, "b expression 0 2026-01-01T00:00:00.000Z orders() = 3\n");
    shop_close(&s);
}
END_TEST

/* A list that was dropped is gone: a new one of its name is empty. */
START_TEST(test_member__dropping_takes_everything)
{
    shop s;

    shop_open(&s, NULL, 0);
    shop_events(&s, "ann 2025-01-01 x\n");
    for (int i = 0; i < 3; i++) {
        shop_list(&s, "vip", "ann");
        shop_list(&s, "staff", "ann");
        expect_ok(cj_segment_drop(s.db, "vip"));
        shop_list(&s, "vip", "");
        ck_assert_int_eq(member_count(&s, "vip"), 0);
        ck_assert_int_eq(member_count(&s, "staff"), 1);
        expect_ok(cj_segment_drop(s.db, "staff"));
        expect_ok(cj_segment_drop(s.db, "vip"));
        expect_all(&s, "");
    }
    expect_code(CJ_ENOTFOUND, cj_segment_drop(s.db, ""));
    shop_close(&s);
}
END_TEST

/* A name too long for the text of an error is cut. */
START_TEST(test_member__a_long_name_that_needs_it)
{
    char name[100], want[128];
    shop s;

    shop_open(&s, NULL, 0);
    memset(name, 'l', 99);
    name[99] = '\0';
    shop_define(&s, "a = orders() = 1\n");
    expect_ok(cj_segment_define(s.db, name, "in_segment(\"a\")", 0));
    (void)snprintf(want, sizeof want, "segment `%.60s` needs it; drop that first",
                   name);
    expect_error_is(cj_segment_drop(s.db, "a"), CJ_EEXISTS, -1, want);
    shop_close(&s);
}
END_TEST

/* ---- random orders --------------------------------------------------------- */

/* What definitions may lead to is whatever is there: a table of who needs whom says
 * which drop and which circle must be refused. */
typedef struct member_model {
    int is_there[8];
    uint8_t leads[8][8];
} member_model;

static int model_reaches(const member_model *m, int from, int to)
{
    if (from == to)
        return 1;
    for (int i = 0; i < 8; i++)
        if (m->leads[from][i] && model_reaches(m, i, to))
            return 1;
    return 0;
}

static void model_define(member_model *m, shop *s, int which, uint64_t *dice)
{
    const int a = (int)(api_random(dice) % 8), b = (int)(api_random(dice) % 8);
    const char name[2] = {(char)('a' + which), '\0'};
    char text[100];
    int32_t rc, want = CJ_OK;

    (void)snprintf(text, sizeof text, "in_segment(\"%c\") or in_segment(\"%c\")",
                   'a' + a, 'a' + b);
    if (api_random(dice) % 3 == 0) {
        expect_ok(cj_segment_define(s->db, name, "orders() = 1", 0));
        memset(m->leads[which], 0, 8);
        m->is_there[which] = 1;
        return;
    }
    if (a == which || (m->is_there[a] && model_reaches(m, a, which)))
        want = CJ_EINVAL;
    else if (!m->is_there[a])
        want = CJ_ENOTFOUND;
    else if (b == which || (m->is_there[b] && model_reaches(m, b, which)))
        want = CJ_EINVAL;
    else if (!m->is_there[b])
        want = CJ_ENOTFOUND;
    rc = cj_segment_define(s->db, name, text, 0);
    ck_assert_msg(rc == want, "%s = %s: %s: %s", name, text, cj_error_name(rc),
                  cj_errmsg());
    if (rc != CJ_OK)
        return;
    memset(m->leads[which], 0, 8);
    m->leads[which][a] = m->leads[which][b] = 1;
    m->is_there[which] = 1;
}

static void model_drop(member_model *m, shop *s, int which)
{
    const char name[2] = {(char)('a' + which), '\0'};
    int32_t want = m->is_there[which] ? CJ_OK : CJ_ENOTFOUND;

    for (int i = 0; i < 8; i++)
        if (m->is_there[which] && i != which && m->leads[i][which])
            want = CJ_EEXISTS;
    api_expect(cj_segment_drop(s->db, name), want, name, __LINE__);
    if (want != CJ_OK)
        return;
    m->is_there[which] = 0;
    memset(m->leads[which], 0, 8);
}

START_TEST(test_member__random_definitions_and_drops)
{
    for (uint64_t seed = 1; seed < 5; seed++) {
        member_model m = {{0}, {{0}}};
        uint64_t dice = seed;
        cj_table *t;
        shop s;

        shop_open(&s, NULL, 0);
        shop_events(&s, "ann 2025-01-01 x\n");
        for (int i = 0; i < 150; i++) {
            int n = 0, which = (int)(api_random(&dice) % 8);

            if (api_random(&dice) % 3 == 0)
                model_drop(&m, &s, which);
            else
                model_define(&m, &s, which, &dice);
            for (int k = 0; k < 8; k++)
                n += m.is_there[k];
            expect_ok(cj_profile_segments(s.db, 1, NULL, &t)); /* all of them stand */
            ck_assert_int_eq(cj_table_rows(t), n);
            cj_table_free(t);
        }
        shop_close(&s);
    }
}
END_TEST

/* ---- others at the file ---------------------------------------------------- */

START_TEST(test_member__a_read_only_handle)
{
    const int64_t one = 1;
    shop s;

    shop_open(&s, NULL, 0);
    shop_events(&s, "ann 2025-01-01 order 5\n");
    shop_define(&s, "buyers = orders() >= 1\n");
    shop_list(&s, "vip", "ann");
    shop_reopen(&s, CJ_OPEN_READONLY);
    expect_code(CJ_EREADONLY, cj_segment_define(s.db, "a", "orders() = 1", 0));
    expect_code(CJ_EREADONLY, cj_segment_define_list(s.db, "vip", &one, 0));
    expect_code(CJ_EREADONLY, cj_segment_drop(s.db, "vip"));
    ck_assert_int_eq(member_count(&s, "buyers"), 1);
    ck_assert_int_eq(member_count(&s, "vip"), 1);
    expect_all(&s, "buyers expression 0 2026-01-01T00:00:00.000Z orders() >= 1\n"
                   "vip list 0 2026-01-01T00:00:00.000Z -\n");
    shop_close(&s);
}
END_TEST

/* A child has its own handle; it must not free what it inherited. */
static void member_child(shop *s, const char *letter, int n)
{
    cj_db *db = api_open(s->file.path, 0, 0);
    char name[32], expression[64];

    for (int i = 0; i < n; i++) {
        (void)snprintf(name, sizeof name, "%s%d", letter, i);
        (void)snprintf(expression, sizeof expression, "orders() >= %d", i);
        expect_ok(cj_segment_define(db, name, expression, 0));
        expect_ok(cj_segment_define(db, "common", expression, 0));
        expect_ok(
            cj_segment_define_list(db, "list", (const int64_t[]){1, 2}, 1 + i % 2));
        if (i % 3 == 2)
            expect_ok(cj_segment_drop(db, name));
    }
    expect_ok(cj_close(db));
    (void)raise(SIGKILL);
}

static void member_wait(pid_t child)
{
    int status;

    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

START_TEST(test_member__several_processes)
{
    enum { N = 12 };
    pid_t children[3];
    cj_table *t;
    shop s;

    shop_open(&s, NULL, 0);
    shop_events(&s, "ann 2025-01-01 order 5\nbob 2025-01-01 x\n");
    shop_define(&s, "common = orders() = 1\nmine = in_segment(\"common\")\n");
    for (int i = 0; i < 3; i++) {
        children[i] = fork();
        ck_assert_int_ge(children[i], 0);
        if (children[i] == 0)
            member_child(&s, i == 0 ? "x" : i == 1 ? "y" : "z", N);
    }
    for (int i = 0; i < 20; i++) { /* meanwhile: always one of theirs, whole */
        int64_t n;

        expect_ok(cj_segment_count(s.db, "mine", NULL, &n));
        ck_assert(n >= 0 && n <= 2);
        expect_ok(cj_profile_segments(s.db, 1, NULL, &t));
        cj_table_free(t);
        shop_define(&s, "own = not in_segment(\"mine\")\n");
    }
    for (int i = 0; i < 3; i++)
        member_wait(children[i]);
    expect_ok(cj_segments(s.db, &t));
    ck_assert_int_eq(cj_table_rows(t),
                     4 + 3 * (N - N / 3)); /* common, list, mine, own */
    cj_table_free(t);
    ck_assert_int_eq(member_count(&s, "list"), 2);
    ck_assert_int_eq(member_count(&s, "x0"), 2);
    ck_assert_int_eq(member_count(&s, "common"), 0);
    shop_close(&s);
}
END_TEST

/* The other process drops what this one has just read. */
START_TEST(test_member__another_handle_sees_it_at_once)
{
    int64_t n;
    cj_db *other;
    shop s;

    shop_open(&s, NULL, 0);
    shop_events(&s, "ann 2025-01-01 order 5\n");
    other = api_open(s.file.path, 0, 0);
    for (int i = 0; i < 3; i++) {
        shop_define(&s, "a = orders() = 1\n");
        expect_ok(cj_segment_count(other, "a", NULL, &n));
        ck_assert_int_eq(n, 1);
        expect_ok(cj_segment_define(other, "b", "not in_segment(\"a\")", 0));
        ck_assert_int_eq(member_count(&s, "b"), 0);
        expect_code(CJ_EEXISTS, cj_segment_drop(s.db, "a"));
        expect_ok(cj_segment_drop(other, "b"));
        expect_code(CJ_ENOTFOUND, cj_segment_count(s.db, "b", NULL, &n));
        expect_ok(cj_segment_drop(other, "a"));
        expect_code(CJ_ENOTFOUND, cj_segment_count(s.db, "a", NULL, &n));
    }
    expect_ok(cj_close(other));
    shop_close(&s);
}
END_TEST

HARNESS_MAIN("segment_member", test_member__definitions_are_kept_in_canonical_text,
             test_member__defining_again_replaces, test_member__flags_are_not_there_yet,
             test_member__names, test_member__names_are_exact, test_member__lists,
             test_member__a_list_is_replaced_whole_or_not_at_all,
             test_member__a_list_may_be_long,
             test_member__a_name_is_a_list_or_an_expression,
             test_member__what_is_needed_cannot_be_dropped,
             test_member__dropping_takes_everything,
             test_member__a_long_name_that_needs_it,
             test_member__random_definitions_and_drops, test_member__a_read_only_handle,
             test_member__several_processes,
             test_member__another_handle_sees_it_at_once)
