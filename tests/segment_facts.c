/* See segment_facts.h: columns in arrays that keep order of time, found again by name.
 */
#include "segment_facts.h"

#include "base/text.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int32_t facts_term_id(void *user, int space, cj__text text, uint32_t *id_out)
{
    const facts_case *c = user;

    *id_out = 0;
    for (uint32_t i = 0; i < c->n_terms; i++) {
        if (c->terms[i].space == space && cj__text_equal(c->terms[i].text, text))
            *id_out = i + 1;
    }
    return CJ_OK;
}

static int32_t facts_term_text(void *user, uint32_t id, cj__text *text_out)
{
    const facts_case *c = user;

    ck_assert_uint_ge(id, 1);
    ck_assert_uint_le(id, c->n_terms);
    *text_out = c->terms[id - 1].text;
    return CJ_OK;
}

static cj__text facts_copy(facts_case *c, const char *text, size_t n)
{
    return (cj__text){cj__arena_text(&c->texts, text, n), n};
}

static uint32_t facts_term(facts_case *c, int space, const char *text, size_t n)
{
    uint32_t id;

    facts_term_id(c, space, (cj__text){text, n}, &id);
    if (id != 0)
        return id;
    ck_assert_uint_lt(c->n_terms, FACTS_TERMS);
    c->terms[c->n_terms].space = space;
    c->terms[c->n_terms].text = facts_copy(c, text, n);
    return ++c->n_terms;
}

static void facts_columns(facts_case *c, int allocate)
{
    void **const columns[] = {
        (void **)&c->columns.node,        (void **)&c->columns.time_ms,
        (void **)&c->columns.name,        (void **)&c->columns.channel,
        (void **)&c->columns.campaign,    (void **)&c->columns.content,
        (void **)&c->columns.product,     (void **)&c->columns.currency,
        (void **)&c->columns.quantity,    (void **)&c->columns.has_value,
        (void **)&c->columns.session,     (void **)&c->columns.order,
        (void **)&c->columns.value_minor,
    };

    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        if (allocate)
            *columns[i] = calloc(FACTS_EVENTS, 8);
        else
            free(*columns[i]);
    }
}

void facts_begin(facts_case *c, const char *zone)
{
    static const char *const first[] = {"order", "refund", "order_item"};

    memset(c, 0, sizeof *c);
    cj__ctx_init(&c->db.cx, NULL, NULL, NULL, NULL, NULL, NULL);
    cj__arena_init(&c->texts, &c->db.cx.allocator);
    ck_assert_int_eq(cj__zone_open(&c->db.cx.allocator, zone, &c->db.zone), CJ_OK);
    strcpy(c->db.currency, "EUR");
    snprintf(c->db.time_zone, sizeof c->db.time_zone, "%s", zone);
    c->db.currency_exponent = 2;
    facts_columns(c, 1);
    for (size_t i = 0; i < 3; i++)
        facts_term(c, CJ__SPACE_NAME, first[i], strlen(first[i]));
    c->facts.profile = 7;
    c->facts.columns = &c->columns;
    for (size_t i = 0; i < FACTS_EVENTS; i++)
        c->property_rows[i] = &c->properties[i];
    c->columns.properties = c->property_rows;
    c->facts.traits = c->traits;
    c->facts.members = c->members;
    c->env = (cj__eval_env){.zone = c->db.zone,
                            .currency_exponent = 2,
                            .user = c,
                            .term_id = facts_term_id,
                            .term_text = facts_term_text};
}

void facts_end(facts_case *c)
{
    facts_columns(c, 0);
    cj__arena_end(&c->texts);
    cj__zone_end(c->db.zone);
}

void facts_clear(facts_case *c)
{
    c->facts.n = c->facts.n_traits = 0;
}

int64_t facts_time(const facts_case *c, const char *text)
{
    int64_t ms;

    if (cj__time_parse(text, strlen(text), c->db.zone, &ms) != 0)
        ck_abort_msg("not a time: %s", text);
    return ms;
}

/* ---- events ------------------------------------------------------------------------
 */

#define MOVE(column)                                                                   \
    memmove(&c->columns.column[at + 1], &c->columns.column[at],                        \
            n * sizeof c->columns.column[0]),                                          \
        c->columns.column[at] = 0

