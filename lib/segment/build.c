/* See build.h.  Texts of nodes are slices of what was read, or in the arena; numbers
 * keep the text from which their double was read. */
#include "segment/build.h"

#include "base/text.h"
#include "base/time.h"
#include "segment/path.h"
#include "segment/word.h"
#include "store/store.h"

#include <stdio.h>
#include <string.h>

#define BUILD_DAY_MS INT64_C(86400000)

/* ---- nodes -------------------------------------------------------------------------
 */

int32_t cj__seg_new(cj__seg_maker *m, int32_t op, uint32_t begin, cj__seg_node **out)
{
    cj__seg_node *node;

    if (!m->in_list && ++m->n_nodes > CJ__MAX_SEGMENT_NODES)
        return cj__fail_at(begin, CJ_ELIMIT, "a segment has at most %d parts",
                           CJ__MAX_SEGMENT_NODES);
    node = cj__arena_alloc(m->arena, sizeof *node);
    if (node == NULL)
        return CJ_ENOMEM;
    memset(node, 0, sizeof *node);
    node->op = op;
    node->begin = node->end = begin;
    *out = node;
    return CJ_OK;
}

/* The room doubles whenever the number of kids is a power of two, so it need not be
 * kept; the arena holds twice what is used at most. */
int32_t cj__seg_add(cj__seg_maker *m, cj__seg_node *to, cj__seg_node *kid)
{
    const uint32_t n = to->n_kids;

    if (to->op == CJ__SEG_LIST && n == CJ__MAX_SEGMENT_LIST)
        return cj__fail_at(kid->begin, CJ_ELIMIT,
                           "a list has at most %d values: make a static list of it",
                           CJ__MAX_SEGMENT_LIST);
    if ((n & (n - 1)) == 0) {
        cj__seg_node **kids =
            cj__arena_alloc(m->arena, (n == 0 ? 1 : 2 * (size_t)n) * sizeof *kids);

        if (kids == NULL)
            return CJ_ENOMEM;
        if (n > 0)
            memcpy(kids, to->kids, n * sizeof *kids);
        to->kids = kids;
    }
    to->kids[to->n_kids++] = kid;
    return CJ_OK;
}

int32_t cj__seg_over(cj__seg_maker *m, int32_t op, cj__seg_node *a, cj__seg_node *b,
                     cj__seg_node **out)
{
    cj__seg_node *node;
    int32_t rc;

    CJ_TRY(cj__seg_new(m, op, a->begin, &node));
    CJ_TRY(cj__seg_add(m, node, a));
    node->end = a->end;
    if (b != NULL) {
        CJ_TRY(cj__seg_add(m, node, b));
        node->end = b->end;
    }
    *out = node;
out:
    return rc;
}

int32_t cj__seg_join(cj__seg_maker *m, cj__seg_node *to, cj__seg_node *kid)
{
    int32_t rc = CJ_OK;

    if (kid->op != to->op)
        return cj__seg_add(m, to, kid);
    for (uint32_t k = 0; k < kid->n_kids; k++)
        CJ_TRY(cj__seg_add(m, to, kid->kids[k]));
    m->n_nodes--;
out:
    return rc;
}

static int build_is_zero(cj__text number)
{
    return number.n == 1 && number.data[0] == '0';
}

/* "5" to "-5" and back; zero has no sign. */
static int32_t build_minus(cj__seg_maker *m, cj__text *number)
{
    char *to;

    if (number->data[0] == '-') {
        *number = (cj__text){number->data + 1, number->n - 1};
        return CJ_OK;
    }
    if (build_is_zero(*number))
        return CJ_OK;
    to = cj__arena_alloc(m->arena, number->n + 1);
    if (to == NULL)
        return CJ_ENOMEM;
    to[0] = '-';
    memcpy(to + 1, number->data, number->n);
    *number = (cj__text){to, number->n + 1};
    return CJ_OK;
}

int32_t cj__seg_negate(cj__seg_maker *m, uint32_t begin, cj__seg_node *kid,
                       cj__seg_node **out)
{
    int32_t rc = CJ_OK;

    if (kid->op == CJ__SEG_NUMBER || kid->op == CJ__SEG_PERCENT) {
        CJ_TRY(build_minus(m, &kid->text));
        kid->d = build_is_zero(kid->text) ? 0 : -kid->d;
        *out = kid;
    } else if (kid->op == CJ__SEG_MONEY) {
        kid->i = -kid->i;
        *out = kid;
    } else {
        CJ_TRY(cj__seg_over(m, CJ__SEG_NEGATE, kid, NULL, out));
    }
    (*out)->begin = begin;
out:
    return rc;
}

/* ---- numbers and money --------------------------------------------------------------
 */

