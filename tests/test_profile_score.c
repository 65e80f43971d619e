/* Scores: bytes, names and values; runs against a table that remembers everything, by
 * random refreshes (late ones, aborted ones, of somebody, of all); what is damaged is
 * told; a trait that a host tells beside them. */
#include "harness.h"
#include "shop.h"

#include "base/ctx.h"
#include "profile/score.h"
#include "store/reader.h"

#include <stdio.h>
#include <string.h>

static uint64_t seed;

static int64_t dice(int64_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (int64_t)(seed % (uint64_t)n);
}

static cj__allocator memory_of_c(void)
{
    cj__ctx cx;

    cj__ctx_init(&cx, NULL, NULL, NULL, NULL, NULL, NULL);
    return cx.allocator;
}

/* ---- bytes ------------------------------------------------------------------------
 */

static const int64_t numbers[] = {0,      1,      -1,        63,        -64,
                                  64,     127,    128,       999999,    1000000,
                                  123456, -98765, INT64_MAX, INT64_MIN, INT64_MIN + 1};
enum { N_NUMBERS = sizeof numbers / sizeof numbers[0] };

START_TEST(test_profile_score__bytes_come_back)
{
    const cj__allocator a = memory_of_c();
    cj__str bytes;

    cj__str_init(&bytes, &a, 1 << 20);
    for (int i = 0; i < N_NUMBERS * N_NUMBERS; i++) {
        const cj__score in = {
            numbers[i % N_NUMBERS],
            {numbers[i / N_NUMBERS], numbers[(i + 3) % N_NUMBERS],
                             numbers[(i * 7 + 5) % N_NUMBERS]}
        };

        cj__score_put(&bytes, &in);
    }
    cj__text from = {bytes.data, bytes.n};
    for (int i = 0; i < N_NUMBERS * N_NUMBERS; i++) {
        cj__score out;

        ck_assert_int_eq(cj__score_take(&from, &out), 1);
        ck_assert_int_eq(out.time_ms, numbers[i % N_NUMBERS]);
        ck_assert_int_eq(out.number[0], numbers[i / N_NUMBERS]);
        ck_assert_int_eq(out.number[1], numbers[(i + 3) % N_NUMBERS]);
        ck_assert_int_eq(out.number[2], numbers[(i * 7 + 5) % N_NUMBERS]);
    }
    ck_assert_int_eq(cj__score_take(&from, &(cj__score){0}), 0);
    cj__str_end(&bytes);
}
END_TEST

/* Cut anywhere, an entry is damaged or (cut off before it begins) none. */
START_TEST(test_profile_score__cut_bytes_are_noticed)
{
    static const char damaged[] = {2, 8, 1}; /* a flag that no number has */
    const cj__allocator a = memory_of_c();
    const cj__score score = {
        1700000000000, {999999, CJ__SCORE_NULL, 1234567}
    };
    cj__str telling, bytes;
    cj__score_entry entry = {
        .profile = 300, .state = {"state", 5}
    };
    cj__text from = {damaged, sizeof damaged};

    ck_assert_int_eq(cj__score_take(&from, &(cj__score){0}), -1);
    cj__str_init(&telling, &a, 100);
    cj__str_init(&bytes, &a, 100);
    cj__score_put(&telling, &score);
    for (size_t n = 0; n <= telling.n; n++) {
        from = (cj__text){telling.data, n};
        ck_assert_int_eq(cj__score_take(&from, &(cj__score){0}), n == 0          ? 0
                                                                 : n < telling.n ? -1
                                                                                 : 1);
    }
    entry.tellings = (cj__text){telling.data, telling.n};
    cj__score_entry_put(&bytes, 7, &entry);
    for (size_t n = 0; n <= bytes.n; n++) {
        cj__score_entry out;

        from = (cj__text){bytes.data, n};
        ck_assert_int_eq(cj__score_entry_take(&from, 7, &out), n == 0        ? 0
                                                               : n < bytes.n ? -1
                                                                             : 1);
        if (n < bytes.n)
            continue;
        ck_assert_uint_eq(out.profile, 300);
        ck_assert(cj__text_equal(out.state, entry.state));
        ck_assert(cj__text_equal(out.tellings, entry.tellings));
    }
    from = (cj__text){bytes.data, bytes.n}; /* the profile would be beyond 32 bits */
    ck_assert_int_eq(cj__score_entry_take(&from, UINT32_MAX - 5, &(cj__score_entry){0}),
                     -1);
    cj__str_end(&telling);
    cj__str_end(&bytes);
}
END_TEST

