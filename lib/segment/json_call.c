/* Arguments of functions in JSON: "args" in the order of the text, each of the shape
 * that its letter asks for; the window beside them. */
#include "segment/json_in.h"

#include "segment/word.h"

#include "base/text.h"

#include <string.h>

/* ---- events
 * -------------------------------------------------------------------------------- */

static int32_t call_flag(const cj__json_value *v, const char *name, int *out)
{
    const cj__json_value *flag = cj__json_get(v, name);

    *out = flag != NULL && flag->kind == CJ__JSON_TRUE;
    if (flag != NULL && flag->kind != CJ__JSON_TRUE && flag->kind != CJ__JSON_FALSE)
        return cj__json_expected(flag, "true or false");
    return CJ_OK;
}

static int32_t call_where(cj__json_in *r, const cj__json_value *filter,
                          cj__seg_node *selector)
{
    cj__seg_node *kid;
    int32_t rc;

    r->in_filter = 1;
    CJ_TRY(cj__json_condition(r, filter, &kid));
    r->in_filter = 0;
    CJ_TRY(cj__seg_add(r->make, selector, kid));
out:
    return rc;
}

/* A word of the language means itself (any, orders, refunds) unless "quoted". */
static int32_t call_event(cj__json_in *r, const cj__json_value *v, cj__seg_node **out)
{
    const cj__json_value *name, *filter = cj__json_get(v, "where");
    int quoted, special;
    int32_t rc;

    CJ_TRY(cj__json_need(v, "event", &name));
    if (name->kind != CJ__JSON_TEXT)
        return cj__json_expected(name, "an event's name");
    CJ_TRY(call_flag(v, "quoted", &quoted));
    special = cj__text_equal(name->text, cj__text_of("any")) ||
              cj__text_equal(name->text, cj__text_of("orders")) ||
              cj__text_equal(name->text, cj__text_of("refunds"));
    CJ_TRY(cj__seg_selector(r->make, v->begin, name->text, quoted || !special, out));
    if (filter != NULL)
        CJ_TRY(call_where(r, filter, *out));
out:
    return rc;
}

static int32_t call_selector(cj__json_in *r, const cj__json_value *v,
                             cj__seg_node **out)
{
    static const char *const keys[] = {"event", "quoted", "where", NULL};
    int32_t rc;

    CJ_TRY(call_event(r, v, out));
    CJ_TRY(cj__json_keys(v, keys));
out:
    return rc;
}

static int32_t call_within(cj__json_in *r, const cj__json_value *v, int64_t *ms_out)
{
    cj__seg_node *duration;
    int32_t rc;

    CJ_TRY(cj__json_duration(r, v, &duration));
    if (duration->i == 0)
        return cj__fail_at(v->begin, CJ_EINVAL, "`within` needs some time");
    *ms_out = duration->i;
    r->make->n_nodes--; /* it is kept in its event */
out:
    return rc;
}

static int32_t call_member(cj__json_in *r, const cj__json_value *v, const char *name,
                           cj__seg_node *node)
{
    const cj__json_value *member;
    cj__seg_node *kid;
    int32_t rc;

    CJ_TRY(cj__json_need(v, name, &member));
    CJ_TRY(call_selector(r, member, &kid));
    CJ_TRY(cj__seg_add(r->make, node, kid));
out:
    return rc;
}

/* {"part": event, "whole": event} */
static int32_t call_share(cj__json_in *r, const cj__json_value *v, cj__seg_node **out)
{
    static const char *const keys[] = {"part", "whole", NULL};
    int32_t rc;

    CJ_TRY(cj__json_keys(v, keys));
    CJ_TRY(cj__seg_new(r->make, CJ__SEG_SHARE, v->begin, out));
    CJ_TRY(call_member(r, v, "part", *out));
    CJ_TRY(call_member(r, v, "whole", *out));
out:
    return rc;
}

/* {"first": event, "second": event, "within": "1 day"} */
static int32_t call_follow(cj__json_in *r, const cj__json_value *v, cj__seg_node **out)
{
    static const char *const keys[] = {"first", "second", "within", NULL};
    const cj__json_value *within;
    int32_t rc;

    CJ_TRY(cj__json_keys(v, keys));
    CJ_TRY(cj__seg_new(r->make, CJ__SEG_FOLLOW, v->begin, out));
    CJ_TRY(call_member(r, v, "first", *out));
    CJ_TRY(call_member(r, v, "second", *out));
    CJ_TRY(cj__json_need(v, "within", &within));
    CJ_TRY(call_within(r, within, &(*out)->i));
out:
    return rc;
}

