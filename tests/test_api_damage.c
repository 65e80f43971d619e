/* Files that were damaged: bits flipped, ends cut off.  Every call answers with an
 * error or with right data and nothing crashes; what lies under a checksum is noticed.
 */
#include "api.h"
#include "harness.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Call everything that reads, and some that writes; whatever they answer, they answer.
 * 1 when something said that the file is damaged. */
static int damage_use(const char *path)
{
    cj_open_options o = api_options(0, 40);
    const cj_rfm_options rfm = {.struct_size = (int64_t)sizeof rfm,
                                .identifier = "user_id"};
    int bad = 0;
    int64_t profile;
    cj_table *t;
    cj_db *db;

    if (cj_open(path, &o, &db) != CJ_OK)
        return 1;
    if (cj_check(db, &t) != CJ_OK || cj_table_rows(t) > 0)
        bad = 1;
    cj_table_free(t);
#define DAMAGE_READ(call)                                                              \
    do {                                                                               \
        bad |= (call) != CJ_OK;                                                        \
        cj_table_free(t);                                                              \
    } while (0)
    DAMAGE_READ(cj_events(db, NULL, &t));
    DAMAGE_READ(cj_rfm(db, &rfm, &t));
    DAMAGE_READ(cj_stats(db, &t));
    DAMAGE_READ(cj_edges(db, 0, &t));
    DAMAGE_READ(cj_failed_events(db, &t));
    DAMAGE_READ(cj_profile_identifiers(db, 1, &t));
    DAMAGE_READ(cj_profile_traits(db, 1, 0, &t));
    DAMAGE_READ(cj_profile_segments(db, 1, NULL, &t));
    DAMAGE_READ(cj_segment_members(db, "kiel", NULL, &t));
    DAMAGE_READ(cj_segment_explain(db, "kiel", NULL, &t));
    DAMAGE_READ(cj_segment_why(db, 1, "kiel", NULL, &t));
    DAMAGE_READ(cj_segment_compare(db, "buyers", "kiel", 0, NULL, &t));
    bad |= cj_profile_find(db, "user_id", "u5", &profile) != CJ_OK;
    bad |= api_record_range(db, 0, 20, API_SCRAMBLED, NULL) != CJ_OK;
    bad |= api_record_range(db, 200, 250, API_SCRAMBLED, NULL) != CJ_OK; /* seals */
    bad |= cj_unmerge(db, 1) != CJ_OK;
    bad |= cj_compact(db, NULL, NULL) != CJ_OK;
    (void)cj_close(db);
    return bad;
}

typedef struct damaged {
    api_file file;
    char good[112];
    char *bytes, *content;
    size_t n;
} damaged;

static void damaged_write(damaged *d, size_t n)
{
    (void)unlink(d->file.wal);
    (void)unlink(d->file.shm);
    api_write(d->file.path, d->bytes, n);
}

static void damaged_begin(damaged *d)
{
    const cj_identifier id = {sizeof id, "user_id", "u0"};
    cj_db *db;

    api_file_make(&d->file);
    (void)snprintf(d->good, sizeof d->good, "%s/good", d->file.folder);
    db = api_open(d->file.path, 0, 40);
    for (int64_t i = 0; i < 200; i += 20)
        expect_ok(api_record_range(db, i, i + 20, API_SCRAMBLED, NULL));
    expect_ok(cj_identify(db, &id, 1, "{\"city\":\"Kiel\"}", API_TIME, NULL, NULL));
    expect_ok(api_record_range(db, 200, 205, API_SCRAMBLED, NULL)); /* not sealed */
    (void)cj_record_json(db, "{\"name\":17}", -1, "json", NULL);
    expect_ok(cj_segment_define(db, "buyers", "orders() >= 1", 0));
    expect_ok(cj_segment_define_list(db, "vip", (const int64_t[]){1}, 1));
    expect_ok(cj_segment_define(db, "kiel", "city = \"Kiel\" and in_list(\"vip\")", 0));
    d->content = api_content(db);
    expect_ok(cj_close(db));
    api_copy(d->file.path, d->good);
    d->bytes = api_read(d->good, &d->n);
    damaged_write(d, d->n);
    ck_assert(!damage_use(d->file.path)); /* nothing is wrong with it */
}

static void damaged_end(damaged *d)
{
    free(d->bytes);
    free(d->content);
    api_file_remove(&d->file);
}

/* Right data, or a word that something is wrong: with cj_check silent, all is as it
 * was. */
static int damaged_content_differs(damaged *d)
{
    cj_open_options o = api_options(CJ_OPEN_READONLY, 0);
    cj_table *t = NULL;
    int differs = 0, sound;
    cj_db *db;

    if (cj_open(d->file.path, &o, &db) != CJ_OK)
        return 0;
    sound = cj_check(db, &t) == CJ_OK && cj_table_rows(t) == 0;
    cj_table_free(t);
    if (sound) {
        char *content = api_content(db);
        differs = strcmp(content, d->content) != 0;
        free(content);
    }
    (void)cj_close(db);
    return differs;
}

