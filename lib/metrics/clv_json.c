/* A fitted model as JSON (docs/FORMAT.md, "A fitted model") and back.  Doubles are
 * written so that they come back bit by bit; what is read is checked member by member,
 * as if somebody had written it by hand.  std_errors and text are written for readers
 * only. */
#include "base/json.h"
#include "base/limits.h"
#include "base/table.h"
#include "base/text.h"
#include "metrics/clv_fit.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>

#define JSON_FORMAT 1
#define JSON_SYMMETRY 1e-8 /* a covariance of somebody else's pen may be rounded */

/* ---- writing
 * ------------------------------------------------------------------------- */

static void json_name(cj__str *s, const char *name)
{
    cj__str_put_char(s, ',');
    cj__str_put_json(s, name, strlen(name));
    cj__str_put_char(s, ':');
}

static void json_text(cj__str *s, const char *name, const char *value)
{
    json_name(s, name);
    cj__str_put_json(s, value, strlen(value));
}

static void json_number(cj__str *s, const char *name, double value)
{
    json_name(s, name);
    cj__str_put_double(s, value);
}

/* Labels from `from` to `to` with what `of` says of each. */
static void json_labelled(cj__str *s, const cj_clv *clv, const int32_t range[2],
                          double (*of)(const cj_clv *clv, int32_t i))
{
    cj__str_put_char(s, '{');
    for (int32_t i = range[0]; i < range[1]; i++) {
        char label[CJ__CLV_LABEL];

        cj__clv_label(clv, i, label);
        if (i > range[0])
            cj__str_put_char(s, ',');
        cj__str_put_json(s, label, strlen(label));
        cj__str_put_char(s, ':');
        cj__str_put_double(s, of(clv, i));
    }
    cj__str_put_char(s, '}');
}

static void json_parameters(cj__str *s, const cj_clv *clv)
{
    const int32_t params[2] = {0, clv->model->n_params};
    const int32_t rest[2] = {params[1], clv->n_free}, all[2] = {0, clv->n_free};

    json_name(s, "params");
    json_labelled(s, clv, params, cj__clv_estimate);
    if (clv->n_covariates > 0) {
        json_name(s, "covariates");
        cj__str_put_char(s, '[');
        for (int32_t c = 0; c < clv->n_covariates; c++) {
            if (c > 0)
                cj__str_put_char(s, ',');
            cj__str_put_json(s, clv->names[c], strlen(clv->names[c]));
        }
        cj__str_put_char(s, ']');
        json_name(s, "coefficients");
        json_labelled(s, clv, rest, cj__clv_estimate);
    }
    json_name(s, "std_errors");
    json_labelled(s, clv, all, cj__clv_std_error);
}

static void json_covariance(cj__str *s, const cj_clv *clv)
{
    json_name(s, "held");
    cj__str_put_char(s, '[');
    for (int32_t i = 0; i < clv->n_free; i++)
        cj__str_put_text(s, i == 0 ? (clv->held[i] ? "1" : "0")
                                   : (clv->held[i] ? ",1" : ",0"));
    cj__str_put_char(s, ']');
    json_name(s, "covariance");
    if (!clv->has_covariance) {
        cj__str_put_text(s, "null");
        return;
    }
    for (int32_t i = 0; i < clv->n_free; i++) {
        for (int32_t j = 0; j < clv->n_free; j++) {
            cj__str_put_text(s, j > 0 ? "," : i > 0 ? "],[" : "[[");
            cj__str_put_double(s, clv->covariance[i][j]);
        }
    }
    cj__str_put_text(s, "]]");
}

void cj__clv_put_json(const cj_clv *clv, cj__str *s)
{
    cj__str_put_text(s, "{\"format\":1");
    json_text(s, "model", clv->model->name);
    json_number(s, "unit_days", clv->unit_days);
    json_number(s, "k", clv->k);
    json_number(s, "k_chosen", clv->is_k_chosen);
    json_parameters(s, clv);
    json_number(s, "loglik", clv->loglik);
    json_text(s, "status", clv->status.name);
    json_text(s, "text", clv->status.text);
    json_number(s, "n_rows", (double)clv->n_rows);
    json_number(s, "n_groups", (double)clv->n_groups);
    json_number(s, "n_customers", clv->n_customers);
    json_number(s, "n_repeaters", clv->n_repeaters);
    json_number(s, "n_iterations", (double)clv->n_iterations);
    json_number(s, "gradient_norm", clv->gradient_norm);
    json_number(s, "condition", clv->condition);
    json_covariance(s, clv);
    cj__str_put_char(s, '}');
}

int32_t cj__clv_to_json(const cj_clv *clv, char **text_out, int64_t *n_bytes_out)
{
    cj__str s;

    cj__text_begin(&s, &clv->allocator);
    cj__clv_put_json(clv, &s);
    return cj__text_hand_over(&s, text_out, n_bytes_out);
}

