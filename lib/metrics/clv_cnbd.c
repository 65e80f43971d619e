/* (M)BG/CNBD-k: likelihood and P(alive).  With n = r + k x, c chances to drop out so
 * far (clv_cnbd.h) and w = (T - tx) / (alpha + T), integrating Erlang times over lambda
 * and p (Reutterer, Platzer & Schroeder 2021, eq. 5, summed in closed form) gives
 *
 *   L = e^((k-1) litt) / Gamma(k)^x  (r)_{kx} alpha^r  B(a, b+c) / B(a, b)
 *       { (alpha+T)^-n S + a/(b+c-1) (alpha+tx)^-n [c > 0] },
 *   S = sum_{j<k} (n)_j / j! w^j      (no purchase after tx: fewer than k phases)
 *
 * and P(alive) is the share of the first term.  Derivatives are in logarithms of the
 * parameters; what depends on x alone stands in at->table. */
#include "metrics/clv_cnbd.h"

#include "base/special.h"

#include <math.h>

/* One row of the table: the factor before the braces (value, gradient, Hessian), and
 * the logarithm of a/(b+c-1) with its derivatives in ln b. */
typedef struct cnbd_entry {
    double value, r, a, b, rr, aa, ab, bb;
    double dead, dead_b, dead_bb;
    double n;
} cnbd_entry;

const cj__clv_limit cj__cnbd_limits[] = {
    {0, 1,  "rates_alike",            "all customers buy at one rate: r and alpha grow together"},
    {0, -1, "rates_degenerate",       "nearly nobody buys again: r goes to zero"                },
    {2, -1, "dropout_not_identified",
     "nobody drops out: a goes to zero, the limit is NBD"                                       },
    {3, 1,  "dropout_not_identified", "nobody drops out: b grows, the limit is NBD"             },
    {2, 1,  "dropout_alike",          "all drop out at one rate: a and b grow together"         },
    {3, -1, "dropout_at_once",        "all drop out after one purchase: b goes to zero"         },
    {0, 0,  NULL,                     NULL                                                      }
};

int cj__cnbd_is_modified(const cj__clv_at *at)
{
    return at->model == &cj__clv_mbgcnbd;
}

double cj__cnbd_chances(const cj__clv_at *at, double x)
{
    return cj__cnbd_is_modified(at) ? x + 1 : x;
}

void cj__cnbd_start(const cj__clv_means *means, double *theta)
{
    const double x = means->x > 0 ? means->x : 0.1;

    theta[0] = 1;
    theta[1] = means->t > 0 ? means->t / x : 1; /* mean rate x / T */
    theta[2] = 1;
    theta[3] = 3;
}

/* ---- the table ------------------------------------------------------------------- */

/* ln (z)_m = ln Gamma(z+m) - ln Gamma(z) and two derivatives in z: term by term while
 * that is short, because differences of ln Gamma lose digits for small m / z. */
static void cnbd_rising(double z, double m, double out[3])
{
    double product = 1;

    out[0] = out[1] = out[2] = 0;
    if (m > 64) {
        out[0] = cj__lgamma(z + m) - cj__lgamma(z);
        out[1] = cj__digamma(z + m) - cj__digamma(z);
        out[2] = cj__trigamma(z + m) - cj__trigamma(z);
        return;
    }
    for (double i = 0; i < m; i++) {
        const double u = 1 / (z + i);

        product *= z + i;
        if (!(product > 1e-200 && product < 1e200) || i + 1 >= m) {
            out[0] += log(product);
            product = 1;
        }
        out[1] += u;
        out[2] -= u * u;
    }
}

