/* Windows of time and durations: spans that are counted back from now, calendar
 * periods, and fixed moments. */
#include "segment/parse.h"

#include "segment/word.h"

static int32_t window_unit(const cj__parser *p)
{
    const cj__token *token = &p->lex.token;
    static const char *const calendar[] = {"month", "months",  "year",
                                           "years", "quarter", "quarters"};

    for (size_t i = 0; i < sizeof calendar / sizeof calendar[0]; i++) {
        if (cj__parse_is(p, calendar[i]))
            return cj__fail_at(
                token->begin, CJ_EINVAL,
                "months, quarters and years differ in length: write days");
    }
    if (token->kind == CJ__LEX_NAME && !cj__seg_is_reserved(token->text))
        return cj__seg_unknown(token->begin, "unit", token->text, cj__seg_unit_name);
    return cj__parse_expected(p, "seconds, minutes, hours, days or weeks");
}

int32_t cj__parse_duration(cj__parser *p, cj__seg_node **out)
{
    const cj__token number = p->lex.token;
    int64_t unit_ms = 0;
    int32_t rc;

    if (number.kind != CJ__LEX_NUMBER)
        return cj__parse_expected(p, "a duration such as `90 days`");
    CJ_TRY(cj__parse_next(p));
    if (p->lex.token.kind == CJ__LEX_NAME)
        unit_ms = cj__seg_unit_ms(p->lex.token.text);
    if (unit_ms == 0)
        return window_unit(p);
    CJ_TRY(cj__seg_duration(p->make, number.begin, number.text, unit_ms, out));
    CJ_TRY(cj__parse_next(p));
    (*out)->end = p->end;
out:
    return rc;
}

static int32_t window_moment(cj__parser *p, cj__seg_node *window)
{
    cj__seg_node *kid;
    int32_t rc;

    if (p->lex.token.kind != CJ__LEX_DATE && p->lex.token.kind != CJ__LEX_TIME)
        return cj__parse_expected(p, "a date such as 2025-03-01");
    CJ_TRY(cj__parse_literal(p, &kid));
    CJ_TRY(cj__seg_add(p->make, window, kid));
out:
    return rc;
}

static int32_t window_duration(cj__parser *p, cj__seg_node *window)
{
    cj__seg_node *kid;
    int32_t rc;

    CJ_TRY(cj__parse_duration(p, &kid));
    CJ_TRY(cj__seg_add(p->make, window, kid));
out:
    return rc;
}

/* The unit of `90 and 30 days ago`, behind the second number. */
static int64_t window_shared_unit(const cj__parser *p)
{
    cj__lexer ahead = p->lex;

    if (cj__lex_next(&ahead) != CJ_OK || ahead.token.kind != CJ__LEX_NAME ||
        !cj__seg_same(ahead.token.text, "and") || cj__lex_next(&ahead) != CJ_OK ||
        ahead.token.kind != CJ__LEX_NUMBER || cj__lex_next(&ahead) != CJ_OK ||
        ahead.token.kind != CJ__LEX_NAME)
        return 0;
    return cj__seg_unit_ms(ahead.token.text);
}

static int32_t window_between(cj__parser *p, cj__seg_node *window)
{
    const cj__token number = p->lex.token;
    const int64_t unit_ms = number.kind == CJ__LEX_NUMBER ? window_shared_unit(p) : 0;
    cj__seg_node *kid;
    int32_t rc;

    if (unit_ms == 0) {
        CJ_TRY(window_duration(p, window));
    } else {
        CJ_TRY(cj__seg_duration(p->make, number.begin, number.text, unit_ms, &kid));
        CJ_TRY(cj__parse_next(p));
        CJ_TRY(cj__seg_add(p->make, window, kid));
    }
    CJ_TRY(cj__parse_expect(p, "and"));
    CJ_TRY(window_duration(p, window));
    CJ_TRY(cj__parse_expect(p, "ago"));
out:
    return rc;
}

static int32_t window_since(cj__parser *p, cj__seg_node *window)
{
    cj__seg_node *event;
    int32_t rc;

    if (!cj__parse_is(p, "last"))
        return window_moment(p, window);
    window->i = CJ__WIN_SINCE_LAST;
    CJ_TRY(cj__parse_next(p));
    CJ_TRY(cj__parse_event(p, &event));
    CJ_TRY(cj__seg_add(p->make, window, event));
out:
    return rc;
}

static int32_t window_from(cj__parser *p, cj__seg_node *window)
{
    int32_t rc;

    CJ_TRY(window_moment(p, window));
    CJ_TRY(cj__parse_expect(p, "to"));
    CJ_TRY(window_moment(p, window));
out:
    return rc;
}

/* "today", "this week", ... */
static int32_t window_fixed(cj__parser *p, cj__seg_node *window)
{
    const cj__text first = p->lex.token.text;
    cj__text second = {"", 0};
    int32_t rc;

    if (cj__parse_is(p, "this") || cj__parse_is(p, "previous")) {
        CJ_TRY(cj__parse_next(p));
        if (p->lex.token.kind == CJ__LEX_NAME)
            second = p->lex.token.text;
    }
    window->i = cj__seg_window_named(first, second);
    if (window->i < 0 &&
        cj__seg_same(first, "this") + cj__seg_same(first, "previous") > 0)
        return cj__parse_expected(p, "`week`, `month` or `year`");
    if (window->i < 0)
        return cj__parse_expected(p, "a window such as `last 90 days`");
    CJ_TRY(cj__parse_next(p));
out:
    return rc;
}

static int32_t window_read(cj__parser *p, cj__seg_node *window)
{
    static const struct {
        const char *word;
        int32_t kind;
        int32_t (*read)(cj__parser *p, cj__seg_node *window);
    } words[] = {
        {"last",    CJ__WIN_LAST,    window_duration},
        {"between", CJ__WIN_BETWEEN, window_between },
        {"since",   CJ__WIN_SINCE,   window_since   },
        {"until",   CJ__WIN_UNTIL,   window_moment  },
        {"from",    CJ__WIN_FROM,    window_from    },
    };
    int32_t rc;

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (cj__parse_is(p, words[i].word)) {
            window->i = words[i].kind;
            CJ_TRY(cj__parse_next(p));
            return words[i].read(p, window);
        }
    }
    return window_fixed(p, window);
out:
    return rc;
}

int32_t cj__parse_window(cj__parser *p, cj__seg_node **out)
{
    cj__seg_node *window;
    int32_t rc;

    *out = NULL;
    CJ_TRY(cj__seg_new(p->make, CJ__SEG_WINDOW, p->lex.token.begin, &window));
    CJ_TRY(window_read(p, window));
    window->end = p->end;
    if (window->i == CJ__WIN_EVER)
        p->make->n_nodes--; /* as if it had not been written */
    else
        *out = window;
out:
    return rc;
}
