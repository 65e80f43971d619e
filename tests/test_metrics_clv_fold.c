/* What the summary of the value models remembers of its customers: nothing of it is
 * lost, in however many windows they come, and it takes little memory. */
#include "api.h"
#include "base_memory.h"

#include "metrics/clv_summary.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)
#define FROM_MS INT64_C(1704067200000) /* 2024-01-01 */

/* ---- facts there and back ------------------------------------------------------- */

typedef struct shopper {
    uint32_t profile;
    int64_t n, time_ms[4], minor[4]; /* orders; those from as_of on are holdout */
} shopper;

static const shopper shoppers[] = {
    {1,          1, {0},                                     {100}                   },
    {2,          2, {0, 400 * DAY_MS},                       {1, INT64_MAX}          },
    {3,          2, {0, 2 * DAY_MS},                         {5, 6}                  },
    {90,         3, {0, 1, 8 * DAY_MS},                      {1, 2, 3}               },
    {90000,      2, {-DAY_MS, 700 * DAY_MS},                 {7, 8}                  },
    {90001,      3, {-40000 * DAY_MS, 0, 1000 * DAY_MS},     {1, 1, 1}               },
    {4000000000, 4, {1, DAY_MS, 701 * DAY_MS, 702 * DAY_MS}, {1, 2, 3, INT64_MAX - 3}},
    {4294967295, 1, {699 * DAY_MS + 5},                      {1}                     },
};

enum { SHOPPERS = sizeof shoppers / sizeof shoppers[0] };

static void shopper_show(const cj__clv_fold *fold, cj__str *partial, const shopper *s)
{
    uint32_t name[4];
    uint8_t has_value[4];
    int64_t time_ms[4], minor[4];
    const cj__columns columns = {.n = s->n,
                                 .time_ms = time_ms,
                                 .name = name,
                                 .value_minor = minor,
                                 .has_value = has_value};

    for (int i = 0; i < 4; i++) {
        name[i] = CJ__NAME_ORDER;
        has_value[i] = 1;
        time_ms[i] = FROM_MS + s->time_ms[i];
        minor[i] = s->minor[i];
    }
    ck_assert_int_eq(cj__clv_profile(fold, partial, s->profile, &columns, 0, s->n),
                     CJ_OK);
}

/* By hand, of periods that are milliseconds; nobody's orders are of one of them. */
static void expect_fact(const cj__clv_fold *fold, const cj__clv_fact *got,
                        const shopper *s)
{
    cj__clv_fact want = {.profile = s->profile, .first_ms = FROM_MS + s->time_ms[0]};

    for (int64_t i = 1; i < s->n; i++) {
        if (FROM_MS + s->time_ms[i] >= fold->as_of_ms) {
            want.x_star += fold->holdout;
            want.star_minor += fold->holdout ? s->minor[i] : 0;
            continue;
        }
        want.x++;
        want.gap = s->time_ms[i] - s->time_ms[0];
        want.repeat_minor += s->minor[i];
        want.litt += log((double)(s->time_ms[i] - s->time_ms[i - 1]) / (double)DAY_MS);
    }
    ck_assert_uint_eq(got->profile, want.profile);
    ck_assert_uint_eq(got->x, want.x);
    ck_assert_int_eq(got->first_ms, want.first_ms);
    ck_assert_int_eq(got->gap, want.gap);
    ck_assert_int_eq(got->repeat_minor, want.repeat_minor);
    ck_assert_mem_eq(&got->litt, &want.litt, sizeof want.litt); /* to the last bit */
    ck_assert_int_eq(got->x_star, want.x_star);
    ck_assert_int_eq(got->star_minor, want.star_minor);
}

/* Cut into windows after each shopper whose bit is set, and joined as a scan does. */
static int32_t facts_by_windows(const cj__allocator *a, const cj__clv_fold *fold,
                                unsigned cuts)
{
    cj__clv_reading r;
    cj__str all, window;
    int64_t n;
    int32_t rc;

    cj__str_init(&all, a, SIZE_MAX / 4);
    cj__str_init(&window, a, SIZE_MAX / 4);
    for (int i = 0; i < SHOPPERS; i++) {
        shopper_show(fold, &window, &shoppers[i]);
        if (i + 1 < SHOPPERS && (cuts >> i & 1) == 0)
            continue;
        cj__str_put(&all, window.data, window.n);
        cj__str_end(&window);
    }
    n = cj__clv_reading_begin(&r, fold, &all);
    rc = cj__str_status(&all);
    if (rc == CJ_OK) {
        ck_assert_uint_eq(all.capacity, all.n + 1);
        ck_assert_int_eq(n, SHOPPERS);
    }
    for (int64_t i = rc == CJ_OK ? n : 0; i-- > 0;) {
        cj__clv_fact fact;

        cj__clv_reading_next(&r, &fact);
        expect_fact(fold, &fact, &shoppers[i]);
    }
    ck_assert_uint_le(all.capacity, 64); /* what was read is given back */
    rc = cj__str_status(&all);
    cj__str_end(&all);
    return rc;
}

