/* See lex.h.  Whatever the locale: letters, digits and blanks are those of ASCII, and
 * nothing is copied but texts with escapes. */
#include "segment/lex.h"

#include "base/limits.h"
#include "base/text.h"

#include <string.h>

static int lex_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int lex_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* The byte that many behind at; 0 behind the end (a NUL is no byte of the language). */
static char lex_at(const cj__lexer *l, uint32_t at)
{
    return at < l->source.n ? l->source.data[at] : '\0';
}

static uint32_t lex_skip(const cj__lexer *l, uint32_t at)
{
    for (;;) {
        const char c = lex_at(l, at);

        if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
            at++;
        } else if (c == '-' && lex_at(l, at + 1) == '-') {
            while (at < l->source.n && l->source.data[at] != '\n')
                at++;
        } else {
            return at;
        }
    }
}

static void lex_finish(cj__lexer *l, int32_t kind, uint32_t begin, uint32_t end)
{
    l->token = (cj__token){
        .kind = kind,
        .begin = begin,
        .end = end,
        .text = {l->source.data + begin, end - begin}
    };
    l->at = end;
}

/* ---- texts --------------------------------------------------------------------------
 */

typedef struct lex_copy { /* of a text, its escapes resolved; never longer than it */
    char *data;
    size_t n;
} lex_copy;

/* The value of four hexadecimal digits, or -1. */
static int32_t lex_hex4(const cj__lexer *l, uint32_t at)
{
    int32_t value = 0;

    for (uint32_t i = 0; i < 4; i++) {
        const char c = lex_at(l, at + i);

        if (lex_is_digit(c))
            value = value * 16 + (c - '0');
        else if (c >= 'a' && c <= 'f')
            value = value * 16 + (c - 'a' + 10);
        else if (c >= 'A' && c <= 'F')
            value = value * 16 + (c - 'A' + 10);
        else
            return -1;
    }
    return value;
}

/* At the backslash of a \u with its four digits, or of two: a surrogate pair. */
static int32_t lex_unit(const cj__lexer *l, uint32_t *at, lex_copy *to)
{
    int32_t code = lex_hex4(l, *at + 2), low = -1;

    if (code < 0)
        return cj__fail_at(*at, CJ_EINVAL, "\\u needs four hexadecimal digits");
    if (code == 0)
        return cj__fail_at(*at, CJ_EINVAL, "\\u0000 is not accepted in a text");
    *at += 6;
    if (code >= 0xD800 && code <= 0xDFFF) {
        if (lex_at(l, *at) == '\\' && lex_at(l, *at + 1) == 'u')
            low = lex_hex4(l, *at + 2);
        if (code > 0xDBFF || low < 0xDC00 || low > 0xDFFF)
            return cj__fail_at(*at - 6, CJ_EINVAL, "half of a surrogate pair");
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        *at += 6;
    }
    to->n += cj__utf8_encode((uint32_t)code, to->data + to->n);
    return CJ_OK;
}

static int32_t lex_escape(const cj__lexer *l, uint32_t *at, lex_copy *to)
{
    static const char letters[] = "\"\\nt", meanings[] = "\"\\\n\t";
    const char c = lex_at(l, *at + 1);
    const char *found = c == '\0' ? NULL : strchr(letters, c);

    if (c == 'u')
        return lex_unit(l, at, to);
    if (found == NULL)
        return cj__fail_at(
            *at, CJ_EINVAL,
            "no such escape: only quote, backslash, n, t, and u with four digits");
    to->data[to->n++] = meanings[found - letters];
    *at += 2;
    return CJ_OK;
}

/* Where a text ends, and whether it has escapes; bounds it before anything is copied.
 */
static int32_t lex_text_end(const cj__lexer *l, uint32_t begin, uint32_t *end_out,
                            int *escaped_out)
{
    uint32_t at = begin;

    *escaped_out = 0;
    for (; at < l->source.n && l->source.data[at] != '"'; at++) {
        const unsigned char c = (unsigned char)l->source.data[at];

        if (c == '\n' || c == '\r')
            break;
        if (c < 0x20)
            return cj__fail_at(at, CJ_EINVAL,
                               "a control character in a text is written \\u%04X", c);
        if (c == '\\') {
            *escaped_out = 1;
            at++;
        }
    }
    if (lex_at(l, at) != '"')
        return cj__fail_at(begin - 1, CJ_EINVAL, "this text has no closing quote");
    *end_out = at;
    return CJ_OK;
}

