/* Grouping by sorting: 32 bits of a hash of each row beside its number, radix sorted;
 * rows with one hash are compared.  So the order of groups is that of their hashes: the
 * same for any order of the customers, and its beginning is a fair sample of them.
 *
 * Memory per customer: 16 bytes while sorting (two arrays of keys); then 8 of the keys,
 * in whose place the weights come one by one, and 20 of the rows themselves. */
#include "metrics/clv_rows.h"

#include "base/hash.h"
#include "base/sum.h"

#include <math.h>
#include <string.h>

#define ROWS_FIRST ((uint64_t)1 << 32)   /* of a sorted key: a group begins */
#define ROWS_PATTERN ((uint64_t)2 << 32) /* ... and a pattern */
#define ROWS_PATTERN_BITS                                                              \
    12 /* of a hash, for rows of one pattern; the rest: the pattern */

/* What a row is, as the family sees it. */
typedef struct rows_row {
    uint64_t x;
    double tx, t, z;
} rows_row;

static void rows_read(const cj__clv_groups *g, int64_t i, rows_row *out)
{
    const cj_clv_data *d = g->data;

    memset(out, 0, sizeof *out);
    out->x = (uint64_t)d->x[i];
    if (g->family == CJ__CLV_SPEND) {
        out->z = d->spend[i];
        return;
    }
    out->t = d->t[i] + 0.0; /* -0 is 0 */
    if (g->family != CJ__CLV_CONTRACT)
        out->tx = d->tx[i] + 0.0;
}

static const double *rows_covariates(const cj__clv_groups *g, uint32_t i)
{
    return g->data->covariates + (size_t)i * (size_t)g->data->n_covariates;
}

static size_t rows_covariate_bytes(const cj__clv_groups *g)
{
    return (size_t)g->data->n_covariates * sizeof(double);
}

static int rows_compare_patterns(const cj__clv_groups *g, uint32_t i, uint32_t j)
{
    const double *a = rows_covariates(g, i), *b = rows_covariates(g, j);

    for (int64_t c = 0; c < g->data->n_covariates; c++) {
        if (a[c] != b[c])
            return a[c] < b[c] ? -1 : 1;
    }
    return 0;
}

/* By content. */
static int rows_compare(const cj__clv_groups *g, uint32_t i, uint32_t j)
{
    const int order = rows_compare_patterns(g, i, j);
    rows_row a, b;

    if (order != 0)
        return order;
    rows_read(g, i, &a);
    rows_read(g, j, &b);
    if (a.x != b.x)
        return a.x < b.x ? -1 : 1;
    if (a.tx != b.tx)
        return a.tx < b.tx ? -1 : 1;
    if (a.t != b.t)
        return a.t < b.t ? -1 : 1;
    return a.z < b.z ? -1 : a.z > b.z;
}

/* -0 and 0 are one covariate, so they hash as one. */
static uint64_t rows_hash_pattern(const cj__clv_groups *g, uint32_t i)
{
    double plain[CJ__CLV_COVARIATES];
    const double *from = rows_covariates(g, i);

    for (int64_t c = 0; c < g->data->n_covariates; c++)
        plain[c] = from[c] + 0.0;
    return cj__hash64(1, plain, rows_covariate_bytes(g)) >> 32;
}

static uint64_t rows_key(const cj__clv_groups *g, uint32_t i)
{
    rows_row row;
    uint64_t hash;

    rows_read(g, i, &row);
    hash = cj__hash64(0, &row, sizeof row) >> 32;
    if (g->data->n_covariates > 0) {
        const uint64_t low = ((uint64_t)1 << ROWS_PATTERN_BITS) - 1;

        hash = (hash & low) | (rows_hash_pattern(g, i) & ~low);
    }
    return hash << 32 | i;
}

/* ---- sorting
 * ------------------------------------------------------------------------- */

