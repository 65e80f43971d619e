/* From counts to rows: shares, their ratio (lift) and its 95 % confidence interval by
 * the logarithms of D. Katz, J. Baptista, S. P. Azen, M. C. Pike, "Obtaining confidence
 * intervals for the risk ratio in cohort studies", Biometrics 34 (1978) 469-474:
 *
 *     ln(xa / na : xb / nb) +- 1.96 * sqrt(1 / xa - 1 / na + 1 / xb - 1 / nb)
 *
 * Where xa or xb is 0 a half is added to all four, as S. D. Walter, Biometrika 62
 * (1975) 371-374, does: the interval then exists, and is wide. */
#include "segment/compare.h"
#include "segment/tree.h"

#include "base/table.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_Z 1.959963984540054 /* of a normal distribution 95 % lie within */
#define ROWS_VALUES                                                                    \
    20 /* different numbers that are told one by one; more: the median */

typedef struct rows_row {
    cj__text dimension, value;
    int32_t type; /* of the value: breaks ties of equal text */
    int64_t x[2];
    double share[2], lift, low, high;
    double sure; /* ln of the bound next to 1, away from 1: > 0 when 1 is outside */
} rows_row;

typedef struct rows {
    cj__compare *c;
    cj__reader *reader;
    rows_row *all;
    size_t n, capacity;
} rows;

static void rows_interval(const cj__compare *c, rows_row *row)
{
    const double half = row->x[0] == 0 || row->x[1] == 0 ? 0.5 : 0;
    const double xa = (double)row->x[0] + half, xb = (double)row->x[1] + half;
    const double na = (double)c->n[0] + half, nb = (double)c->n[1] + half;
    const double ln = log((xa / na) / (xb / nb));
    const double d = ROWS_Z * sqrt(1 / xa - 1 / na + 1 / xb - 1 / nb);

    row->share[0] = (double)row->x[0] / (double)c->n[0];
    row->share[1] = (double)row->x[1] / (double)c->n[1];
    row->lift = exp(ln);
    row->low = exp(ln - d);
    row->high = exp(ln + d);
    row->sure = ln - d > -(ln + d) ? ln - d : -(ln + d);
}

/* What nobody has, or everybody, sets nobody apart. */
static int32_t rows_put(rows *r, rows_row row)
{
    const cj__compare *c = r->c;
    int32_t rc;

    if ((row.x[0] == 0 && row.x[1] == 0) ||
        (row.x[0] == c->n[0] && row.x[1] == c->n[1]))
        return CJ_OK;
    rows_interval(c, &row);
    rc = cj__array_grow(&c->db->cx.allocator, (void **)&r->all, &r->capacity, r->n + 1,
                        sizeof row, CJ__MAX_COMPARE_ROWS);
    if (rc == CJ_OK)
        r->all[r->n++] = row;
    return rc;
}

/* A text that is put together, in the arena. */
static int32_t rows_text(rows *r, cj__str *s, cj__text *out)
{
    int32_t rc = cj__str_status(s);

    if (rc == CJ_OK) {
        out->data = cj__arena_text(&r->c->arena, s->data == NULL ? "" : s->data, s->n);
        out->n = s->n;
        rc = out->data == NULL ? CJ_ENOMEM : CJ_OK;
    }
    cj__str_end(s);
    return rc;
}

static int32_t rows_dimension(rows *r, uint32_t dimension, cj__text *out)
{
    static const char *const names[] = {"campaign", "channel", "kpi", "product"};
    cj__str s;
    cj__text name;

    if (dimension < CJ__COMPARE_TRAITS) {
        *out = cj__text_of(names[dimension]);
        return CJ_OK;
    }
    name = r->c->traits[dimension - CJ__COMPARE_TRAITS];
    cj__str_init(&s, &r->c->db->cx.allocator, CJ__MAX_MESSAGE);
    cj__str_put_text(&s, "trait:");
    cj__str_put(&s, name.data, name.n);
    return rows_text(r, &s, out);
}

/* ---- marks
 * ------------------------------------------------------------------------------------
 */

static int32_t rows_mark(rows *r, const cj__mark_count *count)
{
    const cj__mark *mark = &count->mark;
    rows_row row = {
        .value = mark->text, .type = mark->type, .x = {count->n[0], count->n[1]}
    };
    int32_t rc;

    if (mark->dimension >= CJ__COMPARE_TRAITS &&
        r->c->n_values[mark->dimension - CJ__COMPARE_TRAITS] > CJ__MAX_COMPARE)
        return CJ_OK;
    CJ_TRY(rows_dimension(r, mark->dimension, &row.dimension));
    if (mark->dimension == CJ__COMPARE_KPI)
        row.value = cj__text_of(cj__compare_kpis[mark->term - 1].text);
    else if (mark->dimension < CJ__COMPARE_TRAITS)
        CJ_TRY(cj__reader_term(r->reader, mark->term, &row.value));
    CJ_TRY(rows_put(r, row));
out:
    return rc;
}

/* ---- numbers
 * ---------------------------------------------------------------------------------- */

static int rows_number_order(const void *a, const void *b)
{
    const cj__compare_number *x = a, *y = b;

    if (x->which != y->which)
        return x->which < y->which ? -1 : 1;
    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    return x->in < y->in ? -1 : x->in > y->in;
}