static int32_t lex_text(cj__lexer *l, uint32_t begin, uint32_t quote, int fold)
{
    const uint32_t first = quote + 1;
    uint32_t end = 0, at = first;
    cj__text text;
    int escaped;
    int32_t rc;

    CJ_TRY(lex_text_end(l, first, &end, &escaped));
    text = (cj__text){l->source.data + first, end - first};
    if (escaped) {
        lex_copy copy = {cj__arena_alloc(l->arena, end - first + 1), 0};

        if (copy.data == NULL)
            return CJ_ENOMEM;
        while (at < end) {
            if (lex_at(l, at) == '\\')
                CJ_TRY(lex_escape(l, &at, &copy));
            else
                copy.data[copy.n++] = lex_at(l, at++);
        }
        text = (cj__text){copy.data, copy.n};
    }
    lex_finish(l, CJ__LEX_TEXT, begin, end + 1);
    l->token.text = text;
    l->token.fold = fold;
out:
    return rc;
}

/* ---- numbers and dates
 * ----------------------------------------------------------------
 */

static uint32_t lex_digits(const cj__lexer *l, uint32_t at)
{
    while (lex_is_digit(lex_at(l, at)))
        at++;
    return at;
}

/* "-3-1" behind 4 digits is a date that somebody tried to write, not a difference. */
static uint32_t lex_dashes(const cj__lexer *l, uint32_t at, uint32_t *month_out)
{
    uint32_t month, date;

    if (lex_at(l, at) != '-')
        return 0;
    month = lex_digits(l, at + 1);
    if (month == at + 1 || lex_at(l, month) != '-')
        return 0;
    date = lex_digits(l, month + 1);
    *month_out = month;
    return date == month + 1 ? 0 : date;
}

/* Whether it is a moment is for the parser to say: here are its characters. */
static uint32_t lex_clock(const cj__lexer *l, uint32_t at)
{
    at++;
    while (lex_is_digit(lex_at(l, at)) || lex_at(l, at) == ':' ||
           (lex_at(l, at) == '.' && lex_is_digit(lex_at(l, at + 1))))
        at++;
    if (lex_at(l, at) == 'Z')
        return at + 1;
    if ((lex_at(l, at) == '+' || lex_at(l, at) == '-') &&
        lex_is_digit(lex_at(l, at + 1))) {
        at++;
        while (lex_is_digit(lex_at(l, at)) || lex_at(l, at) == ':')
            at++;
    }
    return at;
}

static int32_t lex_number(cj__lexer *l, uint32_t begin)
{
    uint32_t end = lex_digits(l, begin), month = 0, date = 0;
    int32_t kind = CJ__LEX_NUMBER;

    if (end - begin == 4)
        date = lex_dashes(l, end, &month);
    if (date != 0) {
        if (month - end != 3 || date - month != 3)
            return cj__fail_at(begin, CJ_EINVAL, "a date is written as 2025-03-01");
        end = date;
        kind = CJ__LEX_DATE;
        if (lex_at(l, end) == 'T') {
            end = lex_clock(l, end);
            kind = CJ__LEX_TIME;
        }
    } else if (lex_at(l, end) == '.' && lex_is_digit(lex_at(l, end + 1))) {
        end = lex_digits(l, end + 1);
    }
    if (lex_is_letter(lex_at(l, end)))
        return cj__fail_at(end, CJ_EINVAL, "a blank belongs between %s and a word",
                           kind == CJ__LEX_NUMBER ? "a number" : "a date");
    lex_finish(l, kind, begin, end);
    return CJ_OK;
}

/* ---- the rest
 * ------------------------------------------------------------------------------- */