START_TEST(test_profile_score__names)
{
    static const char *const are[] = {"p_alive", "expected_12m", "clv_1m", "clv_600m"};
    static const char *const are_not[] = {
        "",        "p_alive2",  "clv_m",       "clv_012m",          "clv_12",
        "clv_-1m", "expected_", "expected12m", "clv_12m_as_it_was", "plan"};
    char name[CJ__SCORE_NAME];

    for (size_t i = 0; i < sizeof are / sizeof are[0]; i++)
        ck_assert_msg(cj__score_is_name(cj__text_of(are[i])), "%s", are[i]);
    for (size_t i = 0; i < sizeof are_not / sizeof are_not[0]; i++)
        ck_assert_msg(!cj__score_is_name(cj__text_of(are_not[i])), "%s", are_not[i]);
    cj__score_name(name, CJ__SCORE_EXPECTED, 600);
    ck_assert_str_eq(name, "expected_600m");
}
END_TEST

START_TEST(test_profile_score__values_are_json)
{
    static const struct {
        int number, exponent;
        int64_t value;
        const char *text;
    } cases[] = {
        {CJ__SCORE_ALIVE,    2, 0,              "0"        },
        {CJ__SCORE_ALIVE,    2, 1000000,        "1"        },
        {CJ__SCORE_ALIVE,    2, 62500,          "0.0625"   },
        {CJ__SCORE_EXPECTED, 2, 12000001,       "12.000001"},
        {CJ__SCORE_VALUE,    2, 2038,           "20.38"    },
        {CJ__SCORE_VALUE,    2, -50,            "-0.5"     },
        {CJ__SCORE_VALUE,    0, 1200,           "1200"     },
        {CJ__SCORE_VALUE,    3, 1200,           "1.2"      },
        {CJ__SCORE_VALUE,    2, CJ__SCORE_NULL, "null"     },
    };
    const cj__allocator a = memory_of_c();
    cj__str text;

    cj__str_init(&text, &a, 64);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cj__str_clear(&text);
        cj__score_text(&text, cases[i].number, cases[i].value, cases[i].exponent);
        ck_assert_str_eq(text.data, cases[i].text);
    }
    cj__str_end(&text);
}
END_TEST

/* ---- runs against a table that remembers everything ---------------------------------
 */

enum { PROFILES = 700, TELLINGS = 160 };

typedef struct memory {
    char state[40];
    int n; /* by time, none twice */
    cj__score tellings[TELLINGS];
} memory;

static memory *remembered;

static void remember(uint32_t profile, const char *state, const cj__score *score)
{
    memory *m = &remembered[profile];
    int at = 0;

    (void)snprintf(m->state, sizeof m->state, "%s", state);
    if (score == NULL)
        return;
    while (at < m->n && m->tellings[at].time_ms > score->time_ms)
        at++;
    if (at == m->n || m->tellings[at].time_ms != score->time_ms) {
        memmove(&m->tellings[at + 1], &m->tellings[at],
                (size_t)(m->n - at) * sizeof *score);
        m->n++;
    }
    m->tellings[at] = *score;
}

/* As ck_assert, which costs a system call each time that all is well. */
static void must(int is_so, int line)
{
    if (!is_so)
        ck_abort_msg("line %d: %s", line, cj_errmsg());
}
#define MUST(condition) must((condition), __LINE__)

