/* The exponential integral of real order, times e^z.
 *
 * From z = 1 on its continued fraction (Abramowitz & Stegun 5.1.22, the even part, by
 * Lentz's method).  Below, with e = 1 - s,
 *
 *   E_s(z) = (Gamma(1+e) z^-e - 1) / e - sum_{k>=1} (-z)^k / ((e+k) k!)
 *
 * (A&S 6.5.29), whose first term has a limit at e = 0: written with expm1 it is exact
 * there and near by.  Orders above 3/2 from s F_{s+1} = 1 - z F_s (A&S 5.1.14), which
 * for z < 1 shrinks errors: from 30 orders below, any beginning will do. */
#include "base/special.h"

#include <math.h>

#define EXPINT_STEPS 30

/* (-1)^k (zeta(k) - 1) / k, k = 2.. */
static const double zetas[] = {
    0.322467033424113218,      -0.0673523010531980951,   0.0205808084277845479,
    -0.00738555102867398527,   0.00289051033074152329,   -0.00119275391170326098,
    0.000509669524743042422,   -0.00022315475845357938,  0.0000994575127818085337,
    -0.0000449262367381331417, 0.0000205072127756706916, -9.4394882752683959e-6,
    4.3748667899074878e-6,     -2.03921575380136624e-6,  9.55141213040741983e-7,
    -4.49246919876456604e-7,   2.12071848055546659e-7,   -1.00432248239680996e-7,
    4.76981016936398057e-8,    -2.27110946089431649e-8,  1.08386592148969541e-8,
    -5.18347504197004666e-9,   2.48367454380247832e-9,   -1.19214014058609121e-9,
    5.73136724167886201e-10,   -2.75952288512423315e-10};

/* ln Gamma(1+e) / e, for |e| <= 1/2 (A&S 6.1.33). */
static double expint_gamma(double e)
{
    const double euler = 0.57721566490153286;
    double sum = 0;

    for (int k = (int)(sizeof zetas / sizeof *zetas) - 1; k >= 0; k--)
        sum = (sum + zetas[k]) * e;
    return sum + (1 - euler) - (e == 0 ? 1 : log1p(e) / e);
}

static double expint_series(double s, double z)
{
    const double e = 1 - s, gamma = e > 0.5 ? cj__lgamma(1 + e) / e : expint_gamma(e),
                 first = gamma - log(z);
    double sum = e == 0 ? first : expm1(e * first) / e, term = 1;

    for (int k = 1; fabs(term) > 1e-18; k++) {
        term *= -z / k;
        sum -= term / (e + k);
    }
    return exp(z) * sum;
}

static double expint_fraction(double s, double z)
{
    double b = z + s, c = 1e300, d = 1 / b, h = d;

    for (double i = 1; i < 1000; i++) {
        const double a = -i * (s - 1 + i);
        double change;

        b += 2;
        d = 1 / (a * d + b);
        c = b + a / c;
        change = c * d;
        h *= change;
        if (fabs(change - 1) < 1e-16)
            break;
    }
    return h;
}

double cj__expint(double s, double z)
{
    double steps, order, f;

    if (z <= 0)
        return s > 1 ? 1 / (s - 1) : (double)INFINITY;
    if (z >= 1)
        return expint_fraction(s, z);
    if (s < 1.5)
        return expint_series(s, z);
    steps = fmin(floor(s - 0.5), EXPINT_STEPS);
    order = s - steps;
    f = order < 1.5 ? expint_series(order, z) : 1 / (z + order);
    for (; steps > 0; steps--, order++)
        f = (1 - z * f) / order;
    return f;
}