static int32_t call_step(cj__json_in *r, const cj__json_value *v, int timed,
                         cj__seg_node *steps)
{
    static const char *const keys[] = {"event", "quoted", "where", "within", NULL};
    const cj__json_value *within = cj__json_get(v, "within");
    cj__seg_node *step;
    int32_t rc;

    CJ_TRY(call_event(r, v, &step));
    CJ_TRY(cj__json_keys(v, keys));
    if (within != NULL && (!timed || steps->n_kids == 0))
        return cj__fail_at(within->begin, CJ_EINVAL, "this step has no time");
    if (within != NULL)
        CJ_TRY(call_within(r, within, &step->i2));
    CJ_TRY(cj__seg_add(r->make, steps, step));
out:
    return rc;
}

/* {"steps": [event, ...], "same": "product"}; most: 2 for `without`. */
static int32_t call_steps(cj__json_in *r, const cj__json_value *v, uint32_t most,
                          cj__seg_node **out)
{
    static const char *const keys[] = {"steps", "same", NULL};
    const cj__json_value *steps, *same = cj__json_get(v, "same");
    const char *field = NULL;
    int32_t rc;

    CJ_TRY(cj__json_need(v, "steps", &steps));
    CJ_TRY(cj__json_keys(v, keys));
    if (steps->kind != CJ__JSON_ARRAY || steps->n < 2)
        return cj__json_expected(steps, "a list of at least two events");
    if (steps->n > most)
        return cj__fail_at(steps->begin, CJ_ELIMIT, "these are at most %u steps",
                           (unsigned)most);
    CJ_TRY(cj__seg_new(r->make, CJ__SEG_STEPS, v->begin, out));
    for (const cj__json_value *e = steps->first; e != NULL; e = e->next)
        CJ_TRY(call_step(r, e, most > 2, *out));
    if (same != NULL) {
        if (same->kind == CJ__JSON_TEXT && most > 2)
            field = cj__seg_find(same->text, cj__seg_same_name);
        if (field == NULL)
            return cj__json_expected(
                same, most > 2 ? "product, order, session or campaign" : "no \"same\"");
        (*out)->text = cj__text_of(field);
    }
out:
    return rc;
}

/* ---- other arguments
 * ------------------------------------------------------------------------- */

static int32_t call_count(const cj__json_value *v, const char *name, int64_t *out)
{
    const cj__json_value *count;
    int32_t rc;

    CJ_TRY(cj__json_need(v, name, &count));
    if (count->kind != CJ__JSON_NUMBER ||
        cj__int64_parse(count->text.data, count->text.n, out) != 0 || *out < 1 ||
        *out > CJ__MAX_SEGMENT_PERIODS)
        return cj__fail_at(count->begin, CJ_EINVAL, "a whole number from 1 to %d",
                           CJ__MAX_SEGMENT_PERIODS);
out:
    return rc;
}

/* {"at_least": 3, "of_last": 6, "unit": "months"} */
static int32_t call_periods(cj__json_in *r, const cj__json_value *v, cj__seg_node **out)
{
    static const char *const keys[] = {"at_least", "of_last", "unit", NULL};
    const cj__json_value *unit;
    const char *name = NULL;
    int32_t rc;

    CJ_TRY(cj__json_keys(v, keys));
    CJ_TRY(cj__seg_new(r->make, CJ__SEG_PERIODS, v->begin, out));
    CJ_TRY(call_count(v, "at_least", &(*out)->i));
    CJ_TRY(call_count(v, "of_last", &(*out)->i2));
    CJ_TRY(cj__json_need(v, "unit", &unit));
    if (unit->kind == CJ__JSON_TEXT)
        name = cj__seg_period_named(unit->text);
    if (name == NULL)
        return cj__json_expected(unit, "days, weeks or months");
    (*out)->text = cj__text_of(name);
out:
    return rc;
}

static int32_t call_word(cj__json_in *r, const cj__json_value *v, const char *what,
                         cj__seg_names names, cj__seg_node **out)
{
    const char *name;
    int32_t rc;

    if (v->kind != CJ__JSON_TEXT)
        return cj__json_expected(v, what);
    name = cj__seg_find(v->text, names);
    if (name == NULL)
        return cj__seg_unknown(v->begin, what, v->text, names);
    CJ_TRY(cj__seg_new(r->make, CJ__SEG_WORD, v->begin, out));
    (*out)->text = cj__text_of(name);
out:
    return rc;
}

static int32_t call_channel(cj__json_in *r, const cj__json_value *v, cj__seg_node **out)
{
    int32_t rc;

    CJ_TRY(cj__json_literal_of(r, v, CJ__SEG_TEXT, "a channel", out));
    if ((*out)->i == 0 && cj__seg_is_letters((*out)->text))
        (*out)->op = CJ__SEG_WORD;
out:
    return rc;
}

static int32_t call_exact(cj__json_in *r, const cj__json_value *v, cj__seg_node **out)
{
    if (v->kind != CJ__JSON_TEXT)
        return cj__json_expected(v, "a text in quotes");
    return cj__json_literal(r, v, out);
}

