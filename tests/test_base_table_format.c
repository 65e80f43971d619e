/* Tables as text: JSON that checks, CSV that reads back and runs nothing, columns that
 * stand below each other. */
#include "base_memory.h"

#include "base/json.h"
#include "base/table.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

static base_memory memory;
static cj__allocator allocator;

static cj_table *table_begin(const char *columns)
{
    cj_table *t = NULL;

    memset(&memory, 0, sizeof memory);
    allocator = base_memory_allocator(&memory);
    ck_assert_int_eq(cj__table_new(&allocator, columns, &t), CJ_OK);
    return t;
}

/* Frees the table. */
static void expect_text(cj_table *t, const char *format, const char *expected)
{
    char *text = NULL;
    int64_t n = -1;

    ck_assert_int_eq(cj__table_format(t, format, &text, &n), CJ_OK);
    ck_assert_str_eq(text, expected);
    ck_assert_int_eq(n, (int64_t)strlen(text));
    cj__table_free(t); /* the text does not need it */
    ck_assert_str_eq(text, expected);
    cj__text_free(text);
    ck_assert_int_eq(memory.n_blocks, 0);
}

static cj_table *scores(void)
{
    cj_table *t = table_begin("profile:i user_id:t share:d class:t");

    ck_assert_ptr_nonnull(t);
    cj__table_int64(t, 0, 1);
    cj__table_put(t, 1, "ann");
    cj__table_double(t, 2, 0.25);
    cj__table_put(t, 3, "Champions");
    cj__table_int64(t, 0, 1200);
    cj__table_null(t, 1);
    cj__table_double(t, 2, -10);
    cj__table_put(t, 3, "Lost");
    cj__table_null(t, 0);
    cj__table_put(t, 1, "");
    cj__table_double(t, 2, (double)NAN);
    cj__table_put(t, 3, "say \"no\", twice");
    ck_assert_int_eq(cj__table_finish(t, &t), CJ_OK);
    return t;
}

START_TEST(test_format_json__objects_in_column_order)
{
    expect_text(
        scores(), "json",
        "[{\"profile\":1,\"user_id\":\"ann\",\"share\":0.25,\"class\":\"Champions\"},\n"
        " {\"profile\":1200,\"user_id\":null,\"share\":-10,\"class\":\"Lost\"},\n"
        " {\"profile\":null,\"user_id\":\"\",\"share\":null,"
        "\"class\":\"say \\\"no\\\", twice\"}]\n");
}
END_TEST

START_TEST(test_format_jsonl__an_object_a_line)
{
    expect_text(
        scores(), "jsonl",
        "{\"profile\":1,\"user_id\":\"ann\",\"share\":0.25,\"class\":\"Champions\"}\n"
        "{\"profile\":1200,\"user_id\":null,\"share\":-10,\"class\":\"Lost\"}\n"
        "{\"profile\":null,\"user_id\":\"\",\"share\":null,"
        "\"class\":\"say \\\"no\\\", twice\"}\n");
}
END_TEST

START_TEST(test_format_csv__null_is_empty_and_empty_is_quoted)
{
    expect_text(scores(), "csv",
                "profile,user_id,share,class\n"
                "1,ann,0.25,Champions\n"
                "1200,,-10,Lost\n"
                ",\"\",,\"say \"\"no\"\", twice\"\n");
}
END_TEST

START_TEST(test_format_table__numbers_right_texts_left)
{
    expect_text(scores(), "table",
                "profile  user_id  share  class\n"
                "───────  ───────  ─────  ───────────────\n"
                "      1  ann       0.25  Champions\n"
                "   1200             -10  Lost\n"
                "                         say \"no\", twice\n");
}
END_TEST

START_TEST(test_format__without_rows)
{
    static const struct {
        const char *format, *text;
    } rows[] = {
        {"json",  "[]\n"                        },
        {"jsonl", ""                            },
        {"csv",   "a,name\n"                    },
        {"table", "a  name\n─  ────\n"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cj_table *t = table_begin("a:i name:t");

        ck_assert_int_eq(cj__table_finish(t, &t), CJ_OK);
        expect_text(t, rows[i].format, rows[i].text);
    }
}
END_TEST

/* Text only: a negative number stays a number. */
START_TEST(test_format_csv__defuses_formulas)
{
    static const char *const cells[] = {"=1+1", "+1",  "-1",   "@SUM",   "\tx", "\rx",
                                        "a=1",  "'=1", "=a,b", "=\"x\"", "\n=1"};
    cj_table *t = table_begin("n:i text:t");

    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        cj__table_int64(t, 0, -1);
        cj__table_put(t, 1, cells[i]);
    }
    ck_assert_int_eq(cj__table_finish(t, &t), CJ_OK);
    expect_text(
        t, "csv",
        "n,text\n-1,'=1+1\n-1,'+1\n-1,'-1\n-1,'@SUM\n-1,'\tx\n-1,\"'\rx\"\n-1,a=1\n"
        "-1,'=1\n-1,\"'=a,b\"\n-1,\"'=\"\"x\"\"\"\n-1,\"\n=1\"\n");
}
END_TEST