static void cnbd_entry_of(const cj__clv_at *at, double x, cnbd_entry *e)
{
    const double r = at->theta[0], a = at->theta[2], b = at->theta[3], k = at->k;
    const double c = cj__cnbd_chances(at, x), log_alpha = log(at->theta[1]);
    double fr[3], fb[3], fab[3];

    cnbd_rising(r, k * x, fr);
    cnbd_rising(b, c, fb);
    cnbd_rising(a + b, c, fab);
    e->n = r + k * x;
    e->value = fr[0] + r * log_alpha - x * cj__lgamma(k) + fb[0] - fab[0];
    e->r = r * (fr[1] + log_alpha);
    e->rr = e->r + r * r * fr[2];
    e->a = -a * fab[1];
    e->aa = e->a - a * a * fab[2];
    e->ab = -a * b * fab[2];
    e->b = b * (fb[1] - fab[1]);
    e->bb = e->b + b * b * (fb[2] - fab[2]);
    e->dead = c > 0 ? log(a / (b + c - 1)) : -HUGE_VAL;
    e->dead_b = c > 0 ? -b / (b + c - 1) : 0;
    e->dead_bb = c > 0 ? -b * (c - 1) / ((b + c - 1) * (b + c - 1)) : 0;
}

void cj__cnbd_prepare(cj__clv_at *at)
{
    cnbd_entry *table = (cnbd_entry *)at->table;

    for (int64_t x = 0; x <= at->max_x; x++)
        cnbd_entry_of(at, (double)x, &table[x]);
}

static const cnbd_entry *cnbd_find(const cj__clv_at *at, double x, cnbd_entry *own)
{
    if (x <= (double)at->max_x)
        return (const cnbd_entry *)at->table + (int64_t)x;
    cnbd_entry_of(at, x, own);
    return own;
}

/* ---- the likelihood -------------------------------------------------------------- */

/* ln S, and its derivatives in ln r (through n) and ln alpha (through w). */
typedef struct cnbd_phases {
    double log_s, r, alpha, rr, ralpha, alpha2;
} cnbd_phases;

static double cnbd_sum(int32_t k, double n, double w)
{
    double term = 1, s = 1;

    for (int32_t j = 1; j < k; j++) {
        term *= (n + j - 1) * w / j;
        s += term;
    }
    return s;
}

static void cnbd_phases_of(const cj__clv_at *at, double n, double t, double w,
                           cnbd_phases *out)
{
    const double r = at->theta[0], scale = at->theta[1] + t;
    const double e = -at->theta[1] / scale,
                 ee = e * t / scale; /* of ln w, in ln alpha */
    double term = 1, h = 0, h2 = 0;
    double s = 1, sn = 0, snn = 0, sj = 0, sjj = 0, sjn = 0;

    for (int32_t j = 1; j < at->k; j++) {
        const double u = 1 / (n + j - 1);

        term *= (n + j - 1) * w / j;
        h += u;
        h2 += u * u;
        s += term;
        sn += term * h;
        snn += term * (h * h - h2);
        sj += term * j;
        sjj += term * j * j;
        sjn += term * j * h;
    }
    sn /= s;
    sj /= s;
    out->log_s = log(s);
    out->r = r * sn;
    out->rr = out->r + r * r * (snn / s - sn * sn);
    out->alpha = e * sj;
    out->alpha2 = ee * sj + e * e * (sjj / s - sj * sj);
    out->ralpha = r * e * (sjn / s - sj * sn);
}

/* One row on its way: its entry, both logarithms of scales, and P(alive). */
typedef struct cnbd_row {
    const cnbd_entry *e;
    double tx, t, log_t, log_x, alive;
    cnbd_phases f;
} cnbd_row;

/* Adds the braces, ln(e^u + e^v), u alive, v dead, to the factor's derivatives. */
static void cnbd_derive(const cj__clv_at *at, const cnbd_row *row, double g[4],
                        double h[10])
{
    const cnbd_entry *e = row->e;
    const cnbd_phases *f = &row->f;
    const double r = at->theta[0], alpha = at->theta[1];
    const double alive = row->alive, dead = 1 - alive;
    const double qt = alpha / (alpha + row->t), qx = alpha / (alpha + row->tx);
    const double lt = row->log_t, lx = row->log_x;
    const double u[2] = {f->r - r * lt, f->alpha - e->n * qt};
    const double v[4] = {-r * lx, -e->n * qx, dead > 0 ? 1 : 0, e->dead_b};
    const double d[4] = {u[0] - v[0], u[1] - v[1], -v[2], -v[3]};
    const double both = alive * dead;

    g[0] = e->r + alive * u[0] + dead * v[0];
    g[1] = r + alive * u[1] + dead * v[1];
    g[2] = e->a + dead * v[2];
    g[3] = e->b + dead * v[3];
    h[0] = e->rr + alive * (f->rr - r * lt) + dead * v[0] + both * d[0] * d[0];
    h[1] = r + alive * (f->ralpha - r * qt) - dead * r * qx + both * d[0] * d[1];
    h[2] = alive * (f->alpha2 - e->n * qt * (1 - qt)) - dead * e->n * qx * (1 - qx) +
           both * d[1] * d[1];
    h[3] = both * d[2] * d[0];
    h[4] = both * d[2] * d[1];
    h[5] = e->aa + both * d[2] * d[2];
    h[6] = both * d[3] * d[0];
    h[7] = both * d[3] * d[1];
    h[8] = e->ab + both * d[3] * d[2];
    h[9] = e->bb + dead * e->dead_bb + both * d[3] * d[3];
}