/* "007.50" is "7.5": without zeros that say nothing; a slice. */
static int32_t build_digits(uint32_t begin, cj__text *text)
{
    const char *point = memchr(text->data, '.', text->n);

    if (text->n > CJ__MAX_SEGMENT_NUMBER)
        return cj__fail_at(begin, CJ_ELIMIT, "a number has at most %d digits",
                           CJ__MAX_SEGMENT_NUMBER);
    while (point != NULL && text->data[text->n - 1] == '0')
        text->n--;
    if (text->data[text->n - 1] == '.')
        text->n--;
    while (text->n > 1 && text->data[0] == '0' && text->data[1] != '.') {
        text->data++;
        text->n--;
    }
    return CJ_OK;
}

static int32_t build_real(cj__seg_maker *m, int32_t op, uint32_t begin, cj__text text,
                          cj__seg_node **out)
{
    char shifted[CJ__MAX_SEGMENT_NUMBER + 8];
    int n;
    int32_t rc;

    CJ_TRY(cj__seg_new(m, op, begin, out));
    CJ_TRY(build_digits(begin, &text));
    n = snprintf(shifted, sizeof shifted, "%.*s%s", (int)text.n, text.data,
                 op == CJ__SEG_PERCENT ? "e-2" : "");
    if (cj__number_read(shifted, (size_t)n, &(*out)->d) != 0)
        return cj__fail_at(begin, CJ_EINVAL, "this is not a number");
    (*out)->text = text;
out:
    return rc;
}

int32_t cj__seg_number(cj__seg_maker *m, uint32_t begin, cj__text text,
                       cj__seg_node **out)
{
    return build_real(m, CJ__SEG_NUMBER, begin, text, out);
}

int32_t cj__seg_percent(cj__seg_maker *m, uint32_t begin, cj__text text,
                        cj__seg_node **out)
{
    return build_real(m, CJ__SEG_PERCENT, begin, text, out);
}

int32_t cj__seg_money(cj__seg_maker *m, uint32_t begin, cj__text text, cj__text code,
                      cj__seg_node **out)
{
    const int exponent = m->db->currency_exponent;
    const char *point;
    int32_t rc;

    CJ_TRY(cj__seg_new(m, CJ__SEG_MONEY, begin, out));
    if (!cj__text_equal(code, cj__text_of(m->db->currency)))
        return cj__fail_at(begin, CJ_ECURRENCY,
                           "this is %.3s, and the store counts in %s", code.data,
                           m->db->currency);
    CJ_TRY(build_digits(begin, &text));
    point = memchr(text.data, '.', text.n);
    if (point != NULL && text.data + text.n - point - 1 > exponent)
        return cj__fail_at(begin, CJ_EINVAL, "%s has %d digits behind the point",
                           m->db->currency, exponent);
    if (cj__decimal_minor(text.data, text.n, exponent, &(*out)->i) != 0)
        return cj__fail_at(begin, CJ_EINVAL, "this is more money than can be counted");
    (*out)->text = cj__text_of(m->db->currency);
out:
    return rc;
}

/* ---- time
 * ----------------------------------------------------------------------------- */

void cj__seg_put_duration(int64_t ms, char *to)
{
    static const struct {
        int64_t ms;
        const char *name;
    } units[] = {
        {BUILD_DAY_MS, "day"   },
        {3600000,      "hour"  },
        {60000,        "minute"}
    };
    int64_t unit = 1000;
    const char *name = "second";

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (ms % units[i].ms == 0) {
            unit = units[i].ms;
            name = units[i].name;
            break;
        }
    }
    snprintf(to, CJ__DURATION, "%lld %s%s", (long long)(ms / unit), name,
             ms / unit == 1 ? "" : "s");
}

int32_t cj__seg_duration_of(cj__seg_maker *m, uint32_t begin, int64_t ms,
                            cj__seg_node **out)
{
    char text[CJ__DURATION];
    int32_t rc;

    CJ_TRY(cj__seg_new(m, CJ__SEG_DURATION, begin, out));
    cj__seg_put_duration(ms, text);
    (*out)->i = ms;
    (*out)->text.n = strlen(text);
    (*out)->text.data = cj__arena_text(m->arena, text, (*out)->text.n);
    if ((*out)->text.data == NULL)
        rc = CJ_ENOMEM;
out:
    return rc;
}

int32_t cj__seg_duration(cj__seg_maker *m, uint32_t begin, cj__text text,
                         int64_t unit_ms, cj__seg_node **out)
{
    const int64_t most = CJ__MAX_SEGMENT_DAYS * BUILD_DAY_MS / unit_ms;
    int64_t value = 0;

    for (size_t i = 0; i < text.n; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return cj__fail_at(begin, CJ_EINVAL, "a duration is a whole number");
        value = value * 10 + (text.data[i] - '0');
        if (value > most)
            return cj__fail_at(begin, CJ_ELIMIT, "a duration has at most %d days",
                               CJ__MAX_SEGMENT_DAYS);
    }
    return cj__seg_duration_of(m, begin, value * unit_ms, out);
}