START_TEST(test_format_csv__one_column_has_no_empty_line)
{
    cj_table *t = table_begin("a:i");

    cj__table_null(t, 0);
    cj__table_int64(t, 0, 5);
    ck_assert_int_eq(cj__table_finish(t, &t), CJ_OK);
    expect_text(t, "csv", "a\n\"\"\n5\n");
}
END_TEST

START_TEST(test_format_table__wide_letters_and_controls)
{
    cj_table *t = table_begin("name:t n:i");

    cj__table_put(t, 0, "caf\xC3\xA9");
    cj__table_put(t, 0, "\xE6\x9D\xB1\xE4\xBA\xAC"); /* two letters, four columns */
    cj__table_text(t, 0, "a\n\x1B[31m\0\x7F", 9);
    cj__table_put(t, 0, "x\xC2\x9B\xE2\x80\xAE\xFFy"); /* CSI, a direction, no UTF-8 */
    for (int64_t i = 1; i <= 4; i++)
        cj__table_int64(t, 1, i);
    ck_assert_int_eq(cj__table_finish(t, &t), CJ_OK);
    expect_text(t, "table",
                "name       n\n"
                "─────────  ─\n"
                "caf\xC3\xA9       1\n"
                "\xE6\x9D\xB1\xE4\xBA\xAC       2\n"
                "a␊␛[31m␀␡  3\n"
                "x\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDy      4\n");
}
END_TEST

START_TEST(test_format__misuse_gives_nothing)
{
    cj_table *t = scores();
    char *text = (char *)&memory;
    int64_t n = 5;

    ck_assert_int_eq(cj__table_format(t, "xml", &text, &n), CJ_EINVAL);
    ck_assert(text == NULL && n == 0);
    text = (char *)&memory;
    ck_assert_int_eq(cj__table_format(NULL, "csv", &text, &n), CJ_EMISUSE);
    ck_assert_ptr_null(text);
    ck_assert_int_eq(cj__table_format(t, NULL, &text, NULL), CJ_EMISUSE);
    ck_assert_int_eq(cj__table_format(t, "csv", NULL, NULL), CJ_EMISUSE);
    ck_assert_int_eq(cj__table_format(t, "jsonl", &text, NULL), CJ_OK);
    cj__text_free(text);
    cj__text_free(NULL);
    cj__table_free(t);
    ck_assert_int_eq(memory.n_blocks, 0);
}
END_TEST

/* ---- any bytes ------------------------------------------------------------------ */

enum { N_ROWS = 300, N_COLUMNS = 3 };

static char cells[N_ROWS][N_COLUMNS][16];
static size_t cell_bytes[N_ROWS][N_COLUMNS];

static cj_table *random_table(void)
{
    static const char alphabet[] = ",\"\n\r\t=+-@' ab\xC3\xA9\xFF\x01";
    cj_table *t = table_begin("a:t b:t c:t");
    uint64_t state = 12;

    for (int row = 0; row < N_ROWS; row++) {
        for (int c = 0; c < N_COLUMNS; c++) {
            cell_bytes[row][c] = base_random(&state) % 12;
            for (size_t i = 0; i < cell_bytes[row][c]; i++)
                cells[row][c][i] =
                    alphabet[base_random(&state) % (sizeof alphabet - 1)];
            cj__table_text(t, c, cells[row][c], cell_bytes[row][c]);
        }
    }
    ck_assert_int_eq(cj__table_finish(t, &t), CJ_OK);
    return t;
}

/* The slow and obvious reader of RFC 4180: one field into to; returns what follows. */
static const char *read_field(const char *at, const char *end, char *to, size_t *n)
{
    *n = 0;
    if (*at != '"') {
        while (at < end && *at != ',' && *at != '\n')
            to[(*n)++] = *at++;
        return at;
    }
    for (at++; at < end; at++) {
        if (*at == '"' && *++at != '"')
            return at;
        to[(*n)++] = *at;
    }
    ck_abort_msg("a quoted field does not end");
    return end;
}

