/* Calls: the arguments of a function, as the letters of its row say; which events are
 * meant, and what they must be like. */
#include "segment/parse.h"

#include "base/text.h"
#include "segment/word.h"

/* ---- events
 * ---------------------------------------------------------------------------- */

int32_t cj__parse_event(cj__parser *p, cj__seg_node **out)
{
    const cj__token token = p->lex.token;
    int32_t rc;

    if (token.kind == CJ__LEX_TEXT && token.fold)
        return cj__fail_at(token.begin, CJ_EINVAL,
                           "names of events are exact: write it without i");
    if (token.kind != CJ__LEX_TEXT &&
        !(token.kind == CJ__LEX_NAME &&
          (cj__seg_is_name(token.text) || cj__parse_is(p, "any"))))
        return cj__parse_expected(p, "an event's name or `any`");
    CJ_TRY(cj__seg_selector(p->make, token.begin, token.text,
                            token.kind == CJ__LEX_TEXT, out));
    CJ_TRY(cj__parse_next(p));
    (*out)->end = p->end;
out:
    return rc;
}

int32_t cj__parse_where(cj__parser *p, cj__seg_node *selector)
{
    cj__seg_node *filter;
    int32_t rc;

    CJ_TRY(cj__parse_next(p));
    p->in_filter = 1;
    CJ_TRY(cj__parse_or(p, &filter));
    p->in_filter = 0;
    CJ_TRY(cj__seg_add(p->make, selector, filter));
    selector->end = p->end;
out:
    return rc;
}

int32_t cj__parse_selector(cj__parser *p, cj__seg_node **out)
{
    int32_t rc;

    CJ_TRY(cj__parse_event(p, out));
    if (cj__parse_is(p, "where"))
        CJ_TRY(cj__parse_where(p, *out));
out:
    return rc;
}

int32_t cj__parse_field(cj__parser *p, cj__seg_node **out)
{
    const cj__token token = p->lex.token;
    cj__text path;
    int32_t rc;

    if (token.kind != CJ__LEX_NAME || cj__seg_is_reserved(token.text))
        return cj__parse_expected(p, "a field such as channel or properties.size");
    if (!cj__parse_is(p, "properties")) {
        CJ_TRY(cj__seg_field(p->make, token.begin, token.text, 0, out));
        CJ_TRY(cj__parse_next(p));
    } else if (cj__lex_ahead(&p->lex) != '.') {
        return cj__fail_at(token.begin, CJ_EINVAL,
                           "name the property: properties.size");
    } else {
        CJ_TRY(cj__parse_path(p, 1, &path));
        path.data += sizeof "properties." - 1;
        path.n -= sizeof "properties." - 1;
        CJ_TRY(cj__seg_field(p->make, token.begin, path, 1, out));
    }
    (*out)->end = p->end;
out:
    return rc;
}

/* ---- several events
 * ------------------------------------------------------------------- */

/* Of a duration after `within`, the milliseconds. */
static int32_t call_within(cj__parser *p, int64_t *ms_out)
{
    cj__seg_node *duration;
    int32_t rc;

    CJ_TRY(cj__parse_expect(p, "within"));
    CJ_TRY(cj__parse_duration(p, &duration));
    if (duration->i == 0)
        return cj__fail_at(duration->begin, CJ_EINVAL, "`within` needs some time");
    *ms_out = duration->i;
    p->make->n_nodes--; /* it is kept in its event */
out:
    return rc;
}

static int32_t call_share(cj__parser *p, cj__seg_node **out)
{
    cj__seg_node *part, *whole;
    int32_t rc;

    CJ_TRY(cj__parse_selector(p, &part));
    CJ_TRY(cj__parse_expect(p, "of"));
    CJ_TRY(cj__parse_selector(p, &whole));
    CJ_TRY(cj__seg_over(p->make, CJ__SEG_SHARE, part, whole, out));
out:
    return rc;
}