/* A refresh of one in `sparse` profiles at a time. */
static void refresh(cj_db *db, int64_t months, int sparse, int64_t time_ms, int is_lost)
{
    cj__score_writer w = {0};
    cj__str telling;

    cj__str_init(&telling, &db->cx.allocator, 100);
    ck_assert_int_eq(cj__score_begin(&w, db, months), CJ_OK);
    for (uint32_t profile = 1; profile <= PROFILES; profile++) {
        const cj__score score = {
            time_ms,
            {dice(1000001), dice(5) == 0 ? CJ__SCORE_NULL : dice(100000), dice(9999)}
        };
        char state[40] = "";
        const int is_told = dice(4) > 0;
        cj__score_entry entry = {.profile = profile};

        if (dice(sparse) > 0)
            continue;
        if (dice(5) > 0)
            (void)snprintf(state, sizeof state, "state %d %.*s", (int)dice(1000),
                           (int)dice(25), "0123456789012345678901234");
        cj__str_clear(&telling);
        if (is_told)
            cj__score_put(&telling, &score);
        entry.state = cj__text_of(state);
        entry.tellings = (cj__text){telling.data, telling.n};
        MUST(cj__score_add(&w, &entry) == CJ_OK);
        if (!is_lost)
            remember(profile, state, is_told ? &score : NULL);
    }
    if (!is_lost)
        ck_assert_int_eq(cj__score_commit(&w), CJ_OK);
    cj__score_end(&w);
    cj__str_end(&telling);
}

static void expect_scored(cj__scored *scored, const memory *m)
{
    cj__score score;
    int has;

    MUST(cj__text_equal(scored->state, cj__text_of(m->state)));
    for (int i = 0; i < m->n; i++) {
        MUST(cj__scored_next(scored, &score, &has) == CJ_OK && has);
        MUST(memcmp(&score, &m->tellings[i], sizeof score) == 0);
    }
    MUST(cj__scored_next(scored, &score, &has) == CJ_OK && !has);
}

static void expect_walk(cj__scores *s)
{
    uint32_t profile = 1;
    cj__scored scored;
    int has = 0;

    for (;; profile++) {
        MUST(cj__scores_next(s, &scored, &has) == CJ_OK);
        for (; profile <= PROFILES && (!has || profile < scored.profile); profile++) {
            MUST(remembered[profile].state[0] == '\0' && remembered[profile].n == 0);
        }
        if (!has)
            break;
        expect_scored(&scored, &remembered[profile]);
    }
    ck_assert_uint_eq(profile, PROFILES + 1);
}

/* One by one, in order or not; of whom nothing was ever said, too. */
static void expect_ones(cj__scores *s, int is_ordered)
{
    for (uint32_t i = 1; i <= PROFILES + 3; i += (uint32_t)(1 + dice(4))) {
        const uint32_t profile = is_ordered ? i : (uint32_t)(1 + dice(PROFILES));
        const memory *m = &remembered[profile];
        cj__scored scored;
        cj__text state;

        MUST(cj__scores_state(s, profile, &state) == CJ_OK);
        MUST(cj__text_equal(state, cj__text_of(m->state)));
        if (dice(2) == 0)
            continue;
        MUST(cj__scores_of(s, profile, &scored) == CJ_OK);
        if (scored.n > 0)
            expect_scored(&scored, m);
        else
            MUST(m->state[0] == '\0' && m->n == 0);
    }
}

static void expect_runs(cj_db *db, int64_t months)
{
    cj__scores s = {0};

    ck_assert_int_eq(cj__scores_open(&s, &db->cx.allocator, cj__writer(db), months),
                     CJ_OK);
    for (int i = 1; i < s.n; i++)
        ck_assert_int_ge(s.runs[i].n_bytes, 2 * s.runs[i - 1].n_bytes);
    expect_walk(&s);
    cj__scores_end(&s);
    for (int is_ordered = 0; is_ordered < 2; is_ordered++) {
        ck_assert_int_eq(cj__scores_open(&s, &db->cx.allocator, cj__writer(db), months),
                         CJ_OK);
        expect_ones(&s, is_ordered);
        cj__scores_end(&s);
    }
}

