/* What RFM says of all customers together: how they are distributed over scores and
 * classes, and who moved from which class to which between two dates. */
#include "metrics/rfm.h"
#include "store/reader.h"

#include <string.h>

#define TABLES_SCORES (CJ__RFM_LIMITS + 2)

/* The columns of cj__rfm that are read here; identifiers are not asked for. */
enum { RFM_PROFILE = 0, RFM_VALUE = 1, RFM_MONETARY = 3, RFM_SCORE = 4, RFM_CLASS = 7 };

/* ---- classes by number -------------------------------------------------------------
 */

/* Names in order of precedence, each once; number n: none fits. */
typedef struct tables_classes {
    cj__text *name;
    int64_t n;
} tables_classes;

static int64_t classes_find(const tables_classes *c, cj__text name)
{
    for (int64_t i = 0; i < c->n; i++) {
        if (cj__text_equal(c->name[i], name))
            return i;
    }
    return c->n;
}

static int32_t classes_read(const cj_rfm_options *o, cj__arena *arena,
                            tables_classes *out)
{
    int64_t n = 0;

    while (cj__rfm_class_name(o->classes, o->n_classes, n).data != NULL)
        n++;
    out->n = 0;
    out->name = cj__arena_alloc(arena, (size_t)(n + 1) * sizeof *out->name);
    if (out->name == NULL)
        return CJ_ENOMEM;
    for (int64_t i = 0; i < n; i++) {
        const cj__text name = cj__rfm_class_name(o->classes, o->n_classes, i);

        if (classes_find(out, name) == out->n)
            out->name[out->n++] = name;
    }
    return CJ_OK;
}

static int64_t classes_of(const tables_classes *c, const cj_table *t, int64_t row)
{
    const int64_t *offsets;
    const char *text = cj__table_text_data(t, RFM_CLASS, &offsets);

    if (cj__table_is_null(t, RFM_CLASS, row))
        return c->n;
    return classes_find(
        c, (cj__text){text + offsets[row], (size_t)(offsets[row + 1] - offsets[row])});
}

static int32_t tables_options(const cj_rfm_options *o, cj_rfm_options *out)
{
    *out = *o;
    out->identifier = NULL;
    if (o->monetary_of == CJ_RFM_MEAN)
        return cj__fail(CJ_EINVAL,
                        "values are added up: monetary_of CJ_RFM_TOTAL only");
    return CJ_OK;
}

/* ---- distribution ------------------------------------------------------------------
 */

typedef struct tables_group {
    int64_t n, minor, low, high, n_scored;
    double scored;
} tables_group;

typedef struct tables_distribution {
    const cj_table *rfm;
    tables_classes classes;
    tables_group score[3][TABLES_SCORES], *of_class, all;
    cj_table *table;
} tables_distribution;

static int32_t group_add(tables_group *g, int64_t value, int64_t minor,
                         const double *scored)
{
    g->low = g->n == 0 || value < g->low ? value : g->low;
    g->high = g->n == 0 || value > g->high ? value : g->high;
    g->n++;
    if (scored != NULL) {
        g->n_scored++;
        g->scored += *scored;
    }
    if (__builtin_add_overflow(g->minor, minor, &g->minor))
        return cj__fail(CJ_ELIMIT, "the value of all customers is beyond int64");
    return CJ_OK;
}

static int32_t distribution_count(tables_distribution *d, cj__values *values)
{
    const int64_t *profile = cj__table_int64_data(d->rfm, RFM_PROFILE);
    const int64_t *minor = cj__table_int64_data(d->rfm, RFM_MONETARY);
    int32_t rc = CJ_OK;

    for (int64_t row = 0; row < cj__table_rows(d->rfm); row++) {
        const int64_t of = classes_of(&d->classes, d->rfm, row);
        double value, *scored;

        scored = cj__values_of(values, profile[row], &value) ? &value : NULL;
        for (int k = 0; k < 3; k++) {
            const int64_t *values_of = cj__table_int64_data(d->rfm, RFM_VALUE + k);
            const int64_t *scores = cj__table_int64_data(d->rfm, RFM_SCORE + k);

            CJ_TRY(group_add(&d->score[k][scores[row]], values_of[row], minor[row],
                             scored));
        }
        CJ_TRY(group_add(&d->of_class[of], 0, minor[row], scored));
        CJ_TRY(group_add(&d->all, 0, minor[row], scored));
    }
out:
    return rc;
}

static void put_ratio(cj_table *t, int column, double part, double whole)
{
    if (whole == 0)
        cj__table_null(t, column);
    else
        cj__table_double(t, column, part / whole);
}