/* ---- reading
 * ------------------------------------------------------------------------- */

static int32_t json_wrong(const char *name, const char *wanted)
{
    return cj__fail(CJ_EINVAL, "%s: %s is wanted", name, wanted);
}

static int32_t json_read(const cJSON *node, const char *name, double *out)
{
    if (!cJSON_IsRaw(node) ||
        cj__number_read(node->valuestring, strlen(node->valuestring), out) != 0 ||
        !isfinite(*out))
        return json_wrong(name, "a finite number");
    return CJ_OK;
}

/* A member that may be missing (0 then) within bounds. */
static int32_t json_read_in(const cJSON *root, const char *name, double low,
                            double high, double *out)
{
    const cJSON *node = cj__json_member(root, name);
    int32_t rc;

    *out = 0;
    if (node == NULL)
        return CJ_OK;
    rc = json_read(node, name, out);
    if (rc == CJ_OK && !(*out >= low && *out <= high))
        rc = cj__fail(CJ_EINVAL, "%s is not in [%g, %g]", name, low, high);
    return rc;
}

static int32_t json_read_count(const cJSON *root, const char *name, int64_t *out)
{
    const cJSON *node = cj__json_member(root, name);

    *out = 0;
    if (node != NULL && (cj__json_int64(node, out) != 0 || *out < 0))
        return json_wrong(name, "a whole number, not negative");
    return CJ_OK;
}

static const char *json_member_text(const cJSON *root, const char *name)
{
    const char *text = cj__json_string(cj__json_member(root, name));

    return text != NULL ? text : "";
}

static int32_t json_read_unit(cj_clv *clv, const cJSON *root)
{
    double unit, k, chosen;
    int32_t rc;

    CJ_TRY(json_read_in(root, "unit_days", 1e-9, 1e9, &unit));
    CJ_TRY(
        json_read_in(root, "k", 1, clv->model->max_k > 0 ? clv->model->max_k : 1, &k));
    CJ_TRY(json_read_in(root, "k_chosen", 0, 1, &chosen));
    if (k != floor(k))
        return json_wrong("k", "a whole number");
    clv->unit_days = unit > 0 ? unit : 1;
    clv->k = k > 0 ? (int32_t)k : 1;
    clv->is_k_chosen = chosen > 0;
out:
    return rc;
}

static int32_t json_read_covariates(cj_clv *clv, const cJSON *root)
{
    const cJSON *names = cj__json_member(root, "covariates");
    int32_t rc = CJ_OK;

    if (names == NULL)
        return CJ_OK;
    if (!cJSON_IsArray(names) || cJSON_GetArraySize(names) > CJ__CLV_COVARIATES)
        return json_wrong("covariates", "an array of at most 16 names");
    if (names->child != NULL && cj__clv_effect_groups(clv->model) == 0)
        return cj__fail(CJ_EINVAL, "%s takes no covariates", clv->model->name);
    for (const cJSON *node = names->child; node != NULL && rc == CJ_OK;
         node = node->next) {
        if (cj__json_string(node) == NULL)
            return json_wrong("covariates", "a name");
        rc = cj__clv_name_covariate(clv, clv->n_covariates, cj__json_string(node));
        clv->n_covariates++;
    }
    clv->n_free = cj__clv_n_free(clv);
    return rc;
}

static int32_t json_read_estimates(cj_clv *clv, const cJSON *root)
{
    const cJSON *params = cj__json_member(root, "params");
    const cJSON *coefficients = cj__json_member(root, "coefficients");
    const int32_t n_params = clv->model->n_params;

    for (int32_t i = 0; i < clv->n_free; i++) {
        double *to = i < n_params ? &clv->theta[i] : &clv->coefficient[i - n_params];
        char label[CJ__CLV_LABEL];
        int32_t rc;

        cj__clv_label(clv, i, label);
        rc = json_read(cj__json_member(i < n_params ? params : coefficients, label),
                       label, to);
        if (rc != CJ_OK)
            return rc;
        if (i < n_params && !(*to >= 1e-100 && *to <= 1e100))
            return cj__fail(CJ_EINVAL, "%s is not in [1e-100, 1e100]", label);
        if (i >= n_params && !(fabs(*to) <= 1e100))
            return json_wrong("coefficients", "a number in [-1e100, 1e100]");
    }
    return CJ_OK;
}

/* Array `node` of n numbers. */
static int32_t json_read_row(const cJSON *node, const char *name, int32_t n, double *to)
{
    const cJSON *at = cJSON_IsArray(node) ? node->child : NULL;

    for (int32_t i = 0; i < n; i++, at = at->next) {
        int32_t rc = at == NULL ? json_wrong(name, "one number per parameter")
                                : json_read(at, name, &to[i]);

        if (rc != CJ_OK)
            return rc;
    }
    return at == NULL ? CJ_OK : json_wrong(name, "no more numbers than parameters");
}

