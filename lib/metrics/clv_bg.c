/* (M)BG/NBD: likelihood and P(alive).  With n = r + x and c chances to drop out
 * (clv_bg.h), integrating over lambda and p (Fader, Hardie & Lee 2005, eq. 6) gives
 *
 *   L = (r)_x alpha^r  B(a, b+c) / B(a, b)
 *       { (alpha+T)^-n + a/(b+c-1) (alpha+tx)^-n [c > 0] },
 *
 * and P(alive) is the share of the first term.  In the code l = ln((alpha+T) / alpha),
 * d = ln((alpha+T) / (alpha+tx)), and odds = ln(second / first term), so that
 *
 *   ln L = value(x) - n l + ln(1 + e^odds),   odds = dead(x) + n d,
 *
 * with no difference of large numbers.  Derivatives are in logarithms of the
 * parameters: dead's gradient is (r d, n (qt - qx), 1, dead_b), qt = alpha / (alpha+T).
 */
#include "metrics/clv_bg.h"

#include "base/gamma_step.h"
#include "base/special.h"

#include <math.h>

const cj__clv_limit cj__bg_limits[] = {
    {0, 1,  "rates_alike",            "all customers buy at one rate: r and alpha grow together"},
    {1, 1,  "rates_alike",            "all customers buy at one rate: r and alpha grow together"},
    {0, -1, "rates_degenerate",       "nearly nobody buys again: r goes to zero"                },
    {1, -1, "rates_degenerate",       "rates without a mean: alpha goes to zero"                },
    {2, -1, "dropout_not_identified",
     "nobody drops out: a goes to zero, the limit is NBD"                                       },
    {3, 1,  "dropout_not_identified", "nobody drops out: b grows, the limit is NBD"             },
    {2, 1,  "dropout_alike",          "all drop out at one rate: a and b grow together"         },
    {3, -1, "dropout_at_once",        "all drop out after one purchase: b goes to zero"         },
    {0, 0,  NULL,                     NULL                                                      }
};

double cj__bg_chances(const cj__clv_at *at, double x)
{
    const int first = at->model == &cj__clv_mbgnbd || at->model == &cj__clv_mbgcnbd;

    return first ? x + 1 : x;
}

/* Rates that vary as much as their mean, which the data give; one in four leaves after
 * a purchase. */
void cj__bg_start(const cj__clv_means *means, double *theta)
{
    const double x = means->x > 0 ? means->x : 0.1;

    theta[0] = 1;
    theta[1] = means->t > 0 ? means->t / x : 1;
    theta[2] = 1;
    theta[3] = 3;
}

/* ---- the table ------------------------------------------------------------------- */

/* From one phase, or chance, to the next: the products (r)_kx and (b)_c / (a+b)_c. */
static void bg_entry_rate(const cj__clv_at *at, double phase, cj__bg_entry *e)
{
    const double r = at->theta[0], u = r / (r + phase);

    e->value += log((r + phase) / at->theta[1]);
    e->r += u;
    e->rr += u - u * u;
}

static void bg_entry_chance(const cj__clv_at *at, double c, cj__bg_entry *e)
{
    const double a = at->theta[2], b = at->theta[3];
    const double s = a + b + c, u = a / s, v = b / s, w = b / (b + c);

    e->value -= cj__log1p(a / (b + c));
    e->a -= u;
    e->aa -= u - u * u;
    e->ab += u * v;
    e->b += u * w; /* b / (b+c) - b / s */
    e->bb += u * w * (1 - v - w);
}

static void bg_entry_dead(const cj__clv_at *at, double x, cj__bg_entry *e)
{
    const double b = at->theta[3], c = cj__bg_chances(at, x), u = b / (b + c - 1);

    e->n = at->theta[0] + at->k * x;
    e->dead = c > 0 ? log(at->theta[2] / (b + c - 1)) : -HUGE_VAL;
    e->dead_b = c > 0 ? -u : 0;
    e->dead_bb = c > 0 ? u * u - u : 0;
}

void cj__bg_prepare(cj__clv_at *at)
{
    const double before = cj__bg_chances(at, 0);
    cj__bg_entry *table = (cj__bg_entry *)at->table, sum = {0};

    if (before > 0)
        bg_entry_chance(at, 0, &sum);
    for (int64_t x = 0; x <= at->max_x; x++) {
        table[x] = sum;
        bg_entry_dead(at, (double)x, &table[x]);
        for (int32_t j = 0; j < at->k; j++)
            bg_entry_rate(at, (double)(at->k * x + j), &sum);
        sum.value -= cj__lgamma(at->k);
        bg_entry_chance(at, before + (double)x, &sum);
    }
}