static int32_t call_follow(cj__parser *p, cj__seg_node **out)
{
    cj__seg_node *first, *second;
    int32_t rc;

    CJ_TRY(cj__parse_selector(p, &first));
    CJ_TRY(cj__parse_expect(p, "by"));
    CJ_TRY(cj__parse_selector(p, &second));
    CJ_TRY(cj__seg_over(p->make, CJ__SEG_FOLLOW, first, second, out));
    CJ_TRY(call_within(p, &(*out)->i));
    (*out)->end = p->end;
out:
    return rc;
}

/* ", same product": a comma without it belongs to the next argument. */
static int32_t call_same(cj__parser *p, cj__seg_node *steps)
{
    cj__lexer ahead = p->lex;
    const char *field;
    int32_t rc;

    if (!cj__parse_is_sign(p, ",") || cj__lex_next(&ahead) != CJ_OK ||
        ahead.token.kind != CJ__LEX_NAME || !cj__seg_same(ahead.token.text, "same"))
        return CJ_OK;
    CJ_TRY(cj__parse_next(p));
    CJ_TRY(cj__parse_next(p));
    if (p->lex.token.kind != CJ__LEX_NAME)
        return cj__parse_expected(p, "product, order, session or campaign");
    field = cj__seg_find(p->lex.token.text, cj__seg_same_name);
    if (field == NULL)
        return cj__seg_unknown(p->lex.token.begin, "field to stay the same",
                               p->lex.token.text, cj__seg_same_name);
    steps->text = cj__text_of(field);
    CJ_TRY(cj__parse_next(p));
    steps->end = p->end;
out:
    return rc;
}

/* most: 2 for `without`, whose steps have no time. */
static int32_t call_steps(cj__parser *p, uint32_t most, cj__seg_node **out)
{
    cj__seg_node *step;
    int32_t rc;

    CJ_TRY(cj__seg_new(p->make, CJ__SEG_STEPS, p->lex.token.begin, out));
    CJ_TRY(cj__parse_selector(p, &step));
    CJ_TRY(cj__seg_add(p->make, *out, step));
    if (!cj__parse_is_sign(p, "->"))
        return cj__parse_expected(p, "`->` and the next event");
    while ((*out)->n_kids < most && cj__parse_is_sign(p, "->")) {
        CJ_TRY(cj__parse_next(p));
        CJ_TRY(cj__parse_selector(p, &step));
        if (most > 2 && cj__parse_is(p, "within"))
            CJ_TRY(call_within(p, &step->i2));
        step->end = p->end;
        CJ_TRY(cj__seg_add(p->make, *out, step));
    }
    if (most > 2 && cj__parse_is_sign(p, "->"))
        return cj__fail_at(p->lex.token.begin, CJ_ELIMIT,
                           "a sequence has at most %u steps", (unsigned)most);
    (*out)->end = p->end;
    if (most > 2)
        CJ_TRY(call_same(p, *out));
out:
    return rc;
}

/* ---- other arguments
 * -------------------------------------------------------------------- */

static int32_t call_count(cj__parser *p, int64_t *out)
{
    int32_t rc;

    if (p->lex.token.kind != CJ__LEX_NUMBER)
        return cj__parse_expected(p, "a whole number: `3 of last 6 months`");
    if (cj__int64_parse(p->lex.token.text.data, p->lex.token.text.n, out) != 0 ||
        *out < 1 || *out > CJ__MAX_SEGMENT_PERIODS)
        return cj__fail_at(p->lex.token.begin, CJ_EINVAL, "a whole number from 1 to %d",
                           CJ__MAX_SEGMENT_PERIODS);
    CJ_TRY(cj__parse_next(p));
out:
    return rc;
}

