/* Selectors: which events of a profile are meant.  What a selector selects does not
 * depend on now, so each distinct one lists its rows once per profile, also those that
 * are still to come; everything else is binary search in such lists. */
#include "segment/program.h"

#include "store/store.h"

#include <string.h>

/* ---- equal selectors share a list
 * ------------------------------------------------------- */

static int select_same(const cj__seg_node *a, const cj__seg_node *b)
{
    if (a->op != b->op || a->i != b->i || a->i2 != b->i2 || a->n_kids != b->n_kids ||
        memcmp(&a->d, &b->d, sizeof a->d) != 0 || !cj__text_equal(a->text, b->text))
        return 0;
    for (uint32_t k = 0; k < a->n_kids; k++) {
        if (!select_same(a->kids[k], b->kids[k]))
            return 0;
    }
    return 1;
}

/* Steps carry their `within` in i2, which is not the selector's. */
static int select_is(const cj__selector *s, const cj__seg_node *node)
{
    return s->node != NULL && s->node->i == node->i &&
           s->node->n_kids == node->n_kids &&
           cj__text_equal(s->node->text, node->text) &&
           (node->n_kids == 0 || select_same(s->node->kids[0], node->kids[0]));
}

static int32_t select_new(cj__program *p, uint32_t n_names, uint32_t *slot_out)
{
    cj__selector s = {0};
    int32_t rc = CJ_OK;

    CJ_TRY(cj__array_grow(p->allocator, (void **)&p->selectors, &p->selectors_capacity,
                          p->n_selectors + 1, sizeof *p->selectors, 65536));
    if (n_names > 0) {
        s.names = cj__arena_alloc(&p->arena, n_names * sizeof *s.names);
        if (s.names == NULL)
            return CJ_ENOMEM;
        memset(s.names, 0, n_names * sizeof *s.names);
        p->columns |= CJ__COL_NAME;
    }
    s.n_names = n_names;
    p->columns |= CJ__COL_TIME;
    *slot_out = (uint32_t)p->n_selectors;
    p->selectors[p->n_selectors++] = s;
out:
    return rc;
}

static int select_is_word(const cj__seg_node *node, const char *word)
{
    return node->i != 1 && cj__text_order(node->text, cj__text_of(word), 0) == 0;
}

static int32_t select_names(cj__program *p, const cj__seg_node *node, uint32_t slot)
{
    cj__selector *s = &p->selectors[slot];

    s->node = node;
    if (s->n_names == 0)
        return CJ_OK;
    if (select_is_word(node, "orders") || select_is_word(node, "refunds")) {
        s->pick = select_is_word(node, "orders") ? CJ__PICK_ORDERS : CJ__PICK_REFUNDS;
        p->columns |= CJ__COL_VALUE;
        return CJ_OK;
    }
    return cj__program_term(p, CJ__SPACE_NAME, node->text, s->names);
}

int cj__selector_find(const cj__program *p, const cj__seg_node *node,
                      uint32_t *slot_out)
{
    for (*slot_out = 0; *slot_out < p->n_selectors; ++*slot_out) {
        if (select_is(&p->selectors[*slot_out], node))
            return 1;
    }
    return 0;
}

int32_t cj__selector_slot(cj__program *p, const cj__seg_node *node, uint32_t *slot_out)
{
    cj__op *filter = NULL;
    int32_t rc = CJ_OK;

    if (cj__selector_find(p, node, slot_out))
        return CJ_OK;
    CJ_TRY(select_new(p, node->text.n > 0 ? 1 : 0, slot_out));
    CJ_TRY(select_names(p, node, *slot_out));
    if (node->n_kids > 0)
        CJ_TRY(cj__op_compile(p, node->kids[0], &filter));
    p->selectors[*slot_out].filter = filter;
out:
    return rc;
}

int32_t cj__selector_names(cj__program *p, const char *const *names, uint32_t *slot_out)
{
    uint32_t n = 0;
    int32_t rc;

    while (names[n] != NULL)
        n++;
    CJ_TRY(select_new(p, n, slot_out));
    for (uint32_t i = 0; i < n; i++)
        CJ_TRY(cj__program_term(p, CJ__SPACE_NAME, cj__text_of(names[i]),
                                &p->selectors[*slot_out].names[i]));
out:
    return rc;
}

static cj__seg_node *select_node(cj__program *p, int32_t op, const char *text,
                                 uint32_t n_kids)
{
    cj__seg_node *node = cj__arena_alloc(&p->arena, sizeof *node);

    if (node == NULL)
        return NULL;
    memset(node, 0, sizeof *node);
    node->op = op;
    node->text = cj__text_of(text);
    if (n_kids > 0) {
        node->kids = cj__arena_alloc(&p->arena, n_kids * sizeof *node->kids);
        node->n_kids = n_kids;
    }
    return n_kids > 0 && node->kids == NULL ? NULL : node;
}

int32_t cj__selector_word(cj__program *p, const char *word, uint32_t *slot_out)
{
    cj__seg_node *node = select_node(p, CJ__SEG_SELECTOR, word, 0);

    return node == NULL ? CJ_ENOMEM : cj__selector_slot(p, node, slot_out);
}

