/* Pareto/NBD: the integral over the time of dropout (Fader & Hardie 2005, "A Note on
 * Deriving the Pareto/NBD Model", eq. 16 before its 2F1).  Two 2F1 subtracted lose
 * every digit in some corner; this integrand is positive and smooth.  With m the
 * smaller of alpha and beta, M the larger, u = ln((m+y) / (m+tx)), p = (m+tx) / (M+tx):
 *
 *   int (alpha+y)^-(r+x) (beta+y)^-(s+1) dy  ~  int exp(-c u - b ln(1 + p (e^u - 1)))
 * du
 *
 * c = the power of m less 1, b = the power of M.  Its logarithm is concave, its slope
 * between -1 and r+s+x, and its singularities are pi away from the real axis, so few
 * nodes per panel are enough: which number depends on the panel's length and on the
 * fall of the logarithm in it (measured over u0, c, b: error below 1e-11, mostly
 * 1e-13). */
#include "metrics/clv_pareto.h"

#include "base/special.h"

#include <math.h>
#include <string.h>

#define GONE_LENGTH 5.0  /* of a panel at most */
#define GONE_FALL 24.0   /* of the logarithm in a panel at most */
#define GONE_CAREFUL 1e3 /* powers from which on ln(1 + z) loses digits that matter */
#define GONE_SUMS 15

/* near belongs to m, far to M. */
typedef struct gone_integrand {
    double c, b, p;
    double length, growth; /* of u, and e^length - 1 */
} gone_integrand;

typedef struct gone_panel {
    const cj__gauss *rule;
    double from, length;
    double growth_from, growth_until; /* e^u - 1 at its ends */
} gone_panel;

typedef struct gone_nodes {
    int32_t n;
    double u[CJ__GAUSS_MOST], grown[CJ__GAUSS_MOST], far[CJ__GAUSS_MOST],
        weight[CJ__GAUSS_MOST];
} gone_nodes;

/* Minus the slope of the logarithm where e^u - 1 = growth. */
static double gone_slope(const gone_integrand *f, double growth)
{
    return f->c + f->b * f->p * (1 + growth) / (1 + f->p * growth);
}

static double gone_fall(const gone_integrand *f, const gone_panel *p)
{
    return p->length * fmax(fabs(gone_slope(f, p->growth_from)),
                            fabs(gone_slope(f, p->growth_until)));
}

const cj__gauss *cj__pareto_rule(double length, double fall)
{
    static const struct {
        double length, fall;
        int32_t n;
    } sizes[] = {
        {0.5, 2,  6 },
        {1.6, 3,  8 },
        {2,   6,  10},
        {2.5, 10, 12},
        {4,   16, 16},
    };

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        if (length <= sizes[i].length && fall <= sizes[i].fall)
            return cj__gauss_rule(sizes[i].n);
    }
    return cj__gauss_rule(CJ__GAUSS_MOST);
}

/* The panel from p->from on: to the end if that is near enough. */
static void gone_panel_end(const gone_integrand *f, gone_panel *p)
{
    double fall;

    p->length = f->length - p->from;
    p->growth_until = f->growth;
    if (p->length > GONE_LENGTH) {
        p->length = GONE_LENGTH;
        p->growth_until = expm1(p->from + p->length);
    }
    while ((fall = gone_fall(f, p)) > GONE_FALL) {
        p->length *= fmax(0.95 * GONE_FALL / fall, 0.25);
        p->growth_until = expm1(p->from + p->length);
    }
    p->rule = cj__pareto_rule(p->length, fall);
}

/* Both halves of the rule with one exponential: e^(h (1-t)) = e^h / e^(h t). */
static void gone_places(const gone_integrand *f, const gone_panel *p, gone_nodes *out)
{
    const int32_t n = p->rule->n;
    const double begin = 1 + p->growth_from, end = 1 + p->growth_until;

    out->n = n;
    for (int32_t i = 0; i < n / 2; i++) {
        const double step = p->length * p->rule->place[i], e = exp(step);

        out->u[i] = p->from + step;
        out->u[n - 1 - i] = p->from + (p->length - step);
        out->grown[i] = begin * e;
        out->grown[n - 1 - i] = end / e;
    }
    if (f->b > GONE_CAREFUL || f->c > GONE_CAREFUL) {
        for (int32_t i = 0; i < n; i++)
            out->far[i] = log1p(f->p * expm1(out->u[i]));
    } else {
        for (int32_t i = 0; i < n; i++)
            out->far[i] = log((1 - f->p) + f->p * out->grown[i]);
    }
    for (int32_t i = 0; i < n; i++) {
        const int32_t half = i < n / 2 ? i : n - 1 - i;

        out->weight[i] = p->length * p->rule->weight[half] *
                         exp(-(f->c * out->u[i] + f->b * out->far[i]));
    }
}