void cj__cnbd_loglik(const cj__clv_at *at, const cj__clv_rows *rows, double *ll,
                     double (*grad)[CJ__CLV_CHUNK], double (*hess)[CJ__CLV_CHUNK])
{
    const double alpha = at->theta[1];

    for (int64_t i = 0; i < rows->n; i++) {
        const double tx = rows->tx[i], t = rows->t[i], w = (t - tx) / (alpha + t);
        double odds, g[4], h[10]; /* odds: logarithm, of being dead: v - u */
        cnbd_row row = {.tx = tx, .t = t, .log_t = log(alpha + t)};
        cnbd_entry own;

        row.e = cnbd_find(at, rows->x[i], &own);
        if (grad == NULL)
            row.f.log_s = log(cnbd_sum(at->k, row.e->n, w));
        else
            cnbd_phases_of(at, row.e->n, t, w, &row.f);
        odds = row.e->dead + row.e->n * log1p((t - tx) / (alpha + tx)) - row.f.log_s;
        ll[i] = row.e->value - row.e->n * row.log_t + row.f.log_s +
                (odds > 30 ? odds + exp(-odds) : log1p(exp(odds)));
        if (rows->z != NULL)
            ll[i] += (at->k - 1) * rows->z[i];
        if (grad == NULL)
            continue;
        row.log_x = log(alpha + tx);
        row.alive = 1 / (1 + exp(odds));
        cnbd_derive(at, &row, g, h);
        for (int p = 0; p < 4; p++)
            grad[p][i] = g[p];
        for (int p = 0; p < CJ__CLV_PAIRS; p++)
            hess[p][i] = h[p];
    }
}

/* ---- the state at T -------------------------------------------------------------- */

static double cnbd_alive(const cj__clv_at *at, double x, double tx, double t)
{
    const double alpha = at->theta[1], n = at->theta[0] + at->k * x;
    const double c = cj__cnbd_chances(at, x);

    if (c <= 0)
        return 1;
    return 1 / (1 + at->theta[2] / (at->theta[3] + c - 1) *
                        exp(n * log1p((t - tx) / (alpha + tx))) /
                        cnbd_sum(at->k, n, (t - tx) / (alpha + t)));
}

int32_t cj__cnbd_p_alive(const cj__clv_ask *ask, double *out)
{
    for (int64_t i = 0; i < ask->rows->n; i++)
        out[i] =
            cnbd_alive(ask->at, ask->rows->x[i], ask->rows->tx[i], ask->rows->t[i]);
    return CJ_OK;
}

void cj__cnbd_state_of(const cj__clv_at *at, double x, double tx, double t,
                       cj__cnbd_state *out)
{
    const double scale = at->theta[1] + t, w = (t - tx) / scale;
    double sum = 1;

    out->x = x;
    out->tx = tx;
    out->t = t;
    out->shape = at->theta[0] + at->k * x;
    out->scale = scale;
    out->alive = cnbd_alive(at, x, tx, t);
    out->a = at->theta[2];
    out->b = at->theta[3] + cj__cnbd_chances(at, x);
    out->phase[0] = 1;
    for (int32_t j = 1; j < at->k; j++) {
        out->phase[j] = out->phase[j - 1] * (out->shape + j - 1) * w / j;
        sum += out->phase[j];
    }
    for (int32_t j = 0; j < at->k; j++)
        out->phase[j] /= sum;
}
