/* Pareto/NBD (Schmittlein, Morrison & Colombo 1987): purchases are Poisson with lambda
 * ~ Gamma(r, alpha), lifetimes exponential with mu ~ Gamma(s, beta).  With Fader &
 * Hardie 2005 ("A Note on Deriving the Pareto/NBD Model"), over the two stories of a
 * customer:
 *
 *   L = Gamma(r+x)/Gamma(r) alpha^r beta^s { (alpha+T)^-(r+x) (beta+T)^-s
 *         + s int_tx^T (alpha+y)^-(r+x) (beta+y)^-(s+1) dy }
 *
 * Alive, or gone at y, is a hidden variable: so the gradient of ln L is the mean of the
 * gradients of each story's ln L over the posterior of the stories, the Hessian the
 * mean of their Hessians plus the covariance of their gradients (Louis 1982).  All
 * posterior means come from one quadrature (clv_pareto_gone.c). */
#include "metrics/clv_pareto.h"

#include "base/gamma_step.h"
#include "base/special.h"

#include <math.h>

/* ---- what depends on x only ---------------------------------------------------------
 */

typedef struct paretonbd_sum {
    double value, rest; /* Neumaier: the table for x = 4096 is a sum of 4096 */
} paretonbd_sum;

static double paretonbd_add(paretonbd_sum *sum, double more)
{
    const double total = sum->value + more;

    sum->rest += fabs(sum->value) >= fabs(more) ? (sum->value - total) + more
                                                : (more - total) + sum->value;
    sum->value = total;
    return total + sum->rest;
}

static void paretonbd_prepare(cj__clv_at *at)
{
    const double r = at->theta[0];
    paretonbd_sum sums[CJ__PARETO_TABLE] = {
        {0, 0}
    };
    double *row = at->table;

    row[0] = row[1] = row[2] = 0;
    for (int64_t x = 0; x < at->max_x; x++) {
        const double at_x = r + (double)x;

        row += CJ__PARETO_TABLE;
        row[0] = paretonbd_add(&sums[0], log(at_x / at->theta[1]));
        row[1] = paretonbd_add(&sums[1], 1 / at_x);
        row[2] = paretonbd_add(&sums[2], -1 / (at_x * at_x));
    }
}

static void paretonbd_of_x(const cj__clv_at *at, double x, double out[CJ__PARETO_TABLE])
{
    cj__gamma3 rising;

    if (x <= (double)at->max_x) {
        for (int i = 0; i < CJ__PARETO_TABLE; i++)
            out[i] = at->table[(int64_t)x * CJ__PARETO_TABLE + i];
        return;
    }
    rising = cj__gamma_step(at->theta[0], x);
    out[0] = rising.lgamma - x * log(at->theta[1]);
    out[1] = rising.digamma;
    out[2] = rising.trigamma;
}

/* ---- log-likelihood
 * ------------------------------------------------------------------ */

/* One customer: the two stories and what both have in common. */
typedef struct paretonbd_case {
    cj__pareto_row row;
    cj__pareto_gone gone;
    double gamma[CJ__PARETO_TABLE];
    double la0, lb0; /* ln((alpha+tx) / alpha), the same with beta */
    double p_alive, p_gone;
    double grad[CJ__CLV_PARAMS], hess[CJ__CLV_PAIRS];
} paretonbd_case;

/* A story's gradient, at (a mean of) its time y: la .. cb as in cj__pareto_gone. */
static void paretonbd_story(const paretonbd_case *c, const double of_y[4],
                            double is_gone, double *grad)
{
    const cj__pareto_row *row = &c->row;
    const double part_a = row->alpha / (row->alpha + row->tx),
                 part_b = row->beta / (row->beta + row->tx),
                 not_a = row->tx / (row->alpha + row->tx) + part_a * of_y[1],
                 not_b = row->tx / (row->beta + row->tx) + part_b * of_y[3];

    grad[0] = row->r * (c->gamma[1] - c->la0 - of_y[0]);
    grad[1] = row->r * not_a - row->x * (1 - not_a); /* not_a = y / (alpha+y) */
    grad[2] = row->s * (-c->lb0 - of_y[2]) + is_gone;
    grad[3] = row->s * not_b - is_gone * (1 - not_b);
}