static cj__clv_fold fold_of(int32_t holdout)
{
    return (cj__clv_fold){.periods = {.period = CJ_CLV_ANY},
                          .as_of_ms = FROM_MS + 700 * DAY_MS,
                          .first_from_ms = INT64_MIN,
                          .first_until_ms = INT64_MAX,
                          .holdout = holdout};
}

START_TEST(test_fold__facts_are_the_same_in_any_windows)
{
    for (int32_t holdout = 0; holdout <= 1; holdout++) {
        const cj__clv_fold fold = fold_of(holdout);

        for (unsigned cuts = 0; cuts < 1u << (SHOPPERS - 1); cuts++) {
            base_memory m = {0};
            const cj__allocator a = base_memory_allocator(&m);

            ck_assert_int_eq(facts_by_windows(&a, &fold, cuts), CJ_OK);
            ck_assert_int_eq(m.n_blocks, 0);
        }
    }
}
END_TEST

START_TEST(test_fold__nobody_is_no_fact)
{
    const cj__clv_fold fold = fold_of(0);
    base_memory m = {0};
    const cj__allocator a = base_memory_allocator(&m);
    shopper late = shoppers[0];
    cj__clv_reading r;
    cj__str partial;

    cj__str_init(&partial, &a, SIZE_MAX / 4);
    late.time_ms[0] = 700 * DAY_MS;
    shopper_show(&fold, &partial, &late); /* not before as_of */
    ck_assert_uint_eq(partial.n, 0);
    ck_assert_int_eq(cj__clv_reading_begin(&r, &fold, &partial), 0);
    ck_assert_int_eq(cj__str_status(&partial), CJ_OK);
    cj__str_end(&partial);
    ck_assert_int_eq(m.n_blocks, 0);
}
END_TEST

/* ---- memory --------------------------------------------------------------------- */

/* An allocator that notes what is in use when the result's room is asked for: the
 * first piece that is as large as the result. */
typedef struct scale {
    pthread_mutex_t lock;
    int64_t live, most, result_bytes;
    int64_t at_result; /* -1: not yet */
} scale;

static void *scale_realloc(void *user, void *p, uint64_t old_bytes, uint64_t new_bytes)
{
    scale *s = user;

    pthread_mutex_lock(&s->lock);
    if (p == NULL && (int64_t)new_bytes == s->result_bytes && s->at_result < 0)
        s->at_result = s->live;
    s->live += (int64_t)(new_bytes - old_bytes);
    s->most = s->live > s->most ? s->live : s->most;
    pthread_mutex_unlock(&s->lock);
    if (new_bytes == 0) {
        free(p);
        return NULL;
    }
    return realloc(p, (size_t)new_bytes);
}

/* Customers [from, until), of whom two in five come back, on some day of two years. */
static void record_customers(cj_db *db, int64_t from, int64_t until)
{
    enum { BATCH = 4096 };
    static cj_event events[BATCH];
    static cj_identifier ids[BATCH];
    static char names[BATCH][24];
    uint64_t state = (uint64_t)from;
    int64_t n = 0;

    for (int64_t c = from; c < until; c++) {
        int64_t day = (int64_t)(base_random(&state) % 720);

        for (int more = 1; more && day < 730;
             day += 1 + (int64_t)(base_random(&state) % 200)) {
            snprintf(names[n], sizeof names[n], "u%lld", (long long)c);
            ids[n] = (cj_identifier){
                .struct_size = sizeof ids[n], .kind = "user_id", .value = names[n]};
            events[n] = (cj_event){.struct_size = sizeof events[n],
                                   .time_ms = FROM_MS + day * DAY_MS + c % DAY_MS,
                                   .name = "order",
                                   .identifiers = &ids[n],
                                   .n_identifiers = 1,
                                   .value_minor = 100 + c % 9900};
            more = base_random(&state) % 100 < 64;
            if (++n == BATCH || (c + 1 == until && !more)) {
                ck_assert_int_eq(cj_record_many(db, events, n, 0, NULL), CJ_OK);
                n = 0;
            }
        }
    }
    if (n > 0)
        ck_assert_int_eq(cj_record_many(db, events, n, 0, NULL), CJ_OK);
    ck_assert_int_eq(cj_compact(db, NULL, NULL), CJ_OK);
}