START_TEST(test_format_csv__reads_back)
{
    cj_table *t = random_table();
    char *text, got[64];
    const char *at, *end;
    int64_t bytes;
    size_t n;

    ck_assert_int_eq(cj__table_format(t, "csv", &text, &bytes), CJ_OK);
    end = text + bytes;
    at = strchr(text, '\n') + 1;
    for (int row = 0; row < N_ROWS; row++) {
        for (int c = 0; c < N_COLUMNS; c++) {
            const char *cell = cells[row][c], *field = got;

            at = read_field(at, end, got, &n);
            if (cell_bytes[row][c] > 0 && strchr("=+-@\t\r", cell[0]) != NULL) {
                ck_assert_int_eq(*field++, '\'');
                n--;
            }
            ck_assert_uint_eq(n, cell_bytes[row][c]);
            ck_assert_int_eq(memcmp(field, cell, n), 0);
            ck_assert_int_eq(*at++, c + 1 < N_COLUMNS ? ',' : '\n');
        }
    }
    ck_assert_ptr_eq(at, end);
    cj__text_free(text);
    cj__table_free(t);
}
END_TEST

START_TEST(test_format_json__any_bytes_check)
{
    cj_table *t = random_table();
    char *text;
    int64_t n, lines = 0;

    ck_assert_int_eq(cj__table_format(t, "json", &text, &n), CJ_OK);
    ck_assert_int_eq(cj__json_check(text, (size_t)n), CJ_OK);
    cj__text_free(text);
    ck_assert_int_eq(cj__table_format(t, "jsonl", &text, &n), CJ_OK);
    for (char *line = text, *next; *line != '\0'; line = next + 1, lines++) {
        next = strchr(line, '\n');
        ck_assert_int_eq(cj__json_check_object(line, (size_t)(next - line)), CJ_OK);
    }
    ck_assert_int_eq(lines, N_ROWS);
    cj__text_free(text);
    cj__table_free(t);
}
END_TEST

/* Every line but the last column's end is equally wide, and nothing can move a cursor.
 */
START_TEST(test_format_table__any_bytes_stay_in_their_column)
{
    cj_table *t = random_table();
    char *text;
    int64_t n, lines = 0;
    size_t widest = 0, rule = 0;

    ck_assert_int_eq(cj__table_format(t, "table", &text, &n), CJ_OK);
    ck_assert(cj__utf8_valid(text, (size_t)n));
    for (char *line = text, *next; *line != '\0'; line = next + 1, lines++) {
        size_t width;

        next = strchr(line, '\n');
        width = cj__utf8_width(line, (size_t)(next - line));
        if (lines == 1)
            rule = width;
        widest = width > widest ? width : widest;
        for (const char *p = line; p < next; p++)
            ck_assert((unsigned char)*p >= 0x20 && *p != 0x7F);
    }
    ck_assert_int_eq(lines, N_ROWS + 2);
    ck_assert_uint_eq(widest, rule);
    cj__text_free(text);
    cj__table_free(t);
}
END_TEST

static const char *fault_format;

static int32_t format_once(const cj__allocator *a)
{
    cj_table *t = NULL;
    char *text = NULL;
    int64_t n = 0;
    int32_t rc;

    CJ_TRY(cj__table_new(a, "a:i b:t", &t));
    for (int i = 0; i < 20; i++) {
        cj__table_int64(t, 0, i);
        cj__table_put(t, 1, "some \"text\" that takes room, and =more");
    }
    CJ_TRY(cj__table_finish(t, &t));
    CJ_TRY(cj__table_format(t, fault_format, &text, &n));
out:
    ck_assert((rc == CJ_OK) == (text != NULL));
    ck_assert((rc == CJ_OK) == (n > 0));
    cj__text_free(text);
    cj__table_free(t);
    return rc;
}

START_TEST(test_format__out_of_memory)
{
    static const char *const formats[] = {"json", "jsonl", "csv", "table"};

    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        fault_format = formats[i];
        base_memory_faults(format_once);
    }
}
END_TEST

HARNESS_MAIN("base_table_format", test_format_json__objects_in_column_order,
             test_format_jsonl__an_object_a_line,
             test_format_csv__null_is_empty_and_empty_is_quoted,
             test_format_table__numbers_right_texts_left, test_format__without_rows,
             test_format_csv__defuses_formulas,
             test_format_csv__one_column_has_no_empty_line,
             test_format_table__wide_letters_and_controls,
             test_format__misuse_gives_nothing, test_format_csv__reads_back,
             test_format_json__any_bytes_check,
             test_format_table__any_bytes_stay_in_their_column,
             test_format__out_of_memory)