START_TEST(test_profile_score__runs_are_as_one_table)
{
    for (seed = 1; seed < 200; seed += (uint64_t)(17 * harness_stride(5))) {
        const uint64_t start = seed;
        int64_t time_ms = 1700000000000;
        shop s;

        remembered = calloc(PROFILES + 4, sizeof *remembered);
        shop_open(&s, "UTC", 0);
        ck_assert_int_eq(cj__write_begin(s.db), CJ_OK);
        for (int step = 0; step < 60; step++) {
            const int sparse = (int[]){1, 3, 30, 30, 200}[dice(5)];

            if (dice(6) == 0) /* begun, and nothing came of it */
                refresh(s.db, 12, sparse, time_ms, 1);
            refresh(s.db, 12, sparse, time_ms, 0);
            expect_runs(s.db, 12);
            time_ms += dice(3) * 1000 - dice(8) / 7 * 3000; /* now and then back */
        }
        ck_assert_int_eq(cj__write_end(s.db, CJ_OK), CJ_OK);
        shop_close(&s);
        free(remembered);
        seed = start;
    }
}
END_TEST

/* Another horizon's runs are another's, next to it or not. */
START_TEST(test_profile_score__horizons_stay_apart)
{
    static const int64_t horizons[] = {1, 2, 12, 599, 600};
    memory *of[5];
    shop s;

    seed = 77;
    shop_open(&s, "UTC", 0);
    ck_assert_int_eq(cj__write_begin(s.db), CJ_OK);
    for (int i = 0; i < 5; i++)
        of[i] = calloc(PROFILES + 4, sizeof *of[i]);
    for (int step = 0; step < 40; step++) {
        remembered = of[step * 7 % 5];
        refresh(s.db, horizons[step * 7 % 5], 1 + step, 1000 * step, 0);
    }
    for (int i = 0; i < 5; i++) {
        remembered = of[i];
        expect_runs(s.db, horizons[i]);
        free(of[i]);
    }
    ck_assert_int_eq(cj__write_end(s.db, CJ_OK), CJ_OK);
    shop_close(&s);
}
END_TEST

/* A history that is longer than a page is one entry all the same. */
START_TEST(test_profile_score__a_long_history)
{
    enum { LONG = 3000 };
    cj__scored scored;
    cj__scores scores = {0};
    cj__score score;
    int has = 0, n = 0;
    shop s;

    shop_open(&s, "UTC", 0);
    ck_assert_int_eq(cj__write_begin(s.db), CJ_OK);
    for (int64_t i = 0; i < LONG; i++) {
        cj__score_writer w = {0};
        cj__str telling;

        cj__str_init(&telling, &s.db->cx.allocator, 100);
        ck_assert_int_eq(cj__score_begin(&w, s.db, 3), CJ_OK);
        for (uint32_t profile = 5; profile < 8; profile++) {
            cj__str_clear(&telling);
            cj__score_put(&telling, &(cj__score){
                                        i, {i, 2 * i, 3 * i}
            });
            ck_assert_int_eq(
                cj__score_add(&w,
                              &(cj__score_entry){
                                  profile, {"a",          1        },
                                   {telling.data, telling.n}
            }),
                CJ_OK);
        }
        ck_assert_int_eq(cj__score_commit(&w), CJ_OK);
        cj__score_end(&w);
        cj__str_end(&telling);
    }
    ck_assert_int_eq(cj__scores_open(&scores, &s.db->cx.allocator, cj__writer(s.db), 3),
                     CJ_OK);
    ck_assert_int_le(scores.n, 12);
    ck_assert_int_eq(cj__scores_of(&scores, 6, &scored), CJ_OK);
    for (;; n++) {
        ck_assert_int_eq(cj__scored_next(&scored, &score, &has), CJ_OK);
        if (!has)
            break;
        ck_assert_int_eq(score.time_ms, LONG - 1 - n);
        ck_assert_int_eq(score.number[2], 3 * score.time_ms);
    }
    ck_assert_int_eq(n, LONG);
    cj__scores_end(&scores);
    ck_assert_int_eq(cj__write_end(s.db, CJ_OK), CJ_OK);
    shop_close(&s);
}
END_TEST

/* ---- damage ------------------------------------------------------------------------
 */

static int is_sound(uint32_t profile, cj__text state)
{
    (void)profile;
    return state.n == 0 || state.data[0] == 's';
}

