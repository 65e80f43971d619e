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

/* Stirling's series behind ln Gamma(z) = (z-1/2) ln z - z + ln(2 pi)/2 + ..., its
 * derivatives' (that is psi(z) - ln z + 1/(2z), and so on) by differentiating. */
static void special_stirling(double z, double out[3])
{
    static const double term[] = {1.0 / 12,    -1.0 / 360,      1.0 / 1260,
                                  -1.0 / 1680, 1.0 / 1188,      -691.0 / 360360,
                                  1.0 / 156,   -3617.0 / 122400};
    const double y = 1 / (z * z);

    out[0] = out[1] = out[2] = 0;
    for (int i = 7; i >= 0; i--) {
        out[0] = out[0] * y + term[i];
        out[1] = out[1] * y - term[i] * (2 * i + 1);
        out[2] = out[2] * y + term[i] * (2 * i + 1) * (2 * i + 2);
    }
    out[0] /= z;
    out[1] *= y;
    out[2] *= y / z;
}

void cj__log_rising(double z, double m, double out[3])
{
    double low[3], high[3];

    out[0] = out[1] = out[2] = 0;
    for (; z < SPECIAL_FROM && m >= 1; z++, m--) {
        out[0] += log(z);
        out[1] += 1 / z;
        out[2] -= 1 / (z * z);
    }
    if (z < SPECIAL_FROM) { /* less than one step is left */
        out[0] += cj__lgamma(z + m) - cj__lgamma(z);
        out[1] += cj__digamma(z + m) - cj__digamma(z);
        out[2] += cj__trigamma(z + m) - cj__trigamma(z);
        return;
    }
    special_stirling(z, low);
    special_stirling(z + m, high);
    out[0] += (z - 0.5) * log1p(m / z) + m * (log(z + m) - 1) + (high[0] - low[0]);
    out[1] += log1p(m / z) + m / (2 * z * (z + m)) + (high[1] - low[1]);
    out[2] +=
        -m / (z * (z + m)) * (1 + (2 * z + m) / (2 * z * (z + m))) + (high[2] - low[2]);
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
