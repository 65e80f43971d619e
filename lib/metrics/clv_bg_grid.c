/* Two levels.  Over the whole range of scale = alpha + T a Chebyshev series in
 * ln(scale), whose places are dear: one per x.  From it polynomials of degree 11 in the
 * scale itself over cells, four to an octave of the scale: found by the leading bits of
 * the floating-point number, evaluated without a logarithm.  On a cell the nearest
 * singularity (scale <= 0) leaves 17.9^-12 = 1e-15 (Bernstein's ellipse).  Both are
 * worked out when first needed and looked at for the size of their last coefficients:
 * where the series is not good, cells are made of places of their own, and where a cell
 * is not, its rows are worked out one by one. */
#include "metrics/clv_bg_grid.h"

#include <math.h>
#include <string.h>

#define GRID_COEFS 12
#define GRID_PLACES 64 /* of the series at most */
#define GRID_SHIFT 50  /* exponent and two bits of the mantissa remain */
#define GRID_FEW 64    /* rows below which nothing is interpolated */
#define GRID_RARE 8    /* rows of one x below which it is not */
#define GRID_BAD (-1.0)
#define GRID_PI 3.14159265358979323846

typedef struct grid_state {
    const cj__bg_grid *grid;
    int64_t n_x;            /* x below it are interpolated */
    int64_t first, n_cells; /* leading bits of the first cell */
    double *cells;          /* per x and cell GRID_COEFS; [0] 0: not yet, < 0: bad */
    double *series;         /* per x n_places; the same */
    int32_t *count;         /* rows per x */
    int32_t n_places;
    double low, high; /* of ln(scale) */
    double cosine[GRID_COEFS * 4], series_cosine[GRID_PLACES * 4];
    double place[GRID_PLACES]; /* scales */
} grid_state;

/* ---- Chebyshev ------------------------------------------------------------------- */

static void grid_cosines(int32_t n, double *cosine) /* cos(pi k / 2n), k < 4n */
{
    for (int32_t k = 0; k < 4 * n; k++)
        cosine[k] = cos(GRID_PI * k / (2 * n));
}

/* Coefficients from values at cos(pi (i + 1/2) / n); 0 when the last ones are not
 * negligible beside the smallest value. */
static int grid_fit(int32_t n, const double *cosine, const double *f, double *coef)
{
    double least = HUGE_VAL;

    for (int32_t i = 0; i < n; i++)
        least = fmin(least, f[i]);
    for (int32_t m = 0; m < n; m++) {
        double sum = 0;

        for (int32_t i = 0; i < n; i++)
            sum += f[i] * cosine[m * (2 * i + 1) % (4 * n)];
        coef[m] = sum * (m == 0 ? 1 : 2) / n;
    }
    return least > 1e-250 &&
           fabs(coef[n - 1]) + fabs(coef[n - 2]) / 16 <= 1e-13 * least;
}

static double grid_clenshaw(int32_t n, const double *coef, double u)
{
    double b1 = 0, b2 = 0;

    for (int32_t m = n - 1; m > 0; m--) {
        const double b = coef[m] + 2 * u * b1 - b2;

        b2 = b1;
        b1 = b;
    }
    return coef[0] + u * b1 - b2;
}

/* sum coef[k] T_k(u) in powers of u: no digits are lost, the last coefficients are
 * small. */
static void grid_powers(const double *coef, double *power)
{
    double before[GRID_COEFS + 1] = {1}, now[GRID_COEFS + 1] = {0, 1};

    memset(power, 0, GRID_COEFS * sizeof *power);
    power[0] = coef[0];
    for (int k = 1; k < GRID_COEFS; k++) {
        for (int i = k + 1; i >= 0; i--) {
            const double next = (i > 0 ? 2 * now[i - 1] : 0) - before[i];

            if (i <= k)
                power[i] += coef[k] * now[i];
            before[i] = now[i];
            now[i] = next;
        }
    }
}

/* ---- the two levels -------------------------------------------------------------- */

static int64_t grid_bits(double scale)
{
    int64_t bits;

    memcpy(&bits, &scale, sizeof bits);
    return bits >> GRID_SHIFT;
}

static double grid_edge(int64_t bits) /* the smallest scale with these leading bits */
{
    const int64_t whole = bits << GRID_SHIFT;
    double scale;

    memcpy(&scale, &whole, sizeof scale);
    return scale;
}

/* -1..1 over the scale's cell: the bits behind the leading ones. */
static double grid_within(double scale)
{
    int64_t bits;
    double v;

    memcpy(&bits, &scale, sizeof bits);
    bits = (bits & (((int64_t)1 << GRID_SHIFT) - 1)) << (52 - GRID_SHIFT);
    bits |= (int64_t)1023 << 52;
    memcpy(&v, &bits, sizeof v);
    return 2 * v - 3;
}

static double grid_shape(const grid_state *s, double x, double scale)
{
    return scale + (s->grid->ask->at->theta[0] + x) * s->grid->reach;
}

/* The series of x, made when first asked for; NULL: it is not good. */
static const double *grid_series(const grid_state *s, double x)
{
    double *series = s->series + (int64_t)x * s->n_places, f[GRID_PLACES];

    if (series[0] == 0) {
        s->grid->turn(s->grid->user, x);
        for (int32_t i = 0; i < s->n_places; i++)
            f[i] = s->grid->number(s->grid->user, s->place[i]) *
                   grid_shape(s, x, s->place[i]);
        if (!grid_fit(s->n_places, s->series_cosine, f, series))
            series[0] = GRID_BAD;
    }
    return series[0] == GRID_BAD ? NULL : series;
}