static void gone_add(const gone_integrand *f, const gone_nodes *nodes, double *sum)
{
    for (int32_t i = 0; i < nodes->n; i++) {
        const double w = nodes->weight[i], u = nodes->u[i], v = nodes->far[i],
                     a = 1 - 1 / nodes->grown[i],
                     b = 1 - 1 / ((1 - f->p) + f->p * nodes->grown[i]);

        sum[0] += w;
        sum[1] += w * u;
        sum[2] += w * a;
        sum[3] += w * v;
        sum[4] += w * b;
        sum[5] += w * u * u;
        sum[6] += w * a * u;
        sum[7] += w * a * a;
        sum[8] += w * v * u;
        sum[9] += w * v * a;
        sum[10] += w * v * v;
        sum[11] += w * b * u;
        sum[12] += w * b * a;
        sum[13] += w * b * v;
        sum[14] += w * b * b;
    }
}

/* 1 when what is left behind the panel is below all digits of the sum. */
static int gone_enough(const gone_integrand *f, const gone_panel *p, double sum)
{
    const double slope = gone_slope(f, p->growth_until), u = p->from + p->length,
                 far = log1p(f->p * p->growth_until);

    return slope > 0 && exp(-(f->c * u + f->b * far)) <= 1e-17 * slope * sum;
}

/* sum[0] the integral, the others of u, a, v, b and their products with it. */
static void gone_integrate(const gone_integrand *f, int all, double *sum)
{
    gone_panel p = {0};
    gone_nodes nodes;

    memset(sum, 0, GONE_SUMS * sizeof *sum);
    for (;;) {
        gone_panel_end(f, &p);
        gone_places(f, &p, &nodes);
        if (all) {
            gone_add(f, &nodes, sum);
        } else {
            for (int32_t i = 0; i < nodes.n; i++)
                sum[0] += nodes.weight[i];
        }
        if (!(p.growth_until < f->growth) || gone_enough(f, &p, sum[0])) /* or NaN */
            return;
        p.from += p.length;
        p.growth_from = p.growth_until;
    }
}

/* From (near, far) to (alpha, beta). */
static void gone_means(const double *sum, int near_is_alpha, cj__pareto_gone *out)
{
    static const int swapped[] = {3, 4, 1, 2, 10, 13, 14, 8, 11, 5, 9, 12, 6, 7};
    const double over = sum[0] > 0 ? 1 / sum[0] : 0;
    double *mean = out->mean, *product = out->product;

    for (int i = 0; i < 4; i++)
        mean[i] = over * sum[near_is_alpha ? i + 1 : swapped[i]];
    for (int i = 0; i < 10; i++)
        product[i] = over * sum[near_is_alpha ? i + 5 : swapped[i + 4]];
}

void cj__pareto_row_set(cj__pareto_row *row, const double *theta,
                        const double customer[3], cj__pareto_gone *means)
{
    const double r = theta[0], alpha = theta[1], s = theta[2], beta = theta[3],
                 x = customer[0], tx = customer[1], t = customer[2];
    const int near_is_alpha = alpha <= beta;
    const double near = near_is_alpha ? alpha : beta,
                 far = near_is_alpha ? beta : alpha;
    gone_integrand f;
    double sum[GONE_SUMS], near_log, far_log;

    f.c = near_is_alpha ? r + x - 1 : s;
    f.b = near_is_alpha ? s + 1 : r + x;
    f.p = (near + tx) / (far + tx);
    f.growth = (t - tx) / (near + tx);
    near_log = f.length = cj__log1p(f.growth);
    far_log = cj__log1p((t - tx) / (far + tx));
    *row = (cj__pareto_row){.r = r, .alpha = alpha, .s = s, .beta = beta};
    row->x = x;
    row->tx = tx;
    row->t = t;
    row->la = near_is_alpha ? near_log : far_log;
    row->lb = near_is_alpha ? far_log : near_log;
    row->alive = exp(-((r + x) * row->la + s * row->lb));
    gone_integrate(&f, means != NULL, sum);
    row->gone = s * (near_is_alpha ? f.p : 1) * sum[0];
    if (means != NULL)
        gone_means(sum, near_is_alpha, means);
}
