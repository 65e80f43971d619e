/* The value models' summary of a file that holds nothing but orders: 2.77 of them per
 * customer, in two years, as they come in a shop.
 *   bench_clv fill FILE CUSTOMERS    record, then compact
 *   bench_clv summary FILE ROUNDS [THREADS [HOLDOUT_DAYS]]
 *                                    cj_clv_summary, in a fresh process
 *   bench_clv refresh FILE CUSTOMERS cj_clv_refresh of all, then of 1,000 new orders
 * Prints "name value" lines. */
#include "shop.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 4096, DAYS = 730 };

typedef struct order {
    int64_t time_ms;
    int32_t customer, cents;
} order;

static uint64_t state = 88172645463325252u;

static double dice(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return ((double)(state >> 11) + 0.5) / 9007199254740992.0;
}

static int by_time(const void *a, const void *b)
{
    const order *x = a, *y = b;

    return (x->time_ms > y->time_ms) - (x->time_ms < y->time_ms);
}

/* Acquired some day; then orders at the rate of the customer until the end, or until he
 * is gone. */
static int64_t orders_make(order *all, int64_t n_customers, int64_t most)
{
    int64_t n = 0;

    for (int32_t c = 0; c < n_customers; c++) {
        const double gone = -log(dice()) * 700, mean = 40 + 330 * dice();
        double day = DAYS * dice();

        for (const double start = day; day < DAYS && day - start < gone && n < most;
             day += -log(dice()) * mean)
            all[n++] = (order){SHOP_YEAR_START_MS + (int64_t)(day * 86400000), c,
                               (int32_t)(100 + 9900 * dice())};
    }
    qsort(all, (size_t)n, sizeof *all, by_time);
    return n;
}

static void orders_record(cj_db *db, const order *all, int64_t n)
{
    static cj_event events[BATCH];
    static cj_identifier ids[BATCH];
    static char names[BATCH][16];

    for (int64_t at = 0; at < n; at += BATCH) {
        const int64_t size = n - at < BATCH ? n - at : BATCH;

        for (int64_t i = 0; i < size; i++) {
            snprintf(names[i], sizeof names[i], "u%07d", all[at + i].customer);
            ids[i] = (cj_identifier){
                .struct_size = sizeof ids[i], .kind = "user_id", .value = names[i]};
            events[i] = (cj_event){.struct_size = sizeof events[i],
                                   .time_ms = all[at + i].time_ms,
                                   .name = "order",
                                   .channel = "web",
                                   .identifiers = &ids[i],
                                   .n_identifiers = 1,
                                   .value_minor = all[at + i].cents};
        }
        if (cj_record_many(db, events, size, 0, NULL) != CJ_OK)
            shop_die("cj_record_many");
    }
}

static cj_db *open_file(const char *path)
{
    cj_open_options o = {.struct_size = sizeof o};
    cj_db *db;

    if (cj_open(path, &o, &db) != CJ_OK)
        shop_die(path);
    return db;
}

static void fill(const char *path, int64_t n_customers)
{
    const int64_t most = n_customers * 8;
    order *all = malloc((size_t)most * sizeof *all);
    cj_db *db = open_file(path);
    int64_t n;

    if (all == NULL)
        exit(1);
    n = orders_make(all, n_customers, most);
    orders_record(db, all, n);
    if (cj_compact(db, NULL, NULL) != CJ_OK || cj_close(db) != CJ_OK)
        shop_die("cj_compact");
    printf("orders %lld\n", (long long)n);
    free(all);
}

