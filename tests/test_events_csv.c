/* The CSV reader: cases of RFC 4180 and of real files, random tables written and read
 * back, and the same records however the input arrives. */
#include "events/csv.h"
#include "harness.h"

#include "base/limits.h"

#include <stdio.h>
#include <string.h>

/* Records as text: fields in <>, records by newlines, what cannot be read as !line. */
static char *read_all(const char *bytes, size_t n, size_t chunk, char *delimiter_out)
{
    const cj__allocator *a;
    cj__ctx cx;
    cj__csv csv;
    char *text = NULL, *window;
    size_t n_text, from = 0, until = chunk < n ? chunk : n;
    FILE *f = open_memstream(&text, &n_text);

    cj__ctx_init(&cx, NULL, NULL, NULL, NULL, NULL, NULL);
    a = &cx.allocator;
    cj__csv_init(&csv, a);
    for (;;) {
        cj__csv_record r;
        int what;

        window = malloc(until - from + 1); /* exact, so that a read too far is seen */
        memcpy(window, bytes + from, until - from);
        ck_assert_int_eq(
            cj__csv_next(&csv, (cj__text){window, until - from}, until == n, &what, &r),
            CJ_OK);
        ck_assert_uint_le(r.used, until - from);
        if (what == CJ__CSV_RECORD) {
            ck_assert_uint_gt(r.used, 0);
            if (r.problem != NULL)
                fprintf(f, "!%.*s", (int)r.raw.n, r.raw.data);
            for (size_t i = 0; i < csv.n_fields; i++)
                fprintf(f, "<%.*s>", (int)csv.fields[i].n, csv.fields[i].data);
            fprintf(f, "@%d\n", (int)r.n_lines);
        }
        free(window);
        from += r.used;
        if (what == CJ__CSV_MORE && until == n && from == n)
            break;
        if (what == CJ__CSV_MORE && until < n)
            until = until + chunk < n ? until + chunk : n;
        ck_assert(what == CJ__CSV_RECORD || r.used > 0 || until > from);
    }
    if (delimiter_out != NULL)
        *delimiter_out = csv.delimiter;
    cj__csv_end(&csv);
    fclose(f);
    return text;
}

static void expect(const char *bytes, const char *expected)
{
    size_t n = strlen(bytes);

    for (size_t chunk = 1; chunk <= n + 1; chunk++) {
        char *text = read_all(bytes, n, chunk, NULL);

        ck_assert_msg(strcmp(text, expected) == 0, "in chunks of %zu:\n%s\nnot\n%s",
                      chunk, text, expected);
        free(text);
    }
}

START_TEST(test_events_csv__records_and_fields)
{
    expect("a,b,c\n1,2,3\n", "<a><b><c>@1\n<1><2><3>@1\n");
    expect("a,b,c\r\n1,2,3\r\n", "<a><b><c>@1\n<1><2><3>@1\n");
    expect("a,b\n1,2", "<a><b>@1\n<1><2>@1\n");
    expect("a,b\r\n1,2\r", "<a><b>@1\n<1><2>@1\n");
    expect("a,b\n,\n1,\n", "<a><b>@1\n<><>@1\n<1><>@1\n");
    expect("a\n\nb\n", "<a>@1\n<>@1\n<b>@1\n");
    expect("", "");
    expect("\n", "<>@1\n");
    expect("a, b ,\n", "<a>< b ><>@1\n");
}
END_TEST

START_TEST(test_events_csv__quotes)
{
    expect("a,\"b,c\",d\n", "<a><b,c><d>@1\n");
    expect("\"a\"\"b\",\"\"\"\"\n", "<a\"b><\">@1\n");
    expect("\"a\nb\",c\nd\n", "<a\nb><c>@2\n<d>@1\n");
    expect("\"a\r\nb\"\r\nd\r\n", "<a\r\nb>@2\n<d>@1\n");
    expect("\"\",\"\"\n", "<><>@1\n");
    expect("\"a\"", "<a>@1\n");
    expect("\"a\"\"\"", "<a\">@1\n");
    expect("5\" disk,6\"\"\n",
           "<5\" disk><6\"\">@1\n"); /* not at the begin: ordinary */
    expect("x,\"RECORD FRAME 7\"\" SINGLE\",48\n",
           "<x><RECORD FRAME 7\" SINGLE><48>@1\n");
}
END_TEST

/* A broken line costs itself; the next lines are read. */
START_TEST(test_events_csv__broken_lines)
{
    expect("a,b\n\"x\"y,2\n3,4\n", "<a><b>@1\n!\"x\"y,2@1\n<3><4>@1\n");
    expect("a,b\nx,\"open\n3,4\n5,6\n", "<a><b>@1\n!x,\"open@1\n<3><4>@1\n<5><6>@1\n");
    expect("a,b\nx,\"open", "<a><b>@1\n!x,\"open@1\n");
    expect("a\n\"x\"\ry\nz\n", "<a>@1\n!\"x\"\ry@1\n<z>@1\n");
}
END_TEST