typedef struct weighed {
    int64_t n, bytes; /* customers; beyond the result when that is made */
    int64_t most;     /* beyond it at any time */
} weighed;

static cj_db *scale_open(scale *s, const api_file *file)
{
    const cj_open_options o = {
        .struct_size = sizeof o, .realloc = scale_realloc, .realloc_user = s};
    cj_db *db;

    ck_assert_int_eq(cj_open(file->path, &o, &db), CJ_OK);
    return db;
}

/* The result is one room (cj__table_room): ask twice, the first time for how many rows
 * there are.  Each time anew, so that nothing is there already. */
static weighed weigh(scale *s, const api_file *file, const cj_clv_summary_options *o)
{
    weighed w = {0};

    s->result_bytes = 0;
    for (int round = 0; round < 2; round++) {
        cj_db *db = scale_open(s, file);
        const int64_t before = s->live;
        cj_table *t;

        s->most = before;
        s->at_result = -1;
        ck_assert_int_eq(cj_clv_summary(db, o, &t), CJ_OK);
        w.n = cj_table_rows(t);
        w.bytes = s->at_result - before;
        w.most = s->most - before - s->result_bytes;
        s->result_bytes = (w.n + 1) * 8 * cj_table_columns(t);
        cj_table_free(t);
        ck_assert_int_eq(cj_close(db), CJ_OK);
        ck_assert_int_eq(s->live, 0);
    }
    ck_assert_int_ge(s->at_result, 0);
    return w;
}

static const struct {
    int32_t threads, period, holdout;
} questions[] = {
    {1, CJ_CLV_DAY, 0},
    {3, CJ_CLV_DAY, 0},
    {1, CJ_CLV_ANY, 0},
    {1, CJ_CLV_DAY, 1},
    {3, CJ_CLV_ANY, 1},
};

enum { QUESTIONS = sizeof questions / sizeof questions[0] };

/* At two sizes, so that what does not grow with the customers is left out. */
START_TEST(test_fold__a_customer_takes_32_bytes_at_most)
{
    const int64_t sizes[2] = {20000 / harness_stride(8), 60000 / harness_stride(8)};
    scale s = {.at_result = -1};
    weighed w[2][QUESTIONS];
    api_file file;

    pthread_mutex_init(&s.lock, NULL);
    api_file_make(&file);
    for (int k = 0; k < 2; k++) {
        cj_db *db = scale_open(&s, &file);

        record_customers(db, k == 0 ? 0 : sizes[0], sizes[k]);
        ck_assert_int_eq(cj_close(db), CJ_OK);
        for (int i = 0; i < QUESTIONS; i++) {
            const int64_t end_ms = FROM_MS + 730 * DAY_MS;
            cj_clv_summary_options ask = {.struct_size = sizeof ask,
                                          .as_of_ms = end_ms,
                                          .period = questions[i].period,
                                          .threads = questions[i].threads};

            if (questions[i].holdout) {
                ask.holdout_end_ms = end_ms;
                ask.as_of_ms -= 200 * DAY_MS;
            }
            w[k][i] = weigh(&s, &file, &ask);
        }
    }
    for (int i = 0; i < QUESTIONS; i++) {
        const int64_t more = w[1][i].n - w[0][i].n;

        ck_assert_int_ge(more, sizes[0]);
        ck_assert_msg(w[1][i].bytes - w[0][i].bytes <= 32 * more,
                      "question %d: %.1f bytes per customer", i,
                      (double)(w[1][i].bytes - w[0][i].bytes) / (double)more);
        /* The windows of a scan, whose size does not depend on customers. */
        ck_assert_int_le(w[1][i].most,
                         32 * w[1][i].n + questions[i].threads * (16 << 20));
    }
    api_file_remove(&file);
    pthread_mutex_destroy(&s.lock);
}
END_TEST

HARNESS_MAIN("metrics_clv_fold", test_fold__facts_are_the_same_in_any_windows,
             test_fold__nobody_is_no_fact, test_fold__a_customer_takes_32_bytes_at_most)
