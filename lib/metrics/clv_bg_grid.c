/* (clv_curve.c is the slower way for several numbers at once, which may change their
 * sign.)  Two levels, both on fixed places, so that an answer does not depend on who
 * else is asked for.  Over spans of two octaves of scale = alpha + T a Chebyshev series
 * in ln(scale), whose places are dear.  From it polynomials of degree 11 in the scale
 * itself over cells, four to an octave: found by the leading bits of the floating-point
 * number, evaluated without a logarithm.  On a cell the nearest singularity (scale <=
 * 0) leaves 17.9^-12 = 1e-15, on a span 4.8^-22 (Bernstein's ellipse).  Both are worked
 * out when first needed and looked at for the size of their last coefficients: where
 * the series is not good, cells are made of places of their own, and where a cell is
 * not, its rows are worked out one by one. */
#include "metrics/clv_bg_grid.h"

#include "base/chebyshev.h"

#include <math.h>
#include <string.h>

#define GRID_COEFS 12
#define GRID_PLACES 22
#define GRID_SHIFT 50 /* exponent and two bits of the mantissa remain: cells */
#define GRID_SPAN 8   /* cells */
#define GRID_HALF 0.693147180559945309 /* half the width of a span in ln(scale) */
#define GRID_BAD (-1.0)

/* Of one x and span.  A first coefficient of 0: not yet; below: bad. */
typedef struct grid_span {
    double cells[GRID_SPAN][GRID_COEFS];
    double series[GRID_PLACES];
} grid_span;

typedef struct grid_state {
    const cj__bg_grid *grid;
    cj__arena arena;
    int64_t n_x;            /* x below it have spans */
    int64_t first, n_spans; /* of the scales that are asked for */
    grid_span **spans;      /* n_x * n_spans; NULL: not yet */
    cj__chebyshev on_cell, on_span;
} grid_state;

/* ---- Chebyshev ------------------------------------------------------------------- */

/* Coefficients from values at the places; 0 when the last ones are not negligible
 * beside the smallest value. */
static int grid_fit(const cj__chebyshev *places, const double *f, double *coef)
{
    const int32_t n = places->n;
    double least = HUGE_VAL;

    for (int32_t i = 0; i < n; i++)
        least = fmin(least, f[i]);
    cj__chebyshev_fit(places, f, 1, coef);
    return least > 1e-250 &&
           fabs(coef[n - 1]) + fabs(coef[n - 2]) / 16 <= 1e-13 * least;
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
        const double u = cj__chebyshev_place(&s->on_span, i);
        const double scale = exp(grid_middle(span) + GRID_HALF * u);

        f[i] = s->grid->number(s->grid->user, scale) * grid_shape(s, x, scale);
    }
    if (grid_fit(&s->on_span, f, series))
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
        const double scale =
            low + width * (1 + cj__chebyshev_place(&s->on_cell, i)) / 2;

        f[i] = good ? cj__chebyshev_at(GRID_PLACES, series, 1,
                                       (log(scale) - grid_middle(span)) / GRID_HALF) /
                          grid_shape(s, x, scale)
                    : s->grid->number(s->grid->user, scale);
    }
    if (grid_fit(&s->on_cell, f, coef))
        grid_powers(coef, cell);
    else
        cell[0] = GRID_BAD;
}

/* ---- rows ------------------------------------------------------------------------ */

static grid_span **grid_slot(const grid_state *s, double x, int64_t bits)
{
    return &s->spans[(int64_t)x * s->n_spans + bits / GRID_SPAN - s->first];
}

/* The cell of a customer, made when first asked for; NULL: it is not good. */
static const double *grid_find(grid_state *s, double x, int64_t bits)
{
    grid_span **slot = grid_slot(s, x, bits);
    double *cell;

    if (*slot == NULL) {
        *slot = cj__arena_alloc(&s->arena, sizeof **slot);
        if (*slot == NULL)
            return NULL;
        memset(*slot, 0, sizeof **slot);
    }
    cell = (*slot)->cells[bits % GRID_SPAN];
    if (cell[0] == 0)
        grid_cell(s, x, bits, (*slot)->series, cell);
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
    const int kept = x < (double)s->n_x;
    const grid_span *span = kept ? *grid_slot(s, x, bits) : NULL;
    const double *cell = span == NULL ? NULL : span->cells[bits % GRID_SPAN];
    double u, v;

    if (kept && (cell == NULL || !(cell[0] > 0))) {
        cell = grid_find(s, x, bits);
        if (*grid_slot(s, x, bits) == NULL)
            return CJ_ENOMEM;
    }
    if (cell == NULL) {
        *out = grid_exact(s->grid, x, scale);
        return CJ_OK;
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

/* What is asked for. */
static int32_t grid_begin(grid_state *s)
{
    const cj__clv_rows *rows = s->grid->ask->rows;
    const double alpha = s->grid->ask->at->theta[1];
    double low = HUGE_VAL, high = 0, most = 0;
    size_t n;

    for (int64_t i = 0; i < rows->n; i++) {
        low = rows->t[i] < low ? rows->t[i] : low;
        high = rows->t[i] > high ? rows->t[i] : high;
        most = rows->x[i] > most ? rows->x[i] : most;
    }
    s->first = grid_bits(alpha + low) / GRID_SPAN;
    s->n_spans = grid_bits(alpha + high) / GRID_SPAN - s->first + 1;
    s->n_x = most < CJ__CLV_TABLE ? (int64_t)most + 1 : CJ__CLV_TABLE;
    cj__chebyshev_begin(&s->on_cell, GRID_COEFS);
    cj__chebyshev_begin(&s->on_span, GRID_PLACES);
    cj__arena_init(&s->arena, s->grid->ask->at->allocator);
    n = (size_t)(s->n_x * s->n_spans);
    s->spans = cj__arena_alloc(&s->arena, n * sizeof *s->spans);
    if (s->spans == NULL)
        return CJ_ENOMEM;
    memset(s->spans, 0, n * sizeof *s->spans);
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