static int64_t build_part(const char *digits, int n)
{
    int64_t value = 0;

    for (int i = 0; i < n; i++)
        value = value * 10 + (digits[i] - '0');
    return value;
}

int32_t cj__seg_moment(cj__seg_maker *m, uint32_t begin, cj__text text,
                       cj__seg_node **out)
{
    const int is_date = text.n == 10;
    int32_t rc;

    CJ_TRY(cj__seg_new(m, is_date ? CJ__SEG_DATE : CJ__SEG_TIME, begin, out));
    (*out)->text = text;
    if (cj__time_parse(text.data, text.n, m->db->zone, &(*out)->i) != 0)
        return cj__fail_at(begin, CJ_EINVAL,
                           is_date ? "there is no such date"
                                   : "no such time: write 2025-03-01T10:30, +01:00 if "
                                     "not local");
    if (is_date)
        (*out)->i = cj__zone_day_start(
            m->db->zone, cj__civil_to_day(build_part(text.data, 4),
                                          (int)build_part(text.data + 5, 2),
                                          (int)build_part(text.data + 8, 2)));
out:
    return rc;
}

int32_t cj__seg_text(cj__seg_maker *m, uint32_t begin, cj__text text, int fold,
                     cj__seg_node **out)
{
    int32_t rc;

    CJ_TRY(cj__seg_new(m, CJ__SEG_TEXT, begin, out));
    (*out)->text = text;
    (*out)->i = fold;
out:
    return rc;
}

/* ---- names
 * ---------------------------------------------------------------------------- */

/* What goes deeper than JSON does is nowhere. */
static int32_t build_path(uint32_t begin, cj__text path)
{
    size_t n = 1;

    for (size_t i = 0; i < path.n; i++)
        n += path.data[i] == '.' || path.data[i] == '[';
    if (n > CJ__MAX_JSON_DEPTH)
        return cj__fail_at(begin, CJ_ELIMIT, "a path has at most %d parts",
                           CJ__MAX_JSON_DEPTH);
    return CJ_OK;
}

int32_t cj__seg_trait(cj__seg_maker *m, uint32_t begin, cj__text text, int quoted,
                      cj__seg_node **out)
{
    int32_t rc;

    CJ_TRY(cj__seg_new(m, CJ__SEG_TRAIT, begin, out));
    if (text.n == 0)
        return cj__fail_at(begin, CJ_EINVAL, "a trait has a name");
    if (!quoted)
        CJ_TRY(build_path(begin, text));
    (*out)->text = text;
    (*out)->i = quoted && !cj__seg_is_name(text);
out:
    return rc;
}

/* Quotes stay where a name would mean something else without them. */
int32_t cj__seg_selector(cj__seg_maker *m, uint32_t begin, cj__text text, int quoted,
                         cj__seg_node **out)
{
    const int any = cj__seg_same(text, "any");
    const int special = cj__text_equal(text, cj__text_of("orders")) ||
                        cj__text_equal(text, cj__text_of("refunds"));
    int32_t rc;

    CJ_TRY(cj__seg_new(m, CJ__SEG_SELECTOR, begin, out));
    if (text.n == 0)
        return cj__fail_at(begin, CJ_EINVAL, "an event has a name");
    if (text.n > CJ__MAX_NAME)
        return cj__fail_at(begin, CJ_ELIMIT,
                           "the name of an event has at most %d bytes", CJ__MAX_NAME);
    (*out)->text = any && !quoted ? (cj__text){"", 0} : text;
    (*out)->i = quoted && (special || !cj__seg_is_name(text));
out:
    return rc;
}

int32_t cj__seg_field(cj__seg_maker *m, uint32_t begin, cj__text text, int property,
                      cj__seg_node **out)
{
    const cj__seg_field_row *field = property ? NULL : cj__seg_field_named(text);
    int32_t rc;

    CJ_TRY(cj__seg_new(m, CJ__SEG_FIELD, begin, out));
    if (!property && field == NULL)
        return cj__seg_unknown(begin, "field", text, cj__seg_field_name);
    if (property)
        CJ_TRY(build_path(begin, text));
    (*out)->text = property ? text : cj__text_of(field->name);
    (*out)->i = property;
out:
    return rc;
}

int32_t cj__seg_channel(cj__seg_maker *m, uint32_t begin, cj__text text, int fold,
                        cj__seg_node **out)
{
    int32_t rc;

    CJ_TRY(cj__seg_text(m, begin, text, fold, out));
    if (!fold && cj__seg_is_letters(text))
        (*out)->op = CJ__SEG_WORD;
out:
    return rc;
}
