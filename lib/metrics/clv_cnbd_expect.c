/* (M)BG/CNBD-k: expected purchases and their discounted residual sum.  A customer alive
 * at T in phase j with lambda ~ Gamma(m, scale), m = n + j, goes through N more phases
 * in time t, N negative binomial with q = t / (scale + t), and meets F = floor((j+N) /
 * k) occasions to buy, the i-th only if still alive: with probability c_i =
 * E[(1-p)^(i-1)] = (b)_{i-1} / (a+b)_{i-1}.  So exactly, with C(f) = c_1 + .. + c_f,
 *
 *   E[purchases] = P(alive) sum_j P(j) sum_N P(N) C(floor((j+N) / k)),
 *
 * terms of one sign, summed until the rest is below 1e-17: errors about 1e-14.  Where
 * the terms are too many the sum over N is done in closed form for each p (roots of
 * unity, below) and p by quadrature (clv_beta.h), with errors about 1e-12. */
#include "metrics/clv_beta.h"
#include "metrics/clv_bg.h"
#include "metrics/clv_cnbd.h"
#include "metrics/clv_curve.h"

#include "base/special.h"

#include <math.h>

#define EXPECT_SUMS 40000.0 /* terms, of all phases j */
#define EXPECT_SERIES 8     /* 0.01^8 = 1e-16 */
#define EXPECT_PLACES 512   /* a power of two */
#define EXPECT_PI 3.14159265358979323846

/* Alive, in phase j of k, lambda ~ Gamma(m, .) and p ~ Beta(a, b). */
typedef struct expect_place {
    double a, b, m, ratio; /* ratio = t / scale */
    int32_t k, j;
} expect_place;

/* ---- the sum --------------------------------------------------------------------- */

static double expect_sum(const expect_place *e)
{
    const double q = e->ratio / (1 + e->ratio);
    double v = 1, all = 1, gain = 0, c = 1, bought = 0, f = 0;
    int32_t left = e->k - e->j;

    for (double n = 0;; n++) {
        v *= q * (e->m + n) / (n + 1);
        if (--left == 0) {
            bought += c;
            c *= (e->b + f) / (e->a + e->b + f);
            f++;
            left = e->k;
        }
        all += v;
        gain += v * bought;
        if (v > 1e250) {
            v *= 1e-250;
            all *= 1e-250;
            gain *= 1e-250;
        }
        if (left == e->k) { /* each further term is at most `next` times the last */
            const double next = q * (e->m + n + 1) / (n + 2) * (1 + 1 / f);

            if (next < 1 && v * bought * next <= 1e-17 * (1 - next) * gain)
                return gain / all;
        }
    }
}

/* ---- closed form in p ------------------------------------------------------------ */

/* One place, for all phases j at once: they share all that is dear. */
typedef struct expect_roots {
    expect_place e;                            /* with j = 0 */
    double at_least[CJ__CLV_K][EXPECT_SERIES]; /* P(F >= i), i = 1.., from phase j */
    double re[CJ__CLV_K], im[CJ__CLV_K];       /* w^l */
} expect_roots;

static void expect_occasions(const expect_place *e, int32_t j,
                             double at_least[EXPECT_SERIES])
{
    const double q = e->ratio / (1 + e->ratio), m = e->m + j;
    double v = exp(-m * log1p(e->ratio)), head = 0, n = 0;

    for (int i = 0; i < EXPECT_SERIES; i++) {
        for (; n < (i + 1) * e->k - j; n++) {
            head += v;
            v *= q * (m + n) / (n + 1);
        }
        at_least[i] = fmax(0, 1 - head);
    }
}

/* Adds weight times (z w^l)^j E[(z w^l)^N] / (1 - w^-l / z) / (k s), real part, for the
 * roots l and k - l.  From one j to the next it is (z w^l) / (1 + ratio (1 - z w^l)).
 */