/* "revenue() > 12.50 EUR", "> 12.5" or "12" */
static int32_t rows_label(rows *r, const cj__compare_number *number, int is_median,
                          cj__text *out)
{
    const cj_db *db = r->c->db;
    const cj__compare_kpi *kpi =
        number->which < CJ__COMPARE_KPIS ? &cj__compare_kpis[number->which] : NULL;
    cj__str s;

    cj__str_init(&s, &db->cx.allocator, CJ__MAX_MESSAGE);
    cj__str_put_text(&s, kpi != NULL ? kpi->text : "");
    cj__str_put_text(&s, kpi != NULL ? " " : "");
    cj__str_put_text(&s, is_median ? "> " : "");
    if (kpi != NULL && kpi->type == CJ__TYPE_MONEY) {
        cj__decimal_put(&s, (int64_t)number->value, db->currency_exponent);
        cj__str_put_text(&s, " ");
        cj__str_put_text(&s, db->currency);
    } else {
        cj__str_put_double(&s, number->value);
    }
    return rows_text(r, &s, out);
}

/* A row for those of the numbers that are above one, or equal it. */
static int32_t rows_number(rows *r, const cj__compare_number *numbers, size_t n,
                           const cj__compare_number *one, int is_median)
{
    const uint32_t which = one->which;
    rows_row row = {.type = CJ__TYPE_NUMBER};
    int32_t rc;

    for (size_t i = 0; i < n; i++) {
        const double value = numbers[i].value;

        for (int side = 0; side < 2; side++)
            row.x[side] += (is_median ? value > one->value : value == one->value) &&
                           (numbers[i].in >> side & 1) != 0;
    }
    CJ_TRY(rows_dimension(r,
                          which < CJ__COMPARE_KPIS
                              ? (uint32_t)CJ__COMPARE_KPI
                              : CJ__COMPARE_TRAITS + which - CJ__COMPARE_KPIS,
                          &row.dimension));
    CJ_TRY(rows_label(r, one, is_median, &row.value));
    CJ_TRY(rows_put(r, row));
out:
    return rc;
}

/* Numbers of one kind, ascending. */
static int32_t rows_numbers(rows *r, const cj__compare_number *numbers, size_t n)
{
    size_t n_values = 1;
    int32_t rc = CJ_OK;

    for (size_t i = 1; i < n; i++)
        n_values += numbers[i].value != numbers[i - 1].value;
    if (numbers[0].which < CJ__COMPARE_KPIS || n_values > ROWS_VALUES)
        return rows_number(r, numbers, n, &numbers[(n - 1) / 2], 1);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || numbers[i].value != numbers[i - 1].value)
            CJ_TRY(rows_number(r, numbers, n, &numbers[i], 0));
    }
out:
    return rc;
}

static int32_t rows_all_numbers(rows *r, const cj__str *partial)
{
    const cj__allocator *a = &r->c->db->cx.allocator;
    const size_t n = partial->n / sizeof(cj__compare_number);
    cj__compare_number *all;
    int32_t rc = CJ_OK;

    if (n == 0)
        return CJ_OK;
    all = cj__alloc(a, partial->n);
    if (all == NULL)
        return CJ_ENOMEM;
    memcpy(all, partial->data, partial->n);
    qsort(all, n, sizeof *all, rows_number_order);
    for (size_t from = 0, to; from < n; from = to) {
        for (to = from; to < n && all[to].which == all[from].which;)
            to++;
        CJ_TRY(rows_numbers(r, all + from, to - from));
    }
out:
    cj__free(a, all, partial->n);
    return rc;
}

/* ---- the table
 * -------------------------------------------------------------------------------- */

static int rows_text_order(cj__text a, cj__text b)
{
    const int order = memcmp(a.data, b.data, a.n < b.n ? a.n : b.n);

    return order != 0 ? order : a.n < b.n ? -1 : a.n > b.n;
}

static int rows_order(const void *a, const void *b)
{
    const rows_row *x = a, *y = b;
    int order;

    if (x->sure != y->sure)
        return x->sure > y->sure ? -1 : 1;
    order = rows_text_order(x->dimension, y->dimension);
    if (order == 0)
        order = rows_text_order(x->value, y->value);
    return order != 0 ? order : x->type < y->type ? -1 : x->type > y->type;
}

static int32_t rows_table(const rows *r, int64_t limit, cj_table **out)
{
    cj_table *t = NULL;
    int32_t rc;

    CJ_TRY(cj__table_new(&r->c->db->cx.allocator,
                         "dimension:t value:t share_a:d share_b:d lift:d low:d high:d "
                         "n_a:i n_b:i",
                         &t));
    for (size_t i = 0; i < r->n && i < (uint64_t)limit; i++) {
        const rows_row *row = &r->all[i];

        cj__table_text(t, 0, row->dimension.data, row->dimension.n);
        cj__table_text(t, 1, row->value.data, row->value.n);
        cj__table_double(t, 2, row->share[0]);
        cj__table_double(t, 3, row->share[1]);
        cj__table_double(t, 4, row->lift);
        cj__table_double(t, 5, row->low);
        cj__table_double(t, 6, row->high);
        cj__table_int64(t, 7, row->x[0]);
        cj__table_int64(t, 8, row->x[1]);
    }
    rc = cj__table_finish(t, out);
    t = NULL;
out:
    cj__table_free(t);
    return rc;
}

int32_t cj__compare_table(cj__compare *c, cj__reader *reader, const cj__str *numbers,
                          int64_t limit, cj_table **out)
{
    rows r = {.c = c, .reader = reader};
    const int is_empty = c->n[0] == 0 || c->n[1] == 0;
    int32_t rc = CJ_OK;

    for (size_t i = 0; i < c->n_counts && !is_empty; i++)
        CJ_TRY(rows_mark(&r, &c->counts[i]));
    if (!is_empty)
        CJ_TRY(rows_all_numbers(&r, numbers));
    if (r.n > 0)
        qsort(r.all, r.n, sizeof *r.all, rows_order);
    CJ_TRY(rows_table(&r, limit, out));
out:
    cj__free(&c->db->cx.allocator, r.all, r.capacity * sizeof *r.all);
    return rc;
}