static void grid_cell(const grid_state *s, double x, int64_t bits, double *cell)
{
    const double *series = grid_series(s, x);
    const double low = grid_edge(bits), width = grid_edge(bits + 1) - low;
    double f[GRID_COEFS], coef[GRID_COEFS];

    if (series == NULL)
        s->grid->turn(s->grid->user, x);
    for (int i = 0; i < GRID_COEFS; i++) {
        const double scale = low + width * (1 + s->cosine[2 * i + 1]) / 2;
        const double u = (2 * log(scale) - s->low - s->high) / (s->high - s->low);

        f[i] = series == NULL
                   ? s->grid->number(s->grid->user, scale)
                   : grid_clenshaw(s->n_places, series, u) / grid_shape(s, x, scale);
    }
    if (grid_fit(GRID_COEFS, s->cosine, f, coef))
        grid_powers(coef, cell);
    else
        cell[0] = GRID_BAD;
}

/* ---- rows ------------------------------------------------------------------------ */

static double grid_exact(const cj__bg_grid *g, double x, double scale)
{
    g->turn(g->user, x);
    return g->number(g->user, scale);
}

static double grid_number(const grid_state *s, double x, double scale)
{
    double *cell, u, v;
    int64_t bits;

    if (!(x < (double)s->n_x))
        return grid_exact(s->grid, x, scale);
    bits = grid_bits(scale);
    cell = s->cells + ((int64_t)x * s->n_cells + bits - s->first) * GRID_COEFS;
    if (!(cell[0] > 0)) {
        if (cell[0] == 0 && s->count[(int64_t)x] >= GRID_RARE)
            grid_cell(s, x, bits, cell);
        if (!(cell[0] > 0))
            return grid_exact(s->grid, x, scale);
    }
    u = grid_within(scale);
    v = cell[GRID_COEFS - 1];
    for (int k = GRID_COEFS - 2; k >= 0; k--)
        v = v * u + cell[k];
    return v;
}

static void grid_rows(const grid_state *s, double *out)
{
    const cj__clv_ask *ask = s->grid->ask;
    const cj__clv_rows *rows = ask->rows;
    const double dead = s->grid->dead;
    cj__bg_entry own;

    for (int64_t i = 0; i < rows->n; i++) {
        const double x = rows->x[i];
        double odds = cj__bg_odds(ask->at, cj__bg_find(ask->at, x, &own), rows->tx[i],
                                  rows->t[i]);

        if (dead > 0 && odds > 1e300) /* infinite, perhaps */
            odds = 1e300;
        out[i] = grid_number(s, x, ask->at->theta[1] + rows->t[i]) / (1 + odds);
        if (dead > 0)
            out[i] += dead * (odds / (1 + odds));
    }
}

/* Cells and series over the scales there are. */
static void grid_range(grid_state *s)
{
    const cj__clv_ask *ask = s->grid->ask;
    double low = HUGE_VAL, high = 0, half;
    int64_t last;

    for (int64_t i = 0; i < ask->rows->n; i++) {
        low = fmin(low, ask->rows->t[i]);
        high = fmax(high, ask->rows->t[i]);
    }
    s->first = grid_bits(ask->at->theta[1] + low);
    last = grid_bits(ask->at->theta[1] + high);
    s->n_cells = last - s->first + 1;
    s->low = log(grid_edge(s->first));
    s->high = log(grid_edge(last + 1));
    /* the width's rho, for singularities pi/2 .. pi off the real axis */
    half = (s->high - s->low) / 2;
    s->n_places = (int32_t)fmin(GRID_PLACES, 6 + 30 / asinh(2.2 / half));
    grid_cosines(GRID_COEFS, s->cosine);
    grid_cosines(s->n_places, s->series_cosine);
    for (int32_t i = 0; i < s->n_places; i++)
        s->place[i] = exp(s->low + half * (1 + s->series_cosine[2 * i + 1]));
}

/* At most 32 bytes per row are for tables. */
static int32_t grid_memory(grid_state *s, cj__arena *arena)
{
    const cj__clv_rows *rows = s->grid->ask->rows;
    const int64_t per_x = s->n_cells * GRID_COEFS + s->n_places + 1;
    size_t n;

    s->n_x = s->grid->ask->at->max_x + 1;
    if (s->n_x > 4 * rows->n / per_x)
        s->n_x = 4 * rows->n / per_x;
    n = (size_t)(s->n_x * per_x);
    if (n == 0)
        return CJ_OK;
    s->cells = cj__arena_alloc(arena, n * sizeof(double));
    if (s->cells == NULL)
        return CJ_ENOMEM;
    memset(s->cells, 0, n * sizeof(double));
    s->series = s->cells + s->n_x * s->n_cells * GRID_COEFS;
    s->count = (int32_t *)(s->series + s->n_x * s->n_places);
    for (int64_t i = 0; i < rows->n; i++)
        if (rows->x[i] < (double)s->n_x && s->count[(int64_t)rows->x[i]] < GRID_RARE)
            s->count[(int64_t)rows->x[i]]++;
    return CJ_OK;
}

int32_t cj__bg_grid_answer(const cj__bg_grid *grid, double *out)
{
    grid_state s = {.grid = grid};
    cj__arena arena;
    int32_t rc = CJ_OK;

    cj__arena_init(&arena, grid->ask->at->allocator);
    if (grid->ask->rows->n >= GRID_FEW) {
        grid_range(&s);
        rc = grid_memory(&s, &arena);
    }
    if (rc == CJ_OK)
        grid_rows(&s, out);
    cj__arena_end(&arena);
    return rc;
}
