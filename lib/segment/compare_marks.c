/* What one profile has: channels and campaigns of its events, products it bought,
 * values of its traits, conditions it fulfils; each once, however often. */
#include "segment/compare.h"
#include "base/text.h"
#include "segment/program.h"

#include <stdlib.h>
#include <string.h>

#define MARKS_OF_PROFILE ((size_t)1 << 26)

const cj__compare_kpi cj__compare_kpis[CJ__COMPARE_KPIS] = {
    {"orders() >= 1",                      CJ__TYPE_BOOLEAN},
    {"orders() >= 2",                      CJ__TYPE_BOOLEAN},
    {"orders() >= 5",                      CJ__TYPE_BOOLEAN},
    {"orders(last 90 days) >= 1",          CJ__TYPE_BOOLEAN},
    {"orders(last 365 days) >= 1",         CJ__TYPE_BOOLEAN},
    {"count(refunds) >= 1",                CJ__TYPE_BOOLEAN},
    {"channels() >= 2",                    CJ__TYPE_BOOLEAN},
    {"count(any, last 7 days) >= 1",       CJ__TYPE_BOOLEAN},
    {"count(any, last 30 days) >= 1",      CJ__TYPE_BOOLEAN},
    {"count(any, last 90 days) >= 1",      CJ__TYPE_BOOLEAN},
    {"distinct(product, order_item) >= 5", CJ__TYPE_BOOLEAN},
    {"revenue()",                          CJ__TYPE_MONEY  },
    {"average_order()",                    CJ__TYPE_MONEY  },
    {"items()",                            CJ__TYPE_NUMBER },
    {"sessions()",                         CJ__TYPE_NUMBER },
    {"median_days_between(orders)",        CJ__TYPE_NUMBER },
};

/* The key is of the dimension, the type and the text or term. */
static int32_t marks_put(const cj__compare *c, cj__marks *m, cj__mark mark)
{
    char bytes[sizeof mark.dimension + sizeof mark.type + sizeof mark.term +
               CJ__MAX_NAME];
    size_t n = 0;
    int32_t rc;

    if (mark.text.n > CJ__MAX_NAME)
        return CJ_OK; /* a letter, and no property that many have */
    memcpy(bytes, &mark.dimension, sizeof mark.dimension);
    n += sizeof mark.dimension;
    memcpy(bytes + n, &mark.type, sizeof mark.type);
    n += sizeof mark.type;
    memcpy(bytes + n, &mark.term, sizeof mark.term);
    n += sizeof mark.term;
    if (mark.text.n > 0)
        memcpy(bytes + n, mark.text.data, mark.text.n);
    mark.key = cj__key_of(c->secret, bytes, n + mark.text.n);
    rc = cj__array_grow(m->arena.allocator, (void **)&m->all, &m->capacity, m->n + 1,
                        sizeof mark, MARKS_OF_PROFILE);
    if (rc == CJ_OK)
        m->all[m->n++] = mark;
    return rc;
}

/* ---- events
 * ------------------------------------------------------------------------------- */

/* Neighbours are often alike: those are left out at once. */
static int32_t marks_term(const cj__compare *c, cj__marks *m, uint32_t dimension,
                          uint32_t term, uint32_t *before)
{
    if (term == 0 || term == *before)
        return CJ_OK;
    *before = term;
    return marks_put(c, m, (cj__mark){.dimension = dimension, .term = term});
}

static int32_t marks_events(const cj__compare *c, const cj__facts *facts,
                            int64_t now_ms, cj__marks *m)
{
    const cj__columns *columns = facts->columns;
    uint32_t channel = 0, campaign = 0, product = 0;
    int32_t rc = CJ_OK;

    for (int64_t i = facts->first; i < facts->first + facts->n; i++) {
        if (columns->time_ms[i] >= now_ms)
            break;
        CJ_TRY(marks_term(c, m, CJ__COMPARE_CHANNEL, columns->channel[i], &channel));
        CJ_TRY(marks_term(c, m, CJ__COMPARE_CAMPAIGN, columns->campaign[i], &campaign));
        if (columns->name[i] == CJ__NAME_ORDER_ITEM)
            CJ_TRY(
                marks_term(c, m, CJ__COMPARE_PRODUCT, columns->product[i], &product));
    }
out:
    return rc;
}

/* ---- traits
 * ------------------------------------------------------------------------------- */

int cj__compare_trait(const cj__facts *facts, int64_t now_ms, int64_t *at,
                      const cj__fact_trait **out)
{
    while (*at < facts->n_traits) {
        const cj__fact_trait *trait = &facts->traits[(*at)++];
        const cj__fact_trait *next = *at < facts->n_traits ? trait + 1 : NULL;

        if (trait->time_ms > now_ms || (next != NULL && next->time_ms <= now_ms &&
                                        cj__text_equal(next->name, trait->name)))
            continue;
        *out = trait;
        return 1;
    }
    return 0;
}

static int marks_name_order(const void *key, const void *element)
{
    const cj__text *a = key, *b = element;
    const int order = memcmp(a->data, b->data, a->n < b->n ? a->n : b->n);

    return order != 0 ? order : a->n < b->n ? -1 : a->n > b->n;
}

/* The place of a name; SIZE_MAX: none. */
static size_t marks_trait_place(const cj__compare *c, cj__text name)
{
    const cj__text *found =
        bsearch(&name, c->traits, c->n_traits, sizeof name, marks_name_order);

    return found == NULL ? SIZE_MAX : (size_t)(found - c->traits);
}