static int32_t call_duration(cj__json_in *r, const cj__json_value *v,
                             cj__seg_node **out)
{
    int32_t rc;

    CJ_TRY(cj__json_literal_of(r, v, CJ__SEG_DURATION, "{\"duration\": \"90 days\"}",
                               out));
    if ((*out)->i == 0)
        return cj__fail_at(v->begin, CJ_EINVAL, "this needs some time");
out:
    return rc;
}

/* "SKU-1", ["SKU-1", "SKU-2"], {"where": filter} */
static int32_t call_bought(cj__json_in *r, const cj__json_value *v, cj__seg_node **out)
{
    static const cj__text order_item = {"order_item", sizeof "order_item" - 1};
    static const char *const keys[] = {"where", NULL};
    const cj__json_value *filter = cj__json_get(v, "where");
    int32_t rc;

    if (v->kind == CJ__JSON_ARRAY)
        return cj__json_list(r, v, out);
    if (filter == NULL)
        return cj__json_literal_of(r, v, CJ__SEG_TEXT, "a product, a list or \"where\"",
                                   out);
    CJ_TRY(cj__json_keys(v, keys));
    CJ_TRY(cj__seg_selector(r->make, v->begin, order_item, 0, out));
    CJ_TRY(call_where(r, filter, *out));
out:
    return rc;
}

static int32_t call_argument(cj__json_in *r, char letter, const cj__json_value *v,
                             cj__seg_node **out)
{
    switch (letter) {
    case 's':
        return call_selector(r, v, out);
    case 'f':
        return cj__json_field(r, v, out);
    case 'h':
        return call_share(r, v, out);
    case 'q':
        return call_steps(r, v, CJ__MAX_SEGMENT_STEPS, out);
    case 'u':
        return call_steps(r, v, 2, out);
    case 'w':
        return call_follow(r, v, out);
    case 'p':
        return call_periods(r, v, out);
    case 't':
        return cj__json_literal_of(r, v, CJ__SEG_TEXT, "a text in quotes", out);
    case 'x':
        return call_exact(r, v, out);
    case 'n':
        return cj__json_literal_of(r, v, CJ__SEG_NUMBER, "a number", out);
    case '%':
        return cj__json_literal_of(r, v, CJ__SEG_PERCENT, "{\"percent\": 10}", out);
    case 'd':
        return call_duration(r, v, out);
    case 'e':
        return cj__json_condition(r, v, out);
    case 'r':
        return cj__json_trait(r, v, out);
    case 'b':
        return call_bought(r, v, out);
    case 'k':
        return call_word(r, v, "identifier kind", cj__seg_kind_name, out);
    case 'g':
        return call_word(r, v, "stage", cj__seg_stage_name, out);
    default: /* c */
        return call_channel(r, v, out);
    }
}

/* ---- windows
 * ---------------------------------------------------------------------------------- */

static int32_t call_between(cj__json_in *r, const cj__json_value *v,
                            cj__seg_node *window)
{
    cj__seg_node *kid;
    int32_t rc = CJ_OK;

    if (v->kind != CJ__JSON_ARRAY || v->n != 2)
        return cj__json_expected(v, "two durations, the longer first");
    for (const cj__json_value *e = v->first; e != NULL; e = e->next) {
        CJ_TRY(cj__json_duration(r, e, &kid));
        CJ_TRY(cj__seg_add(r->make, window, kid));
    }
out:
    return rc;
}

static int32_t call_from(cj__json_in *r, const cj__json_value *from,
                         const cj__json_value *to, cj__seg_node *window)
{
    cj__seg_node *kid;
    int32_t rc;

    CJ_TRY(cj__json_moment(r, from, &kid));
    CJ_TRY(cj__seg_add(r->make, window, kid));
    if (to != NULL) {
        CJ_TRY(cj__json_moment(r, to, &kid));
        CJ_TRY(cj__seg_add(r->make, window, kid));
    }
out:
    return rc;
}

static int32_t call_window_of(cj__json_in *r, const cj__json_value *object,
                              const cj__json_value *v, cj__seg_node *window)
{
    const cj__json_value *to = NULL;
    cj__seg_node *kid;
    int32_t rc;

    switch (window->i) {
    case CJ__WIN_BETWEEN:
        return call_between(r, v, window);
    case CJ__WIN_FROM:
        CJ_TRY(cj__json_need(object, "to", &to));
        return call_from(r, v, to, window);
    case CJ__WIN_SINCE:
    case CJ__WIN_UNTIL:
        return call_from(r, v, NULL, window);
    case CJ__WIN_SINCE_LAST:
        CJ_TRY(call_selector(r, v, &kid));
        if (kid->n_kids > 0)
            return cj__json_expected(v, "an event without \"where\"");
        break;
    default:
        CJ_TRY(cj__json_duration(r, v, &kid));
    }
    CJ_TRY(cj__seg_add(r->make, window, kid));
out:
    return rc;
}

