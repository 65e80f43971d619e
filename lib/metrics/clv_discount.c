/* Questions made of the model's own: being back, and discounted purchases.
 *
 * What the purchases in (0, H] are worth at a continuous rate d is the integral of
 * e^(-d t) dE(t), E(t) the expected purchases until t.  By parts (Fader and Hardie, "A
 * spreadsheet-literate non-statistician's guide", and every integral of that form):
 *     e^(-d H) E(H) + d * integral of e^(-d t) E(t) over (0, H),
 * so that only E itself is asked of a model, nothing is subtracted, and the answer is
 * positive and grows with H.  In whole periods Abel's summation does the same.
 *
 * E is made of powers of 1 + t/(alpha + T), 1 + t/(beta + T): in u = ln(1 + t/s) with s
 * below alpha and beta their singularities are pi away from the real line, and with s
 * below them by the size of the exponents they are flat: 12 nodes for 2 units of u
 * leave about 1e-13. */
#include "metrics/clv_answer.h"

#include "base/alloc.h"

#include <math.h>

static int32_t ask_model(cj__clv_question question, const cj__clv_ask *ask, double *out)
{
    const int32_t rc = cj__clv_beat(ask->pulse, ask->rows->n);

    return rc == CJ_OK ? question(ask, out) : rc;
}

int32_t cj__clv_p_alive(const cj__clv_ask *ask, double *out)
{
    return ask_model(ask->at->model->p_alive, ask, out);
}

int32_t cj__clv_expected(const cj__clv_ask *ask, double *out)
{
    return ask_model(ask->at->model->expected, ask, out);
}

int32_t cj__clv_pmf(const cj__clv_ask *ask, double *out)
{
    return ask_model(ask->at->model->pmf, ask, out);
}

int32_t cj__clv_dert(const cj__clv_ask *ask, double *out)
{
    return ask_model(ask->at->model->dert, ask, out);
}

int32_t cj__clv_back(const cj__clv_ask *ask, double *out)
{
    cj__clv_ask none = *ask;
    int32_t rc;

    none.n_purchases = 0;
    rc = cj__clv_pmf(&none, out);
    for (int64_t i = 0; rc == CJ_OK && i < ask->rows->n; i++)
        out[i] = out[i] < 1 ? 1 - out[i] : 0;
    return rc;
}

/* ---- nodes ------------------------------------------------------------------------
 */

static const double legendre[CJ__CLV_NODES / 2][2] = {
    {0.12523340851146891547, 0.24914704581340278500},
    {0.36783149899818019375, 0.23349253653835480876},
    {0.58731795428661744730, 0.20316742672306592175},
    {0.76990267419430468704, 0.16007832854334622633},
    {0.90411725637047485668, 0.10693932599531843096},
    {0.98156063424671925069, 0.04717533638651182719},
};

double cj__clv_scale(const cj__clv_at *at)
{
    double scale = (double)INFINITY, shape = 1;

    for (int p = 0; p < at->model->n_params; p++) {
        if (at->model->power[p] == 1 && at->theta[p] < scale)
            scale = at->theta[p];
        if (at->model->power[p] == 0 && at->theta[p] > shape)
            shape = at->theta[p];
    }
    return scale / shape;
}

/* One panel of u, from `from` on. */
static void nodes_panel(cj__clv_nodes *nodes, double scale, double from, double panel)
{
    for (int i = 0; i < CJ__CLV_NODES; i++) {
        const double *l = legendre[i < CJ__CLV_NODES / 2 ? CJ__CLV_NODES / 2 - 1 - i
                                                         : i - CJ__CLV_NODES / 2];
        double x = i < CJ__CLV_NODES / 2 ? -l[0] : l[0];
        double u = from + panel * (1 + x) / 2;

        nodes->t[nodes->n] = scale * expm1(u);
        nodes->weight[nodes->n] = panel / 2 * l[1] * scale * exp(u);
        nodes->n++;
    }
}

