/* (M)BG/CNBD-k: likelihood and P(alive).  With n = r + k x, c chances to drop out so
 * far (clv_bg.h) and w = (T - tx) / (alpha + T), integrating Erlang times over lambda
 * and p (Reutterer, Platzer & Schroeder 2021, eq. 5, summed in closed form) gives
 *
 *   L = e^((k-1) litt) / Gamma(k)^x  (r)_{kx} alpha^r  B(a, b+c) / B(a, b)
 *       { (alpha+T)^-n S + a/(b+c-1) (alpha+tx)^-n [c > 0] },
 *   S = sum_{j<k} (n)_j / j! w^j      (no purchase after tx: fewer than k phases)
 *
 * and P(alive) is the share of the first term: BG/NBD's formulas and table (clv_bg.c,
 * the same letters here), n by phases instead of purchases, with one factor more, S. */
#include "metrics/clv_cnbd.h"

#include "metrics/clv_bg.h"

#include <math.h>

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

/* One row on its way: ln L = value - n l + ln S + ln(1 + e^odds), where
 * odds = dead(x) + n d - ln S, as in clv_bg.c. */
typedef struct cnbd_row {
    const cj__bg_entry *e;
    double l, d, dead;   /* dead = 1 - P(alive) */
    double qt, pt, fall; /* alpha/(alpha+T), T/(alpha+T), qx - qt >= 0 */
    cnbd_phases f;
} cnbd_row;

static void cnbd_derive(double r, const cnbd_row *row, double g[4], double h[10])
{
    const cj__bg_entry *e = row->e;
    const cnbd_phases *f = &row->f;
    const double dead = row->dead, both = dead * (1 - dead);
    const double n = e->n, dr = r * row->d - f->r, da = -n * row->fall - f->alpha;
    const double db = e->dead_b, curve = 2 * row->qt + row->fall - 1; /* qt + qx - 1 */

    g[0] = e->r - r * row->l + f->r + dead * dr;
    g[1] = r * row->pt - (n - r) * row->qt + f->alpha + dead * da;
    g[2] = e->a + dead;
    g[3] = e->b + dead * db;
    h[0] = e->rr - r * row->l + f->rr + dead * (r * row->d - f->rr) + both * dr * dr;
    h[1] =
        r * row->pt + f->ralpha - dead * (r * row->fall + f->ralpha) + both * dr * da;
    h[2] = -n * row->qt * row->pt + f->alpha2 +
           dead * (n * row->fall * curve - f->alpha2) + both * da * da;
    h[3] = both * dr;
    h[4] = both * da;
    h[5] = e->aa + both;
    h[6] = both * dr * db;
    h[7] = both * da * db;
    h[8] = e->ab + both * db;
    h[9] = e->bb + dead * e->dead_bb + both * db * db;
}

void cj__cnbd_loglik(const cj__clv_at *at, const cj__clv_rows *rows, double *ll,
                     double (*grad)[CJ__CLV_CHUNK], double (*hess)[CJ__CLV_CHUNK])
{
    const double alpha = at->theta[1];
    double g[4], h[10];
    cj__bg_entry own;

    for (int64_t i = 0; i < rows->n; i++) {
        const double tx = rows->tx[i], t = rows->t[i], w = (t - tx) / (alpha + t);
        double odds, share;
        cnbd_row row = {.e = cj__bg_find(at, rows->x[i], &own)};

        if (grad == NULL)
            row.f.log_s = log(cnbd_sum(at->k, row.e->n, w));
        else
            cnbd_phases_of(at, row.e->n, t, w, &row.f);
        row.l = log1p(t / alpha);
        row.d = log1p((t - tx) / (alpha + tx));
        odds = row.e->dead + row.e->n * row.d - row.f.log_s;
        share = exp(-fabs(odds));
        ll[i] = row.e->value - row.e->n * row.l + row.f.log_s + (odds > 0 ? odds : 0) +
                log1p(share);
        if (rows->z != NULL)
            ll[i] += (at->k - 1) * rows->z[i];
        if (grad == NULL)
            continue;
        row.dead = (odds > 0 ? 1 : share) / (1 + share);
        row.qt = alpha / (alpha + t);
        row.pt = t / (alpha + t);
        row.fall = row.qt * (t - tx) / (alpha + tx);
        cnbd_derive(at->theta[0], &row, g, h);
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
    const double c = cj__bg_chances(at, x);

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

    out->shape = at->theta[0] + at->k * x;
    out->scale = scale;
    out->alive = cnbd_alive(at, x, tx, t);
    out->a = at->theta[2];
    out->b = at->theta[3] + cj__bg_chances(at, x);
    out->phase[0] = 1;
    for (int32_t j = 1; j < at->k; j++) {
        out->phase[j] = out->phase[j - 1] * (out->shape + j - 1) * w / j;
        sum += out->phase[j];
    }
    for (int32_t j = 0; j < at->k; j++)
        out->phase[j] /= sum;
}