static int32_t json_check_covariance(const cj_clv *clv)
{
    for (int32_t i = 0; i < clv->n_free; i++) {
        if (!(clv->covariance[i][i] >= 0))
            return json_wrong("covariance", "a diagonal without negative numbers");
        for (int32_t j = 0; j < i; j++) {
            const double size =
                sqrt(clv->covariance[i][i]) * sqrt(clv->covariance[j][j]);
            const double a = clv->covariance[i][j], b = clv->covariance[j][i];

            if (!(fabs(a - b) <= JSON_SYMMETRY * size) ||
                !(fabs(a) <= (1 + JSON_SYMMETRY) * size))
                return json_wrong("covariance", "a symmetric matrix of a distribution");
        }
    }
    return CJ_OK;
}

static int32_t json_read_covariance(cj_clv *clv, const cJSON *root)
{
    const cJSON *rows = cj__json_member(root, "covariance");
    const cJSON *held = cj__json_member(root, "held");
    const cJSON *row = cJSON_IsArray(rows) ? rows->child : NULL;
    double marks[CJ__CLV_FREE] = {0};
    int32_t rc = CJ_OK;

    if (held != NULL)
        CJ_TRY(json_read_row(held, "held", clv->n_free, marks));
    for (int32_t i = 0; i < clv->n_free; i++)
        clv->held[i] = marks[i] > 0;
    if (rows == NULL || cJSON_IsNull(rows))
        return CJ_OK;
    if (!cJSON_IsArray(rows) || cJSON_GetArraySize(rows) != clv->n_free)
        return json_wrong("covariance", "null, or one row per parameter");
    for (int32_t i = 0; i < clv->n_free; i++, row = row->next)
        CJ_TRY(json_read_row(row, "covariance", clv->n_free, clv->covariance[i]));
    clv->has_covariance = 1;
    rc = json_check_covariance(clv);
out:
    return rc;
}

static int32_t json_read_ending(cj_clv *clv, const cJSON *root)
{
    const char *status = json_member_text(root, "status");
    int32_t rc;

    /* The names are static, the one that was read is not. */
    clv->status = cj__clv_status_of(clv->model, status, json_member_text(root, "text"));
    if (clv->status.name == NULL)
        return cj__fail(CJ_EINVAL, "status: no fit of %s ends so", clv->model->name);
    if (cj__json_member(root, "loglik") == NULL)
        return json_wrong("loglik", "a finite number");
    CJ_TRY(json_read_in(root, "loglik", -1e300, 1e300, &clv->loglik));
    CJ_TRY(json_read_count(root, "n_rows", &clv->n_rows));
    CJ_TRY(json_read_count(root, "n_groups", &clv->n_groups));
    CJ_TRY(json_read_count(root, "n_iterations", &clv->n_iterations));
    CJ_TRY(json_read_in(root, "n_customers", 0, 1e300, &clv->n_customers));
    CJ_TRY(json_read_in(root, "n_repeaters", 0, 1e300, &clv->n_repeaters));
    CJ_TRY(json_read_in(root, "gradient_norm", 0, 1e300, &clv->gradient_norm));
    CJ_TRY(json_read_in(root, "condition", 0, 1e300, &clv->condition));
out:
    return rc;
}

static int32_t json_read_format(const cJSON *root)
{
    int64_t format = 0;

    if (!cJSON_IsObject(root))
        return cj__fail(CJ_EINVAL, "an object is wanted: a fitted model");
    if (cj__json_int64(cj__json_member(root, "format"), &format) != 0 || format < 1)
        return json_wrong("format", "1");
    if (format > JSON_FORMAT)
        return cj__fail(CJ_EVERSION, "format %lld of a model, this library knows %d",
                        (long long)format, JSON_FORMAT);
    if (json_member_text(root, "model")[0] == '\0')
        return json_wrong("model", "a name");
    return CJ_OK;
}

int32_t cj__clv_from_json(const cj__allocator *a, const char *json, size_t n,
                          cj_clv **out)
{
    cj_clv *clv = NULL;
    cJSON *root = NULL;
    int32_t rc;

    *out = NULL;
    if (n > CJ__MAX_MESSAGE)
        return cj__fail(CJ_ELIMIT, "%zu bytes of JSON, the limit is %d", n,
                        CJ__MAX_MESSAGE);
    CJ_TRY(cj__json_parse(a, json, n, &root));
    CJ_TRY(json_read_format(root));
    CJ_TRY(cj__clv_new(a, json_member_text(root, "model"), &clv));
    CJ_TRY(json_read_unit(clv, root));
    CJ_TRY(json_read_covariates(clv, root));
    CJ_TRY(json_read_estimates(clv, root));
    CJ_TRY(json_read_covariance(clv, root));
    CJ_TRY(json_read_ending(clv, root));
    *out = clv;
    clv = NULL;
out:
    cj__clv_free(clv);
    cj__json_free(root);
    return rc;
}
