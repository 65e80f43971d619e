/* One measurement of one file per process, so that nothing is warm that should not be:
 *   bench_store fill FILE EVENTS      record, then compact
 *   bench_store seal FILE EVENTS      CPU of sealing a journal that holds them all
 *   bench_store latency FILE EVENTS   cj_record one by one, deferred
 *   bench_store open FILE             cj_open, many times
 *   bench_store profile FILE          one profile's events: by a handle that has just
 *                                     been opened, by one that has not been asked for
 *                                     him, and by one that has
 *   bench_store rfm FILE THREADS      cj_rfm in a fresh process: time and memory
 *   bench_store columns FOLDER EVENTS the events as plain arrays, for other engines
 * Prints "name value" lines. */
#include "shop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 1000, OPENS = 51, PROFILES = 2001 };

static void say(const char *name, double value)
{
    printf("%s %.9g\n", name, value);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static cj_db *open_file(const char *path, int64_t flags, int64_t seal_events)
{
    cj_open_options o = {
        .struct_size = sizeof o, .flags = flags, .seal_events = seal_events};
    cj_db *db = NULL;

    if (cj_open(path, &o, &db) != CJ_OK)
        shop_die(path);
    return db;
}

static void close_file(cj_db *db)
{
    if (cj_close(db) != CJ_OK)
        shop_die("cj_close");
}

static void fill(const char *path, int64_t n)
{
    shop s = shop_of(n);
    cj_db *db = open_file(path, 0, 0);
    double start = shop_seconds();

    shop_record(db, &s, 0, n, BATCH);
    say("fill_seconds", shop_seconds() - start);
    say("fill_peak_bytes", (double)shop_rss_bytes(1));
    start = shop_seconds();
    if (cj_compact(db, NULL, NULL) != CJ_OK)
        shop_die("cj_compact");
    say("compact_seconds", shop_seconds() - start);
    close_file(db);
    say("peak_bytes", (double)shop_rss_bytes(1));
}

static void seal(const char *path, int64_t n)
{
    shop s = shop_of(n);
    cj_db *db = open_file(path, 0, n * 2);
    double start;

    shop_record(db, &s, 0, n, BATCH);
    start = shop_cpu_seconds();
    if (cj_compact(db, NULL, NULL) != CJ_OK)
        shop_die("cj_compact");
    say("seal_cpu_seconds", shop_cpu_seconds() - start);
    close_file(db);
}

static void latency(const char *path, int64_t n)
{
    shop s = shop_of(n);
    cj_db *db = open_file(path, CJ_OPEN_DEFERRED, 0);
    double *took = calloc((size_t)n, sizeof *took);
    shop_event e;

    if (took == NULL)
        shop_die("out of memory");
    for (int64_t i = 0; i < n; i++) {
        double start;

        shop_make(&s, i, &e);
        start = shop_seconds();
        if (cj_record(db, &e.event) != CJ_OK)
            shop_die("cj_record");
        took[i] = shop_seconds() - start;
    }
    close_file(db);
    qsort(took, (size_t)n, sizeof *took, by_value);
    say("record_p50_seconds", took[n / 2]);
    say("record_p99_seconds", took[n * 99 / 100]);
    free(took);
}

static int64_t stat_of(cj_db *db, const char *name)
{
    const int64_t *at;
    int64_t value = 0;
    const char *names;
    cj_table *t;

    if (cj_stats(db, &t) != CJ_OK)
        shop_die("cj_stats");
    names = cj_table_text(t, 0, &at);
    for (int64_t i = 0; i < cj_table_rows(t); i++) {
        if ((size_t)(at[i + 1] - at[i]) == strlen(name) &&
            memcmp(names + at[i], name, strlen(name)) == 0)
            value = cj_table_int64(t, 1)[i];
    }
    cj_table_free(t);
    return value;
}

/* Seconds that the events of a profile take; *rows_out 0: there is no such one. */
static double profile(cj_db *db, int64_t id, int64_t *rows_out)
{
    cj_events_options o = {.struct_size = sizeof o, .profile = id};
    double start = shop_seconds();
    cj_table *t = NULL;

    if (cj_events(db, &o, &t) != CJ_OK)
        shop_die("cj_events");
    start = shop_seconds() - start;
    *rows_out = cj_table_rows(t);
    cj_table_free(t);
    return start;
}

static double median(double *took, int n)
{
    qsort(took, (size_t)n, sizeof *took, by_value);
    return took[n / 2];
}

/* Profiles spread over all ids; a node that is no profile of its own is passed over.
 * The first questions teach a handle the nodes of each block: they are not counted. */
static void profiles(const char *path)
{
    static double took[PROFILES];
    static int64_t ids[PROFILES];
    cj_db *db = open_file(path, 0, 0);
    const int64_t n_ids = stat_of(db, "identifiers");
    int64_t rows, sum = 0;
    uint64_t dice = 1;
    int n = 0;

    if (n_ids == 0)
        shop_die("no profile has events");
    while (n < PROFILES) {
        dice = dice * 6364136223846793005u + 1442695040888963407u;
        ids[n] = 1 + (int64_t)(dice >> 33) % n_ids;
        took[n] = profile(db, ids[n], &rows);
        sum += rows;
        n += rows > 0;
    }
    say("profile_rows", (double)sum / PROFILES);
    say("profile_new_seconds", median(took + PROFILES / 2, PROFILES / 2));
    for (n = 0; n < OPENS; n++) {
        (void)profile(db, ids[n], &rows);
        took[n] = profile(db, ids[n], &rows);
    }
    say("profile_again_seconds", median(took, OPENS));
    close_file(db);
    for (n = 0; n < OPENS; n++) {
        db = open_file(path, 0, 0);
        took[n] = profile(db, ids[n], &rows);
        close_file(db);
    }
    say("profile_cold_seconds", median(took, OPENS));
}

static void open_times(const char *path)
{
    double took[OPENS], first;
    cj_db *db;

    for (int i = 0; i < OPENS; i++) {
        double start = shop_seconds();

        db = open_file(path, 0, 0);
        took[i] = shop_seconds() - start;
        close_file(db);
    }
    first = took[0];
    qsort(took, OPENS, sizeof *took, by_value);
    say("open_first_seconds", first);
    say("open_seconds", took[OPENS / 2]);
}

static void rfm(const char *path, int64_t threads)
{
    cj_rfm_options o = {.struct_size = sizeof o,
                        .as_of_ms = SHOP_YEAR_START_MS + INT64_C(366) * 86400000,
                        .threads = (int32_t)threads};
    cj_db *db = open_file(path, 0, 0);
    int64_t before = shop_rss_bytes(0), rows, result = 0;
    double start = shop_seconds();
    cj_table *t = NULL;

    if (cj_rfm(db, &o, &t) != CJ_OK)
        shop_die("cj_rfm");
    say("rfm_first_seconds", shop_seconds() - start);
    rows = cj_table_rows(t);
    for (int64_t c = 0; c < cj_table_columns(t); c++) {
        const int64_t *offsets = NULL;

        result += rows * 8;
        if (cj_table_text(t, c, &offsets) != NULL)
            result += offsets[rows];
    }
    say("rfm_rows", (double)rows);
    say("rfm_scan_bytes", (double)(shop_rss_bytes(1) - before - result));
    cj_table_free(t);
    close_file(db);
}

static FILE *column(const char *folder, const char *name)
{
    char path[4096];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s.col", folder, name);
    f = fopen(path, "wb");
    if (f == NULL)
        shop_die(path);
    return f;
}

static void columns(const char *folder, int64_t n)
{
    shop s = shop_of(n);
    FILE *person = column(folder, "person"), *time_ms = column(folder, "time"),
         *name = column(folder, "name"), *channel = column(folder, "channel"),
         *value = column(folder, "value"), *product = column(folder, "product");
    shop_event e;
    int32_t number;

    for (int64_t i = 0; i < n; i++) {
        shop_make(&s, i, &e);
        fwrite(&e.person, 8, 1, person);
        fwrite(&e.event.time_ms, 8, 1, time_ms);
        fwrite(&e.name, 4, 1, name);
        fwrite(&e.channel, 4, 1, channel);
        fwrite(&e.event.value_minor, 8, 1, value);
        number = e.event.product == NULL ? -1 : (int32_t)atoi(e.product + 1);
        fwrite(&number, 4, 1, product);
    }
    if (fclose(person) | fclose(time_ms) | fclose(name) | fclose(channel) |
        fclose(value) | fclose(product))
        shop_die("writing the columns");
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(const char *path, int64_t n);
    } tasks[] = {
        {"fill",    fill   },
        {"seal",    seal   },
        {"latency", latency},
        {"rfm",     rfm    },
        {"columns", columns}
    };

    if (argc == 3 && strcmp(argv[1], "open") == 0) {
        open_times(argv[2]);
        return 0;
    }
    if (argc == 3 && strcmp(argv[1], "profile") == 0) {
        profiles(argv[2]);
        return 0;
    }
    for (size_t i = 0; argc == 4 && i < sizeof tasks / sizeof tasks[0]; i++) {
        if (strcmp(argv[1], tasks[i].name) == 0) {
            tasks[i].run(argv[2], strtoll(argv[3], NULL, 10));
            return 0;
        }
    }
    fprintf(stderr, "usage: bench_store fill|seal|latency|rfm|columns|open|profile "
                    "PATH [NUMBER]\n");
    return 2;
}