/* dimension 0..2: a score; 3: a class; 4: all. */
static void distribution_put(const tables_distribution *d, int dimension, int64_t score,
                             cj__text name, const tables_group *g)
{
    static const char *const dimensions[] = {"r", "f", "m", "class", "all"};
    cj_table *t = d->table;

    cj__table_put(t, 0, dimensions[dimension]);
    cj__table_some(t, 2, name);
    if (dimension < 3)
        cj__table_int64(t, 1, score);
    else
        cj__table_null(t, 1);
    if (dimension < 3 && g->n > 0) {
        cj__table_int64(t, 3, g->low);
        cj__table_int64(t, 4, g->high);
    } else {
        cj__table_null(t, 3);
        cj__table_null(t, 4);
    }
    cj__table_int64(t, 5, g->n);
    put_ratio(t, 6, (double)g->n, (double)d->all.n);
    cj__table_int64(t, 7, g->minor);
    put_ratio(t, 8, (double)g->minor, (double)d->all.minor);
    cj__table_int64(t, 9, g->n_scored);
    cj__table_double(t, 10, g->scored);
    put_ratio(t, 11, g->scored, d->all.scored);
}

static int32_t distribution_table(tables_distribution *d, const cj_rfm_options *o,
                                  const cj__allocator *a, cj_table **out)
{
    const int64_t limits[3] = {o->n_r_limits, o->n_f_limits, o->n_m_limits};
    const cj__text none = {NULL, 0};
    int32_t rc;

    rc = cj__table_new(a,
                       "dimension:t score:i class:t low:i high:i customers:i "
                       "customers_ratio:d value_minor:i value_ratio:d scored:i clv:d "
                       "clv_ratio:d",
                       &d->table);
    if (rc != CJ_OK)
        return rc;
    for (int k = 0; k < 3; k++) {
        const int64_t n = limits[k] > 0    ? limits[k] + 1
                          : o->n_bins == 0 ? 5
                                           : o->n_bins;

        for (int64_t score = 1; score <= n; score++)
            distribution_put(d, k, score, none, &d->score[k][score]);
    }
    for (int64_t i = 0; i < d->classes.n; i++)
        distribution_put(d, 3, 0, d->classes.name[i], &d->of_class[i]);
    if (d->of_class[d->classes.n].n > 0)
        distribution_put(d, 3, 0, none, &d->of_class[d->classes.n]);
    distribution_put(d, 4, 0, none, &d->all);
    return cj__table_finish(d->table, out);
}

int32_t cj__rfm_distribution(cj_db *db, const cj_rfm_options *opts,
                             const cj_profile_values *clv, cj_table **out)
{
    const cj__allocator *a = &db->cx.allocator;
    tables_distribution *d;
    cj_rfm_options o;
    cj__values values;
    cj_table *rfm = NULL;
    cj__arena arena;
    size_t bytes;
    int32_t rc;

    *out = NULL;
    cj__arena_init(&arena, a);
    CJ_TRY(tables_options(opts, &o));
    CJ_TRY(cj__values_read(clv, &values));
    CJ_TRY(cj__rfm(db, &o, &rfm));
    d = cj__arena_alloc(&arena, sizeof *d);
    if (d == NULL)
        CJ_TRY(CJ_ENOMEM);
    memset(d, 0, sizeof *d);
    d->rfm = rfm;
    CJ_TRY(classes_read(&o, &arena, &d->classes));
    bytes = (size_t)(d->classes.n + 1) * sizeof *d->of_class;
    d->of_class = cj__arena_alloc(&arena, bytes);
    if (d->of_class == NULL)
        CJ_TRY(CJ_ENOMEM);
    memset(d->of_class, 0, bytes);
    CJ_TRY(distribution_count(d, &values));
    CJ_TRY(distribution_table(d, &o, a, out));
out:
    cj__table_free(rfm);
    cj__arena_end(&arena);
    return rc;
}

/* ---- migration ---------------------------------------------------------------------
 */

typedef struct tables_cell {
    int64_t n, before, after;
} tables_cell;

/* Cells by (class then, class now): the classes, none of them, not there. */
typedef struct tables_migration {
    tables_classes classes;
    tables_cell *cell;
    const cj_table *then, *now;
} tables_migration;

static int32_t migration_add(const tables_migration *m, int64_t then, int64_t now)
{
    const int64_t width = m->classes.n + 2;
    const int64_t from = then < 0 ? width - 1 : classes_of(&m->classes, m->then, then);
    const int64_t to = now < 0 ? width - 1 : classes_of(&m->classes, m->now, now);
    const int64_t before =
        then < 0 ? 0 : cj__table_int64_data(m->then, RFM_MONETARY)[then];
    const int64_t after = now < 0 ? 0 : cj__table_int64_data(m->now, RFM_MONETARY)[now];
    tables_cell *cell = &m->cell[from * width + to];

    cell->n++;
    if (__builtin_add_overflow(cell->before, before, &cell->before) ||
        __builtin_add_overflow(cell->after, after, &cell->after))
        return cj__fail(CJ_ELIMIT, "the value of all customers is beyond int64");
    return CJ_OK;
}