static void expect_root(const expect_roots *r, int32_t l, double z, double weight,
                        double *numbers)
{
    const double re = r->re[l], im = r->im[l], ratio = r->e.ratio;
    const double br = 1 + ratio * (1 - z * re), bi = -ratio * z * im;
    const double bb = br * br + bi * bi;
    const double dr = 1 - re / z, di = im / z, dd = dr * dr + di * di;
    const double sr = z * (re * br + im * bi) / bb, si = z * (im * br - re * bi) / bb;
    const double size = weight * exp(-r->e.m / 2 * log(bb)) / dd;
    const double turn = -r->e.m * atan2(bi, br), c = cos(turn), s = sin(turn);
    double fr = size * (c * dr + s * di), fi = size * (s * dr - c * di);

    for (int32_t j = 0; j < r->e.k; j++) {
        const double next = fr * sr - fi * si;

        numbers[j] += fr;
        fi = fr * si + fi * sr;
        fr = next;
    }
}

/* (1 - E[s^F]) / (1-s) where s = 1-p.  With z = s^(1/k), w = e^(2 pi i / k),
 * s^floor(x/k) = sum_l G_l (z w^l)^x for whole x, G_l = (1 - 1/s) / (k (1 - w^-l / z)),
 * and E[y^N] = (1 + ratio (1-y))^-m.  For small s the powers of 1/z cancel: there the
 * series in s takes over. */
static void expect_given_p(const expect_roots *r, double p, double s, double weight,
                           double *numbers)
{
    const int32_t k = r->e.k;
    const double log_z = log1p(-p) / k, z = exp(log_z);
    const double log_b = log1p(-r->e.ratio * expm1(log_z));
    double mean = 0, log_g;

    if (s < 0.01) {
        for (int32_t j = 0; j < k; j++) {
            double sum = 0;

            for (int i = EXPECT_SERIES - 1; i >= 0; i--)
                sum = sum * s + r->at_least[j][i];
            numbers[j] += weight * sum;
        }
        return;
    }
    for (int32_t v = 0; v < k; v++)
        mean += expm1(-v * log_z) / k;
    log_g = log1p(mean) - r->e.m * log_b;
    for (int32_t j = 0; j < k; j++)
        numbers[j] -= weight * expm1(log_g + j * (log_z - log_b)) / p;
    for (int32_t l = 1; 2 * l <= k; l++)
        expect_root(r, l, z, weight * (2 * l < k ? 2 : 1) / (k * s), numbers);
}

static void expect_by_p(const expect_place *e, double *numbers)
{
    cj__clv_beta rule;
    expect_roots r = {.e = *e};

    cj__clv_beta_rule(e->a, e->b, fmin(1, e->k / (1 + (e->m + e->k) * e->ratio)),
                      &rule);
    for (int32_t j = 0; j < e->k; j++) {
        numbers[j] = 0;
        r.re[j] = cos(2 * EXPECT_PI * j / e->k);
        r.im[j] = sin(2 * EXPECT_PI * j / e->k);
        expect_occasions(e, j, r.at_least[j]);
    }
    for (int32_t i = 0; i < rule.n; i++)
        expect_given_p(&r, rule.p[i], rule.s[i], rule.weight[i], numbers);
}

/* Of all phases j. */
static void expect_place_values(const expect_place *e, double *numbers)
{
    expect_place one = *e;

    if (e->ratio > 0 && (e->m + 37) * e->ratio * e->k > EXPECT_SUMS) {
        expect_by_p(e, numbers);
        return;
    }
    for (; one.j < e->k; one.j++, one.m++)
        numbers[one.j] = e->ratio > 0 ? expect_sum(&one) : 0;
}

/* ---- customers ------------------------------------------------------------------- */

typedef struct expect_ask {
    const cj__clv_at *at;
    const cj__clv_rows *rows;
    double t;            /* purchases in (T, T+t] */
    const double *minus; /* NULL; else the answer is this less those */
    double delta;        /* of dert */
} expect_ask;

/* What a number behaves like for few phases to come: dividing by it leaves something
 * flat, good to interpolate. */
