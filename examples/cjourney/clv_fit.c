/* clv fit and models: learn how customers buy, say how sure that is, and keep it.  What
 * the other clv commands learn goes through here, too. */
#include "clv.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PARAMETERS = 4 };

double clv_unit_days(const program *p)
{
    static const double days[] = {1, 7, 30.436875, 365.2425, 1.0 / 86400};

    return days[option_choice(p, "time-unit")];
}

void clv_model_text(const char *model, const char *column, char to[64])
{
    cj_table *t = NULL;

    to[0] = '\0';
    if (cj_clv_models(&t) != CJ_OK)
        return;
    for (int64_t row = 0; row < cj_table_rows(t); row++) {
        size_t n;
        const char *text = table_text(t, table_column(t, "model"), row, &n);

        if (n != strlen(model) || memcmp(text, model, n) != 0)
            continue;
        text = table_text(t, table_column(t, column), row, &n);
        snprintf(to, 64, "%.*s", (int)n, text);
    }
    cj_table_free(t);
}

int clv_counts_periods(const char *model, char title[64])
{
    char family[64];

    clv_model_text(model, "title", title);
    clv_model_text(model, "family", family);
    return strcmp(family, "discrete") == 0 || strcmp(family, "contract") == 0;
}

int clv_period_check(program *p, const customers *c, const char *model)
{
    char title[64];

    if (c->table == NULL || option_choice(p, "period") == 0 ||
        !clv_counts_periods(model, title))
        return DONE;
    return complain(p, USAGE, "or count its periods yourself: --summary FILE",
                    "%s counts periods, of the store days: only --period day", title);
}

int clv_days_check(program *p, const cj_clv *clv)
{
    cj_clv_fit_facts facts = {.struct_size = sizeof facts};
    char title[64];

    if (cj_clv_facts(clv, &facts) != CJ_OK || !clv_counts_periods(facts.model, title))
        return DONE;
    return complain(p, USAGE, "take a model in days: cjourney clv fit --model mbgnbd",
                    "%s counts periods, and the orders of the store have days", title);
}

/* ---- priors: r=0.5:1,alpha=10:1.5 -------------------------------------------------
 */

typedef struct priors {
    double median[PARAMETERS], spread[PARAMETERS];
} priors;

/* The parameters of a model in order, "r alpha a b"; how many. */
static int fit_parameters(const char *model, char names[PARAMETERS][16])
{
    char text[64];
    int n = 0;

    clv_model_text(model, "parameters", text);
    for (const char *at = text; *at != '\0' && n < PARAMETERS; n++) {
        const size_t length = strcspn(at, " ");

        snprintf(names[n], sizeof names[0], "%.*s", (int)length, at);
        at += length + (at[length] == ' ');
    }
    return n;
}

static int fit_priors(program *p, const char *model, cj_clv_fit_options *o,
                      priors *prior)
{
    char names[PARAMETERS][16];
    const char *text = option_text(p, "prior");
    const int n = fit_parameters(model, names);

    if (text == NULL)
        return DONE;
    while (*text != '\0') {
        const size_t length = strcspn(text, "=");
        char *end = NULL;
        int i = 0;

        while (i < n &&
               (strlen(names[i]) != length || memcmp(names[i], text, length) != 0))
            i++;
        if (i < n && text[length] == '=')
            prior->median[i] = strtod(text + length + 1, &end);
        if (end != NULL && *end == ':')
            prior->spread[i] = strtod(end + 1, &end);
        if (end == NULL || (*end != '\0' && *end != ',') || !(prior->median[i] > 0) ||
            !(prior->spread[i] > 0))
            return complain(p, USAGE, "for example r=0.5:1,alpha=10:1.5",
                            "--prior must be PARAMETER=MEDIAN:SPREAD, with comma "
                            "between");
        text = end + (*end == ',');
    }
    o->prior_median = prior->median;
    o->prior_spread = prior->spread;
    return DONE;
}

/* ---- the result -------------------------------------------------------------------
 */

static void fit_tell(program *p, const cj_clv_fit_facts *f)
{
    char all[32], repeaters[32];

    number_text((int64_t)(f->n_customers + 0.5), all);
    number_text((int64_t)(f->n_repeaters + 0.5), repeaters);
    note(p, "%s customers, %s of them came back; log-likelihood %.6f, AIC %.2f", all,
         repeaters, f->loglik, f->aic);
    note(p, "%s: %s", f->status, f->text);
}

