/* Read-only analyses of what customers are worth.  The door of room metrics. */
#ifndef CJ__METRICS_METRICS_H
#define CJ__METRICS_METRICS_H

#include "scan/scan.h"

struct cj__reader;

/* opts->as_of_ms is set (api.c resolves 0 to now). */
int32_t cj__rfm(cj_db *db, const cj_rfm_options *opts, cj_table **out);
int32_t cj__rfm_classes(const cj__allocator *a, cj_table **out);

/* Of those customers only who have a bit in profiles (NULL: everybody), in the
 * snapshot in which they were asked for.  opts->as_of_ms is set. */
int32_t cj__clv_summary(struct cj__reader *reader, const cj_clv_summary_options *opts,
                        const uint64_t *profiles, cj_table **out);
int32_t cj__clv_purchases(struct cj__reader *reader, const cj_clv_summary_options *opts,
                          const uint64_t *profiles, cj_table **out);

/* A fitted value model in the file: its name there, its kind, and what it says of
 * itself (clv_saved.c). */
typedef struct cj__clv_saved {
    cj__text name, model, json;
    int64_t time_ms;
} cj__clv_saved;

int32_t cj__clv_save(cj_db *db, const cj__clv_saved *m);
/* Texts in the arena. */
int32_t cj__clv_saved_get(cj__conn *conn, const char *name, cj__arena *arena,
                          cj__clv_saved *out);
int32_t cj__clv_saved_table(cj_db *db, cj_table **out);
int32_t cj__clv_drop(cj_db *db, const char *name);

/* RFM of all customers together (rfm_tables.c); clv may be NULL. */
int32_t cj__rfm_distribution(cj_db *db, const cj_rfm_options *opts,
                             const cj_profile_values *clv, cj_table **out);
int32_t cj__rfm_migrate(cj_db *db, const cj_rfm_options *opts, int64_t before_ms,
                        cj_table **out);
/* minor or value; the other is NULL. */
int32_t cj__value_concentration(const cj__allocator *a, const int64_t *minor,
                                const double *value, int64_t n, cj_table **out);
int32_t cj__value_cohorts(struct cj__reader *reader,
                          const cj_value_cohorts_options *opts,
                          const cj_profile_values *clv, const uint64_t *profiles,
                          cj_table **out);

/* Fitted value models (clv_fit.c, clv_result.c, clv_json.c); opts and data are of this
 * library's size. */
int32_t cj__clv_models(const cj__allocator *a, cj_table **out);
int32_t cj__clv_spend_dependence(const cj__allocator *a, const cj_clv_data *data,
                                 cj_clv_dependence *out);
int32_t cj__clv_fit(const cj__allocator *a, const cj_clv_data *data,
                    const cj_clv_fit_options *opts, cj_clv **out);
void cj__clv_free(cj_clv *clv);
int32_t cj__clv_parameters(const cj_clv *clv, cj_table **out);
void cj__clv_facts(const cj_clv *clv, cj_clv_fit_facts *out);
int32_t cj__clv_to_json(const cj_clv *clv, char **text_out, int64_t *n_bytes_out);
int32_t cj__clv_from_json(const cj__allocator *a, const char *json, size_t n,
                          cj_clv **out);

/* What scores customers: p_alive, expected purchases and value of a horizon, each
 * data->n numbers (clv_score.c). */
typedef struct cj__clv_scorer {
    int32_t (*score)(void *user, const cj_clv_data *data, double *const scores[3]);
    void *user;
    uint64_t key; /* of all that scores depend on besides customers */
    int32_t has_value;
} cj__clv_scorer;

/* Scores as traits (clv_refresh.c); opts->as_of_ms is set. */
int32_t cj__clv_refresh(cj_db *db, const cj_clv_refresh_options *opts,
                        const cj__clv_scorer *scorer, cj_clv_refresh_result *out);
/* By the models that opts names (clv_score.c). */
int32_t cj__clv_refresh_saved(cj_db *db, const cj_clv_refresh_options *opts,
                              cj_clv_refresh_result *out);

/* A fitted model under a name (clv_saved.c); *out has memory of a. */
int32_t cj__clv_save_fit(cj_db *db, const char *name, const cj_clv *clv,
                         int64_t now_ms);
int32_t cj__clv_load(cj_db *db, const cj__allocator *a, const char *name, cj_clv **out);

/* What is kept for the next refresh can be read (clv_state.c). */
int32_t cj__clv_check(cj_db *db, cj__conn *conn, cj_table *problems);

/* Answers of fitted models (clv_predict.c, clv_validate.c, clv_track.c). */
int32_t cj__clv_predict(const cj_clv *clv, const cj_clv *spend, const cj_clv_data *data,
                        const cj_clv_predict_options *opts, cj_table **out);
int32_t cj__clv_validate(const cj_clv *clv, const cj_clv *spend,
                         const cj_clv_data *data, const cj_clv_holdout *holdout,
                         cj_clv_validation *facts, cj_table **bins);
int32_t cj__clv_tracking(const cj_clv *clv, const cj_clv_data *data,
                         const cj_clv_track_options *opts, cj_table **out);
int32_t cj__clv_histogram(const cj_clv *clv, const cj_clv_data *data, int64_t largest,
                          cj_table **out);
int32_t cj__clv_history(const cj_clv *clv, const double *purchase_days, int64_t n,
                        double until_days, double step_days, cj_table **out);
int32_t cj__clv_compare(const cj__allocator *a, const cj_clv_data *data,
                        const cj_clv_compare_options *opts,
                        const cj_clv_holdout *holdout, cj_table **out);

#endif
