/* Two levels, both on fixed places, so that an answer does not depend on who else is
 * asked for.  Over spans of two octaves of scale = alpha + T a Chebyshev series in
 * ln(scale), whose places are dear.  From it polynomials of degree 11 in the scale
 * itself over cells, four to an octave: found by the leading bits of the floating-point
 * number, evaluated without a logarithm.  On a cell the nearest singularity (scale <=
 * 0) leaves 17.9^-12 = 1e-15, on a span 4.8^-22 (Bernstein's ellipse).  Both are worked
 * out when first needed and looked at for the size of their last coefficients: where
 * the series is not good, cells are made of places of their own, and where a cell is
 * not, its rows are worked out one by one. */
#include "metrics/clv_bg_grid.h"

#include <math.h>
#include <string.h>

#define GRID_COEFS 12
#define GRID_PLACES 22
#define GRID_SHIFT 50 /* exponent and two bits of the mantissa remain: cells */
#define GRID_SPAN 8   /* cells */
#define GRID_HALF 0.693147180559945309 /* half the width of a span in ln(scale) */
#define GRID_BAD (-1.0)
#define GRID_PI 3.14159265358979323846

typedef struct grid_state {
    const cj__bg_grid *grid;
    cj__arena arena;
    int64_t n_x;         /* x below it have numbers */
    int64_t first, last; /* cells that are asked for, by their leading bits */
    double **numbers;    /* per x, NULL: not yet: cells, then series; the first
                          * coefficient is 0: not yet, < 0: bad */
    double cosine[GRID_COEFS * 4], series_cosine[GRID_PLACES * 4];
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

static void grid_turn(const grid_state *s, double x, int64_t bits)
{
    s->grid->turn(s->grid->user, x, grid_edge(bits));
}

/* ln(scale) in the middle of a span. */
static double grid_middle(int64_t span)
{
    return log(grid_edge(span * GRID_SPAN)) + GRID_HALF;
}

/* The series of x over a span, made when first asked for; 0: it is not good. */
static int grid_series(const grid_state *s, double x, int64_t span, double *series)
{
    double f[GRID_PLACES];

    if (series[0] != 0)
        return series[0] != GRID_BAD;
    grid_turn(s, x, span * GRID_SPAN);
    for (int i = 0; i < GRID_PLACES; i++) {
        const double u = s->series_cosine[2 * i + 1];
        const double scale = exp(grid_middle(span) + GRID_HALF * u);

        f[i] = s->grid->number(s->grid->user, scale) * grid_shape(s, x, scale);
    }
    if (grid_fit(GRID_PLACES, s->series_cosine, f, series))
        return 1;
    series[0] = GRID_BAD;
    return 0;
}

static void grid_cell(const grid_state *s, double x, int64_t bits, double *series,
                      double *cell)
{
    const int64_t span = bits / GRID_SPAN;
    const int good = grid_series(s, x, span, series);
    const double low = grid_edge(bits), width = grid_edge(bits + 1) - low;
    double f[GRID_COEFS], coef[GRID_COEFS];

    if (!good)
        grid_turn(s, x, bits);
    for (int i = 0; i < GRID_COEFS; i++) {
        const double scale = low + width * (1 + s->cosine[2 * i + 1]) / 2;

        f[i] = good ? grid_clenshaw(GRID_PLACES, series,
                                    (log(scale) - grid_middle(span)) / GRID_HALF) /
                          grid_shape(s, x, scale)
                    : s->grid->number(s->grid->user, scale);
    }
    if (grid_fit(GRID_COEFS, s->cosine, f, coef))
        grid_powers(coef, cell);
    else
        cell[0] = GRID_BAD;
}

/* ---- rows ------------------------------------------------------------------------ */

/* The cell of a customer, made when first asked for; NULL: it is not good. */
static const double *grid_find(grid_state *s, double x, int64_t bits)
{
    const int64_t n_cells = s->last - s->first + 1;
    const int64_t first_span = s->first / GRID_SPAN;
    const int64_t n =
        n_cells * GRID_COEFS + (s->last / GRID_SPAN - first_span + 1) * GRID_PLACES;
    double **numbers = &s->numbers[(int64_t)x], *cell;

    if (*numbers == NULL) {
        *numbers = cj__arena_alloc(&s->arena, (size_t)n * sizeof(double));
        if (*numbers == NULL)
            return NULL;
        memset(*numbers, 0, (size_t)n * sizeof(double));
    }
    cell = *numbers + (bits - s->first) * GRID_COEFS;
    if (cell[0] == 0)
        grid_cell(s, x, bits,
                  *numbers + n_cells * GRID_COEFS +
                      (bits / GRID_SPAN - first_span) * GRID_PLACES,
                  cell);
    return cell[0] > 0 ? cell : NULL;
}

static double grid_exact(const cj__bg_grid *grid, double x, double scale)
{
    grid->turn(grid->user, x, scale);
    return grid->number(grid->user, scale);
}

static int32_t grid_number(grid_state *s, double x, double scale, double *out)
{
    const int64_t bits = grid_bits(scale);
    const double *cell = NULL;
    double u, v;

    if (x < (double)s->n_x) {
        if (s->numbers[(int64_t)x] != NULL)
            cell = s->numbers[(int64_t)x] + (bits - s->first) * GRID_COEFS;
        if (cell == NULL || !(cell[0] > 0))
            cell = grid_find(s, x, bits);
    }
    if (cell == NULL) {
        *out = grid_exact(s->grid, x, scale);
        return x < (double)s->n_x && s->numbers[(int64_t)x] == NULL ? CJ_ENOMEM : CJ_OK;
    }
    u = grid_within(scale);
    v = cell[GRID_COEFS - 1];
    for (int k = GRID_COEFS - 2; k >= 0; k--)
        v = v * u + cell[k];
    *out = v;
    return CJ_OK;
}

/* dead + P(alive) number, from the odds of being dead. */
static double grid_mix(double dead, double odds, double number)
{
    if (!(dead > 0))
        return number / (1 + odds);
    if (odds > 1e300) /* infinite, perhaps */
        odds = 1e300;
    return number / (1 + odds) + dead * (odds / (1 + odds));
}

static int32_t grid_rows(grid_state *s, double *out)
{
    const cj__clv_ask *ask = s->grid->ask;
    const cj__clv_rows *rows = ask->rows;
    cj__bg_entry own;

    for (int64_t i = 0; i < rows->n; i++) {
        const double x = rows->x[i], tx = rows->tx[i], t = rows->t[i];
        const cj__bg_entry *e = cj__bg_find(ask->at, x, &own);
        const int32_t rc = grid_number(s, x, ask->at->theta[1] + t, &out[i]);

        if (rc != CJ_OK)
            return rc;
        out[i] = grid_mix(s->grid->dead, cj__bg_odds(ask->at, e, tx, t), out[i]);
    }
    return CJ_OK;
}

double cj__bg_grid_new(const cj__bg_grid *grid)
{
    const cj__clv_at *at = grid->ask->at;
    cj__bg_entry own;
    const double odds = cj__bg_odds(at, cj__bg_find(at, 0, &own), 0, 0);

    return grid_mix(grid->dead, odds, grid_exact(grid, 0, at->theta[1]));
}

/* What is asked for; one pointer per x. */
static int32_t grid_begin(grid_state *s)
{
    const cj__clv_rows *rows = s->grid->ask->rows;
    const double alpha = s->grid->ask->at->theta[1];
    double low = HUGE_VAL, high = 0, most = 0;

    for (int64_t i = 0; i < rows->n; i++) {
        low = rows->t[i] < low ? rows->t[i] : low;
        high = rows->t[i] > high ? rows->t[i] : high;
        most = rows->x[i] > most ? rows->x[i] : most;
    }
    s->first = grid_bits(alpha + low);
    s->last = grid_bits(alpha + high);
    s->n_x = most < CJ__CLV_TABLE ? (int64_t)most + 1 : CJ__CLV_TABLE;
    grid_cosines(GRID_COEFS, s->cosine);
    grid_cosines(GRID_PLACES, s->series_cosine);
    cj__arena_init(&s->arena, s->grid->ask->at->allocator);
    s->numbers = cj__arena_alloc(&s->arena, (size_t)s->n_x * sizeof *s->numbers);
    if (s->numbers == NULL)
        return CJ_ENOMEM;
    memset(s->numbers, 0, (size_t)s->n_x * sizeof *s->numbers);
    return CJ_OK;
}

int32_t cj__bg_grid_answer(const cj__bg_grid *grid, double *out)
{
    grid_state s = {.grid = grid};
    int32_t rc;

    if (grid->ask->rows->n == 0)
        return CJ_OK;
    rc = grid_begin(&s);
    if (rc == CJ_OK)
        rc = grid_rows(&s, out);
    cj__arena_end(&s.arena);
    return rc;
}