/* "3 of last 6 months" */
static int32_t call_periods(cj__parser *p, cj__seg_node **out)
{
    cj__text unit;
    const char *name;
    int32_t rc;

    CJ_TRY(cj__seg_new(p->make, CJ__SEG_PERIODS, p->lex.token.begin, out));
    CJ_TRY(call_count(p, &(*out)->i));
    CJ_TRY(cj__parse_expect(p, "of"));
    CJ_TRY(cj__parse_expect(p, "last"));
    CJ_TRY(call_count(p, &(*out)->i2));
    if (p->lex.token.kind != CJ__LEX_NAME)
        return cj__parse_expected(p, "days, weeks or months");
    unit = p->lex.token.text;
    name = cj__seg_period_named(unit);
    if (name == NULL)
        return cj__seg_unknown(p->lex.token.begin, "period", unit, cj__seg_period_name);
    (*out)->text = cj__text_of(name);
    CJ_TRY(cj__parse_next(p));
    (*out)->end = p->end;
out:
    return rc;
}

static int32_t call_text(cj__parser *p, cj__seg_node **out)
{
    if (p->lex.token.kind != CJ__LEX_TEXT)
        return cj__parse_expected(p, "a text in \"quotes\"");
    return cj__parse_literal(p, out);
}

static int32_t call_exact_text(cj__parser *p, cj__seg_node **out)
{
    if (p->lex.token.kind == CJ__LEX_TEXT && p->lex.token.fold)
        return cj__fail_at(p->lex.token.begin, CJ_EINVAL,
                           "this name is exact: write it without i");
    return call_text(p, out);
}

static int32_t call_percent(cj__parser *p, cj__seg_node **out)
{
    const cj__token token = p->lex.token;
    int32_t rc;

    if (token.kind != CJ__LEX_NUMBER)
        return cj__parse_expected(p, "a share such as `10 %`");
    CJ_TRY(cj__parse_literal(p, out));
    if ((*out)->op != CJ__SEG_PERCENT)
        return cj__fail_at(token.begin, CJ_EINVAL,
                           "%.*s is not a share: write `%.*s %%`",
                           token.text.n < 20 ? (int)token.text.n : 20, token.text.data,
                           token.text.n < 20 ? (int)token.text.n : 20, token.text.data);
out:
    return rc;
}

static int32_t call_duration(cj__parser *p, cj__seg_node **out)
{
    int32_t rc;

    CJ_TRY(cj__parse_duration(p, out));
    if ((*out)->i == 0)
        return cj__fail_at((*out)->begin, CJ_EINVAL, "this needs some time");
out:
    return rc;
}

/* A bare word of a table (names), or a channel, which may be anybody's (NULL). */
static int32_t call_word(cj__parser *p, const char *what, cj__seg_names names,
                         cj__seg_node **out)
{
    const cj__token token = p->lex.token;
    const char *name;
    int32_t rc;

    if (token.kind != CJ__LEX_NAME && (names != NULL || token.kind != CJ__LEX_TEXT))
        return cj__parse_expected(p, what);
    if (names == NULL) {
        CJ_TRY(cj__seg_channel(p->make, token.begin, token.text, token.fold, out));
    } else {
        CJ_TRY(cj__seg_new(p->make, CJ__SEG_WORD, token.begin, out));
        name = cj__seg_find(token.text, names);
        if (name == NULL)
            return cj__seg_unknown(token.begin, what, token.text, names);
        (*out)->text = cj__text_of(name);
    }
    CJ_TRY(cj__parse_next(p));
    (*out)->end = p->end;
out:
    return rc;
}

static int32_t call_bought(cj__parser *p, cj__seg_node **out)
{
    static const cj__text order_item = {"order_item", sizeof "order_item" - 1};
    int32_t rc;

    if (cj__parse_is_sign(p, "("))
        return cj__parse_list(p, out);
    if (!cj__parse_is(p, "where")) {
        if (p->lex.token.kind != CJ__LEX_TEXT)
            return cj__parse_expected(p, "a product in \"quotes\", a list or `where`");
        return cj__parse_literal(p, out);
    }
    CJ_TRY(cj__seg_selector(p->make, p->lex.token.begin, order_item, 0, out));
    CJ_TRY(cj__parse_where(p, *out));
out:
    return rc;
}