static double expect_shape(const cj__clv_at *at, double phases, int32_t j)
{
    double y = 1;

    for (int32_t i = j; i < at->k; i++)
        y *= phases / (at->k + phases);
    return y;
}

static void expect_at(void *user, double x, double scale, double *numbers)
{
    const expect_ask *u = user;
    const cj__clv_at *at = u->at;
    const double n = at->theta[0] + at->k * x;
    const expect_place e = {
        at->theta[2], at->theta[3] + cj__bg_chances(at, x), n, u->t / scale, at->k, 0};

    expect_place_values(&e, numbers);
    for (int32_t j = 0; j < at->k; j++)
        numbers[j] /= expect_shape(at, (n + at->k) * e.ratio, j);
}

/* P(alive) sum_j P(j) number_j */
static double expect_mean(const expect_ask *u, int64_t row, double time,
                          const double *numbers)
{
    cj__cnbd_state state;
    double sum = 0;

    cj__cnbd_state_of(u->at, u->rows->x[row], u->rows->tx[row], u->rows->t[row],
                      &state);
    for (int32_t j = 0; j < u->at->k; j++)
        sum += state.phase[j] * numbers[j] *
               expect_shape(u->at, (state.shape + u->at->k) * time / state.scale, j);
    return state.alive * sum;
}

static double expect_row(void *user, int64_t row, const double *numbers)
{
    const expect_ask *u = user;
    const double value = expect_mean(u, row, u->t, numbers);

    return u->minus == NULL ? value : fmax(0, u->minus[row] - value);
}

int32_t cj__cnbd_expected(const cj__clv_ask *ask, double *out)
{
    expect_ask user = {ask->at, ask->rows, ask->until, NULL, 0};
    const cj__clv_curve curve = {ask, ask->at->k, &user, expect_at, expect_row};
    int32_t rc;

    if (!(ask->until > ask->from)) {
        for (int64_t i = 0; i < ask->rows->n; i++)
            out[i] = 0;
        return CJ_OK;
    }
    rc = cj__clv_curve_answer(&curve, out);
    if (rc != CJ_OK || ask->from <= 0)
        return rc;
    user.t = ask->from;
    user.minus = out;
    return cj__clv_curve_answer(&curve, out);
}

double cj__cnbd_expected_new(const cj__clv_at *at, double t)
{
    const double zero = 0;
    const cj__clv_rows rows = {&zero, &zero, &zero, NULL, 1};
    expect_ask user = {at, &rows, t, NULL, 0};
    double numbers[CJ__CLV_K];

    expect_at(&user, 0, at->theta[1], numbers);
    return expect_row(&user, 0, numbers);
}

/* ---- discounted ------------------------------------------------------------------ */

/* The i-th occasion comes after ik - j phases, discounted by v^(ik-j) on average where
 * v = lambda / (lambda + delta).  Given lambda the sum is
 *   sum_i c_i v^(ik-j) = v^(k-j) E_p[1 / (1 - (1-p) u)],  u = v^k,
 * p by clv_beta.h; lambda ~ Gamma(n+j, scale) by the trapezoidal rule in ln lambda,
 * whose step holds min_t cos(t)^-(n+k) e^(-2 pi t / step), its error, below 1e-16. */
typedef struct expect_discount {
    const expect_ask *ask;
    double x, step; /* what is below belongs to customers with x purchases */
    cj__clv_beta rule;
    int64_t place[EXPECT_PLACES]; /* of ln lambda, in steps: in slot place mod PLACES */
    double mean[EXPECT_PLACES], v[EXPECT_PLACES];
} expect_discount;

static void expect_discount_turn(expect_discount *d, double x)
{
    const cj__clv_at *at = d->ask->at;
    const double n = at->theta[0] + at->k * x + at->k;
    const double nearest = at->k * d->ask->delta * at->theta[1] / (n + 40);

    d->x = x;
    d->step = 1 / sqrt(14.1 + 3 * n);
    cj__clv_beta_rule(at->theta[2], at->theta[3] + cj__bg_chances(at, x),
                      fmin(1, nearest), &d->rule);
    for (int i = 0; i < EXPECT_PLACES; i++)
        d->place[i] = INT64_MIN;
}