/* A byte of what the file holds: not one amid the zeros of empty space, which needs not
 * be noticed, and of which there is the more, the more tables there are. */
static size_t damaged_place(const damaged *d, uint64_t *dice)
{
    enum { AROUND = 8 };

    for (;;) {
        const size_t at = AROUND + (size_t)(api_random(dice) % (d->n - 2 * AROUND));

        for (size_t i = at - AROUND; i < at + AROUND; i++)
            if (d->bytes[i] != 0)
                return at;
    }
}

START_TEST(test_api_damage__flipped_bits)
{
    uint64_t dice = 20240305;
    int noticed = 0, silent = 0;
    damaged d;

    damaged_begin(&d);
    for (int i = 0; i < 300; i++) {
        size_t at = damaged_place(&d, &dice);
        char good = d.bytes[at];
        d.bytes[at] = (char)(good ^ (1 << api_random(&dice) % 8));
        damaged_write(&d, d.n);
        silent += damaged_content_differs(&d);
        damaged_write(&d, d.n);
        noticed += damage_use(d.file.path);
        d.bytes[at] = good;
    }
    ck_assert_int_gt(noticed, 200);
    /* A letter of a text in a row, or a number, has no checksum: only blocks have. */
    ck_assert_msg(silent < 20, "%d of 300 flips changed what is read, unnoticed",
                  silent);
    damaged_end(&d);
}
END_TEST

START_TEST(test_api_damage__truncated)
{
    uint64_t dice = 20240306;
    damaged d;

    damaged_begin(&d);
    for (int i = 0; i < 40; i++) {
        size_t n = (size_t)(api_random(&dice) % d.n);
        if (i % 2 == 0)
            n = n / 4096 * 4096;
        damaged_write(&d, n);
        ck_assert_msg(damage_use(d.file.path) || n == 0, "cut to %zu bytes, unnoticed",
                      n);
    }
    damaged_end(&d);
}
END_TEST

/* Every byte of a blob of a table, one bit each: cj_check or opening tells. */
static void damaged_blobs(damaged *d, const char *table, const char *column,
                          const char *id, int stride)
{
    char sql[256];
    sqlite3_stmt *s;
    sqlite3_blob *blob;
    sqlite3 *sq;
    int n_flips = 0;

    (void)snprintf(sql, sizeof sql,
                   "SELECT %s, length(%s) FROM %s WHERE length(%s) > 0 "
                   "ORDER BY 1 LIMIT 3",
                   id, column, table, column);
    damaged_write(d, d->n);
    ck_assert_int_eq(sqlite3_open(d->good, &sq), SQLITE_OK);
    ck_assert_int_eq(sqlite3_prepare_v2(sq, sql, -1, &s, NULL), SQLITE_OK);
    while (sqlite3_step(s) == SQLITE_ROW) {
        sqlite3_int64 row = sqlite3_column_int64(s, 0);
        int n = sqlite3_column_int(s, 1);
        for (int at = 0; at < n; at += stride) {
            unsigned char byte;
            sqlite3 *other;
            damaged_write(d, d->n);
            ck_assert_int_eq(sqlite3_open(d->file.path, &other), SQLITE_OK);
            ck_assert_int_eq(
                sqlite3_blob_open(other, "main", table, column, row, 1, &blob),
                SQLITE_OK);
            ck_assert_int_eq(sqlite3_blob_read(blob, &byte, 1, at), SQLITE_OK);
            byte = (unsigned char)(byte ^ (1u << at % 8));
            ck_assert_int_eq(sqlite3_blob_write(blob, &byte, 1, at), SQLITE_OK);
            (void)sqlite3_blob_close(blob);
            (void)sqlite3_close(other);
            ck_assert_msg(damage_use(d->file.path), "%s.%s of row %lld, byte %d of %d",
                          table, column, (long long)row, at, n);
            n_flips++;
        }
    }
    ck_assert_int_gt(n_flips, 0);
    (void)sqlite3_finalize(s);
    (void)sqlite3_close(sq);
}

START_TEST(test_api_damage__blobs)
{
    damaged d;

    damaged_begin(&d);
    damaged_blobs(&d, "block", "core", "block", 17);
    damaged_blobs(&d, "block", "properties", "block", 23);
    damaged_blobs(&d, "journal", "messages", "batch", 3);
    damaged_blobs(&d, "journal", "events", "batch", 11);
    damaged_blobs(&d, "part", "core", "part", 1);
    damaged_blobs(&d, "part", "projection", "part", 1);
    damaged_end(&d);
}
END_TEST

HARNESS_MAIN("api_damage", test_api_damage__flipped_bits, test_api_damage__truncated,
             test_api_damage__blobs)
