/* Fitted models in the file: kept, replaced, listed, named when unknown, dropped; each
 * whole or not at all; a file of an older schema gets room for them. */
#include "harness.h"
#include "shop.h"

#include "metrics/metrics.h"
#include "store/reader.h"

#include <stdio.h>
#include <string.h>

static int32_t save(shop *s, const char *name, const char *model, const char *json)
{
    const cj__clv_saved m = {.name = cj__text_of(name),
                             .model = cj__text_of(model),
                             .json = cj__text_of(json),
                             .time_ms = s->now_ms};

    return cj__clv_save(s->db, &m);
}

static void expect_saved(shop *s, const char *want)
{
    cj_table *t;

    expect_ok(cj_clv_saved(s->db, &t));
    expect_table(t, want);
}

/* The text behind a name; free it. */
static char *saved(shop *s, const char *name)
{
    cj__reader *reader;
    cj__clv_saved m;
    cj__arena arena;
    char *copy = NULL;

    cj__arena_init(&arena, &s->db->cx.allocator);
    ck_assert_int_eq(cj__reader_open(s->db, &reader), CJ_OK);
    if (cj__clv_saved_get(cj__reader_conn(reader), name, &arena, &m) == CJ_OK) {
        copy = strdup(m.json.data);
        ck_assert_uint_eq(strlen(copy), m.json.n);
        ck_assert(cj__text_equal(m.name, cj__text_of(name)));
    }
    cj__reader_end(reader);
    cj__arena_end(&arena);
    return copy;
}

START_TEST(test_saved__is_there_after_reopening)
{
    shop s;
    char *text;

    shop_open(&s, NULL, 0);
    expect_saved(&s, "name model saved_ms fit\n");
    s.now_ms = shop_time(&s, "2026-02-03T04:05:06.007");
    expect_ok(save(&s, "weekly", "bgnbd", "{\"format\":1}"));
    s.now_ms += 1000;
    expect_ok(save(&s, "Spend \xc3\xa4", "gammagamma", "{}"));
    shop_reopen(&s, 0);
    expect_saved(&s, "name model saved_ms fit\n"
                     "Spend \xc3\xa4 gammagamma 2026-02-03T04:05:07.007Z {}\n"
                     "weekly bgnbd 2026-02-03T04:05:06.007Z {\"format\":1}\n");
    text = saved(&s, "weekly");
    ck_assert_str_eq(text, "{\"format\":1}");
    free(text);
    shop_close(&s);
}
END_TEST

START_TEST(test_saved__saving_again_replaces)
{
    shop s;

    shop_open(&s, NULL, 0);
    s.now_ms = shop_time(&s, "2026-01-01");
    expect_ok(save(&s, "a", "bgnbd", "{\"loglik\":-1}"));
    expect_ok(save(&s, "b", "bgnbd", "{}"));
    s.now_ms = shop_time(&s, "2026-01-02");
    expect_ok(save(&s, "a", "paretonbd", "{\"loglik\":-2}"));
    expect_saved(&s, "name model saved_ms fit\n"
                     "a paretonbd 2026-01-02T00:00:00.000Z {\"loglik\":-2}\n"
                     "b bgnbd 2026-01-01T00:00:00.000Z {}\n");
    expect_ok(cj_clv_drop(s.db, "a"));
    expect_saved(&s, "name model saved_ms fit\n"
                     "b bgnbd 2026-01-01T00:00:00.000Z {}\n");
    ck_assert_ptr_null(saved(&s, "a"));
    shop_close(&s);
}
END_TEST

START_TEST(test_saved__what_is_unknown_is_named)
{
    shop s;

    shop_open(&s, NULL, 0);
    expect_error_is(cj_clv_drop(s.db, "weekly"), CJ_ENOTFOUND, -1,
                    "no such value model; see the list of saved ones");
    expect_ok(save(&s, "weekly", "bgnbd", "{}"));
    expect_error_is(cj_clv_drop(s.db, "weakly"), CJ_ENOTFOUND, -1,
                    "no such value model; did you mean `weekly`?");
    expect_error_is(cj_clv_drop(s.db, "zzz"), CJ_ENOTFOUND, -1,
                    "no such value model; see the list of saved ones");
    expect_error_is(cj_clv_drop(s.db, NULL), CJ_EMISUSE, -1, "name is NULL");
    expect_error_is(cj_clv_saved(s.db, NULL), CJ_EMISUSE, -1, "out is NULL");
    shop_close(&s);
}
END_TEST