/* The horizon is one that was refreshed. */
static void know_horizon(cj_db *db, int64_t months)
{
    cj__query q = {0};

    ck_assert_int_eq(cj__query_begin(cj__writer(db), STMT_SCORING_PUT, &q), CJ_OK);
    for (int k = 1; k <= 6; k++)
        cj__query_int64(&q, k, k == 1 ? months : 0);
    ck_assert_int_eq(cj__query_run(&q), CJ_OK);
    cj__query_end(&q);
}

/* Of the chunk that this key is in. */
static void flip_bit(cj_db *db, int64_t key)
{
    cj__query q = {0};
    char bytes[2000];
    int64_t chunk, checksum;
    cj__text entries;
    int row;

    ck_assert_int_eq(cj__query_begin(cj__writer(db), STMT_SCORE_CHUNK, &q), CJ_OK);
    cj__query_int64(&q, 1, 0);
    cj__query_int64(&q, 2, key);
    ck_assert_int_eq(cj__query_step(&q, &row), CJ_OK);
    ck_assert_int_eq(row, 1);
    chunk = cj__query_get_int64(&q, 0);
    checksum = cj__query_get_int64(&q, 1);
    entries = cj__query_get_blob(&q, 2);
    memcpy(bytes, entries.data, entries.n);
    bytes[dice((int64_t)entries.n)] ^= (char)(1 << dice(8));
    entries.data = bytes;
    cj__query_end(&q);
    ck_assert_int_eq(cj__score_chunks_delete(cj__writer(db), chunk, chunk), CJ_OK);
    ck_assert_int_eq(cj__query_begin(cj__writer(db), STMT_SCORE_CHUNK_ADD, &q), CJ_OK);
    cj__query_int64(&q, 1, chunk);
    cj__query_int64(&q, 2, checksum);
    cj__query_blob(&q, 3, entries);
    ck_assert_int_eq(cj__query_run(&q), CJ_OK);
    cj__query_end(&q);
}

static void expect_lost_chunk_told(cj_db *db)
{
    cj_table *t;

    ck_assert_int_eq(cj__write_begin(db), CJ_OK);
    ck_assert_int_eq(cj__score_chunks_delete(cj__writer(db), 0,
                                             (INT64_C(12) << 53) + (INT64_C(3) << 31)),
                     CJ_OK);
    ck_assert_int_eq(cj__table_new(&db->cx.allocator, "place:t problem:t", &t), CJ_OK);
    ck_assert_int_eq(cj__scores_check(db, cj__writer(db), is_sound, t), CJ_OK);
    ck_assert_int_eq(cj_table_rows(t), 1);
    cj__table_free(t);
    ck_assert_int_eq(cj__write_end(db, CJ_EINTERRUPT), CJ_EINTERRUPT);
}

/* Any bit of a chunk changed: nothing crashes, and it is told. */
START_TEST(test_profile_score__damaged_chunks_are_told)
{
    int n_noticed = 0, n_tried = 0;
    shop s;

    seed = 5;
    remembered = calloc(PROFILES + 4, sizeof *remembered);
    shop_open(&s, "UTC", 0);
    ck_assert_int_eq(cj__write_begin(s.db), CJ_OK);
    refresh(s.db, 12, 1, 5000, 0);
    ck_assert_int_eq(cj__write_end(s.db, CJ_OK), CJ_OK);
    for (int i = 0; i < 200; i += harness_stride(7), n_tried++) {
        cj_table *t;

        ck_assert_int_eq(cj__write_begin(s.db), CJ_OK);
        know_horizon(s.db, 12);
        flip_bit(s.db, (INT64_C(12) << 53) + (INT64_C(1) << 32) + 1 + i * 3);
        ck_assert_int_eq(cj__table_new(&s.db->cx.allocator, "place:t problem:t", &t),
                         CJ_OK);
        ck_assert_int_eq(cj__scores_check(s.db, cj__writer(s.db), is_sound, t), CJ_OK);
        n_noticed += cj_table_rows(t) == 1;
        cj__table_free(t);
        ck_assert_int_eq(cj__write_end(s.db, CJ_EINTERRUPT), CJ_EINTERRUPT);
    }
    ck_assert_int_eq(n_noticed, n_tried);
    expect_lost_chunk_told(s.db);
    shop_close(&s);
    free(remembered);
}
END_TEST