/* Covariance of the gradients: between the two stories, and within "gone". */
static void paretonbd_covariance(paretonbd_case *c, const double *alive,
                                 const double *gone)
{
    const cj__pareto_row *row = &c->row;
    const double scale[] = {-row->r,
                            (row->r + row->x) * row->alpha / (row->alpha + row->tx),
                            -row->s, (row->s + 1) * row->beta / (row->beta + row->tx)};
    const double *mean = c->gone.mean;

    for (int i = 0, pair = 0; i < CJ__CLV_PARAMS; i++) {
        for (int j = 0; j <= i; j++, pair++)
            c->hess[pair] =
                c->p_gone *
                (c->p_alive * (gone[i] - alive[i]) * (gone[j] - alive[j]) +
                 scale[i] * scale[j] * (c->gone.product[pair] - mean[i] * mean[j]));
    }
}

/* Mean of z (1 - z), z = y / (rate + y) = (offset + 1) with offset from (rate + tx). */
static double paretonbd_spread(double rate, double tx, double mean, double square)
{
    const double part = rate / (rate + tx), z0 = tx / (rate + tx), z = z0 + part * mean,
                 zz = z0 * z0 + part * (2 * z0 * mean + part * square);

    return z - zz;
}

/* Mean Hessian of the two stories in the logarithms of the parameters. */
static void paretonbd_curvature(paretonbd_case *c, const double alive[4])
{
    const cj__pareto_row *row = &c->row;
    const cj__pareto_gone *g = &c->gone;
    const double r = row->r, s = row->s, x = row->x, tx = row->tx;
    double y[4], a_square, b_alive, b_gone;

    for (int i = 0; i < 4; i++)
        y[i] = c->p_alive * alive[i] + c->p_gone * g->mean[i];
    a_square = c->p_alive * alive[1] * alive[1] + c->p_gone * g->product[2];
    b_alive = paretonbd_spread(row->beta, tx, alive[3], alive[3] * alive[3]);
    b_gone = paretonbd_spread(row->beta, tx, g->mean[3], g->product[9]);
    c->hess[0] += c->grad[0] + r * r * c->gamma[2];
    c->hess[1] += r * (tx + row->alpha * y[1]) / (row->alpha + tx);
    c->hess[2] -= (r + x) * paretonbd_spread(row->alpha, tx, y[1], a_square);
    c->hess[5] += c->grad[2] - c->p_gone;
    c->hess[8] += s * (tx + row->beta * y[3]) / (row->beta + tx);
    c->hess[9] -= c->p_alive * s * b_alive + c->p_gone * (s + 1) * b_gone;
}

static void paretonbd_derive(paretonbd_case *c)
{
    const cj__pareto_row *row = &c->row;
    const double alive_y[] = {row->la, (row->t - row->tx) / (row->alpha + row->t),
                              row->lb, (row->t - row->tx) / (row->beta + row->t)};
    double alive[CJ__CLV_PARAMS], gone[CJ__CLV_PARAMS];

    paretonbd_story(c, alive_y, 0, alive);
    paretonbd_story(c, c->gone.mean, 1, gone);
    for (int i = 0; i < CJ__CLV_PARAMS; i++)
        c->grad[i] = c->p_alive * alive[i] + c->p_gone * gone[i];
    paretonbd_covariance(c, alive, gone);
    paretonbd_curvature(c, alive_y);
}