static int32_t marks_scalar(const cj__compare *c, cj__marks *m, cj__mark mark,
                            cj__text json)
{
    char *to;

    if (json.n == 0 || strchr("n[{", json.data[0]) != NULL)
        return CJ_OK;
    mark.text = json;
    mark.type =
        json.data[0] == 't' || json.data[0] == 'f' ? CJ__TYPE_BOOLEAN : CJ__TYPE_NUMBER;
    if (json.data[0] == '"' && json.n >= 2) {
        mark.type = CJ__TYPE_TEXT;
        mark.text = (cj__text){json.data + 1, json.n - 2};
    }
    if (mark.type == CJ__TYPE_TEXT && cj__path_escaped(json)) {
        to = cj__arena_alloc(&m->arena, json.n);
        if (to == NULL)
            return CJ_ENOMEM;
        mark.text = (cj__text){to, cj__path_unescape(json, to)};
    }
    return marks_put(c, m, mark);
}

static int marks_is_number(cj__text json)
{
    return json.n > 0 && strchr("\"tfn[{", json.data[0]) == NULL;
}

static int32_t marks_traits(const cj__compare *c, const cj__facts *facts,
                            int64_t now_ms, cj__marks *m)
{
    const cj__fact_trait *trait;
    int64_t at = 0;
    int32_t rc = CJ_OK;

    while (cj__compare_trait(facts, now_ms, &at, &trait)) {
        const size_t place = marks_trait_place(c, trait->name);
        const cj__mark mark = {.dimension = CJ__COMPARE_TRAITS + (uint32_t)place};
        cj__text json = trait->value;
        size_t element = 0;

        if (place == SIZE_MAX || marks_is_number(trait->value))
            continue;
        if (json.n > 0 && json.data[0] != '[')
            CJ_TRY(marks_scalar(c, m, mark, json));
        while (trait->value.n > 0 && trait->value.data[0] == '[' &&
               cj__path_element(trait->value, &element, &json))
            CJ_TRY(marks_scalar(c, m, mark, json));
    }
out:
    return rc;
}

/* ---- KPIs and numbers
 * --------------------------------------------------------------------- */

static int32_t marks_kpis(const cj__compare *c, cj__runner *r, int64_t now_ms,
                          cj__marks *m)
{
    cj__answer answer;
    int32_t rc = CJ_OK;

    for (uint32_t i = 0; i < CJ__COMPARE_KPIS; i++) {
        const cj__mark mark = {.dimension = CJ__COMPARE_KPI, .term = i + 1};

        if (cj__compare_kpis[i].type != CJ__TYPE_BOOLEAN)
            continue;
        CJ_TRY(cj__runner_answer(r, c->kpis[i], now_ms, &answer));
        if (answer.truth == CJ__TRUE)
            CJ_TRY(marks_put(c, m, mark));
    }
out:
    return rc;
}

static int32_t marks_number(double value, uint32_t which, uint32_t in, cj__str *partial)
{
    const cj__compare_number number = {value == 0 ? 0 : value, which, in}; /* no -0 */

    cj__str_put(partial, &number, sizeof number);
    return cj__str_status(partial);
}

int32_t cj__compare_numbers(const cj__compare *c, cj__runner *r, int64_t now_ms,
                            uint32_t in, cj__str *partial)
{
    const cj__fact_trait *trait;
    cj__value v;
    int64_t at = 0;
    double d;
    int32_t rc = CJ_OK;

    for (uint32_t i = 0; i < CJ__COMPARE_KPIS; i++) {
        if (cj__compare_kpis[i].type == CJ__TYPE_BOOLEAN)
            continue;
        CJ_TRY(cj__runner_value(r, c->kpis[i], now_ms, &v));
        if (v.type == CJ__TYPE_MONEY || v.type == CJ__TYPE_NUMBER)
            CJ_TRY(marks_number(v.type == CJ__TYPE_MONEY ? (double)v.i : v.d, i, in,
                                partial));
    }
    while (cj__compare_trait(&r->facts, now_ms, &at, &trait)) {
        const size_t place = marks_trait_place(c, trait->name);

        if (place != SIZE_MAX && marks_is_number(trait->value) &&
            cj__number_read(trait->value.data, trait->value.n, &d) == 0)
            CJ_TRY(marks_number(d, CJ__COMPARE_KPIS + (uint32_t)place, in, partial));
    }
out:
    return rc;
}

/* ---- all of them, each once
 * --------------------------------------------------------------- */

static int marks_key_order(const void *a, const void *b)
{
    const cj__key *x = &((const cj__mark *)a)->key, *y = &((const cj__mark *)b)->key;

    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return x->hash2 < y->hash2 ? -1 : x->hash2 > y->hash2;
}

int32_t cj__compare_marks(const cj__compare *c, cj__runner *r, int64_t now_ms,
                          cj__marks *out)
{
    size_t n = 0;
    int32_t rc;

    CJ_TRY(marks_events(c, &r->facts, now_ms, out));
    CJ_TRY(marks_traits(c, &r->facts, now_ms, out));
    CJ_TRY(marks_kpis(c, r, now_ms, out));
    if (out->n > 0)
        qsort(out->all, out->n, sizeof *out->all, marks_key_order);
    for (size_t i = 0; i < out->n; i++) {
        if (n == 0 || marks_key_order(&out->all[i], &out->all[n - 1]) != 0)
            out->all[n++] = out->all[i];
    }
    out->n = n;
out:
    return rc;
}