/* ---- beside what hosts tell
 * ---------------------------------------------------------- */

static void tell(cj_db *db, uint32_t node, int64_t time_ms, int64_t alive)
{
    const cj__score score = {
        time_ms, {alive, 0, CJ__SCORE_NULL}
    };
    cj__score_writer w = {0};
    cj__str telling;

    cj__str_init(&telling, &db->cx.allocator, 100);
    cj__score_put(&telling, &score);
    ck_assert_int_eq(cj__write_begin(db), CJ_OK);
    know_horizon(db, 12);
    ck_assert_int_eq(cj__score_begin(&w, db, 12), CJ_OK);
    ck_assert_int_eq(cj__score_add(&w,
                                   &(cj__score_entry){
                                       node, {"",           0        },
                                        {telling.data, telling.n}
    }),
                     CJ_OK);
    ck_assert_int_eq(cj__score_commit(&w), CJ_OK);
    cj__score_end(&w);
    ck_assert_int_eq(cj__write_end(db, CJ_OK), CJ_OK);
    cj__str_end(&telling);
}

#define HEAD "name value source time_ms\n"

static void expect_traits(shop *s, const char *as_of, const char *want)
{
    cj_table *t;

    expect_ok(cj_profile_traits(s->db, 1, shop_time(s, as_of), &t));
    expect_table(t, want);
}

/* The newest counts, whoever told it; at the score's own moment the score, whoever came
 * first; null is nothing. */
START_TEST(test_profile_score__traits_told_by_others)
{
    shop s;

    shop_open(&s, "UTC", 0);
    shop_traits(&s, "ann 2024-01-01 p_alive 0.1 crm\n");
    tell(s.db, 1, shop_time(&s, "2024-01-02"), 200000);
    shop_traits(&s, "ann 2024-01-03 p_alive 0.3 crm\n"
                    "ann 2024-01-04 p_alive 0.4 crm\n"
                    "ann 2024-01-02 plan \"a\" crm\n");
    tell(s.db, 1, shop_time(&s, "2024-01-04"), 500000);
    shop_traits(&s, "ann 2024-01-04 p_alive 0.6 crm\n");
    expect_traits(&s, "2024-01-01T12:00",
                  HEAD "p_alive 0.1 crm 2024-01-01T00:00:00.000Z\n");
    expect_traits(&s, "2024-01-02",
                  HEAD "expected_12m 0 clv 2024-01-02T00:00:00.000Z\n"
                       "p_alive 0.2 clv 2024-01-02T00:00:00.000Z\n"
                       "plan \"a\" crm 2024-01-02T00:00:00.000Z\n");
    expect_in(&s, "2024-01-02", "p_alive = 0.2", "1");
    expect_in(&s, "2024-01-03", "p_alive = 0.3", "1");
    expect_in(&s, "2024-01-04", "p_alive = 0.5", "1");
    expect_in(&s, "2024-01-04", "source(p_alive) = \"clv\"", "1");
    expect_in(&s, "2024-01-04", "clv_12m = 0", "");
    expect_traits(&s, "2024-01-09",
                  HEAD "expected_12m 0 clv 2024-01-04T00:00:00.000Z\n"
                       "p_alive 0.5 clv 2024-01-04T00:00:00.000Z\n"
                       "plan \"a\" crm 2024-01-02T00:00:00.000Z\n");
    shop_close(&s);
}
END_TEST

HARNESS_MAIN("profile_score", test_profile_score__bytes_come_back,
             test_profile_score__cut_bytes_are_noticed, test_profile_score__names,
             test_profile_score__values_are_json,
             test_profile_score__runs_are_as_one_table,
             test_profile_score__horizons_stay_apart,
             test_profile_score__a_long_history,
             test_profile_score__damaged_chunks_are_told,
             test_profile_score__traits_told_by_others)