/* The slot that holds v and E_p for ln lambda = place * step. */
static int64_t expect_discount_slot(expect_discount *d, int64_t place)
{
    const int64_t slot = place & (EXPECT_PLACES - 1);
    double log_v, rest, mean = 0;

    if (d->place[slot] == place)
        return slot;
    log_v = -log1p(d->ask->delta * exp(-(double)place * d->step));
    rest = -expm1(d->ask->at->k * log_v);
    for (int32_t i = 0; i < d->rule.n; i++)
        mean += d->rule.weight[i] / (rest + d->rule.p[i] * (1 - rest));
    d->place[slot] = place;
    d->mean[slot] = mean;
    d->v[slot] = exp(log_v);
    return slot;
}

/* numbers[j] += weight_j v^(k-j) E_p; returns how much that was of the largest. */
static double expect_discount_at(expect_discount *d, double n, double scale,
                                 int64_t place, double *numbers)
{
    const int32_t k = d->ask->at->k;
    const int64_t slot = expect_discount_slot(d, place);
    const double v = d->v[slot], phases = exp((double)place * d->step) * scale;
    double weight, power[CJ__CLV_K + 1], share = 0;

    weight = exp(n * log(phases) - phases - cj__lgamma(n)) * d->mean[slot];
    power[0] = 1;
    for (int32_t j = 0; j < k; j++)
        power[j + 1] = power[j] * v;
    for (int32_t j = 0; j < k; j++) {
        const double more = weight * power[k - j];

        numbers[j] += more;
        share = fmax(share, more / fmax(numbers[j], 1e-300));
        weight *= phases / (n + j); /* of Gamma(n+j+1) */
    }
    return share;
}

static void expect_discount_numbers(void *user, double x, double scale, double *numbers)
{
    expect_discount *d = user;
    const cj__clv_at *at = d->ask->at;
    const double n = at->theta[0] + at->k * x;
    int64_t centre;

    if (d->x != x)
        expect_discount_turn(d, x);
    centre = (int64_t)floor(log((n + at->k) / scale) / d->step);
    for (int32_t j = 0; j < at->k; j++)
        numbers[j] = 0;
    for (int side = -1; side <= 1; side += 2) {
        int64_t place = side < 0 ? centre : centre + 1;

        while (expect_discount_at(d, n, scale, place, numbers) > 1e-18)
            place += side;
    }
    for (int32_t j = 0; j < at->k; j++)
        numbers[j] *=
            d->step / expect_shape(at, (n + at->k) / (scale * d->ask->delta), j);
}

static double expect_discount_row(void *user, int64_t row, const double *numbers)
{
    const expect_discount *d = user;

    return expect_mean(d->ask, row, 1 / d->ask->delta, numbers);
}

/* Without a discount everybody buys until dropping out: E[1/p] purchases. */
static void expect_undiscounted(const cj__clv_ask *ask, double *out)
{
    for (int64_t i = 0; i < ask->rows->n; i++) {
        cj__cnbd_state s;

        cj__cnbd_state_of(ask->at, ask->rows->x[i], ask->rows->tx[i], ask->rows->t[i],
                          &s);
        out[i] = s.a > 1 ? s.alive * (s.a + s.b - 1) / (s.a - 1) : HUGE_VAL;
    }
}

int32_t cj__cnbd_dert(const cj__clv_ask *ask, double *out)
{
    const expect_ask user = {ask->at, ask->rows, 0, NULL, ask->delta};
    expect_discount discount;
    const cj__clv_curve curve = {ask, ask->at->k, &discount, expect_discount_numbers,
                                 expect_discount_row};

    if (!(ask->delta > 0)) {
        expect_undiscounted(ask, out);
        return CJ_OK;
    }
    discount.ask = &user;
    discount.x = -1;
    return cj__clv_curve_answer(&curve, out);
}