/* Both tables are in order of profiles. */
static int32_t migration_count(const tables_migration *m)
{
    const int64_t *then = cj__table_int64_data(m->then, RFM_PROFILE);
    const int64_t *now = cj__table_int64_data(m->now, RFM_PROFILE);
    const int64_t n_then = cj__table_rows(m->then), n_now = cj__table_rows(m->now);
    int64_t i = 0, k = 0;
    int32_t rc = CJ_OK;

    while (i < n_then || k < n_now) {
        const int is_gone = k >= n_now || (i < n_then && then[i] < now[k]);
        const int is_new = i >= n_then || (k < n_now && now[k] < then[i]);

        CJ_TRY(migration_add(m, is_new ? -1 : i, is_gone ? -1 : k));
        i += !is_new;
        k += !is_gone;
    }
out:
    return rc;
}

static void migration_name(cj_table *t, int column, const tables_classes *c, int64_t i,
                           const char *absent)
{
    if (i < c->n)
        cj__table_some(t, column, c->name[i]);
    else
        cj__table_put(t, column, i == c->n ? "(none)" : absent);
}

static int32_t migration_table(const tables_migration *m, const cj__allocator *a,
                               cj_table **out)
{
    const int64_t width = m->classes.n + 2;
    cj_table *t;
    int32_t rc = cj__table_new(a,
                               "from_class:t to_class:t customers:i from_ratio:d "
                               "from_minor:i to_minor:i",
                               &t);

    if (rc != CJ_OK)
        return rc;
    for (int64_t from = 0; from < width; from++) {
        int64_t n = 0;

        for (int64_t to = 0; to < width; to++)
            n += m->cell[from * width + to].n;
        for (int64_t to = 0; to < width; to++) {
            const tables_cell *cell = &m->cell[from * width + to];

            if (cell->n == 0)
                continue;
            migration_name(t, 0, &m->classes, from, "(new)");
            migration_name(t, 1, &m->classes, to, "(gone)");
            cj__table_int64(t, 2, cell->n);
            put_ratio(t, 3, (double)cell->n, (double)n);
            cj__table_int64(t, 4, cell->before);
            cj__table_int64(t, 5, cell->after);
        }
    }
    return cj__table_finish(t, out);
}

static int32_t migration_make(tables_migration *m, const cj_rfm_options *o,
                              const cj__allocator *a, cj_table **out)
{
    cj__arena arena;
    size_t bytes;
    int32_t rc;

    cj__arena_init(&arena, a);
    CJ_TRY(classes_read(o, &arena, &m->classes));
    bytes = cj__size_product((size_t)(m->classes.n + 2) * (size_t)(m->classes.n + 2),
                             sizeof *m->cell);
    m->cell = cj__arena_alloc(&arena, bytes);
    if (m->cell == NULL)
        CJ_TRY(CJ_ENOMEM);
    memset(m->cell, 0, bytes);
    CJ_TRY(migration_count(m));
    CJ_TRY(migration_table(m, a, out));
out:
    cj__arena_end(&arena);
    return rc;
}

int32_t cj__rfm_migrate(cj_db *db, const cj_rfm_options *opts, int64_t before_ms,
                        cj_table **out)
{
    const int64_t ago = opts->as_of_ms - before_ms;
    cj_table *then = NULL, *now = NULL;
    cj__reader *reader = NULL; /* one: nobody is merged in between */
    tables_migration m = {0};
    cj_rfm_options o;
    int32_t rc;

    *out = NULL;
    CJ_TRY(tables_options(opts, &o));
    if (before_ms >= o.as_of_ms || before_ms < -CJ__MAX_TIME_MS)
        CJ_TRY(cj__fail(CJ_EINVAL, "before_ms must be a time before as_of_ms"));
    CJ_TRY(cj__reader_open(db, &reader));
    CJ_TRY(cj__rfm_at(reader, &o, &now));
    o.as_of_ms = before_ms;
    o.from_ms = o.from_ms == 0 ? 0 : o.from_ms - ago;
    CJ_TRY(cj__rfm_at(reader, &o, &then));
    m.then = then;
    m.now = now;
    CJ_TRY(migration_make(&m, &o, &db->cx.allocator, out));
out:
    cj__table_free(then);
    cj__table_free(now);
    cj__reader_end(reader);
    return rc;
}
