/* Sums over lifetimes.  The plain one is in closed form (Fader, Hardie & Shang 2010,
 * equation 13's bracket), with the difference of its two terms taken as expm1 of one
 * logarithm.  The discounted one is their 2F1(1, b + 1; a + b + 1; 1 / (1 + d)), turned
 * by Pfaff's transformation into b / (a + b) w 2F1(1, a; a + b + 1; -w), w = 1 / d,
 * whose continued fraction (Gauss) has positive terms only: it cannot cancel, and needs
 * about 18 sqrt(w) of them. */
#include "metrics/clv_survival.h"

#include "base/alloc.h"
#include "base/gamma_step.h"

#include <math.h>

#define SURVIVAL_FEW 16 /* periods that are added one by one */
#define SURVIVAL_TERMS 2000000
#define SURVIVAL_DELTA 1e-9
#define SURVIVAL_T 4096 /* t up to which values are kept */

double cj__clv_log_survival(double a, double b, double t)
{
    return t > 0 ? cj__gamma_cross(b, a, t).lgamma : 0;
}

double cj__clv_lives(double a, double b, double m)
{
    if (m <= SURVIVAL_FEW) {
        double lives = 0, s = 1;

        for (double t = 0; t < m; t++) {
            s *= (b + t) / (a + b + t);
            lives += s;
        }
        return lives;
    }
    /* b / (a - 1) (1 - Gamma(1+b+m) Gamma(a+b) / (Gamma(1+b) Gamma(a+b+m))) */
    if (a > 1)
        return b / (a - 1) * -expm1(cj__gamma_cross(1 + b, a - 1, m).lgamma);
    if (a < 1)
        return b / (1 - a) * expm1(-cj__gamma_cross(a + b, 1 - a, m).lgamma);
    return b * cj__gamma_step(1 + b, m).digamma;
}

/* The j-th coefficient of Gauss's fraction for 2F1(1, a; a + b + 1; -w). */
static double survival_fraction(double a, double b, int64_t j)
{
    const double n = (double)(j / 2), c = a + b + 1;

    if (j % 2 == 1)
        return (a + n) / (c + 2 * n) * ((a + b + n) / (c + 2 * n - 1));
    return n / (c + 2 * n - 2) * ((b + n) / (c + 2 * n - 1));
}

double cj__clv_lives_discounted(double a, double b, double delta)
{
    double w, c = 1, d = 0, f = 1; /* Lentz */

    if (delta == 0)
        return a > 1 ? b / (a - 1) : (double)INFINITY;
    w = 1 / expm1(fmax(delta, SURVIVAL_DELTA));
    for (int64_t j = 1; j < SURVIVAL_TERMS; j++) {
        const double term = survival_fraction(a, b, j) * w;
        double ratio;

        c = 1 + term / c;
        d = 1 / (1 + term * d);
        ratio = c * d;
        f *= ratio;
        if (fabs(ratio - 1) < 2e-16)
            break;
    }
    return w * (b / (a + b)) / f;
}

double cj__clv_periods(const cj__clv_ask *ask)
{
    return fmax(0, floor(ask->until) - floor(ask->from));
}

int32_t cj__clv_each_t(const cj__clv_ask *ask,
                       double (*f)(const cj__clv_ask *ask, double t), double *out)
{
    const cj__allocator *a = ask->at->allocator;
    const double *t = ask->rows->t;
    const size_t bytes = (SURVIVAL_T + 1) * sizeof *out;
    double *kept = cj__alloc(a, bytes);

    if (kept == NULL)
        return CJ_ENOMEM;
    for (int i = 0; i <= SURVIVAL_T; i++)
        kept[i] = (double)NAN;
    for (int64_t i = 0; i < ask->rows->n; i++) {
        const int is_kept = t[i] >= 0 && t[i] <= SURVIVAL_T && t[i] == floor(t[i]);
        double *at = is_kept ? &kept[(int64_t)t[i]] : &out[i];

        if (!is_kept || isnan(*at))
            *at = f(ask, t[i]);
        out[i] = *at;
    }
    cj__free(a, kept, bytes);
    return CJ_OK;
}