START_TEST(test_saved__names_are_checked)
{
    char name[300];
    shop s;

    shop_open(&s, NULL, 0);
    expect_error_is(save(&s, "", "bgnbd", "{}"), CJ_EINVAL, -1,
                    "a value model's name has 1 to 200 bytes");
    memset(name, 'x', sizeof name);
    name[201] = '\0';
    expect_error_is(save(&s, name, "bgnbd", "{}"), CJ_EINVAL, -1,
                    "a value model's name has 1 to 200 bytes");
    name[200] = '\0';
    expect_ok(save(&s, name, "bgnbd", "{}"));
    expect_error_is(save(&s, "a\tb", "bgnbd", "{}"), CJ_EINVAL, 1,
                    "a value model's name holds no control characters");
    expect_error_is(save(&s, "\xff", "bgnbd", "{}"), CJ_EINVAL, -1,
                    "a value model's name is UTF-8 text");
    shop_close(&s);
}
END_TEST

START_TEST(test_saved__a_read_only_file_is_read)
{
    shop s;

    shop_open(&s, NULL, 0);
    expect_ok(save(&s, "weekly", "bgnbd", "{}"));
    shop_reopen(&s, CJ_OPEN_READONLY);
    ck_assert_int_eq(save(&s, "other", "bgnbd", "{}"), CJ_EREADONLY);
    ck_assert_int_eq(cj_clv_drop(s.db, "weekly"), CJ_EREADONLY);
    free(saved(&s, "weekly"));
    shop_reopen(&s, 0);
    expect_ok(cj_clv_drop(s.db, "weekly"));
    shop_close(&s);
}
END_TEST

/* Each allocation fails once: nothing leaks, and it is there or it is not. */
START_TEST(test_saved__is_whole_or_not_at_all)
{
    int32_t rc = CJ_ENOMEM;
    shop s;

    shop_open(&s, NULL, 0);
    s.now_ms = shop_time(&s, "2026-01-01");
    for (int64_t i = 1; rc != CJ_OK; i++) {
        api_heap_arm(&s.heap, i, (int)(i % 2));
        rc = save(&s, "weekly", "bgnbd", "{}");
        api_heap_disarm(&s.heap);
        ck_assert(rc == CJ_OK || rc == CJ_ENOMEM);
        expect_saved(&s, rc == CJ_OK ? "name model saved_ms fit\n"
                                       "weekly bgnbd 2026-01-01T00:00:00.000Z {}\n"
                                     : "name model saved_ms fit\n");
    }
    rc = CJ_ENOMEM;
    for (int64_t i = 1; rc != CJ_OK; i++) {
        api_heap_arm(&s.heap, i, 0);
        rc = cj_clv_drop(s.db, "weekly");
        api_heap_disarm(&s.heap);
        ck_assert(rc == CJ_OK || rc == CJ_ENOMEM);
    }
    expect_saved(&s, "name model saved_ms fit\n");
    shop_close(&s);
}
END_TEST

/* The files of the releases before have no table for it; opening to write makes one. */
START_TEST(test_saved__older_files_get_room_for_it)
{
    static const char *const older[] = {"tests/golden/schema_1.cj",
                                        "tests/golden/schema_2.cj"};

    for (size_t i = 0; i < sizeof older / sizeof older[0]; i++) {
        const cj__clv_saved m = {.name = cj__text_of("weekly"),
                                 .model = cj__text_of("bgnbd"),
                                 .json = cj__text_of("{}"),
                                 .time_ms = 1};
        api_file file;
        cj_db *db;
        cj_table *t;

        api_file_make(&file);
        api_copy(older[i], file.path);
        db = api_open(file.path, 0, 0);
        ck_assert_int_eq(api_stat(db, "schema_version"), 4);
        expect_ok(cj__clv_save(db, &m));
        expect_ok(cj_clv_saved(db, &t));
        expect_table(t, "name model saved_ms fit\n"
                        "weekly bgnbd 1970-01-01T00:00:00.001Z {}\n");
        api_expect_sound(db);
        expect_ok(cj_close(db));
        api_file_remove(&file);
    }
}
END_TEST

HARNESS_MAIN("metrics_clv_saved", test_saved__is_there_after_reopening,
             test_saved__saving_again_replaces, test_saved__what_is_unknown_is_named,
             test_saved__names_are_checked, test_saved__a_read_only_file_is_read,
             test_saved__is_whole_or_not_at_all,
             test_saved__older_files_get_room_for_it)