/* The log-likelihood, and with it everything that derivatives need if `derive`. */
static double paretonbd_case_set(const cj__clv_at *at, const double customer[3],
                                 int derive, paretonbd_case *c)
{
    const cj__pareto_row *row = &c->row;
    double both;

    cj__pareto_row_set(&c->row, at->theta, customer, derive ? &c->gone : NULL);
    paretonbd_of_x(at, row->x, c->gamma);
    c->la0 = cj__log1p(row->tx / row->alpha);
    c->lb0 = cj__log1p(row->tx / row->beta);
    both = row->alive + row->gone;
    c->p_alive = row->alive / both;
    c->p_gone = row->gone / both;
    return c->gamma[0] - (row->r + row->x) * c->la0 - row->s * c->lb0 + log(both);
}

static void paretonbd_loglik(const cj__clv_at *at, const cj__clv_rows *rows, double *ll,
                             double (*grad)[CJ__CLV_CHUNK],
                             double (*hess)[CJ__CLV_CHUNK])
{
    paretonbd_case c;

    for (int64_t i = 0; i < rows->n; i++) {
        const double customer[] = {rows->x[i], rows->tx[i], rows->t[i]};

        ll[i] = paretonbd_case_set(at, customer, grad != NULL, &c);
        if (grad == NULL)
            continue;
        paretonbd_derive(&c);
        for (int j = 0; j < CJ__CLV_PARAMS; j++)
            grad[j][i] = c.grad[j];
        for (int j = 0; hess != NULL && j < CJ__CLV_PAIRS; j++)
            hess[j][i] = c.hess[j];
    }
}

/* ---- the row
 * ------------------------------------------------------------------------- */

/* Rates from the moments of the negative binomial; half of the customers gone by T. */
static void paretonbd_start(const cj__clv_means *means, double *theta)
{
    const double x = fmax(means->x, 1e-6), t = fmax(means->t, 1e-9),
                 spread = means->x_variance - x, r = spread > 0 ? x * x / spread : 10;

    theta[0] = fmin(fmax(r, 0.1), 10);
    theta[1] = 0.7 * theta[0] * t / x;
    theta[2] = 1;
    theta[3] = t;
}

/* The first that fits is taken: where s and beta grow together, they are not NBD. */
/* clang-format off */
static const cj__clv_limit paretonbd_limits[] = {
    {2, 1, "dropout_alike", "all drop out at one rate: s and beta grow together"},
    {3, 1, "dropout_not_identified", "nobody drops out: beta grows, the limit is NBD"},
    {3, -1, "dropout_at_once",
     "some drop out at once, the others stay: beta goes to zero"},
    {2, -1, "dropout_not_identified", "nobody drops out: s goes to zero, the limit is NBD"},
    {0, 1, "rates_alike", "all customers buy at one rate: r and alpha grow together"},
    {0, -1, "rates_degenerate", "nearly nobody buys again: r goes to zero"},
    {0, 0, NULL, NULL},
};
/* clang-format on */

const cj__clv_model cj__clv_paretonbd = {
    .name = "paretonbd",
    .title = "Pareto/NBD",
    .source = "Schmittlein, Morrison & Colombo 1987, Management Science 33(1)",
    .when =
        "customers buy when they like and may leave at any time, also right after the "
        "first order",
    .family = CJ__CLV_CONTINUOUS,
    .n_params = 4,
    .n_table = CJ__PARETO_TABLE,
    .params = {"r",     "alpha", "s", "beta"},
    .power = {0, 1,        0, 1},
    .effects = {{0, -1, 0, 0},      {0, 0, 0, -1}    },
    .limits = paretonbd_limits,
    .start = paretonbd_start,
    .prepare = paretonbd_prepare,
    .loglik = paretonbd_loglik,
    .p_alive = cj__pareto_p_alive,
    .expected = cj__pareto_expected,
    .pmf = cj__pareto_pmf,
    .dert = cj__pareto_dert,
    .expected_new = cj__pareto_expected_new,
    .pmf_new = cj__pareto_pmf_new,
};