/* By the upper 32 bits; stable.  An even number of passes ends in `keys`. */
static void rows_radix(uint64_t *keys, uint64_t *other, size_t n)
{
    for (int shift = 32; shift < 64; shift += 8) {
        size_t at[257] = {0};
        uint64_t *keep = keys;

        for (size_t i = 0; i < n; i++)
            at[1 + (keys[i] >> shift & 255)]++;
        for (int b = 0; b < 256; b++)
            at[b + 1] += at[b];
        for (size_t i = 0; i < n; i++)
            other[at[keys[i] >> shift & 255]++] = keys[i];
        keys = other;
        other = keep;
    }
}

static int rows_before(const cj__clv_groups *g, uint64_t a, uint64_t b)
{
    const int order = rows_compare(g, (uint32_t)a, (uint32_t)b);

    return order != 0 ? order < 0 : (uint32_t)a < (uint32_t)b;
}

static void rows_sift(const cj__clv_groups *g, uint64_t *keys, size_t root, size_t n)
{
    for (size_t child = 2 * root + 1; child < n; child = 2 * root + 1) {
        const uint64_t keep = keys[root];

        if (child + 1 < n && rows_before(g, keys[child], keys[child + 1]))
            child++;
        if (!rows_before(g, keep, keys[child]))
            return;
        keys[root] = keys[child];
        keys[child] = keep;
        root = child;
    }
}

/* Rows of one hash, by content and number (heap sort: no case is slow). */
static void rows_sort_run(const cj__clv_groups *g, uint64_t *keys, size_t n)
{
    size_t same = 1;

    while (same < n && rows_compare(g, (uint32_t)keys[0], (uint32_t)keys[same]) == 0)
        same++;
    if (same == n)
        return; /* nearly always: they are alike, and in the order of their numbers */
    for (size_t root = n / 2; root-- > 0;)
        rows_sift(g, keys, root, n);
    for (size_t end = n - 1; end > 0; end--) {
        const uint64_t keep = keys[0];

        keys[0] = keys[end];
        keys[end] = keep;
        rows_sift(g, keys, 0, end);
    }
}

/* Hashes give way to marks: where a group begins, and a pattern.  Rows of different
 * hashes are different; only neighbours of one hash are compared. */
static void rows_mark_run(cj__clv_groups *g, uint64_t *keys, size_t begin, size_t end)
{
    const int is_plain = g->data->n_covariates == 0;

    if (end - begin > 1)
        rows_sort_run(g, keys + begin, end - begin);
    for (size_t i = begin; i < end; i++) {
        const uint32_t me = (uint32_t)keys[i];
        const uint32_t last = i > 0 ? (uint32_t)keys[i - 1] : 0;
        uint64_t marks = 0;

        if (i == begin || rows_compare(g, last, me) != 0) {
            marks = ROWS_FIRST;
            g->n++;
        }
        if (i == 0 || (marks != 0 && !is_plain && rows_compare_patterns(g, last, me))) {
            marks |= ROWS_PATTERN;
            g->n_patterns++;
        }
        keys[i] = marks | me;
    }
}

static void rows_mark(cj__clv_groups *g, uint64_t *keys, size_t n)
{
    size_t end;

    for (size_t begin = 0; begin < n; begin = end) {
        for (end = begin + 1; end < n && keys[end] >> 32 == keys[begin] >> 32; end++)
            ;
        rows_mark_run(g, keys, begin, end);
    }
}

/* ---- rows
 * ---------------------------------------------------------------------------- */

/* What cannot be told apart in the sorted order is not looked at: rows of no weight,
 * and for spend customers who have not spent. */
static size_t rows_keys(const cj__clv_groups *g, uint64_t *keys)
{
    const cj_clv_data *d = g->data;
    size_t n = 0;

    for (int64_t i = 0; i < d->n; i++) {
        if (d->weight != NULL && d->weight[i] <= 0)
            continue;
        if (g->family == CJ__CLV_SPEND && !cj__clv_has_spent(d, i))
            continue;
        keys[n++] = rows_key(g, (uint32_t)i);
    }
    return n;
}

static int32_t rows_column(cj__clv_groups *g, double **column)
{
    *column =
        cj__alloc(g->allocator, cj__size_product((size_t)g->room, sizeof(double)));
    return *column == NULL ? CJ_ENOMEM : CJ_OK;
}

