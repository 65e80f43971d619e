/* Digamma and trigamma: the recurrence up to 10, then the asymptotic series in
 * Bernoulli numbers (Abramowitz & Stegun 6.3.18, 6.4.12), whose first term left out is
 * below 1e-17 there. */
#include "base/special.h"

#include <math.h>

#define SPECIAL_FROM 10.0 /* the series is good from here on */

double cj__lgamma(double x)
{
    int sign;

    return lgamma_r(x, &sign);
}

double cj__digamma(double x)
{
    double shift = 0, y;

    for (; x < SPECIAL_FROM; x++)
        shift += 1 / x;
    y = 1 / (x * x);
    return log(x) - 0.5 / x -
           y * (1.0 / 12 -
                y * (1.0 / 120 -
                     y * (1.0 / 252 -
                          y * (1.0 / 240 -
                               y * (1.0 / 132 -
                                    y * (691.0 / 32760 -
                                         y * (1.0 / 12 - y * 3617.0 / 8160))))))) -
           shift;
}

double cj__trigamma(double x)
{
    double shift = 0, y;

    for (; x < SPECIAL_FROM; x++)
        shift += 1 / (x * x);
    y = 1 / (x * x);
    return shift + 1 / x + 0.5 * y +
           y / x *
               (1.0 / 6 -
                y * (1.0 / 30 -
                     y * (1.0 / 42 -
                          y * (1.0 / 30 -
                               y * (5.0 / 66 -
                                    y * (691.0 / 2730 -
                                         y * (7.0 / 6 - y * 3617.0 / 510)))))));
}

/* The continued fraction DLMF 8.17.22 by Lentz's method (A. R. Barnett's modification):
 * two steps at a time, until a step changes nothing. */
double cj__beta_fraction(double a, double b, double x)
{
    double c = 1, d = 1 / (1 - (a + b) * x / (a + 1)), h = d;

    for (double m = 1; m < 10000; m++) {
        const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        double step;

        d = 1 / (1 + even * d);
        c = 1 + even / c;
        h *= d * c;
        d = 1 / (1 + odd * d);
        c = 1 + odd / c;
        step = d * c;
        h *= step;
        if (fabs(step - 1) < 2e-16)
            return h;
    }
    return h;
}
