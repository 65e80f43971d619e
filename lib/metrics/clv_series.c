/* A smooth function of time that is asked a million times: once worked out at Chebyshev
 * points of panels in u = ln(1 + t / scale), then looked up by Clenshaw's recurrence.
 * With the scale of clv_answer.h 20 points for 2 units of u leave less than 1e-14 of
 * the largest value in a panel. */
#include "metrics/clv_answer.h"

#include "base/chebyshev.h"

#include <math.h>

static void series_panel(cj__clv_series *curve, int32_t panel,
                         const cj__chebyshev *places,
                         double (*f)(const void *user, double t), const void *user)
{
    double value[CJ__CLV_SERIES_POINTS];

    for (int i = 0; i < places->n; i++) {
        double x = cj__chebyshev_place(places, i);
        double t = curve->scale * expm1(curve->panel * (panel + (1 + x) / 2));

        value[i] = f(user, t < curve->until ? t : curve->until);
    }
    cj__chebyshev_fit(places, value, 1, curve->value[panel]);
}

void cj__clv_series_make(cj__clv_series *curve, double scale, double until,
                         double (*f)(const void *user, double t), const void *user)
{
    cj__chebyshev places;
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
    cj__chebyshev_begin(&places, CJ__CLV_SERIES_POINTS);
    for (int32_t i = 0; i < curve->n_panels; i++)
        series_panel(curve, i, &places, f, user);
}

double cj__clv_series_at(const cj__clv_series *curve, double t)
{
    const double u = log1p(t / curve->scale) / curve->panel;
    int32_t panel = (int32_t)u;

    if (panel >= curve->n_panels)
        panel = curve->n_panels - 1;
    return cj__chebyshev_at(CJ__CLV_SERIES_POINTS, curve->value[panel], 1,
                            2 * (u - panel) - 1);
}