static int32_t rows_columns(cj__clv_groups *g)
{
    const size_t n = (size_t)g->n;
    int32_t rc = CJ_OK;

    g->room = g->n;
    g->x = cj__alloc(g->allocator, cj__size_product(n, sizeof *g->x));
    if (g->x == NULL)
        return CJ_ENOMEM;
    if (g->family == CJ__CLV_SPEND)
        return rows_column(g, &g->z);
    CJ_TRY(rows_column(g, &g->t));
    if (g->family != CJ__CLV_CONTRACT)
        CJ_TRY(rows_column(g, &g->tx));
    if (g->data->n_covariates == 0)
        return CJ_OK;
    g->pattern_room = g->n_patterns + 1;
    g->first = cj__alloc(g->allocator, (size_t)g->pattern_room * sizeof *g->first);
    if (g->first == NULL)
        return CJ_ENOMEM;
    g->who = cj__alloc(g->allocator, (size_t)g->pattern_room * sizeof *g->who);
    return g->who == NULL ? CJ_ENOMEM : CJ_OK;
out:
    return rc;
}

static void rows_put(cj__clv_groups *g, int64_t at, uint32_t customer)
{
    rows_row row;

    rows_read(g, customer, &row);
    g->x[at] = (uint32_t)row.x;
    if (g->z != NULL)
        g->z[at] = row.z;
    if (g->t != NULL)
        g->t[at] = row.t;
    if (g->tx != NULL)
        g->tx[at] = row.tx;
    if ((int64_t)row.x > g->max_x)
        g->max_x = (int64_t)row.x;
}

/* Weights take the place of the keys they come from: there are never more of them. */
static void rows_fill(cj__clv_groups *g, uint64_t *keys, size_t n)
{
    double *weights = (double *)(void *)keys;
    int64_t at = -1, pattern = 0;
    double weight = 0;

    for (size_t i = 0; i < n; i++) {
        const uint64_t key = keys[i];
        const uint32_t me = (uint32_t)key;

        if ((key & ROWS_FIRST) != 0) {
            if (at >= 0)
                memcpy(&weights[at], &weight, sizeof weight);
            weight = 0;
            rows_put(g, ++at, me);
        }
        if (g->first != NULL && (key & ROWS_PATTERN) != 0) {
            g->first[pattern] = (uint32_t)at;
            g->who[pattern++] = me;
        }
        weight += g->data->weight != NULL ? g->data->weight[me] : 1;
    }
    if (at >= 0)
        memcpy(&weights[at], &weight, sizeof weight);
    if (g->first != NULL)
        g->first[pattern] = (uint32_t)g->n;
    g->weight = weights;
}

/* ---- numbers about them
 * -------------------------------------------------------------- */

static double rows_mean(const cj__clv_groups *g, const double *column)
{
    if (column == NULL || !(g->n_customers > 0))
        return 0;
    return cj__sum_product(g->weight, column, g->n) / g->n_customers;
}

/* The geometric mean of spend: where a few spend without bound (q <= 1) the mean is
 * theirs alone, and v in units of it would seem to go to 0. */
static double rows_middle_spend(const cj__clv_groups *g)
{
    cj__sum logs = {0, 0};

    if (g->z == NULL || !(g->n_customers > 0))
        return 0;
    for (int64_t i = 0; i < g->n; i++)
        cj__sum_add(&logs, g->weight[i] * log(g->z[i]));
    return exp(cj__sum_of(&logs) / g->n_customers);
}

/* Two rows that differ by rounding are two rows either way; so dividing is safe. */
static void rows_divide(const cj__clv_groups *g, double *column)
{
    for (int64_t i = 0; column != NULL && i < g->n; i++)
        column[i] /= g->scale;
}