/* The same sums at once, for x beyond the table. */
static void bg_entry_far(const cj__clv_at *at, double x, cj__bg_entry *e)
{
    const double r = at->theta[0], a = at->theta[2], b = at->theta[3];
    const double c = cj__bg_chances(at, x), phases = at->k * x;
    const cj__gamma3 rate = cj__gamma_step(r, phases);
    const cj__gamma3 both = cj__gamma_step(a + b, c), left = cj__gamma_cross(b, a, c);

    e->value =
        rate.lgamma - phases * log(at->theta[1]) + left.lgamma - x * cj__lgamma(at->k);
    e->r = r * rate.digamma;
    e->rr = e->r + r * r * rate.trigamma;
    e->a = -a * both.digamma;
    e->aa = e->a - a * a * both.trigamma;
    e->ab = -a * b * both.trigamma;
    e->b = b * left.digamma;
    e->bb = e->b + b * b * left.trigamma;
    bg_entry_dead(at, x, e);
}

const cj__bg_entry *cj__bg_find(const cj__clv_at *at, double x, cj__bg_entry *own)
{
    if (x <= (double)at->max_x)
        return (const cj__bg_entry *)at->table + (int64_t)x;
    bg_entry_far(at, x, own);
    return own;
}

/* ---- the likelihood -------------------------------------------------------------- */

/* One row between its logarithms and its derivatives. */
typedef struct bg_row {
    double l, d, dead;   /* dead = 1 - P(alive) */
    double qt, pt, fall; /* alpha/(alpha+T), T/(alpha+T), qx - qt >= 0 */
} bg_row;

static double bg_row_of(double alpha, const cj__bg_entry *e, double tx, double t,
                        bg_row *row)
{
    const double it = 1 / (alpha + t), ix = 1 / (alpha + tx), gap = t - tx;
    double odds, share;

    row->qt = alpha * it;
    row->pt = t * it;
    row->fall = row->qt * gap * ix;
    row->l = cj__log1p(t / alpha);
    if (e->dead == -HUGE_VAL) {
        row->d = row->dead = 0;
        return e->value - e->n * row->l;
    }
    row->d = cj__log1p(gap * ix);
    odds = e->dead + e->n * row->d;
    share = exp(-fabs(odds));
    row->dead = (odds > 0 ? 1 : share) / (1 + share);
    return e->value - e->n * row->l + (odds > 0 ? odds : 0) + cj__log1p(share);
}

static void bg_derive(double r, const cj__bg_entry *e, const bg_row *row, int64_t i,
                      double (*g)[CJ__CLV_CHUNK], double (*h)[CJ__CLV_CHUNK])
{
    const double dead = row->dead, both = dead * (1 - dead), n = e->n;
    const double dr = r * row->d, da = -n * row->fall, db = e->dead_b;
    const double curve = 2 * row->qt + row->fall - 1; /* qt + qx - 1 */

    g[0][i] = e->r - r * row->l + dead * dr;
    g[1][i] = r * row->pt - (n - r) * row->qt + dead * da;
    g[2][i] = e->a + dead;
    g[3][i] = e->b + dead * db;
    h[0][i] = e->rr - r * row->l + dead * dr + both * dr * dr;
    h[1][i] = r * row->pt - dead * r * row->fall + both * dr * da;
    h[2][i] = -n * row->qt * row->pt - dead * da * curve + both * da * da;
    h[3][i] = both * dr;
    h[4][i] = both * da;
    h[5][i] = e->aa + both;
    h[6][i] = both * dr * db;
    h[7][i] = both * da * db;
    h[8][i] = e->ab + both * db;
    h[9][i] = e->bb + dead * e->dead_bb + both * db * db;
}

void cj__bg_loglik(const cj__clv_at *at, const cj__clv_rows *rows, double *ll,
                   double (*grad)[CJ__CLV_CHUNK], double (*hess)[CJ__CLV_CHUNK])
{
    const double r = at->theta[0], alpha = at->theta[1];
    cj__bg_entry own;
    bg_row row;

    for (int64_t i = 0; i < rows->n; i++) {
        const cj__bg_entry *e = cj__bg_find(at, rows->x[i], &own);

        ll[i] = bg_row_of(alpha, e, rows->tx[i], rows->t[i], &row);
        if (grad != NULL)
            bg_derive(r, e, &row, i, grad, hess);
    }
}

/* ---- P(alive) -------------------------------------------------------------------- */

double cj__bg_odds(const cj__clv_at *at, const cj__bg_entry *e, double tx, double t)
{
    if (e->dead == -HUGE_VAL)
        return 0;
    return exp(e->dead + e->n * cj__log1p((t - tx) / (at->theta[1] + tx)));
}

int32_t cj__bg_p_alive(const cj__clv_ask *ask, double *out)
{
    const cj__clv_rows *rows = ask->rows;
    cj__bg_entry own;

    for (int64_t i = 0; i < rows->n; i++)
        out[i] = 1 / (1 + cj__bg_odds(ask->at, cj__bg_find(ask->at, rows->x[i], &own),
                                      rows->tx[i], rows->t[i]));
    return CJ_OK;
}