static int32_t call_trait(cj__parser *p, cj__seg_node **out)
{
    const cj__token token = p->lex.token;
    int32_t rc;

    if (token.kind != CJ__LEX_NAME)
        return cj__parse_expected(p, "a trait's name");
    CJ_TRY(cj__parse_sum(p, out));
    if ((*out)->op != CJ__SEG_TRAIT)
        return cj__fail_at(token.begin, CJ_EINVAL, "this must be a trait's name");
out:
    return rc;
}

static int32_t call_argument(cj__parser *p, char letter, cj__seg_node **out)
{
    switch (letter) {
    case 's':
        return cj__parse_selector(p, out);
    case 'f':
        return cj__parse_field(p, out);
    case 'h':
        return call_share(p, out);
    case 'q':
        return call_steps(p, CJ__MAX_SEGMENT_STEPS, out);
    case 'u':
        return call_steps(p, 2, out);
    case 'w':
        return call_follow(p, out);
    case 'p':
        return call_periods(p, out);
    case 't':
        return call_text(p, out);
    case 'x':
        return call_exact_text(p, out);
    case 'n':
        return cj__parse_plain_number(p, out);
    case '%':
        return call_percent(p, out);
    case 'd':
        return call_duration(p, out);
    case 'e':
        return cj__parse_sum(p, out);
    case 'r':
        return call_trait(p, out);
    case 'b':
        return call_bought(p, out);
    case 'k':
        return call_word(p, "identifier kind", cj__seg_kind_name, out);
    case 'g':
        return call_word(p, "stage", cj__seg_stage_name, out);
    default: /* c */
        return call_word(p, "a channel", NULL, out);
    }
}

/* ---- the call
 * ----------------------------------------------------------------------------- */

static int32_t call_comma(cj__parser *p, const cj__seg_node *call)
{
    if (call->n_kids == 0)
        return CJ_OK;
    if (!cj__parse_is_sign(p, ","))
        return cj__parse_expected(p, cj__parse_is_sign(p, ")") ? "`,` and more"
                                                               : "`,` or `)`");
    return cj__parse_next(p);
}

static int32_t call_arguments(cj__parser *p, const char *letters, cj__seg_node *call)
{
    cj__seg_node *kid;
    int32_t rc = CJ_OK;

    for (; *letters != '\0'; letters++) {
        if (letters[1] == '?' && cj__parse_is_sign(p, ")"))
            return CJ_OK;
        CJ_TRY(call_comma(p, call));
        CJ_TRY(call_argument(p, *letters, &kid));
        CJ_TRY(cj__seg_add(p->make, call, kid));
        letters += letters[1] == '?';
    }
out:
    return rc;
}

static int32_t call_window(cj__parser *p, cj__seg_node *call)
{
    cj__seg_node *window;
    int32_t rc;

    if (cj__parse_is_sign(p, ")"))
        return CJ_OK;
    CJ_TRY(call_comma(p, call));
    CJ_TRY(cj__parse_window(p, &window));
    if (window != NULL)
        CJ_TRY(cj__seg_add(p->make, call, window));
out:
    return rc;
}

int32_t cj__parse_call(cj__parser *p, int32_t function, cj__seg_node **out)
{
    const cj__seg_function *row = &cj__seg_functions[function];
    int32_t rc;

    CJ_TRY(cj__parse_enter(p));
    CJ_TRY(cj__seg_new(p->make, CJ__SEG_CALL, p->lex.token.begin, out));
    (*out)->i = function;
    CJ_TRY(cj__parse_next(p));
    CJ_TRY(cj__parse_next(p)); /* the bracket: it was seen */
    CJ_TRY(call_arguments(p, row->arguments, *out));
    if (row->window)
        CJ_TRY(call_window(p, *out));
    if (!cj__parse_is_sign(p, ")"))
        return cj__parse_expected(p, "`)`");
    CJ_TRY(cj__parse_next(p));
    (*out)->end = p->end;
    p->depth--;
out:
    return rc;
}