static void rows_means(cj__clv_groups *g)
{
    cj__clv_means *m = &g->means;
    cj__sum xx = {0, 0}, zz = {0, 0};

    m->t = rows_mean(g, g->t);
    m->tx = rows_mean(g, g->tx);
    m->z = rows_mean(g, g->z);
    m->x = g->sum_x / g->n_customers;
    m->repeat_ratio = g->n_repeaters / g->n_customers;
    for (int64_t i = 0; i < g->n; i += CJ__CLV_CHUNK) {
        const int64_t end = i + CJ__CLV_CHUNK < g->n ? i + CJ__CLV_CHUNK : g->n;
        double some_xx = 0, some_zz = 0;

        for (int64_t j = i; j < end; j++) {
            const double x = g->x[j] - m->x, z = g->z != NULL ? g->z[j] - m->z : 0;

            some_xx += g->weight[j] * x * x;
            some_zz += g->weight[j] * z * z;
        }
        cj__sum_add(&xx, some_xx);
        cj__sum_add(&zz, some_zz);
    }
    m->x_variance = cj__sum_of(&xx) / g->n_customers;
    m->z_variance = cj__sum_of(&zz) / g->n_customers;
}

static void rows_count(cj__clv_groups *g)
{
    cj__sum repeaters = {0, 0}, x = {0, 0};
    double scale = 1;

    for (int64_t i = 0; i < g->n; i += CJ__CLV_CHUNK) {
        const int64_t end = i + CJ__CLV_CHUNK < g->n ? i + CJ__CLV_CHUNK : g->n;
        double some_repeaters = 0, some_x = 0;

        for (int64_t j = i; j < end; j++) {
            some_x += g->weight[j] * g->x[j];
            some_repeaters += g->x[j] > 0 ? g->weight[j] : 0;
        }
        cj__sum_add(&x, some_x);
        cj__sum_add(&repeaters, some_repeaters);
    }
    g->n_customers = cj__sum_column(g->weight, g->n);
    g->n_repeaters = cj__sum_of(&repeaters);
    g->sum_x = cj__sum_of(&x);
    if (g->family == CJ__CLV_SPEND)
        scale = rows_middle_spend(g);
    else if (g->family == CJ__CLV_CONTINUOUS)
        scale = rows_mean(g, g->t);
    g->scale = scale > 0 ? scale : 1;
    rows_divide(g, g->t);
    rows_divide(g, g->tx);
    rows_divide(g, g->z);
    if (g->n_customers > 0)
        rows_means(g);
}

__extension__ typedef __int128 rows_wide;

/* Not a part of the rows: it would tear groups apart, and is but a constant of the
 * likelihood.  In steps of 2^-40 the sum is exact, so that its order does not matter.
 */
static void rows_litt(cj__clv_groups *g)
{
    const cj_clv_data *d = g->data;
    rows_wide sum = 0;

    for (int64_t i = 0; d->litt != NULL && i < d->n; i++) {
        const double weight = d->weight != NULL ? d->weight[i] : 1;
        const double steps = rint(d->litt[i] * 0x1p40) * weight;

        if (d->x[i] > 0)
            sum += (rows_wide)fmin(fmax(steps, -0x1p90), 0x1p90);
    }
    g->sum_litt = (double)sum * 0x1p-40;
}

static void rows_spread(cj__clv_groups *g)
{
    for (int64_t c = 0; c < g->data->n_covariates; c++) {
        double mean = 0;

        for (int pass = 0; pass < 2; pass++) { /* mean, then variance */
            cj__sum s = {0, 0};

            for (int64_t p = 0; p < g->n_patterns; p++) {
                const double z = rows_covariates(g, g->who[p])[c];

                for (uint32_t i = g->first[p]; i < g->first[p + 1]; i++)
                    cj__sum_add(&s, g->weight[i] *
                                        (pass == 0 ? z : (z - mean) * (z - mean)));
            }
            if (pass == 0)
                g->centre[c] = mean = cj__sum_of(&s) / g->n_customers;
            else
                g->spread[c] = sqrt(cj__sum_of(&s) / g->n_customers);
        }
    }
}