static void summary(const char *path, int64_t n, int32_t threads, int64_t holdout_days)
{
    const int64_t end_ms = SHOP_YEAR_START_MS + INT64_C(86400000) * DAYS;
    cj_clv_summary_options o = {.struct_size = sizeof o,
                                .as_of_ms = end_ms - INT64_C(86400000) * holdout_days,
                                .holdout_end_ms = holdout_days > 0 ? end_ms : 0,
                                .threads = threads};
    cj_db *db = open_file(path);
    const int64_t before = shop_rss_bytes(0);

    for (int64_t i = 0; i < n; i++) {
        const double start = shop_cpu_seconds();
        cj_table *t;

        if (cj_clv_summary(db, &o, &t) != CJ_OK)
            shop_die("cj_clv_summary");
        printf("round%lld_seconds %.4f\n", (long long)i, shop_cpu_seconds() - start);
        if (i == 0) {
            const int64_t rows = cj_table_rows(t);

            printf("customers %lld\n", (long long)rows);
            printf(
                "bytes_per_customer %.1f\n",
                (double)(shop_rss_bytes(1) - before - rows * 8 * cj_table_columns(t)) /
                    (double)rows);
        }
        cj_table_free(t);
    }
    if (cj_close(db) != CJ_OK)
        shop_die("cj_close");
}

static const char *const models[][2] = {
    {"buying",
     "{\"format\":1,\"model\":\"bgnbd\",\"unit_days\":7,\"k\":1,\"params\":{\"r\":"
     "0.25,\"alpha\":4.5,\"a\":0.75,\"b\":2.5},\"loglik\":-1,\"status\":"
     "\"converged\",\"n_rows\":1,\"n_groups\":1,\"n_customers\":1,"
     "\"n_repeaters\":1}"                            },
    {"spending", "{\"format\":1,\"model\":\"gammagamma\",\"unit_days\":1,\"k\":1,"
                 "\"params\":{\"p\":6,\"q\":4,\"v\":15},\"loglik\":-1,\"status\":"
                 "\"converged\",\"n_rows\":1,\"n_groups\":1,\"n_customers\":1,"
                 "\"n_repeaters\":1}"}
};

static void refresh(const char *path, int64_t n)
{
    const int64_t end_ms = SHOP_YEAR_START_MS + INT64_C(86400000) * DAYS;
    cj_clv_refresh_options o = {.struct_size = sizeof o,
                                .as_of_ms = end_ms,
                                .model = "buying",
                                .spend = "spending"};
    cj_clv_refresh_result r = {.struct_size = sizeof r};
    cj_db *db = open_file(path);
    double start;

    for (int i = 0; i < 2; i++) {
        cj_clv *clv;

        if (cj_clv_from_json(models[i][1], -1, &clv) != CJ_OK ||
            cj_clv_save(db, models[i][0], clv) != CJ_OK)
            shop_die(models[i][0]);
        cj_clv_free(clv);
    }
    start = shop_cpu_seconds();
    if (cj_clv_refresh(db, &o, &r) != CJ_OK)
        shop_die("cj_clv_refresh");
    printf("all_seconds %.4f\n", shop_cpu_seconds() - start);
    for (int64_t round = 0; round < 5; round++) {
        static order some[1000];

        for (int i = 0; i < 1000; i++)
            some[i] = (order){o.as_of_ms + i, (int32_t)(dice() * (double)n), 500};
        orders_record(db, some, 1000);
        o.as_of_ms += 86400000;
        start = shop_cpu_seconds();
        if (cj_clv_refresh(db, &o, &r) != CJ_OK || r.is_whole)
            shop_die("cj_clv_refresh");
        printf("round%lld_seconds %.6f\n", (long long)round,
               shop_cpu_seconds() - start);
    }
    if (cj_close(db) != CJ_OK)
        shop_die("cj_close");
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "fill") == 0)
        fill(argv[2], strtoll(argv[3], NULL, 10));
    else if (argc >= 4 && argc <= 6 && strcmp(argv[1], "summary") == 0)
        summary(argv[2], strtoll(argv[3], NULL, 10), argc > 4 ? atoi(argv[4]) : 1,
                argc > 5 ? strtoll(argv[5], NULL, 10) : 0);
    else if (argc == 4 && strcmp(argv[1], "refresh") == 0)
        refresh(argv[2], strtoll(argv[3], NULL, 10));
    else
        return 2;
    return 0;
}
