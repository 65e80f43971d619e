/* See shop.h. */
#include "shop.h"

#include "base/text.h"
#include "base/time.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t shop_clock(void *user)
{
    shop *s = user;

    return s->now_ms += s->tick_ms;
}

void shop_reopen(shop *s, int64_t flags)
{
    cj_open_options o = api_options(flags, 0);

    if (s->db != NULL)
        expect_ok(cj_close(s->db));
    o.realloc = api_heap_realloc;
    o.realloc_user = &s->heap;
    o.clock = shop_clock;
    o.clock_user = s;
    expect_ok(cj_open(s->file.path, &o, &s->db));
}

void shop_open(shop *s, const char *time_zone, int64_t seal_events)
{
    cj_open_options o = api_options(0, seal_events);

    memset(s, 0, sizeof *s);
    api_file_make(&s->file);
    s->now_ms = INT64_C(1767225600000); /* 2026-01-01 */
    o.time_zone = time_zone;
    o.realloc = api_heap_realloc;
    o.realloc_user = &s->heap;
    o.clock = shop_clock;
    o.clock_user = s;
    expect_ok(cj_open(s->file.path, &o, &s->db));
}

void shop_close(shop *s)
{
    api_expect_sound(s->db);
    expect_ok(cj_close(s->db));
    ck_assert_int_eq(s->heap.live_bytes, 0);
    ck_assert_int_eq(s->heap.n_wrong, 0);
    api_file_remove(&s->file);
}

int64_t shop_time(shop *s, const char *text)
{
    int64_t ms;

    expect_ok(cj_time_parse(s->db, text, &ms));
    return ms;
}

/* ---- what happened --------------------------------------------------------- */

enum { SHOP_IDENTIFIERS = 8, SHOP_WORD = 160 };

typedef struct shop_person {
    char text[SHOP_WORD];
    cj_identifier ids[SHOP_IDENTIFIERS];
    int64_t n;
} shop_person;

static void shop_person_read(shop_person *p, const char *customer)
{
    char *save = NULL;

    (void)snprintf(p->text, sizeof p->text, "%s", customer);
    p->n = 0;
    for (char *word = strtok_r(p->text, "+", &save); word != NULL;
         word = strtok_r(NULL, "+", &save)) {
        char *value = strchr(word, ':');

        ck_assert_int_lt(p->n, SHOP_IDENTIFIERS);
        p->ids[p->n] = (cj_identifier){sizeof p->ids[0], "user_id", word};
        if (value != NULL) {
            *value++ = '\0';
            p->ids[p->n].kind = word;
            p->ids[p->n].value = value;
        }
        p->n++;
    }
}

/* The words of a line, at most n; the rest are "". */
static const char *shop_line(const char *lines, char (*words)[SHOP_WORD], int n)
{
    memset(words, 0, (size_t)n * sizeof *words);
    for (int i = 0;; i++) {
        size_t length;

        lines += strspn(lines, " ");
        length = strcspn(lines, " \n");
        if (length == 0)
            return *lines == '\n' ? lines + 1 : lines;
        ck_assert_msg(i < n && length < SHOP_WORD, "too long a line: %s", lines);
        memcpy(words[i], lines, length);
        lines += length;
    }
}

void shop_events(shop *s, const char *lines)
{
    char words[5][SHOP_WORD];
    shop_person p;

    while (*lines != '\0') {
        cj_event e = {.struct_size = sizeof e, .name = words[2]};

        lines = shop_line(lines, words, 5);
        if (words[0][0] == '\0')
            continue;
        shop_person_read(&p, words[0]);
        e.identifiers = p.ids;
        e.n_identifiers = p.n;
        e.time_ms = shop_time(s, words[1]);
        if (words[3][0] != '\0')
            ck_assert_int_eq(
                cj__decimal_minor(words[3], strlen(words[3]), 2, &e.value_minor), 0);
        e.channel = words[4][0] != '\0' ? words[4] : NULL;
        expect_ok(cj_record(s->db, &e));
    }
}

void shop_traits(shop *s, const char *lines)
{
    char words[5][SHOP_WORD], json[400];
    shop_person p;

    while (*lines != '\0') {
        lines = shop_line(lines, words, 5);
        if (words[0][0] == '\0')
            continue;
        shop_person_read(&p, words[0]);
        (void)snprintf(json, sizeof json, "{\"%s\":%s}", words[2], words[3]);
        expect_ok(cj_identify(s->db, p.ids, p.n, words[2][0] != '\0' ? json : NULL,
                              shop_time(s, words[1]),
                              words[4][0] != '\0' ? words[4] : NULL, NULL));
    }
}

int64_t shop_who(shop *s, const char *customer)
{
    shop_person p;
    int64_t profile;

    shop_person_read(&p, customer);
    if (cj_profile_find(s->db, p.ids[0].kind, p.ids[0].value, &profile) == CJ_ENOTFOUND)
        return 0;
    ck_assert_int_gt(profile, 0);
    return profile;
}

int64_t shop_merge(shop *s, const char *a, const char *b)
{
    int64_t edge;

    expect_ok(cj_merge(s->db, shop_who(s, a), shop_who(s, b), &edge));
    return edge;
}