int clv_print(program *p, const cj_clv *clv)
{
    cj_clv_fit_facts facts = {.struct_size = sizeof facts};
    cj_table *t = NULL;
    char *text = NULL;
    int64_t n = 0;
    int32_t rc;
    int code;

    if (p->format == AS_JSON || p->format == AS_JSONL) {
        rc = cj_clv_to_json(clv, &text, &n);
        if (rc != CJ_OK)
            return complain_library(p, rc);
        fwrite(text, 1, (size_t)n, stdout);
        fputc('\n', stdout);
        cj_text_free(text);
        return DONE;
    }
    rc = cj_clv_parameters(clv, &t);
    if (rc != CJ_OK)
        return complain_library(p, rc);
    code = table_print(p, t);
    rc = cj_clv_facts(clv, &facts);
    if (rc != CJ_OK)
        return complain_library(p, rc);
    if (code == DONE)
        fit_tell(p, &facts);
    return code;
}

static int fit_keep(program *p, const cj_clv *clv)
{
    const char *name = option_text(p, "save"), *file = option_text(p, "out");
    int32_t rc;

    if (name != NULL) {
        rc = cj_clv_save(p->db, name, clv);
        if (rc != CJ_OK)
            return complain_library(p, rc);
        note(p, "saved as \"%s\": cjourney clv predict %s", name, name);
    }
    if (file != NULL) {
        FILE *out = fopen(file, "w");
        char *text = NULL;
        int64_t n = 0;

        rc = cj_clv_to_json(clv, &text, &n);
        if (rc == CJ_OK && out != NULL)
            fwrite(text, 1, (size_t)n, out);
        cj_text_free(text);
        if (rc != CJ_OK)
            return complain_library(p, rc);
        if (out == NULL || fclose(out) != 0)
            return complain(p, FAILED, NULL, "cannot write %.200s: %s", file,
                            strerror(errno));
    }
    return DONE;
}

/* A spend model's numbers mean something when spend does not depend on frequency. */
static void fit_dependence(program *p, const cj_clv *clv, const customers *c)
{
    cj_clv_fit_facts facts = {.struct_size = sizeof facts};
    cj_clv_dependence d = {.struct_size = sizeof d};

    if (cj_clv_facts(clv, &facts) == CJ_OK && strcmp(facts.model, "gammagamma") == 0 &&
        cj_clv_spend_dependence(&c->data, &d) == CJ_OK)
        note(p, "%s: %s (correlation %.2f, from %.2f to %.2f)", d.status, d.text,
             d.correlation, d.low, d.high);
}

/* By the options of the command that has them: a unit, priors, k. */
int clv_fit_model(program *p, const char *model, const customers *c, cj_clv **out)
{
    cj_clv_fit_options o = {.struct_size = sizeof o, .model = model};
    priors prior = {{0}, {0}};
    int64_t k = 0, threads = 1;
    int code = DONE;
    int32_t rc;

    *out = NULL;
    if (o.model == NULL)
        o.model = "bgnbd";
    o.unit_days = clv_unit_days(p);
    code = clv_period_check(p, c, o.model);
    if (code == DONE && option_find(p->command, "k") != NULL)
        code = option_int64(p, "k", 1, 24, &k);
    if (code == DONE)
        code = option_int64(p, "threads", 1, 64, &threads);
    if (code == DONE && option_find(p->command, "prior") != NULL)
        code = fit_priors(p, o.model, &o, &prior);
    if (code != DONE)
        return code;
    o.k = (int32_t)k;
    o.threads = (int32_t)threads;
    o.progress = progress;
    o.progress_user = p;
    rc = cj_clv_fit(&c->data, &o, out);
    progress_end(p);
    return rc == CJ_OK ? DONE : complain_library(p, rc);
}

int run_clv_fit(program *p)
{
    customers c = {0};
    cj_clv *clv = NULL;
    int code = DONE;

    if (option_given(p, "save") && p->db == NULL)
        code = complain(p, USAGE, "add -d FILE", "--save needs a file to save in");
    if (code == DONE)
        code = customers_read(p, 0, &c);
    if (code == DONE)
        code = clv_fit_model(p, option_text(p, "model"), &c, &clv);
    if (code == DONE)
        code = clv_print(p, clv);
    if (code == DONE)
        fit_dependence(p, clv, &c);
    if (code == DONE)
        code = fit_keep(p, clv);
    cj_clv_free(clv);
    customers_end(&c);
    return code;
}

int run_clv_models(program *p)
{
    cj_table *t = NULL;
    int32_t rc = cj_clv_models(&t);

    return rc == CJ_OK ? table_print(p, t) : complain_library(p, rc);
}