void cj__clv_nodes_make(cj__clv_nodes *nodes, double scale, double until, double delta)
{
    double all, panels;

    if (!(scale < until)) /* no time among the parameters, or nothing happens so soon */
        scale = until;
    if (!(scale > until * 1e-50)) /* keeps the number of panels in bounds */
        scale = until * 1e-50;
    all = log1p(until / scale);
    panels = ceil(all / 2 + delta * until / 4); /* e^(-delta t) wants nodes, too */
    if (!(panels < CJ__CLV_PANELS))
        panels = CJ__CLV_PANELS;
    nodes->n = 0;
    for (double i = 0; i < panels; i++)
        nodes_panel(nodes, scale, all / panels * i, all / panels);
}

/* ---- discounted purchases ----------------------------------------------------------
 */

/* out += weight * E(until), for every row. */
static int32_t discount_add(cj__clv_ask *ask, double until, double weight, double *each,
                            double *out)
{
    int32_t rc;

    ask->until = until;
    rc = cj__clv_expected(ask, each);
    for (int64_t i = 0; rc == CJ_OK && i < ask->rows->n; i++)
        out[i] += weight * each[i];
    return rc;
}

static int32_t discount_continuous(cj__clv_ask *ask, double *each, double *out)
{
    const double until = ask->until, delta = ask->delta;
    cj__clv_nodes nodes;
    int32_t rc;

    rc = discount_add(ask, until, exp(-delta * until), each, out);
    if (delta <= 0 || until <= 0)
        return rc;
    cj__clv_nodes_make(&nodes, cj__clv_scale(ask->at), until, delta);
    for (int32_t i = 0; rc == CJ_OK && i < nodes.n; i++)
        rc =
            discount_add(ask, nodes.t[i],
                         delta * nodes.weight[i] * exp(-delta * nodes.t[i]), each, out);
    return rc;
}

static int32_t discount_periods(cj__clv_ask *ask, double *each, double *out)
{
    const double until = floor(ask->until), delta = ask->delta;
    int32_t rc;

    rc = discount_add(ask, until, exp(-delta * until), each, out);
    if (delta <= 0)
        return rc;
    for (double t = 1; rc == CJ_OK && t < until; t++)
        rc = discount_add(ask, t, -expm1(-delta) * exp(-delta * t), each, out);
    return rc;
}

int32_t cj__clv_discounted_fast(const cj__clv_ask *ask, double panel, double *each,
                                double *out)
{
    static const double legendre_4[4][2] = {
        {-0.861136311594053, 0.347854845137454},
        {-0.339981043584856, 0.652145154862546},
        {0.339981043584856,  0.652145154862546},
        {0.861136311594053,  0.347854845137454}
    };
    const double until = ask->until, delta = ask->delta;
    const int n_panels = delta > 0 ? (int)ceil(until / panel) : 0;
    const double half = until / (n_panels > 0 ? n_panels : 1) / 2;
    cj__clv_ask own = *ask;
    int32_t rc = CJ_OK;

    own.from = 0;
    for (int64_t i = 0; i < ask->rows->n; i++)
        out[i] = 0;
    for (int k = 0; rc == CJ_OK && k < 4 * n_panels; k++) {
        const double *l = legendre_4[k % 4], t = half * (2 * (k / 4) + 1 + l[0]);

        rc = discount_add(&own, t, delta * half * l[1] * exp(-delta * t), each, out);
    }
    if (rc == CJ_OK) /* last: each is the purchases until then */
        rc = discount_add(&own, until, exp(-delta * until), each, out);
    return rc;
}

int32_t cj__clv_discounted(const cj__clv_ask *ask, double *out)
{
    const cj__allocator *a = ask->at->allocator;
    const size_t bytes = (size_t)(ask->rows->n > 0 ? ask->rows->n : 1) * sizeof(double);
    double *each = cj__alloc(a, bytes);
    cj__clv_ask own = *ask;
    int32_t rc;

    if (each == NULL)
        return CJ_ENOMEM;
    own.from = 0;
    for (int64_t i = 0; i < ask->rows->n; i++)
        out[i] = 0;
    rc = ask->at->model->family == CJ__CLV_CONTINUOUS
             ? discount_continuous(&own, each, out)
             : discount_periods(&own, each, out);
    cj__free(a, each, bytes);
    return rc;
}