/* What many customers share with each other needs no room of its own any more. */
static int32_t rows_trim(cj__clv_groups *g, uint64_t **keys, size_t bytes)
{
    const size_t room = (size_t)(g->n > 0 ? g->n : 1) * sizeof **keys;
    void *less = cj__resize(g->allocator, *keys, bytes, room);

    if (less == NULL)
        return CJ_ENOMEM;
    *keys = less;
    return CJ_OK;
}

int32_t cj__clv_group(const cj__allocator *a, const cj__clv_model *model,
                      const cj_clv_data *data, cj__clv_groups *out)
{
    const size_t bytes = (size_t)(data->n > 0 ? data->n : 1) * sizeof(uint64_t);
    uint64_t *keys = NULL, *other = NULL;
    size_t n, held = bytes;
    int32_t rc = CJ_ENOMEM;

    memset(out, 0, sizeof *out);
    out->allocator = a;
    out->data = data;
    out->family = model->family;
    out->scale = 1;
    keys = cj__alloc(a, bytes);
    if (keys != NULL)
        other = cj__alloc(a, bytes);
    if (other == NULL)
        goto out;
    n = rows_keys(out, keys);
    rows_radix(keys, other, n);
    cj__free(a, other, bytes);
    other = NULL;
    rows_mark(out, keys, n);
    if (out->n == 0) {
        rc = CJ_OK;
        goto out;
    }
    CJ_TRY(rows_columns(out));
    rows_fill(out, keys, n);
    out->weight = NULL;
    CJ_TRY(rows_trim(out, &keys, bytes));
    held = (size_t)out->n * sizeof *keys;
    out->weight = (double *)(void *)keys;
    rows_count(out);
    rows_litt(out);
    if (out->first != NULL)
        rows_spread(out);
    keys = NULL;
out:
    cj__free(a, other, bytes);
    cj__free(a, keys, held);
    return rc;
}

/* ---- a sample -------------------------------------------------------------------- */

/* Of customers in a row every step-th one: how many fall on group i, after `before`. */
static double rows_hits(double before, double weight, double step)
{
    return floor((before + weight) / step) - floor(before / step);
}

int32_t cj__clv_groups_sample(const cj__clv_groups *from, int64_t n_customers,
                              cj__clv_groups *out)
{
    const double step = from->n_customers / (double)n_customers;
    double before = 0;
    int64_t at = 0;
    int32_t rc = CJ_OK;

    *out = *from;
    out->x = NULL;
    out->tx = out->t = out->z = out->weight = NULL;
    out->first = out->who = NULL;
    out->n = out->n_patterns = out->pattern_room = 0;
    for (int64_t i = 0; i < from->n; before += from->weight[i++])
        out->n += rows_hits(before, from->weight[i], step) > 0;
    if (out->n == 0)
        return CJ_OK;
    CJ_TRY(rows_columns(out));
    CJ_TRY(rows_column(out, &out->weight));
    before = 0;
    for (int64_t i = 0; i < from->n; before += from->weight[i++]) {
        const double hits = rows_hits(before, from->weight[i], step);

        if (hits <= 0)
            continue;
        out->x[at] = from->x[i];
        if (out->z != NULL)
            out->z[at] = from->z[i];
        if (out->t != NULL)
            out->t[at] = from->t[i];
        if (out->tx != NULL)
            out->tx[at] = from->tx[i];
        out->weight[at++] = hits;
    }
out:
    return rc;
}

void cj__clv_groups_end(cj__clv_groups *g)
{
    const size_t doubles = (size_t)g->room * sizeof(double);

    if (g->allocator == NULL)
        return;
    cj__free(g->allocator, g->x, (size_t)g->room * sizeof *g->x);
    cj__free(g->allocator, g->tx, doubles);
    cj__free(g->allocator, g->t, doubles);
    cj__free(g->allocator, g->z, doubles);
    cj__free(g->allocator, g->weight, doubles);
    cj__free(g->allocator, g->first, (size_t)g->pattern_room * sizeof *g->first);
    cj__free(g->allocator, g->who, (size_t)g->pattern_room * sizeof *g->who);
    memset(g, 0, sizeof *g);
}