void shop_define(shop *s, const char *lines)
{
    char line[1000], *expression;

    while (*lines != '\0') {
        const size_t n = strcspn(lines, "\n");

        ck_assert_uint_lt(n, sizeof line);
        (void)snprintf(line, sizeof line, "%.*s", (int)n, lines);
        lines += n + (lines[n] == '\n');
        expression = strstr(line, " = ");
        ck_assert_msg(expression != NULL, "no definition: %s", line);
        *expression = '\0';
        if (cj_segment_define(s->db, line, expression + 3, 0) != CJ_OK)
            ck_abort_msg("%s: %s", line, cj_errmsg());
    }
}

void shop_list(shop *s, const char *name, const char *customers)
{
    char words[32][SHOP_WORD];
    int64_t profiles[32], n = 0;

    (void)shop_line(customers, words, 32);
    for (; n < 32 && words[n][0] != '\0'; n++)
        profiles[n] = shop_who(s, words[n]);
    expect_ok(cj_segment_define_list(s->db, name, profiles, n));
}

/* ---- what is answered ------------------------------------------------------ */

static void shop_value(api_text *text, const cj_table *t, int64_t column, int64_t row)
{
    const uint8_t *valid = cj_table_validity(t, column);
    const char *name = cj_table_name(t, column);
    const int64_t *offsets;
    const char *bytes;
    char value[512];

    if (column > 0)
        api_put(text, " ");
    if (valid != NULL && (valid[row / 8] >> row % 8 & 1) == 0) {
        api_put(text, strcmp(name, "valid_until_ms") == 0 ? "never" : "-");
        return;
    }
    if (cj_table_type(t, column) == CJ_TEXT) {
        bytes = cj_table_text(t, column, &offsets);
        (void)snprintf(value, sizeof value, "%.*s",
                       (int)(offsets[row + 1] - offsets[row]), bytes + offsets[row]);
    } else if (cj_table_type(t, column) == CJ_DOUBLE) {
        (void)snprintf(value, sizeof value, "%.6g", cj_table_double(t, column)[row]);
    } else if (strlen(name) > 3 && strcmp(name + strlen(name) - 3, "_ms") == 0) {
        cj__time_format(cj_table_int64(t, column)[row], value);
    } else {
        (void)snprintf(value, sizeof value, "%lld",
                       (long long)cj_table_int64(t, column)[row]);
    }
    api_put(text, value);
}

char *shop_rows(cj_table *table)
{
    api_text text = {0};

    api_put(&text, "");
    for (int64_t row = 0; row < cj_table_rows(table); row++) {
        for (int64_t column = 0; column < cj_table_columns(table); column++)
            shop_value(&text, table, column, row);
        api_put(&text, "\n");
    }
    cj_table_free(table);
    return text.data;
}

void expect_table(cj_table *table, const char *want)
{
    api_text got = {0};
    char *rows;

    for (int64_t column = 0; column < cj_table_columns(table); column++) {
        api_put(&got, column > 0 ? " " : "");
        api_put(&got, cj_table_name(table, column));
    }
    api_put(&got, "\n");
    rows = shop_rows(table);
    api_put(&got, rows);
    if (strcmp(got.data, want) != 0)
        ck_abort_msg("%s---- instead of\n%s", got.data, want);
    free(rows);
    free(got.data);
}

cj_segment_options shop_options(shop *s, const char *as_of)
{
    return (cj_segment_options){.struct_size = (int64_t)sizeof(cj_segment_options),
                                .as_of_ms = shop_time(s, as_of)};
}

static char *shop_evaluate(shop *s, const char *expression, const cj_segment_options *o)
{
    cj_table *t;

    if (cj_segment_evaluate(s->db, expression, o, &t) != CJ_OK)
        ck_abort_msg("%s: %s at %lld", expression, cj_errmsg(), (long long)cj_errpos());
    return shop_rows(t);
}

void expect_evaluate(shop *s, const char *as_of, const char *expression,
                     const char *want)
{
    const cj_segment_options o = shop_options(s, as_of);
    char *got = shop_evaluate(s, expression, &o);

    if (strcmp(got, want) != 0)
        ck_abort_msg("%s at %s:\n%s---- instead of\n%s", expression, as_of, got, want);
    free(got);
}

void expect_in(shop *s, const char *as_of, const char *expression, const char *want)
{
    cj_segment_options o = shop_options(s, as_of);
    char got[256] = "";
    size_t n = 0;
    cj_table *t;

    o.members_only = 1;
    if (cj_segment_evaluate(s->db, expression, &o, &t) != CJ_OK)
        ck_abort_msg("%s: %s", expression, cj_errmsg());
    for (int64_t i = 0; i < cj_table_rows(t) && n < sizeof got; i++)
        n += (size_t)snprintf(got + n, sizeof got - n, "%s%lld", i > 0 ? " " : "",
                              (long long)cj_table_int64(t, 0)[i]);
    cj_table_free(t);
    if (strcmp(got, want) != 0)
        ck_abort_msg("%s at %s: %s, not %s", expression, as_of, got, want);
}

void expect_error_is(int32_t rc, int32_t code, int64_t position, const char *text)
{
    if (rc != code || strcmp(cj_errmsg(), text) != 0)
        ck_abort_msg("%s: %s\n---- instead of %s: %s", cj_error_name(rc), cj_errmsg(),
                     cj_error_name(code), text);
    ck_assert_int_eq(cj_errpos(), position);
}