/* What other languages write, and what it is here. */
static const char *const lex_foreign[][2] = {
    {"==",           "="      },
    {"<>",           "!="     },
    {"=>",           ">="     },
    {"=<",           "<="     },
    {"&&",           "and"    },
    {"||",           "or"     },
    {"&",            "and"    },
    {"|",            "or"     },
    {"!",            "not"    },
    {"'",            "\""     },
    {"`",            "\""     },
    {"\xe2\x80\x9c", "\""     },
    {"\xe2\x80\x9d", "\""     },
    {"\xe2\x80\x9e", "\""     },
    {"\xe2\x80\x98", "\""     },
    {"\xe2\x80\x99", "\""     },
    {"\xc2\xab",     "\""     },
    {"\xc2\xbb",     "\""     },
    {"\xe2\x89\xa5", ">="     },
    {"\xe2\x89\xa4", "<="     },
    {"\xe2\x89\xa0", "!="     },
    {"\xe2\x86\x92", "->"     },
    {"\xe2\x82\xac", "200 EUR"},
    {"$",            "200 USD"},
};

static int lex_starts(const cj__lexer *l, uint32_t at, const char *with)
{
    const size_t n = strlen(with);

    return l->source.n - at >= n && memcmp(l->source.data + at, with, n) == 0;
}

static int32_t lex_refuse(const cj__lexer *l, uint32_t at)
{
    for (size_t i = 0; i < sizeof lex_foreign / sizeof lex_foreign[0]; i++) {
        if (lex_starts(l, at, lex_foreign[i][0]))
            return cj__fail_at(at, CJ_EINVAL, "unexpected %s: write `%s`",
                               lex_foreign[i][0], lex_foreign[i][1]);
    }
    return cj__fail_at(at, CJ_EINVAL,
                       "unexpected character: texts and names of your own stand in "
                       "\"quotes\"");
}

static int32_t lex_sign(cj__lexer *l, uint32_t at)
{
    static const char *const two[] = {"!=", "<=", ">=", "->"};
    static const char one[] = "(),.%+-*/=<>[]";
    const char c = lex_at(l, at);

    for (size_t i = 0; i < sizeof two / sizeof two[0]; i++) {
        if (lex_starts(l, at, two[i])) {
            lex_finish(l, CJ__LEX_SIGN, at, at + 2);
            return CJ_OK;
        }
    }
    if (c == '\0' || strchr(one, c) == NULL || lex_starts(l, at, "==") ||
        lex_starts(l, at, "<>") || lex_starts(l, at, "=>") || lex_starts(l, at, "=<"))
        return lex_refuse(l, at);
    lex_finish(l, CJ__LEX_SIGN, at, at + 1);
    return CJ_OK;
}

int32_t cj__lex_next(cj__lexer *l)
{
    const uint32_t begin = lex_skip(l, l->at);
    const char c = lex_at(l, begin);
    uint32_t end = begin;

    if (begin >= l->source.n) {
        lex_finish(l, CJ__LEX_END, begin, begin);
        return CJ_OK;
    }
    if (c == '"')
        return lex_text(l, begin, begin, 0);
    if (c == 'i' && lex_at(l, begin + 1) == '"')
        return lex_text(l, begin, begin + 1, 1);
    if (lex_is_digit(c))
        return lex_number(l, begin);
    if (!lex_is_letter(c))
        return lex_sign(l, begin);
    while (lex_is_letter(lex_at(l, end)) || lex_is_digit(lex_at(l, end)))
        end++;
    lex_finish(l, CJ__LEX_NAME, begin, end);
    return CJ_OK;
}

int cj__lex_is_sign(const cj__lexer *l, const char *sign)
{
    return l->token.kind == CJ__LEX_SIGN &&
           cj__text_equal(l->token.text, cj__text_of(sign));
}

char cj__lex_ahead(const cj__lexer *l)
{
    return lex_at(l, lex_skip(l, l->at));
}

int32_t cj__lex_begin(cj__lexer *l, cj__arena *arena, cj__text source)
{
    memset(l, 0, sizeof *l);
    if (source.n > CJ__MAX_SEGMENT)
        return cj__fail_at(CJ__MAX_SEGMENT, CJ_ELIMIT, "a segment has at most %d bytes",
                           CJ__MAX_SEGMENT);
    for (size_t at = 0, n; at < source.n; at += n) {
        n = cj__utf8_length(source.data + at, source.n - at);
        if (n == 0)
            return cj__fail_at((int64_t)at, CJ_EINVAL, "this is not UTF-8");
    }
    l->source = source;
    l->arena = arena;
    return cj__lex_next(l);
}
