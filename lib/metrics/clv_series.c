/* A smooth function of time that is asked a million times: once worked out at Chebyshev
 * points of panels in u = ln(1 + t / scale), then looked up by Clenshaw's recurrence.
 * With the scale of clv_answer.h 20 points for 2 units of u leave less than 1e-14 of
 * the largest value in a panel. */
#include "metrics/clv_answer.h"

#include <math.h>

#define SERIES_PI 3.14159265358979323846

/* The coefficients of one panel (Numerical Recipes 5.8.7); the first is halved. */
static void series_panel(cj__clv_series *curve, int32_t panel,
                         double (*f)(const void *user, double t), const void *user)
{
    const int n = CJ__CLV_SERIES_POINTS;
    double value[CJ__CLV_SERIES_POINTS];

    for (int i = 0; i < n; i++) {
        double x = cos(SERIES_PI * (i + 0.5) / n);
        double t = curve->scale * expm1(curve->panel * (panel + (1 + x) / 2));

        value[i] = f(user, t < curve->until ? t : curve->until);
    }
    for (int j = 0; j < n; j++) {
        double sum = 0;

        for (int i = 0; i < n; i++)
            sum += value[i] * cos(SERIES_PI * j * (i + 0.5) / n);
        curve->value[panel][j] = sum * (j == 0 ? 1.0 : 2.0) / n;
    }
}

void cj__clv_series_make(cj__clv_series *curve, double scale, double until,
                         double (*f)(const void *user, double t), const void *user)
{
    double all, panels;

    if (!(scale < until))
        scale = until;
    if (!(scale > until * 1e-25))
        scale = until * 1e-25;
    all = log1p(until / scale);
    panels = ceil(all);
    curve->scale = scale;
    curve->until = until;
    curve->n_panels = panels < 1 ? 1 : (int32_t)panels;
    curve->panel = all / curve->n_panels;
    for (int32_t i = 0; i < curve->n_panels; i++)
        series_panel(curve, i, f, user);
}

double cj__clv_series_at(const cj__clv_series *curve, double t)
{
    double u = log1p(t / curve->scale) / curve->panel, d = 0, dd = 0, x;
    int32_t panel = (int32_t)u;
    const double *c;

    if (panel >= curve->n_panels)
        panel = curve->n_panels - 1;
    c = curve->value[panel];
    x = 2 * (u - panel) - 1;
    for (int j = CJ__CLV_SERIES_POINTS - 1; j > 0; j--) {
        const double next = 2 * x * d - dd + c[j];

        dd = d;
        d = next;
    }
    return x * d - dd + c[0];
}
