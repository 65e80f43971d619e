/* How a customer base holds its value: how much of it the best few percent have, and
 * one number for how uneven it is.  Money stays integer; sums of it are exact. */
#include "metrics/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int concentration_top[] = {1, 5, 10, 20, 50, 100}; /* percent */

typedef struct concentration {
    cj_table *table;
    int64_t n;
    int64_t *minor; /* sorted, best first; or */
    double *value;
} concentration;

static int concentration_by_minor(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x < y) - (x > y);
}

static int concentration_by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x < y) - (x > y);
}

/* Value of the best `n`, and as a number. */
static int32_t concentration_sum(const concentration *c, int64_t n, int64_t *minor_out,
                                 double *out)
{
    *minor_out = 0;
    *out = 0;
    for (int64_t i = 0; c->minor != NULL && i < n; i++) {
        if (__builtin_add_overflow(*minor_out, c->minor[i], minor_out))
            return cj__fail(CJ_ELIMIT, "the value of all customers is beyond int64");
    }
    for (int64_t i = 0; c->value != NULL && i < n; i++)
        *out += c->value[i];
    if (c->minor != NULL)
        *out = (double)*minor_out;
    return CJ_OK;
}

static int32_t concentration_row(const concentration *c, const char *measure, int64_t n,
                                 double whole)
{
    int64_t minor;
    double value;
    int32_t rc = concentration_sum(c, n, &minor, &value);

    if (rc != CJ_OK)
        return rc;
    cj__table_put(c->table, 0, measure);
    cj__table_int64(c->table, 1, n);
    if (c->minor != NULL)
        cj__table_int64(c->table, 2, minor);
    else
        cj__table_null(c->table, 2);
    cj__table_double(c->table, 3, value);
    if (whole > 0)
        cj__table_double(c->table, 4, value / whole);
    else
        cj__table_null(c->table, 4);
    return CJ_OK;
}

/* How many of the best have at least half of it. */
static int64_t concentration_half(const concentration *c, double whole)
{
    double sum = 0;
    int64_t n = 0;

    while (n < c->n && 2 * sum < whole) {
        sum += c->minor != NULL ? (double)c->minor[n] : c->value[n];
        n++;
    }
    return n;
}

/* Gini (1912), of values in falling order v_1 >= v_2 ...:
 * G = (n + 1 - 2 sum(i v_i) / sum(v_i)) / n. */
static void concentration_gini(const concentration *c, double whole)
{
    const double n = (double)c->n;
    double weighted = 0, gini;

    for (int64_t i = 0; i < c->n; i++)
        weighted +=
            (double)(i + 1) * (c->minor != NULL ? (double)c->minor[i] : c->value[i]);
    cj__table_put(c->table, 0, "gini");
    cj__table_int64(c->table, 1, c->n);
    cj__table_null(c->table, 2);
    cj__table_null(c->table, 3);
    if (whole <= 0) {
        cj__table_null(c->table, 4);
        return;
    }
    gini = (n + 1 - 2 * weighted / whole) / n;
    cj__table_double(c->table, 4, gini < 0 && gini > -1e-12 ? 0 : gini);
}

static int32_t concentration_rows(const concentration *c)
{
    static const char *const names[] = {"top 1 %",  "top 5 %",  "top 10 %",
                                        "top 20 %", "top 50 %", "all"};
    int64_t minor;
    double whole;
    int32_t rc;

    CJ_TRY(concentration_sum(c, c->n, &minor, &whole));
    for (int i = 0; i < 6; i++)
        CJ_TRY(concentration_row(c, names[i],
                                 (c->n / 100) * concentration_top[i] +
                                     ((c->n % 100) * concentration_top[i] + 99) / 100,
                                 whole));
    CJ_TRY(
        concentration_row(c, "half of the value", concentration_half(c, whole), whole));
    concentration_gini(c, whole);
out:
    return rc;
}

int32_t cj__value_concentration(const cj__allocator *a, const int64_t *minor,
                                const double *value, int64_t n, cj_table **out)
{
    const size_t bytes = cj__size_product((size_t)n + 1, sizeof(int64_t));
    concentration c = {.n = n};
    void *copy;
    int32_t rc;

    *out = NULL;
    for (int64_t i = 0; value != NULL && i < n; i++) {
        if (!isfinite(value[i]))
            return cj__fail_at(i, CJ_EINVAL, "a value is not finite");
    }
    copy = cj__alloc(a, bytes);
    if (copy == NULL)
        return CJ_ENOMEM;
    if (n > 0)
        memcpy(copy, minor != NULL ? (const void *)minor : (const void *)value,
               (size_t)n * sizeof(int64_t));
    if (minor != NULL)
        c.minor = copy;
    else
        c.value = copy;
    qsort(copy, (size_t)n, sizeof(int64_t),
          minor != NULL ? concentration_by_minor : concentration_by_value);
    CJ_TRY(cj__table_new(a, "measure:t customers:i value_minor:i value:d ratio:d",
                         &c.table));
    CJ_TRY(concentration_rows(&c));
    rc = cj__table_finish(c.table, out);
    c.table = NULL;
out:
    cj__table_free(c.table);
    cj__free(a, copy, bytes);
    return rc;
}