START_TEST(test_events_csv__the_delimiter_is_what_the_header_uses)
{
    static const struct {
        const char *bytes;
        char delimiter;
    } cases[] = {
        {"a,b\n",                  ',' },
        {"a;b;c,d\n1;2;3",         ';' },
        {"a\tb\n",                 '\t'},
        {"a\n1,2;3",               ',' },
        {"\"a;b;c\",d\n",          ',' },
        {"a;b\n1,5;2,5;3,5;4,5\n", ';' }
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char delimiter;

        free(read_all(cases[i].bytes, strlen(cases[i].bytes), 1000, &delimiter));
        ck_assert_int_eq(delimiter, cases[i].delimiter);
    }
    expect("a;b\n1,5;2\n", "<a><b>@1\n<1,5><2>@1\n");
    expect("a\tb\n\"1\t\"\t2\n", "<a><b>@1\n<1\t><2>@1\n");
}
END_TEST

START_TEST(test_events_csv__many_columns)
{
    char *bytes = malloc(400002), *text;
    size_t n_fields = 0;

    memset(bytes, ',', 100000);
    bytes[100000] = '\n';
    text = read_all(bytes, 100001, 65536, NULL);
    for (const char *p = text; *p != '\0'; p++)
        n_fields += *p == '<';
    ck_assert_uint_eq(n_fields, 100001);
    free(text);
    free(bytes);
}
END_TEST

/* Lines beyond the limit: with and without an open quote, and what comes after them. */
START_TEST(test_events_csv__long_lines)
{
    static const char tail[] = "\n1,2\n";

    for (int quoted = 0; quoted < 2; quoted++) {
        size_t n_long = CJ__MAX_MESSAGE * 3 / 2, n = 4 + n_long + sizeof tail - 1;
        char *bytes = malloc(n), *text, *end;

        memset(bytes, 'x', n);
        memcpy(bytes, quoted ? "a,b\n\"" : "a,b\n", quoted ? 5 : 4);
        memcpy(bytes + 4 + n_long, tail, sizeof tail - 1);
        text = read_all(bytes, n, 300000, NULL);
        ck_assert_int_eq(strncmp(text, "<a><b>@1\n!", 10), 0);
        end = strrchr(text, '!');
        ck_assert_str_eq(strchr(end, '@'), "@1\n<1><2>@1\n");
        free(text);
        free(bytes);
    }
}
END_TEST

/* ---- random tables
 * ------------------------------------------------------------------- */

static uint32_t roll(uint64_t *state, uint32_t below)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33) % below;
}

/* A field with every awkward character; "" too. */
static size_t random_field(uint64_t *state, char *to)
{
    static const char letters[] = "ab,;\t\"\n\r x";
    size_t n = roll(state, 7);

    for (size_t i = 0; i < n; i++)
        to[i] = letters[roll(state, sizeof letters - 1)];
    to[n] = '\0';
    return n;
}

static void put_quoted(FILE *f, const char *field)
{
    fputc('"', f);
    for (; *field != '\0'; field++) {
        if (*field == '"')
            fputc('"', f);
        fputc(*field, f);
    }
    fputc('"', f);
}

START_TEST(test_events_csv__random_tables_come_back)
{
    uint64_t state = 42;

    for (int round = 0; round < 300; round++) {
        char *csv = NULL, *expected = NULL, *text, field[8];
        size_t n_csv, n_expected;
        FILE *f = open_memstream(&csv, &n_csv),
             *e = open_memstream(&expected, &n_expected);
        uint32_t columns = 1 + roll(&state, 5), rows = 1 + roll(&state, 9);

        fputs("h,h,h,h\n", f);
        fputs("<h><h><h><h>@1\n", e);
        for (uint32_t r = 0; r < rows; r++) {
            int lines = 1;

            for (uint32_t c = 0; c < columns; c++) {
                random_field(&state, field);
                if (c > 0)
                    fputc(',', f);
                if (strpbrk(field, ",\"\n\r") != NULL || roll(&state, 2) == 0)
                    put_quoted(f, field);
                else
                    fputs(field, f);
                fprintf(e, "<%s>", field);
                for (const char *p = field; *p != '\0'; p++)
                    lines += *p == '\n';
            }
            fputs(roll(&state, 2) ? "\r\n" : "\n", f);
            fprintf(e, "@%d\n", lines);
        }
        fclose(f);
        fclose(e);
        text = read_all(csv, n_csv, 1 + roll(&state, 40), NULL);
        ck_assert_str_eq(text, expected);
        free(text);
        free(csv);
        free(expected);
    }
}
END_TEST

/* Any bytes: it ends, and it says the same however the bytes arrive. */
START_TEST(test_events_csv__noise_in_chunks)
{
    uint64_t state = 1;

    for (int round = 0; round < 2000; round++) {
        static const char letters[] = "a,\"\n\r;";
        char bytes[40], *whole, *parts;
        size_t n = roll(&state, sizeof bytes);

        for (size_t i = 0; i < n; i++)
            bytes[i] = letters[roll(&state, sizeof letters - 1)];
        whole = read_all(bytes, n, 1000, NULL);
        parts = read_all(bytes, n, 1 + roll(&state, 5), NULL);
        ck_assert_str_eq(whole, parts);
        free(whole);
        free(parts);
    }
}
END_TEST

HARNESS_MAIN("events_csv", test_events_csv__records_and_fields, test_events_csv__quotes,
             test_events_csv__broken_lines,
             test_events_csv__the_delimiter_is_what_the_header_uses,
             test_events_csv__many_columns, test_events_csv__long_lines,
             test_events_csv__random_tables_come_back, test_events_csv__noise_in_chunks)