/* Room for an event of that time, behind those of the same. */
static int64_t facts_insert(facts_case *c, int64_t time_ms)
{
    int64_t at = c->facts.n;
    size_t n;

    ck_assert_int_lt(at, FACTS_EVENTS);
    while (at > 0 && c->columns.time_ms[at - 1] > time_ms)
        at--;
    n = (size_t)(c->facts.n++ - at);
    MOVE(time_ms);
    MOVE(name);
    MOVE(channel);
    MOVE(campaign);
    MOVE(content);
    MOVE(product);
    MOVE(currency);
    MOVE(value_minor);
    MOVE(has_value);
    MOVE(quantity);
    MOVE(session);
    MOVE(order);
    memmove(&c->properties[at + 1], &c->properties[at], n * sizeof c->properties[0]);
    c->properties[at] = (cj__text){NULL, 0};
    c->columns.time_ms[at] = time_ms;
    c->columns.n = c->facts.n;
    return at;
}

static void facts_set(facts_case *c, int64_t at, const char *word, size_t n)
{
    const char *equals = memchr(word, '=', n);
    const size_t key = equals == NULL ? 0 : (size_t)(equals - word);
    const char *value = equals + 1;
    const size_t length = n - key - 1;

    ck_assert_msg(equals != NULL, "not field=value: %.*s", (int)n, word);
    if (strncmp(word, "channel", key) == 0)
        c->columns.channel[at] = facts_term(c, CJ__SPACE_CHANNEL, value, length);
    else if (strncmp(word, "campaign", key) == 0)
        c->columns.campaign[at] = facts_term(c, CJ__SPACE_CAMPAIGN, value, length);
    else if (strncmp(word, "content", key) == 0)
        c->columns.content[at] = facts_term(c, CJ__SPACE_CONTENT, value, length);
    else if (strncmp(word, "product", key) == 0)
        c->columns.product[at] = facts_term(c, CJ__SPACE_PRODUCT, value, length);
    else if (strncmp(word, "session", key) == 0)
        c->columns.session[at] = cj__row_key((cj__text){value, length});
    else if (strncmp(word, "order", key) == 0)
        c->columns.order[at] = cj__row_key((cj__text){value, length});
    else if (strncmp(word, "quantity", key) == 0)
        c->columns.quantity[at] = strtoll(value, NULL, 10);
    else if (strncmp(word, "value", key) == 0) {
        cj__decimal_minor(value, length, 2, &c->columns.value_minor[at]);
        c->columns.has_value[at] = 1;
        c->columns.currency[at] = facts_term(c, CJ__SPACE_CURRENCY, "EUR", 3);
    } else
        ck_abort_msg("no such field: %.*s", (int)n, word);
}

static size_t facts_word(const char **line)
{
    while (**line == ' ')
        ++*line;
    return strcspn(*line, " \n");
}

void facts_event_at(facts_case *c, int64_t time_ms, const char *rest)
{
    const int64_t at = facts_insert(c, time_ms);
    size_t n = facts_word(&rest);

    c->columns.name[at] = facts_term(c, CJ__SPACE_NAME, rest, n);
    for (rest += n, n = facts_word(&rest); n > 0; rest += n, n = facts_word(&rest)) {
        if (*rest == '{') {
            c->properties[at] = facts_copy(c, rest, strcspn(rest, "\n"));
            return;
        }
        facts_set(c, at, rest, n);
    }
}

void facts_trait_at(facts_case *c, int64_t time_ms, const char *rest)
{
    cj__fact_trait trait = {.time_ms = time_ms};
    int64_t at = c->facts.n_traits;
    size_t n = facts_word(&rest);

    ck_assert_int_lt(at, FACTS_TRAITS);
    trait.name = facts_copy(c, rest, n);
    rest += n;
    n = facts_word(&rest);
    trait.value = facts_copy(c, rest, n);
    rest += n;
    n = facts_word(&rest);
    if (n > 0)
        trait.source = facts_copy(c, rest, n);
    for (; at > 0; at--) {
        const cj__fact_trait *before = &c->traits[at - 1];
        const int order = strcmp(before->name.data, trait.name.data);

        if (order < 0 || (order == 0 && before->time_ms <= time_ms))
            break;
        c->traits[at] = *before;
    }
    c->traits[at] = trait;
    c->facts.n_traits++;
}