/* "this week": one word or two. */
static int32_t call_window_words(const cj__json_value *v, cj__seg_node *window)
{
    const char *blank = memchr(v->text.data, ' ', v->text.n);
    cj__text first = v->text, second = {"", 0};

    if (blank != NULL) {
        first.n = (size_t)(blank - first.data);
        second = (cj__text){blank + 1, v->text.n - first.n - 1};
    }
    window->i = cj__seg_window_named(first, second);
    if (window->i < 0)
        return cj__json_expected(v, "a window such as {\"last\": \"90 days\"}");
    return CJ_OK;
}

static int32_t call_window(cj__json_in *r, const cj__json_value *v,
                           cj__seg_node *window)
{
    static const struct {
        const char *key, *second;
        int32_t kind;
    } forms[] = {
        {"last",       NULL, CJ__WIN_LAST      },
        {"between",    NULL, CJ__WIN_BETWEEN   },
        {"since",      NULL, CJ__WIN_SINCE     },
        {"since_last", NULL, CJ__WIN_SINCE_LAST},
        {"until",      NULL, CJ__WIN_UNTIL     },
        {"from",       "to", CJ__WIN_FROM      },
    };
    int32_t rc;

    if (v->kind == CJ__JSON_TEXT)
        return call_window_words(v, window);
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        const cj__json_value *value = cj__json_get(v, forms[i].key);
        const char *const keys[] = {forms[i].key, forms[i].second, NULL};

        if (value == NULL)
            continue;
        CJ_TRY(cj__json_keys(v, keys));
        window->i = forms[i].kind;
        return call_window_of(r, v, value, window);
    }
    return cj__json_expected(v, "a window such as {\"last\": \"90 days\"}");
out:
    return rc;
}

/* ---- the call
 * -----------------------------------------------------------------------------------
 */

static int32_t call_add_window(cj__json_in *r, const cj__json_value *v,
                               cj__seg_node *call)
{
    cj__seg_node *window;
    int32_t rc;

    if (v == NULL)
        return CJ_OK;
    if (!cj__seg_functions[call->i].window)
        return cj__fail_at(v->begin, CJ_EINVAL, "%s has no window",
                           cj__seg_functions[call->i].name);
    CJ_TRY(cj__seg_new(r->make, CJ__SEG_WINDOW, v->begin, &window));
    CJ_TRY(call_window(r, v, window));
    if (window->i == CJ__WIN_EVER)
        r->make->n_nodes--;
    else
        CJ_TRY(cj__seg_add(r->make, call, window));
out:
    return rc;
}

static int32_t call_arguments(cj__json_in *r, const cj__json_value *args,
                              const cj__json_value *object, cj__seg_node *call)
{
    const cj__json_value *v = args == NULL ? NULL : args->first;
    const char *letter = cj__seg_functions[call->i].arguments;
    cj__seg_node *kid;
    int32_t rc = CJ_OK;

    if (args != NULL && args->kind != CJ__JSON_ARRAY)
        return cj__json_expected(args, "a list of arguments");
    for (; *letter != '\0'; letter++) {
        const int optional = letter[1] == '?';

        if (v == NULL && !optional)
            return cj__fail_at(args != NULL ? args->begin : object->begin, CJ_EINVAL,
                               "%s needs more \"args\"",
                               cj__seg_functions[call->i].name);
        if (v != NULL) {
            CJ_TRY(call_argument(r, *letter, v, &kid));
            CJ_TRY(cj__seg_add(r->make, call, kid));
            v = v->next;
        }
        letter += optional;
    }
    if (v != NULL)
        return cj__fail_at(v->begin, CJ_EINVAL, "%s takes no more arguments",
                           cj__seg_functions[call->i].name);
out:
    return rc;
}

int32_t cj__json_call(cj__json_in *r, const cj__json_value *v, cj__seg_node **out)
{
    static const char *const keys[] = {"call", "args", "window", NULL};
    const cj__json_value *name = cj__json_get(v, "call");
    int32_t rc;

    CJ_TRY(cj__json_keys(v, keys));
    if (name->kind != CJ__JSON_TEXT)
        return cj__json_expected(name, "a function's name");
    CJ_TRY(cj__seg_new(r->make, CJ__SEG_CALL, v->begin, out));
    (*out)->i = cj__seg_function_named(name->text);
    if ((*out)->i < 0)
        return cj__seg_unknown(name->begin, "function", name->text,
                               cj__seg_function_name);
    CJ_TRY(call_arguments(r, cj__json_get(v, "args"), v, *out));
    CJ_TRY(call_add_window(r, cj__json_get(v, "window"), *out));
out:
    return rc;
}
