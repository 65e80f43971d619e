/* Why one profile is in a segment, or is not: clause by clause, with the facts found as
 * a person would write them. */
#include "segment/clauses.h"
#include "segment/segment.h"

#include "base/table.h"

#include <stdio.h>
#include <string.h>

#define WHY_VALUE 400 /* bytes of a value that are shown: a trait may be a book */
#define WHY_BYTES ((size_t)1 << 20) /* of one clause's facts */

typedef struct why {
    cj__clauses clauses;
    cj__truth *truths; /* of each clause */
    cj_table *table;
} why;

/* One clause on its way to a row. */
typedef struct why_clause {
    cj__runner *runner;
    uint32_t item;
    int64_t now_ms;
    cj__str found;
} why_clause;

static void why_put(cj__str *s, const cj__str *value)
{
    size_t n = value->n;

    if (n > WHY_VALUE) { /* and no half letter */
        for (n = WHY_VALUE; n > 0 && ((unsigned char)value->data[n] & 0xC0) == 0x80;)
            n--;
    }
    cj__str_put(s, value->data, n);
    cj__str_put_text(s, n < value->n ? "..." : "");
}

/* "revenue() is 12.50 EUR"; "product_view: 3 so far".  Parts without a value of their
 * own, as an argument that is a name, are silent. */
static int32_t why_fact(why_clause *w, const cj__seg_node *node, const char *is,
                        const char *unit)
{
    cj__truth truth;
    cj__str value;
    int32_t rc;

    cj__str_init(&value, &w->runner->set->db->cx.allocator, WHY_BYTES);
    CJ_TRY(cj__runner_explain(w->runner, w->item, node, w->now_ms, &truth, &value));
    if (value.n == 0)
        goto out;
    if (node->type == CJ__TYPE_BOOLEAN && truth == CJ__UNKNOWN) {
        cj__str_clear(&value);
        cj__str_put_text(&value, "unknown");
    }
    cj__str_put_text(&w->found, w->found.n == 0 ? "" : "; ");
    cj__segment_put(&w->found, node);
    cj__str_put_text(&w->found, is);
    why_put(&w->found, &value);
    if (strcmp(value.data, "missing") != 0)
        cj__str_put_text(&w->found, unit);
    rc = cj__str_status(&w->found);
out:
    cj__str_end(&value);
    return rc;
}

static int32_t why_value(why_clause *w, const cj__seg_node *node)
{
    char unit[8] = "";

    if (node->type == CJ__TYPE_MONEY)
        (void)snprintf(unit, sizeof unit, " %s", w->runner->set->db->currency);
    return why_fact(w, node, " is ", unit);
}

/* The facts that a part leans on: what functions gave, what traits are, and how many
 * events there are of those that a function tells nothing more of than yes or no. */
static int32_t why_facts(why_clause *w, const cj__seg_node *node, int counts)
{
    const int is_call = node->op == CJ__SEG_CALL;
    int32_t rc = CJ_OK;

    if (is_call || node->op == CJ__SEG_TRAIT)
        CJ_TRY(why_value(w, node));
    if (is_call)
        counts = node->type == CJ__TYPE_BOOLEAN;
    if (node->op == CJ__SEG_SELECTOR)
        return counts ? why_fact(w, node, ": ", " so far") : CJ_OK;
    if (node->op == CJ__SEG_WINDOW)
        return CJ_OK;
    for (uint32_t k = 0; k < node->n_kids; k++)
        CJ_TRY(why_facts(w, node->kids[k], counts));
out:
    return rc;
}

/* Of a bracket: how many of its clauses are true. */
static void why_bracket(const why *y, uint32_t clause, cj__str *found)
{
    int64_t n = 0, n_true = 0;

    for (uint32_t i = clause + 1; i < y->clauses.n; i++) {
        if (y->clauses.all[i].parent != clause)
            continue;
        n++;
        n_true += y->truths[i] == CJ__TRUE;
    }
    cj__str_put_int64(found, n_true);
    cj__str_put_text(found, " of ");
    cj__str_put_int64(found, n);
    cj__str_put_text(found, n == 1 ? " clause is true" : " clauses are true");
}

static int32_t why_row(const why *y, uint32_t i, const cj__everyone *e, cj__runner *r)
{
    static const char *const truths[] = {"false", "true", "unknown"};
    const cj__clause *c = &y->clauses.all[i];
    why_clause w = {.runner = r, .item = c->item, .now_ms = e->now_ms};
    cj__answer answer;
    int32_t rc;

    cj__str_init(&w.found, &e->db->cx.allocator, WHY_BYTES);
    CJ_TRY(cj__runner_answer(r, c->item, e->now_ms, &answer));
    if (c->logic != 0)
        why_bracket(y, i, &w.found);
    else
        CJ_TRY(why_facts(&w, c->node, 0));
    CJ_TRY(cj__str_status(&w.found));
    cj__table_int64(y->table, 0, c->depth);
    cj__table_text(y->table, 1, c->text.data, c->text.n);
    cj__table_put(y->table, 2, truths[answer.truth]);
    if (w.found.n > 0)
        cj__table_text(y->table, 3, w.found.data, w.found.n);
    else
        cj__table_null(y->table, 3);
    cj__ask_until(y->table, 4, answer.until_ms);
out:
    cj__str_end(&w.found);
    return rc;
}

static int32_t why_visit(const cj__everyone *e, cj__runner *r, cj__str *partial)
{
    why *y = e->user;
    cj__answer answer;
    int32_t rc = CJ_OK;

    (void)partial;
    for (uint32_t i = 0; i < y->clauses.n; i++) {
        CJ_TRY(cj__runner_answer(r, y->clauses.all[i].item, e->now_ms, &answer));
        y->truths[i] = answer.truth;
    }
    for (uint32_t i = 0; i < y->clauses.n; i++)
        CJ_TRY(why_row(y, i, e, r));
out:
    return rc;
}

int32_t cj__segment_why(cj_db *db, int64_t profile, const char *source,
                        const cj_segment_options *opts, cj_table **out)
{
    cj__ask ask = {0};
    cj__everyone e = {0};
    why y = {0};
    uint32_t item, only;
    int32_t rc;

    CJ_TRY(cj__ask_options(opts));
    CJ_TRY(cj__ask_profile(profile, &only));
    CJ_TRY(cj__ask_open(db, &ask));
    CJ_TRY(cj__ask_source(&ask, source, &item));
    CJ_TRY(cj__clauses_of(&ask, item, &y.clauses));
    y.truths = cj__arena_alloc(&ask.set.arena, y.clauses.n * sizeof *y.truths);
    if (y.truths == NULL)
        CJ_TRY(CJ_ENOMEM);
    CJ_TRY(cj__table_new(&db->cx.allocator,
                         "depth:i clause:t truth:t found:t valid_until_ms:i",
                         &y.table));
    cj__ask_everyone(&ask, opts, &y, &e);
    e.profile = only;
    e.visit = why_visit;
    e.columns = CJ__COL_TIME; /* of all events: some are counted for the reader */
    CJ_TRY(cj__everyone_run(&e));
    rc = cj__table_finish(y.table, out);
    y.table = NULL;
out:
    cj__table_free(y.table);
    cj__str_end(&e.partial);
    cj__ask_close(&ask);
    return rc;
}