static void facts_lines(facts_case *c, const char *lines,
                        void (*put)(facts_case *c, int64_t time_ms, const char *rest))
{
    char when[40];

    while (*lines != '\0') {
        const size_t n = facts_word(&lines);

        ck_assert_uint_lt(n, sizeof when);
        snprintf(when, sizeof when, "%.*s", (int)n, lines);
        if (n > 0)
            put(c, facts_time(c, when), lines + n);
        lines += strcspn(lines, "\n");
        lines += *lines == '\n';
    }
}

void facts_events(facts_case *c, const char *lines)
{
    facts_lines(c, lines, facts_event_at);
}

void facts_traits(facts_case *c, const char *lines)
{
    facts_lines(c, lines, facts_trait_at);
}

/* ---- segments
 * -------------------------------------------------------------------------- */

facts_program facts_compile(facts_case *c, const char *segment)
{
    facts_program p = {NULL, NULL};

    if (cj__segment_parse(&c->db, cj__text_of(segment), &p.tree) != CJ_OK)
        ck_abort_msg("%s at %lld: %s", cj__error_text(),
                     (long long)cj__error_position(), segment);
    if (cj__program_new(&c->db.cx.allocator, p.tree, &c->env, &p.program) != CJ_OK)
        ck_abort_msg("%s: %s", cj__error_text(), segment);
    return p;
}

void facts_drop(facts_case *c, facts_program *p)
{
    cj__program_end(p->program);
    cj__segment_free(&c->db, p->tree);
}

cj__truth facts_run(facts_case *c, facts_program *p, int64_t now_ms, int64_t *next_out)
{
    cj__truth truth = CJ__UNKNOWN;

    if (cj__program_run(p->program, &c->facts, now_ms, &truth, next_out) != CJ_OK)
        ck_abort_msg("%s", cj__error_text());
    return truth;
}

static const char *const truths[] = {"false", "true", "unknown"};

const char *facts_truth(facts_case *c, const char *segment, const char *now)
{
    facts_program p = facts_compile(c, segment);
    const cj__truth truth = facts_run(c, &p, facts_time(c, now), NULL);

    facts_drop(c, &p);
    return truths[truth];
}

const char *facts_until(facts_case *c, const char *segment, const char *now)
{
    static char text[25];
    facts_program p = facts_compile(c, segment);
    cj__truth truth;
    int64_t until;

    ck_assert_int_eq(
        cj__program_valid(p.program, &c->facts, facts_time(c, now), &truth, &until),
        CJ_OK);
    facts_drop(c, &p);
    if (until == INT64_MAX)
        return "never";
    cj__time_format(until, text);
    return text;
}

const char *facts_value(facts_case *c, const char *expression, const char *now)
{
    static char text[256];
    facts_program p = facts_compile(c, expression);
    cj__truth truth;
    cj__str s;

    cj__str_init(&s, &c->db.cx.allocator, 1 << 16);
    ck_assert_int_eq(cj__program_explain(p.program, p.tree->root->kids[0], &c->facts,
                                         facts_time(c, now), &truth, &s),
                     CJ_OK);
    snprintf(text, sizeof text, "%s", s.n > 0 ? s.data : "");
    cj__str_end(&s);
    facts_drop(c, &p);
    return text;
}

void expect_truth(facts_case *c, const char *now, const char *want, const char *segment)
{
    const char *got = facts_truth(c, segment, now);

    if (strcmp(got, want) != 0)
        ck_abort_msg("%s at %s: %s, not %s", segment, now, got, want);
}

void expect_value(facts_case *c, const char *now, const char *want,
                  const char *expression)
{
    const char *got = facts_value(c, expression, now);

    if (strcmp(got, want) != 0)
        ck_abort_msg("%s at %s: %s, not %s", expression, now, got, want);
}

void expect_until(facts_case *c, const char *now, const char *want, const char *segment)
{
    const char *got = facts_until(c, segment, now);

    if (strcmp(got, want) != 0)
        ck_abort_msg("%s at %s: until %s, not %s", segment, now, got, want);
}