int32_t cj__selector_where(cj__program *p, const char *name, const char *field,
                           int32_t relation, cj__seg_node *literal, uint32_t *slot_out)
{
    cj__seg_node *selector = select_node(p, CJ__SEG_SELECTOR, name, 1);
    cj__seg_node *filter = select_node(p, relation, NULL, literal != NULL ? 2 : 1);
    cj__seg_node *left = select_node(p, CJ__SEG_FIELD, field, 0);

    if (selector == NULL || filter == NULL || left == NULL)
        return CJ_ENOMEM;
    selector->kids[0] = filter;
    filter->kids[0] = left;
    if (literal != NULL)
        filter->kids[1] = literal;
    return cj__selector_slot(p, selector, slot_out);
}

/* ---- making a list
 * ---------------------------------------------------------------------- */

static int select_picked(const cj__program *p, const cj__selector *s, int64_t at)
{
    const cj__columns *c = cj__columns_of(p);
    const int64_t value = c->has_value[at] ? c->value_minor[at] : 0;

    if (s->pick == CJ__PICK_ORDERS)
        return c->name[at] == CJ__NAME_ORDER && value > 0;
    return c->name[at] == CJ__NAME_REFUND ||
           (c->name[at] == CJ__NAME_ORDER && value < 0);
}

static int select_named(const cj__selector *s, uint32_t name)
{
    int found = 0;

    for (uint32_t i = 0; i < s->n_names; i++)
        found |= s->names[i] == name;
    return found;
}

/* Without a branch on what is found: which events match is noise to the processor. */
static size_t select_one_name(const uint32_t *names, uint32_t n, uint32_t name,
                              uint32_t *rows)
{
    size_t found = 0;

    if (name == 0) /* no event ever had it */
        return 0;
    for (uint32_t i = 0; i < n; i++) {
        rows[found] = i;
        found += names[i] == name;
    }
    return found;
}

static size_t select_rows(const cj__program *p, const cj__selector *s, uint32_t *rows)
{
    const uint32_t *names = cj__columns_of(p)->name;
    const uint32_t n = (uint32_t)p->facts->n;
    size_t found = 0;

    if (s->pick == CJ__PICK_NAMES && s->n_names == 1)
        return select_one_name(names + p->facts->first, n, s->names[0], rows);
    for (uint32_t i = 0; i < n; i++) {
        const int64_t at = cj__row_at(p, i);

        rows[found] = i;
        found += (size_t)(s->pick != CJ__PICK_NAMES ? select_picked(p, s, at)
                          : s->n_names == 0         ? 1
                                                    : select_named(s, names[at]));
    }
    return found;
}

/* Keep the rows for which the filter is true. */
static int32_t select_filter(cj__program *p, cj__selector *s)
{
    cj__arena *texts = p->texts;
    const uint32_t row = p->row;
    size_t kept = 0;
    cj__value v;
    int32_t rc = CJ_OK;

    p->texts = &p->per_row;
    for (size_t i = 0; i < s->n; i++) {
        p->row = s->rows[i];
        CJ_TRY(s->filter->eval(p, s->filter, &v));
        s->rows[kept] = s->rows[i];
        kept += cj__truth_of(&v) == CJ__TRUE;
        if (p->per_row.chunks != NULL)
            cj__arena_reset(&p->per_row);
    }
    s->n = kept;
out:
    p->texts = texts;
    p->row = row;
    return rc;
}

static int32_t select_make(cj__program *p, cj__selector *s)
{
    int32_t rc = CJ_OK;

    s->n = 0;
    if (p->facts->n > 0) {
        CJ_TRY(cj__program_work(p, p->facts->n));
        CJ_TRY(cj__array_grow(p->allocator, (void **)&s->rows, &s->capacity,
                              (size_t)p->facts->n, sizeof *s->rows, UINT32_MAX));
        s->n = select_rows(p, s, s->rows);
        if (s->filter != NULL)
            CJ_TRY(select_filter(p, s));
    }
    s->made = 1;
out:
    return rc;
}

int32_t cj__list_of(cj__program *p, uint32_t slot, cj__list *out)
{
    cj__selector *s = &p->selectors[slot];
    int32_t rc = CJ_OK;

    if (!s->made)
        CJ_TRY(select_make(p, s));
    out->rows = s->rows;
    out->n = (uint32_t)s->n;
out:
    return rc;
}

/* ---- searching in lists
 * -------------------------------------------------------------------- */

uint32_t cj__list_at(const cj__program *p, const cj__list *list, int64_t t)
{
    uint32_t lo = 0, n = list->n;

    while (n > 0) {
        const uint32_t half = n / 2;

        if (p->time[list->rows[lo + half]] < t) {
            lo += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return lo;
}

uint32_t cj__list_row(const cj__list *list, int64_t row)
{
    uint32_t lo = 0, n = list->n;

    while (n > 0) {
        const uint32_t half = n / 2;

        if ((int64_t)list->rows[lo + half] < row) {
            lo += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return lo;
}

uint32_t cj__list_seen(cj__program *p, const cj__list *list)
{
    const uint32_t n = cj__list_at(p, list, p->now);

    if (n < list->n)
        cj__later(p, cj__beyond(p->time[list->rows[n]], 0));
    return n;
}
