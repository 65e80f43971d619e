/* libcjourney: customer analytics in one SQLite file.
 *
 * A host links this library, opens one file, records what customers do at every
 * touchpoint, and asks who they are and what they are worth.
 *
 * Conventions.  Every function that can fail returns CJ_OK or a negative code; then
 * cj_errmsg() is the calling thread's text.  On failure nothing has changed and
 * out-parameters are NULL or 0.  Text is NUL-terminated UTF-8.  Times are milliseconds
 * since 1970-01-01 UTC, money is int64 minor units (cents) of the store's currency.
 * Structs start with struct_size (set it to sizeof; 0 in any other field means its
 * default) and only ever grow at the end.  The library copies its inputs; the caller
 * owns *out; a returned pointer is borrowed until the event its comment names.
 * A handle may be used from any thread, never across fork() (CJ_EFORK).  Fork while no
 * thread is in a call, and after cj_flush() of a deferred handle: a child inherits the
 * locks that others hold inside SQLite, for ever.
 *
 * In order of need: errors, handle, recording, import, identity, reading, scores,
 * tables, time, care of the file. */
#ifndef CJOURNEY_H
#define CJOURNEY_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CJ_VERSION "0.4.0"

typedef struct cj_db cj_db;       /* one open file */
typedef struct cj_table cj_table; /* one immutable result */

/* ---- errors ------------------------------------------------------------------ */

#define CJ_OK 0
#define CJ_EINVAL (-1)      /* an argument or value is wrong; the text says which */
#define CJ_ENOMEM (-2)      /* out of memory */
#define CJ_EIO (-3)         /* the operating system refused to read or write */
#define CJ_EBUSY (-4)       /* another writer held the file for busy_ms */
#define CJ_ECORRUPT (-5)    /* the file is damaged; cj_check says where */
#define CJ_EVERSION (-6)    /* not a libcjourney file, or written by a newer one */
#define CJ_ENOTFOUND (-7)   /* no such profile, identifier, edge or file */
#define CJ_EEXISTS (-8)     /* it is already so */
#define CJ_EFORK (-9)       /* the handle was inherited through fork() */
#define CJ_EMISUSE (-10)    /* a NULL or closed handle, a wrong struct_size */
#define CJ_EINTERRUPT (-11) /* cj_interrupt() was called, or progress said stop */
#define CJ_ECURRENCY (-12)  /* money in another currency than the store's */
#define CJ_EREJECT (-13)    /* the event was not recorded; kept in failed_event */
#define CJ_ELIMIT (-14)     /* larger than a limit of this library */
#define CJ_EREADONLY (-15)  /* the handle was opened read-only */
#define CJ_ELOCK (-16)      /* another copy of SQLite broke our file locks: reopen */

/* The library's version, such as "0.4.0".  Borrowed: static. */
const char *cj_version(void);

/* The calling thread's last error in one line, never NULL; "" if it had none.
 * Borrowed until this thread's next call of the library. */
const char *cj_errmsg(void);

/* Where in the input the last error was: a byte offset (JSON), a line (import) or a
 * row (record_many), from 0; -1 when it has no place. */
int64_t cj_errpos(void);

/* "CJ_EINVAL" for CJ_EINVAL; "CJ_E?" for a code it does not know.  Borrowed: static. */
const char *cj_error_name(int32_t code);

/* ---- handle ------------------------------------------------------------------ */

/* Like Lua's lua_Alloc: new_bytes 0 frees; ptr NULL allocates; old_bytes is what was
 * asked for last time.  Called from any thread. */
typedef void *(*cj_realloc_fn)(void *user, void *ptr, uint64_t old_bytes,
                               uint64_t new_bytes);
typedef void (*cj_log_fn)(void *user, int32_t code, const char *text);
typedef int64_t (*cj_clock_fn)(void *user);
/* Called now and then by long calls, done of total (total 0: unknown); a non-zero
 * answer stops the call with CJ_EINTERRUPT. */
typedef int32_t (*cj_progress_fn)(void *user, int64_t done, int64_t total);

#define CJ_OPEN_READONLY 1 /* refuse to write; the file must exist */
#define CJ_OPEN_NOCREATE 2 /* the file must exist */
#define CJ_OPEN_DEFERRED 4 /* recording calls return before their events are durable:
                            * within commit_ms or at cj_flush.  A crash loses at most
                            * what was recorded in that time */

typedef struct cj_open_options {
    int64_t struct_size;
    int64_t flags;          /* CJ_OPEN_* */
    const char *currency;   /* ISO 4217; for a new file; NULL: EUR.  For an existing
                             * file: NULL, or what it was made with */
    const char *time_zone;  /* IANA name; as currency; NULL: UTC */
    int64_t busy_ms;        /* how long to wait for another writer; 0: 5,000 */
    int64_t commit_ms;      /* deferred mode; 0: 5 */
    int64_t seal_events;    /* events the journal holds before it is sealed; 0: 65,536 */
    cj_realloc_fn realloc;  /* NULL: the C library's */
    void *realloc_user;
    cj_log_fn log; /* NULL: none */
    void *log_user;
    cj_clock_fn clock; /* milliseconds since 1970; NULL: the system's */
    void *clock_user;
} cj_open_options;

/* Open a file, creating it (mode 0600) unless told not to.  opts may be NULL.
 * Errors: CJ_ENOTFOUND, CJ_EVERSION (file untouched), CJ_EINVAL (currency or zone
 * unknown, or not the file's), CJ_EIO.  Owned: cj_close(*out).  Since 0.1. */
int32_t cj_open(const char *path, const cj_open_options *opts, cj_db **out);

/* Make what is queued durable, close, free.  NULL is fine.  After CJ_EFORK the handle
 * stays with the parent.  Tables stay valid.  Since 0.1. */
int32_t cj_close(cj_db *db);

/* Stop the calls that are running on this handle, from any thread; they return
 * CJ_EINTERRUPT and the file is as before them.  Since 0.1. */
int32_t cj_interrupt(cj_db *db);

/* Return when everything recorded so far is durable, and the thread of a deferred handle
 * is at rest until somebody records (fork() then); reports the error of an earlier
 * deferred commit.  Since 0.1. */
int32_t cj_flush(cj_db *db);

/* ---- recording --------------------------------------------------------------- */

/* One (kind, value).  Kinds, from the strongest: user_id, crm_id, loyalty_card, email,
 * phone, device_id, anonymous_id, guest. */
typedef struct cj_identifier {
    int64_t struct_size;
    const char *kind;
    const char *value;
} cj_identifier;

/* One line of an order. */
typedef struct cj_item {
    int64_t struct_size;
    const char *product;
    int64_t quantity;       /* 0: 1 */
    int64_t value_minor;    /* the whole line: quantity x unit price */
    const char *properties; /* a JSON object, or NULL */
} cj_item;

typedef struct cj_event {
    int64_t struct_size;
    int64_t time_ms;     /* 0: now */
    const char *name;    /* order, refund, product_view, ...: required */
    const char *channel; /* web, app, store, email, ...; NULL: none */
    const cj_identifier *identifiers; /* at least one that is not blocked; it belongs to
                                       * the strongest */
    int64_t n_identifiers;
    const char *message_id; /* the caller's unique id: the same one is recorded once;
                             * NULL: not checked */
    const char *session;
    const char *campaign;
    const char *content;
    const char *product;
    const char *order_id;
    int64_t quantity;       /* 0: none */
    int64_t value_minor;    /* an event has a value when this is not 0, or currency is
                             * set, or it is an order or refund; refunds are negative */
    const char *currency;   /* NULL: the store's */
    const char *properties; /* a JSON object, kept byte for byte; NULL: none */
    const cj_item *items;   /* each becomes an order_item event, same time and order */
    int64_t n_items;
} cj_event;

typedef struct cj_record_result {
    int64_t struct_size;
    int64_t n_recorded;   /* messages recorded (an order with its items is one) */
    int64_t n_duplicates; /* already there by message id */
    int64_t n_rejected;   /* kept in failed_event with the reason */
    int64_t first_reject; /* index of the first rejected message; -1: none */
} cj_record_result;

/* Record one event.  CJ_OK: it is durable (or queued, in deferred mode), or was there
 * already.  Errors: CJ_EREJECT (wrong in itself: kept in failed_event, the text says
 * why); CJ_EBUSY, CJ_EIO, CJ_ENOMEM (nothing recorded: try again).  Since 0.1. */
int32_t cj_record(cj_db *db, const cj_event *event);

/* Record n events in one commit.  stride_bytes is the distance between two of them
 * (0: events->struct_size).  Rejected ones do not stop the others.  result may be NULL.
 * Since 0.1. */
int32_t cj_record_many(cj_db *db, const cj_event *events, int64_t n,
                       int64_t stride_bytes, cj_record_result *result);

/* Record JSON: one message, an array of them, or one per line; n_bytes -1: to the NUL.
 * format: "json" (own form, docs/EVENTS.md) or "segment".  Messages that are not JSON
 * or not right are rejected as in cj_record_many.  Since 0.1. */
int32_t cj_record_json(cj_db *db, const char *text, int64_t n_bytes, const char *format,
                       cj_record_result *result);

/* Say that n identifiers belong to one person, and what is known of them: traits is a
 * JSON object (NULL: none; a null value forgets the trait), valid from time_ms (0:
 * now), by source ("crm", "web", ...; NULL: "host").  *profile_out (may be NULL) is the
 * profile of the strongest identifier.
 * Errors: CJ_EREJECT if no identifier is usable or the traits are wrong. */
int32_t cj_identify(cj_db *db, const cj_identifier *identifiers, int64_t n,
                    const char *traits, int64_t time_ms, const char *source,
                    int64_t *profile_out);

/* Say that two identifiers belong to one person.  A unique conflict (both sides hold,
 * say, a user_id) is refused with CJ_EEXISTS and a row in the refusals. */
int32_t cj_alias(cj_db *db, const cj_identifier *a, const cj_identifier *b);

/* ---- import ------------------------------------------------------------------ */

typedef struct cj_import_options {
    int64_t struct_size;
    const char *format; /* "json" (own NDJSON), "segment" or "csv"; NULL: by the name's
                         * ending (.ndjson .jsonl .json .csv) */
    const char *map;    /* csv: "time=InvoiceDate,order=InvoiceNo,trait.country=Country";
                         * NULL: columns have our names */
    const char *guest;  /* csv: a column whose value identifies rows without identifier */
    const char *time_zone;   /* csv: of times without offset; NULL: the store's */
    const char *currency;    /* NULL: the store's */
    const char *name;        /* csv: event name of rows without one; NULL: order when a
                              * row has an order id, else required */
    const char *channel;     /* csv: channel of rows without one; NULL: none */
    const char *source;      /* of traits; NULL: "import" */
    const char *reject_path; /* NULL, or a file for rejects: line number, reason, raw
                              * line (CSV) */
    cj_progress_fn progress; /* bytes read; total 0 when read from a pipe */
    void *progress_user;
} cj_import_options;

typedef struct cj_import_result {
    int64_t struct_size;
    int64_t n_lines;      /* lines read, without the header */
    int64_t n_recorded;   /* messages recorded now */
    int64_t n_duplicates; /* messages that were there already */
    int64_t n_rejected;   /* lines rejected */
    int64_t n_events;     /* events recorded now (an order and its items count each) */
} cj_import_result;

/* Import a file ("-": standard input), streaming; running it again changes nothing, so
 * an interrupted import is resumed by running it again.  result may be NULL.
 * Errors: CJ_ENOTFOUND, CJ_EINVAL (map, header), CJ_EINTERRUPT (what was committed
 * stays).  Since 0.1. */
int32_t cj_import_file(cj_db *db, const char *path, const cj_import_options *opts,
                       cj_import_result *result);

/* Rejected messages.  Columns: id: int64; time_ms: int64; source: text (record, json,
 * segment, csv, identify); code, reason, bytes: text.  Ordered by id. */
int32_t cj_failed_events(cj_db *db, cj_table **out);

/* Try rejected messages of the sources record, json and segment again; those now
 * recorded leave the list.  result may be NULL. */
int32_t cj_failed_retry(cj_db *db, cj_record_result *result);

/* ---- identity ---------------------------------------------------------------- */

/* The profile that holds an identifier (normalised as in recording).
 * Errors: CJ_ENOTFOUND. */
int32_t cj_profile_find(cj_db *db, const char *kind, const char *value,
                        int64_t *profile_out);

/* The identifiers of a profile.  Columns: node: int64; kind, value: text.  Ordered by
 * node; the first node is the profile's id.  Errors: CJ_ENOTFOUND. */
int32_t cj_profile_identifiers(cj_db *db, int64_t profile, cj_table **out);

/* The traits of a profile as they were known at as_of_ms (0: now): the newest value per
 * name.  Columns: name, value (JSON), source: text; time_ms: int64.  Ordered by name.
 * Errors: CJ_ENOTFOUND. */
int32_t cj_profile_traits(cj_db *db, int64_t profile, int64_t as_of_ms, cj_table **out);

/* Make two profiles one; the older id survives, also against a unique conflict.
 * *edge_out (may be NULL) undoes it.  Errors: CJ_ENOTFOUND, CJ_EEXISTS. */
int32_t cj_merge(cj_db *db, int64_t profile_a, int64_t profile_b, int64_t *edge_out);

/* Remove an edge: everything is as if it had never been.  Errors: CJ_ENOTFOUND. */
int32_t cj_unmerge(cj_db *db, int64_t edge);

/* The edges of the identity graph, or of one profile (0: all).  Columns: edge, node_a,
 * node_b, time_ms: int64; cause (event, identify, alias, merge), state (joined,
 * refused, removed), reason: text.  Ordered by edge. */
int32_t cj_edges(cj_db *db, int64_t profile, cj_table **out);

/* Never use this value as an identifier (the till's own e-mail address).  It stays in
 * events recorded earlier.  Errors: CJ_EEXISTS, CJ_EINVAL. */
int32_t cj_identifier_block(cj_db *db, const char *kind, const char *value);

/* ---- reading ----------------------------------------------------------------- */

typedef struct cj_events_options {
    int64_t struct_size;
    int64_t profile;  /* 0: all */
    int64_t from_ms;  /* 0: since ever */
    int64_t until_ms; /* exclusive; 0: for ever */
    const char *name; /* NULL: all */
    int64_t limit;    /* rows; 0: 1,000,000 */
    int64_t threads;  /* 0: 1 */
} cj_events_options;

/* Read events back.  Columns: profile, node, time_ms: int64; name, channel, session,
 * campaign, content, product, order_id: text; quantity, value_minor: int64; currency,
 * properties: text.  Ordered by profile, time, node, arrival.  Absent values are null. */
int32_t cj_events(cj_db *db, const cj_events_options *opts, cj_table **out);

/* ---- scores ------------------------------------------------------------------ */

#define CJ_RFM_DAYS 0        /* recency in whole local calendar days before as-of's date */
#define CJ_RFM_HOURS 1       /* recency in whole hours */
#define CJ_RFM_ORDERS 0      /* frequency: orders with a positive total */
#define CJ_RFM_REPEAT_DAYS 1 /* frequency: distinct local days with such an order, less 1 */
#define CJ_RFM_NET 0         /* monetary: orders less refunds */
#define CJ_RFM_GROSS 1       /* monetary: orders with a positive total */
#define CJ_RFM_TOTAL 0       /* monetary: the sum */
#define CJ_RFM_MEAN 1        /* monetary: per order, rounded half even */

/* One class: the customers whose scores, brought to 1..5, lie within all three ranges
 * (0: open).  The first class that fits wins. */
typedef struct cj_rfm_class {
    int64_t struct_size;
    const char *name;
    int64_t r_min, r_max, f_min, f_max, m_min, m_max;
} cj_rfm_class;

typedef struct cj_rfm_options {
    int64_t struct_size;
    int64_t as_of_ms; /* 0: now, this millisecond included */
    int64_t from_ms;  /* events in [from_ms, as_of_ms); 0: since ever */
    int32_t recency;
    int32_t frequency;
    int32_t monetary;
    int32_t monetary_of;
    int32_t n_bins; /* quantile scoring: 2..10; 0: 5 */
    int32_t threads;
    const int64_t *r_limits; /* fixed thresholds instead of quantiles: ascending; the */
    int64_t n_r_limits;      /* score is 1 + how many the value reaches, for recency */
    const int64_t *f_limits; /* n + 1 - how many it exceeds */
    int64_t n_f_limits;
    const int64_t *m_limits;
    int64_t n_m_limits;
    const cj_rfm_class *classes; /* NULL: the usual eleven (cj_rfm_classes) */
    int64_t n_classes;
    const char *identifier;  /* NULL, or a kind: adds a column of that name */
    int32_t include_guests;  /* not 0: also profiles known only by a guest identifier */
    int32_t reserved;        /* 0 */
    cj_progress_fn progress; /* blocks read */
    void *progress_user;
} cj_rfm_options;

/* Score every customer by recency, frequency and monetary value.
 *
 * Columns: profile: int64; the identifier asked for: text; recency_days or
 * recency_hours, frequency, monetary_minor, r, f, m (5, or n_bins, is best): int64;
 * class: text.  Ordered by profile.  Customers with no positive order in the window are
 * absent.  Quantile score of a value v: 1 + floor(n_bins * (customers that are worse
 * than v) / customers), so equal values share a score.  opts may be NULL.
 * Errors: CJ_EINVAL, CJ_EINTERRUPT.  Owned: cj_table_free(*out).  Since 0.1. */
int32_t cj_rfm(cj_db *db, const cj_rfm_options *opts, cj_table **out);

/* The eleven classes cj_rfm uses.  Columns: class: text; r_min, r_max, f_min, f_max,
 * m_min, m_max: int64; meaning: text.  In order of precedence. */
int32_t cj_rfm_classes(cj_table **out);

/* ---- value: models --------------------------------------------------------------- */

/* A fitted value model: immutable, usable from any thread, independent of any store. */
typedef struct cj_clv cj_clv;

/* Customers in columns; borrowed during the call.  Which columns are read depends on the
 * model's family (cj_clv_models):
 *   continuous: x repeat purchases in (0, T], tx the last one's time (0: none), t = T, both
 *     in days
 *   discrete: x transactions in t opportunities, tx the number of the last one's
 *   spend: x transactions, spend their mean value; rows with x = 0, or whose mean is not
 *     positive (all was refunded), are left out
 *   contract: t periods; lost in period t (x = 1), or still there after it (x = 0) */
typedef struct cj_clv_data {
    int64_t struct_size;
    int64_t n;
    const int64_t *x;
    const double *tx, *t;
    const double *spend;
    const double *weight;     /* NULL: 1 each; how many customers a row stands for */
    const double *covariates; /* n rows of n_covariates; NULL: none */
    int64_t n_covariates;     /* 16 at most */
    const char *const *covariate_names; /* NULL: z1, z2, ... */
    const double *litt;       /* sum of ln(days between purchases); NULL: not known */
} cj_clv_data;

typedef struct cj_clv_fit_options {
    int64_t struct_size;
    const char *model;          /* NULL: "bgnbd" */
    double unit_days;           /* of the parameters: 1 day, 7 week, 30.436875 month, 365.2425
                                 * year; 0: 1.  Only continuous models have a unit */
    int32_t k;                  /* regularity of (m)bgcnbd: 1..24; 0: of 1..12 the likeliest,
                                 * for which litt is needed */
    int32_t threads;            /* 0: 1; the result is the same */
    const double *prior_median; /* one per parameter of the model, in the unit asked for; */
    const double *prior_spread; /* standard deviation of the logarithm, 0: no prior.  Both
                                 * NULL: maximum likelihood */
    cj_progress_fn progress;    /* iterations; total 0 */
    void *progress_user;
} cj_clv_fit_options;

/* How a fit ended. */
typedef struct cj_clv_fit_facts {
    int64_t struct_size;
    const char *model;     /* texts: borrowed until cj_clv_free */
    const char *status;    /* "converged", or why not, as a name */
    const char *text;      /* the same in words */
    int32_t is_converged;  /* 1: the status is "converged" */
    int32_t k;             /* 1 where the model has none */
    double unit_days;
    int64_t n_rows;        /* of the data */
    int64_t n_groups;      /* of them distinct */
    double n_customers;    /* sum of the weights */
    double n_repeaters;    /* of them with x > 0 */
    int64_t n_estimated;   /* parameters and coefficients, and k when it was chosen */
    int64_t n_iterations;
    double loglik;         /* in the unit asked for */
    double aic, bic;
    double gradient_norm;  /* largest derivative of the mean log-likelihood (posterior) */
    double condition;      /* of the Hessian in logarithms; 0: no standard errors */
} cj_clv_fit_facts;

/* The models there are.  Columns: model, title, family, parameters, source, when: text.
 * In the order of docs/VALUE.md.  Owned: cj_table_free(*out).  Since 0.3. */
int32_t cj_clv_models(cj_table **out);

/* Fit a model to customers: by maximum likelihood or, with priors, to the mode of the
 * posterior.  The result does not depend on the order of rows, on threads, nor on whether
 * equal customers are rows of their own or one with an integer weight.  That the data do
 * not say everything is no error: cj_clv_facts says how the fit ended.  opts may be NULL.
 * Errors: CJ_EINVAL (a value that cannot be; cj_errpos() is its row), CJ_ENOTFOUND (the
 * model), CJ_ELIMIT, CJ_EINTERRUPT.  Owned: cj_clv_free(*out).  Since 0.3. */
int32_t cj_clv_fit(const cj_clv_data *data, const cj_clv_fit_options *opts, cj_clv **out);
void cj_clv_free(cj_clv *clv); /* NULL is fine */

/* Columns: parameter: text (the paper's symbol; purchase:NAME and dropout:NAME for
 * coefficients of covariates); estimate, std_error, low, high (95 % interval): double, null
 * where there is none.  In the model's order, then purchase, then dropout.
 * Owned: cj_table_free(*out).  Since 0.3. */
int32_t cj_clv_parameters(const cj_clv *clv, cj_table **out);

/* How the fit ended, into a struct whose struct_size is set.  Since 0.3. */
int32_t cj_clv_facts(const cj_clv *clv, cj_clv_fit_facts *out);

/* A fitted model as JSON (docs/FORMAT.md) and back, every double bit by bit.  n_bytes_out
 * may be NULL; n_bytes -1: up to the NUL.
 * Errors: CJ_EINVAL (the text names the member), CJ_EVERSION (a later format), CJ_ENOTFOUND
 * (the model).  Owned: cj_text_free(*text_out), cj_clv_free(*out).  Since 0.3. */
int32_t cj_clv_to_json(const cj_clv *clv, char **text_out, int64_t *n_bytes_out);
int32_t cj_clv_from_json(const char *json, int64_t n_bytes, cj_clv **out);

/* ---- value: what the store knows ------------------------------------------------ */

#define CJ_CLV_DAY 0           /* orders of one local day are one purchase */
#define CJ_CLV_WEEK 1          /* of one local calendar week (from Monday) */
#define CJ_CLV_ANY 2           /* each by itself (of one millisecond: one) */
#define CJ_CLV_REFUND_NET 0    /* a refund lowers the purchase before it */
#define CJ_CLV_REFUND_DROP 1   /* and one of which nothing is left is no purchase */
#define CJ_CLV_REFUND_IGNORE 2 /* refunds are not looked at */

typedef struct cj_clv_summary_options {
    int64_t struct_size;
    int64_t as_of_ms;       /* end of what is known (calibration), exclusive; 0: now, this
                             * millisecond included */
    int64_t holdout_end_ms; /* exclusive, after as_of_ms; 0: no holdout */
    int64_t from_ms;        /* orders and refunds since; 0: since ever */
    int64_t first_from_ms;  /* only customers whose first purchase is in */
    int64_t first_until_ms; /* [first_from_ms, first_until_ms); 0: open */
    int32_t period;         /* CJ_CLV_DAY, _WEEK, _ANY */
    int32_t refunds;        /* CJ_CLV_REFUND_* */
    const char *segment;    /* only who is in it at as_of_ms: a definition's name, or an
                             * expression; NULL: everybody */
    const char *identifier; /* NULL, or a kind: adds a column of that name */
    int32_t include_guests; /* not 0: also profiles known only by a guest identifier */
    int32_t include_free;   /* not 0: orders of value 0 are purchases too */
    int32_t threads;        /* 0: 1 */
    int32_t reserved;       /* 0 */
    cj_progress_fn progress; /* blocks read */
    void *progress_user;
} cj_clv_summary_options;

/* What value models read of each customer with a purchase: orders with a positive total
 * (as cj_rfm; with include_free all that are no refund), those of one period as one.
 *
 * Columns: profile: int64; the identifier asked for: text; x: int64, repeat purchases
 * (the first one is none); tx_days, t_days: double, from the first purchase to the last
 * and to the end of what is known: whole days, or 7 x whole weeks, or exact to the
 * millisecond (any); spend: double, mean value of the repeat purchases in units of the
 * store's currency (12.5 is 12.50 EUR), 0 when there is none; litt: double, sum of
 * ln(days between purchases); first_ms: int64, the first purchase.  With a holdout also
 * x_star: int64, purchases in [as_of_ms, holdout_end_ms), spend_star: double, their
 * value together, and holdout_days: double, its length.  Ordered by profile.
 *
 * The end is the local day (week) of the last millisecond before as_of_ms.  A refund
 * belongs to the latest purchase before it, in the calibration and in the holdout each
 * for itself; net values can fall to 0 or below.  opts may be NULL.
 * Errors: CJ_EINVAL, those of a segment (cj_segment_evaluate), CJ_ELIMIT (a sum beyond
 * int64), CJ_EINTERRUPT.  Owned: cj_table_free(*out).  Since 0.3. */
int32_t cj_clv_summary(cj_db *db, const cj_clv_summary_options *opts, cj_table **out);

/* Every purchase that cj_clv_summary counts with the same options (identifier is not
 * looked at): of each customer the first one, x repeat purchases and, with a holdout,
 * x_star more.  For cj_clv_tracking (since_days of all but first ones) and
 * cj_clv_history (days of one customer, but for the first).
 *
 * Columns: profile: int64; days: double, from the customer's first purchase, which is 0;
 * since_days: double, from the first purchase of all these customers, the day 0 of
 * tracking; value: double, in units of the store's currency, what refunds left of it;
 * time_ms: int64, its first order.  Ordered by profile, then time.  opts may be NULL.
 * Errors: those of cj_clv_summary.  Owned: cj_table_free(*out).  Since 0.3. */
int32_t cj_clv_purchases(cj_db *db, const cj_clv_summary_options *opts, cj_table **out);

/* Keep a fitted model in the file under a name; one of that name is replaced.
 * Errors: CJ_EINVAL (the name).  Since 0.3. */
int32_t cj_clv_save(cj_db *db, const char *name, const cj_clv *clv);

/* A saved model, as it was fitted.  Errors: CJ_ENOTFOUND, CJ_EVERSION (saved by a later
 * version).  Owned: cj_clv_free(*out).  Since 0.3. */
int32_t cj_clv_load(cj_db *db, const char *name, cj_clv **out);

/* The value models that are saved in the file.  Columns: name, model (its kind, such as
 * bgnbd): text; saved_ms: int64; fit: text, the JSON of cj_clv_to_json.  Ordered by name.
 * Since 0.3. */
int32_t cj_clv_saved(cj_db *db, cj_table **out);

/* Forget a saved model.  Errors: CJ_ENOTFOUND.  Since 0.3. */
int32_t cj_clv_drop(cj_db *db, const char *name);

typedef struct cj_clv_refresh_options {
    int64_t struct_size;
    int64_t as_of_ms;      /* events before it; 0: now, this millisecond included */
    const char *model;     /* saved: of purchases */
    const char *spend;     /* saved: of their value; NULL: no clv */
    double discount_ratio;  /* discount of later purchases: 0.1 is 10 % a year; 0: none */
    int32_t months;        /* horizon, of 30.436875 days; 0: 12 */
    int32_t period;        /* as in cj_clv_summary_options: what the model was fitted to */
    int32_t refunds;
    int32_t include_free;
    int32_t include_guests;
    int32_t everybody;     /* not 0: score also those of whom nothing new is known */
    int32_t threads;       /* 0: 1 */
    int32_t reserved;      /* 0 */
    cj_progress_fn progress; /* blocks read */
    void *progress_user;
} cj_clv_refresh_options;

typedef struct cj_clv_refresh_result {
    int64_t struct_size;
    int64_t n_scored;    /* profiles whose scores were written */
    int64_t n_forgotten; /* profiles that have no purchase any more: scores null */
    int64_t is_whole;    /* 1: by a scan of all orders, 0: by the new ones alone */
} cj_clv_refresh_result;

/* Write scores by saved models as traits, so that segments read them: p_alive,
 * expected_12m (purchases within the horizon, named by its months) and, with a model of
 * spend, clv_12m (their value in units of the currency; a purchase after d days counts
 * (1 + discount_ratio)^(-d / 365.2425)).  They are of source "clv", known from the last
 * millisecond before as_of_ms on, and keep their history as any trait; what was not
 * refreshed stays as it was.  Without a model of spend the horizon's clv becomes null.
 * Horizons are apart: each goes on from its own last refresh.
 *
 * Scored is who has an order or refund that the refresh before did not know, or was
 * joined to or parted from somebody; with other models or options, or everybody, all
 * customers.  P(alive) falls while nobody buys: refresh everybody now and then.  The
 * summary is that of cj_clv_summary with the same options.  Time goes forward only.
 * opts->model is required; result may be NULL.
 * Errors: CJ_ENOTFOUND (a model), CJ_EINVAL (no continuous model, or as_of_ms before that
 * of the refresh before), CJ_ELIMIT, CJ_EINTERRUPT: nothing has changed.  Since 0.3. */
int32_t cj_clv_refresh(cj_db *db, const cj_clv_refresh_options *opts,
                       cj_clv_refresh_result *result);

/* ---- value: customers together ---------------------------------------------------- */

/* A number for each of n profiles, ascending: the columns profile and clv of
 * cj_clv_predict, say.  Borrowed during the call. */
typedef struct cj_profile_values {
    int64_t struct_size;
    int64_t n;
    const int64_t *profiles;
    const double *values;
} cj_profile_values;

/* How customers are distributed over the scores and classes of cj_rfm, and how much of
 * the value is in each.
 *
 * Columns: dimension: text (r, f, m, class, all); score: int64 (null for class and all);
 * class: text (null otherwise, and for those whom no class fits); low, high: int64, the
 * least and the greatest recency, frequency or monetary value of that score (null when
 * nobody has it); customers: int64; customers_ratio: double, share of all; value_minor:
 * int64; value_ratio: double (null when all have none); scored: int64, customers with a
 * value in clv; clv: double, its sum, in its unit; clv_ratio: double.  Rows: scores of r
 * from 1, of f, of m, the classes in order of precedence, all.  opts and clv may be NULL.
 * Errors: those of cj_rfm; CJ_EINVAL for CJ_RFM_MEAN, and for profiles that do not ascend
 * or a value that is not finite (cj_errpos() is its index).  Since 0.3. */
int32_t cj_rfm_distribution(cj_db *db, const cj_rfm_options *opts,
                            const cj_profile_values *clv, cj_table **out);

/* Who moved from which class to which between before_ms and opts->as_of_ms.  Scores are
 * those of each date; with from_ms, both windows are equally long.
 *
 * Columns: from_class, to_class: text ("(none)": no class fits; from "(new)": no customer
 * then; to "(gone)": none any more, in the window); customers: int64; from_ratio: double,
 * their share of from_class; from_minor, to_minor: int64, their monetary value then and
 * now.  Rows with a customer, by from_class, then to_class, in order of precedence,
 * (none), then (new) or (gone).  opts may be NULL.
 * Errors: those of cj_rfm; CJ_EINVAL for CJ_RFM_MEAN, or before_ms after as_of_ms.
 * Since 0.3. */
int32_t cj_rfm_migrate(cj_db *db, const cj_rfm_options *opts, int64_t before_ms,
                       cj_table **out);

/* How much of the value the best customers have: of n customers, minor (money such as
 * monetary_minor of cj_rfm) or value (such as clv of cj_clv_predict); the other is NULL.
 *
 * Columns: measure: text; customers: int64; value_minor: int64 (null for value); value:
 * double; ratio: double, share of all value (null when there is none).  Rows: "top 1 %",
 * "top 5 %", "top 10 %", "top 20 %", "top 50 %" (rounded up to whole customers), "all",
 * "half of the value" (the fewest customers who have it), "gini": ratio is the Gini
 * coefficient, 0 when all are equal; values below 0 can lift it above 1.
 * Errors: CJ_EMISUSE, CJ_EINVAL (not finite), CJ_ELIMIT (a sum beyond int64).
 * Since 0.3. */
int32_t cj_value_concentration(const int64_t *minor, const double *value, int64_t n,
                               cj_table **out);

#define CJ_COHORT_MONTH 1    /* local month of the first purchase */
#define CJ_COHORT_CHANNEL 2  /* of the acquisition touch: the first event up to the */
#define CJ_COHORT_CAMPAIGN 4 /* first purchase that has a channel or a campaign */

/* What it cost to win a cohort; several of one cohort are added up. */
typedef struct cj_cohort_cost {
    int64_t struct_size;
    const char *month;   /* "2024-03"; NULL unless cohorts are by month */
    const char *channel; /* NULL: those without one, or not by channel */
    const char *campaign;
    int64_t cost_minor;
} cj_cohort_cost;

typedef struct cj_value_cohorts_options {
    int64_t struct_size;
    int64_t as_of_ms;       /* events before it; 0: now, this millisecond included */
    int64_t first_from_ms;  /* only customers whose first purchase is in */
    int64_t first_until_ms; /* [first_from_ms, first_until_ms); 0: open */
    int32_t by;             /* sum of CJ_COHORT_*; 0: CJ_COHORT_MONTH */
    int32_t monetary;       /* CJ_RFM_NET, CJ_RFM_GROSS */
    double margin_ratio;    /* what is earned of 1 of value; 0: all of it */
    const cj_cohort_cost *costs;
    int64_t n_costs;
    const char *segment;     /* only who is in it at as_of_ms; NULL: everybody */
    int32_t include_guests;  /* not 0: also profiles known only by a guest identifier */
    int32_t threads;         /* 0: 1 */
    cj_progress_fn progress; /* blocks read */
    void *progress_user;
} cj_value_cohorts_options;

/* Customers (an order with a positive total) by when and from where they came.
 *
 * Columns: month, channel, campaign: text, those that cohorts are by; customers, orders,
 * value_minor: int64, what they have brought; scored: int64, customers with a value in
 * clv; clv: double, its sum, in units of the currency; cost_minor: int64 (null: none
 * given); cac_minor: int64, per customer, rounded half even; value_cost_ratio: double,
 * value earned (by margin_ratio) / cost; clv_cost_ratio: double, (value earned + clv) /
 * cost, the CLV:CAC; payback_months: int64 (null: not yet): after so many months of 30.436875 days
 * since the first purchase the mean customer had brought the cost, of each month those
 * counting who were seen to its end.  Ordered by month, channel, campaign, null first; a
 * cost without customers is a row.  opts and clv may be NULL.
 * Errors: CJ_EINVAL (cj_errpos() is the index of a cost or value), those of a segment,
 * CJ_ELIMIT, CJ_EINTERRUPT.  Since 0.3. */
int32_t cj_value_cohorts(cj_db *db, const cj_value_cohorts_options *opts,
                         const cj_profile_values *clv, cj_table **out);
/* ---- answers of value models --------------------------------------------------- */

/* Columns of cj_clv_predict, to be added up. */
#define CJ_CLV_P_ALIVE 1     /* p_alive */
#define CJ_CLV_EXPECTED 2    /* expected_purchases in (from, until] */
#define CJ_CLV_PROBABILITY 4 /* p_purchases: of exactly n_purchases */
#define CJ_CLV_BACK 8        /* p_back: of at least one in (from, until] */
#define CJ_CLV_DISCOUNTED 16 /* discounted_purchases in (0, horizon] */
#define CJ_CLV_RESIDUAL 32   /* residual_purchases: discounted, for ever (DERT, DERL) */
#define CJ_CLV_SPEND 64      /* expected_spend, per purchase */
#define CJ_CLV_VALUE 128     /* clv: discounted_purchases x expected_spend x margin; */
                             /* with CJ_CLV_RESIDUAL also residual_clv */
#define CJ_CLV_NEXT 256      /* next_median_days, next_mean_days */
#define CJ_CLV_QUANTILES 512 /* purchases_low, purchases_high in (from, until] */
#define CJ_CLV_INTERVALS 1024 /* beside each column above NEXT: NAME_low, NAME_high */
#define CJ_CLV_ALL (-1)       /* all that the model and the data have an answer to */

/* Times are days after the end of each customer's data (their t). */
typedef struct cj_clv_predict_options {
    int64_t struct_size;
    int64_t columns;       /* CJ_CLV_*; 0: p_alive and expected_purchases */
    double from_days;      /* purchases are counted in (from, until] */
    double until_days;     /* 0: a year, which is 365.2425 days */
    double horizon_days;   /* of the CLV; 0: until_days */
    double discount_ratio; /* per YEAR, whatever the model's unit: 0.1 makes 110 in a
                            * year worth 100 today; 0: none */
    double margin_ratio;   /* earned of each amount spent; 0: 1 */
    double spend;          /* of a purchase, without a spend model and data->spend */
    double level;          /* of intervals and quantiles; 0: 0.95 */
    int64_t n_purchases;   /* of p_purchases */
    double period_days;    /* how long a period is, where the model counts periods */
    int32_t threads;       /* 0: 1 */
    int32_t reserved;      /* 0 */
    cj_progress_fn progress; /* customers; since 0.4 */
    void *progress_user;
} cj_clv_predict_options;

/* What a fitted model says of customers: those it was fitted to, or others.
 *
 * Columns, those asked for, all double, in this order: p_alive (at the end of the
 * data), expected_purchases, p_purchases, p_back, discounted_purchases,
 * residual_purchases, expected_spend, clv, residual_clv (the last three in the money of
 * data->spend); next_median_days (until then they are back with probability 1/2, from
 * now on and whether or not they are still customers; null: not within 100 years),
 * next_mean_days (on average, of those who come back within the horizon; null: fewer
 * than 1e-12 do); purchases_low, purchases_high (with probability level at least the purchases
 * are between them, if the parameters are right; null: more than 10,000).  NAME_low and
 * NAME_high are confidence limits of the answer: what the uncertainty of the parameters
 * leaves open (delta method, on the logarithm or logit; no purchases' own chance).
 * Ordered as data: row i is customer i.
 *
 * Where money comes from: spend, a fitted spend model (x and data->spend are the number
 * and mean value of the purchases it is to learn from); NULL: data->spend is taken as
 * what each customer will spend per purchase (below 0, by refunds: 0); or else
 * opts->spend, for all.
 * A discount is continuous in calendar time: a purchase after d days counts
 * (1 + ratio)^(-d / 365.2425), in models of whole periods at the end of its period.
 * Models of whole periods (discrete, contract) must be told period_days, and count
 * whole ones.  data->weight is not looked at; data->covariates must be those of the
 * fit; opts may be NULL.  The same bytes for any threads.
 * Errors: CJ_EINVAL (a row that cannot be, with cj_errpos() its index; a column that
 * the model has no answer to; residual columns without a discount), CJ_EINTERRUPT.
 * Since 0.3. */
int32_t cj_clv_predict(const cj_clv *clv, const cj_clv *spend, const cj_clv_data *data,
                       const cj_clv_predict_options *opts, cj_table **out);

/* What happened in the time behind the data: days of it (periods, where the model
 * counts those), and per customer, in the order of the data, purchases and their total
 * value. */
typedef struct cj_clv_holdout {
    int64_t struct_size;
    double days;
    const int64_t *x;
    const double *spend; /* NULL: not known */
} cj_clv_holdout;

/* Predictions beside the holdout.  Customers count with their weight.  What needs money
 * or P(purchases) that are not there is 0. */
typedef struct cj_clv_validation {
    int64_t struct_size;
    double n_customers;
    double mae;          /* mean of |expected - actual purchases| */
    double rmse;         /* root of the mean square of that */
    double msle;         /* mean of (ln(1 + expected) - ln(1 + actual))^2 */
    double own_pace_mae; /* mae, had each gone on at their own x / t */
    double bias_ratio;   /* sum of expected / sum of actual - 1 */
    double actual_purchases, expected_purchases; /* sums */
    double actual_value, expected_value;         /* sums of money */
    double gini_actual; /* how unequal actual value (without money: purchases) is */
    double gini_model;  /* the same when customers are put in the model's order: equal
                         * to gini_actual if it knows the order, 0 if it guesses */
    double brier;       /* mean of (p_back - whether they were back)^2 */
    double calibration; /* mean over tenths of p_back of |p_back - share that was back| */
    const char *verdict; /* one line in plain words; borrowed: static */
} cj_clv_validation;

/* Is a fitted model any good?  facts (may be NULL) are as above; *bins (bins may be
 * NULL) compares groups of customers.  Columns: of: text (purchases: by x, expected and
 * actual mean purchases; p_alive, p_back: by tenths of them, their mean and the share
 * that bought); bin: text ("0" .. "7+"; "0.0-0.1" ..); customers, predicted, actual:
 * double.  In this order; bins without customers are absent.  spend as in
 * cj_clv_predict.  Errors: CJ_EINVAL.  Since 0.3. */
int32_t cj_clv_validate(const cj_clv *clv, const cj_clv *spend, const cj_clv_data *data,
                        const cj_clv_holdout *holdout, cj_clv_validation *facts,
                        cj_table **bins);

typedef struct cj_clv_track_options {
    int64_t struct_size;
    double period_days; /* 0: 7; of models of whole periods: 1 period */
    int64_t n_periods;  /* may go beyond the data; 0: until their end */
    double start_days;  /* how long before the end of the data day 0 is; 0: the largest
                         * t, the first purchase of all */
    const double *purchase_days; /* of every repeat purchase, days since day 0; NULL:
                                  * not known, and actual columns are null */
    int64_t n_purchases;
    int32_t threads;  /* 0: 1 */
    int32_t reserved; /* 0 */
} cj_clv_track_options;

/* Purchases per period of a whole cohort, expected and actual.  What is expected is
 * what the model says of anybody who was acquired when these customers were, whatever
 * they did since.  For models of whole periods (discrete) all days here are periods, as
 * in their data, and whole numbers.  Columns: period: int64, from 1; until_days (its end,
 * since day 0), expected, expected_cumulative: double; actual, actual_cumulative: int64.
 * Ordered by period.  What happened in a store: cj_clv_purchases.  opts may be NULL.
 * Errors: CJ_EINVAL, CJ_ELIMIT (periods).  Since 0.3. */
int32_t cj_clv_tracking(const cj_clv *clv, const cj_clv_data *data,
                        const cj_clv_track_options *opts, cj_table **out);

/* Whether what customers spend per purchase has to do with how often they buy. */
typedef struct cj_clv_dependence {
    int64_t struct_size;
    double n_customers;  /* who came back and spent, by weight */
    double correlation;  /* Pearson's, of x and spend; 0 when nothing can be said */
    double low, high;    /* its 95 % interval (Fisher's z) */
    double p_value;      /* of no correlation, two-sided */
    const char *status;  /* independent, weak, dependent, too_few_customers, no_variation;
                          * static, as text is */
    const char *text;    /* what that means for values by a spend model */
} cj_clv_dependence;

/* Spend models take for granted that the two are independent: ask before believing in
 * them.  Reads x, spend, weight.  Errors: CJ_EINVAL, with the row.  Since 0.3. */
int32_t cj_clv_spend_dependence(const cj_clv_data *data, cj_clv_dependence *out);

/* Customers by number of purchases until the end of the data: purchases 0, 1, ..., and
 * largest (0: 7) or more.  Columns: purchases: int64; actual, expected: double.
 * Errors: CJ_EINVAL.  Since 0.3. */
int32_t cj_clv_histogram(const cj_clv *clv, const cj_clv_data *data, int64_t largest,
                         cj_table **out);

/* P(alive) of one customer from the first purchase (day 0) on, with n repeat purchases
 * on days that ascend, as it was known at the end of every step_days (0: 1) until
 * until_days.  Columns: days: double; purchases: int64 (so far); p_alive: double.
 * Ordered by days.  Errors: CJ_EINVAL.  Since 0.3. */
int32_t cj_clv_history(const cj_clv *clv, const double *purchase_days, int64_t n,
                       double until_days, double step_days, cj_table **out);

typedef struct cj_clv_compare_options {
    int64_t struct_size;
    const char *const *models; /* NULL: nbd, bgnbd, mbgnbd, paretonbd, and (with litt)
                                * bgcnbd, mbgcnbd */
    int64_t n_models;
    const cj_clv_holdout *holdout; /* NULL: none */
    const char *criterion;         /* mae, rmse, msle, bias, gini, calibration (of the
                                    * holdout), bic, aic, loglik; NULL: mae, or bic
                                    * without holdout */
    double unit_days;              /* as in cj_clv_fit_options */
    int32_t threads;               /* 0: 1 */
    int32_t reserved;              /* 0 */
    cj_progress_fn progress;       /* models; since 0.4 */
    void *progress_user;
} cj_clv_compare_options;

/* Which model?  Each is fitted to the data, and looks at the holdout.
 *
 * Columns: model, title: text; status: text (how the fit ended; of one that failed, the
 * error); estimated: int64 (parameters); loglik, aic, bic: double; mae, rmse, msle,
 * bias_ratio, gini_ratio (gini_model / gini_actual), calibration: double; verdict: text
 * (as in cj_clv_validate; null without holdout).  Best first by the criterion; those
 * that could not be fitted last.  Likelihoods can be compared only between models of
 * one family.  opts may be NULL. Errors: CJ_EINVAL, CJ_ENOTFOUND (a model, with the
 * nearest name), CJ_EINTERRUPT.  Since 0.3. */
int32_t cj_clv_compare(const cj_clv_data *data, const cj_clv_compare_options *opts,
                       cj_table **out);

/* ---- segments ---------------------------------------------------------------- */

/* A segment is a condition over a profile, written as docs/SEGMENTS.md says:
 *     orders(last 90 days) = 0 and revenue() > 200 EUR and country in ("DE", "AT")
 * Facts are the events before as_of and the traits known then.  A condition is true,
 * false or unknown (something it needs is missing); who makes it true is in the
 * segment.  A segment that does not parse is CJ_EINVAL with cj_errpos() at its byte. */

typedef struct cj_segment_options {
    int64_t struct_size;
    int64_t as_of_ms;        /* 0: now, this millisecond included */
    int64_t deadline_ms;     /* give up with CJ_ELIMIT after so long; 0: never */
    const char *identifier;  /* NULL, or a kind: adds a column of that name */
    int32_t threads;         /* 0: 1 */
    int32_t members_only;    /* not 0: only profiles that are in it */
    cj_progress_fn progress; /* blocks read */
    void *progress_user;
} cj_segment_options;

/* Evaluate an expression over every profile.
 *
 * Columns: profile: int64; the identifier asked for: text; truth (0 false, 1 true, 2
 * unknown), valid_until_ms: int64.  Ordered by profile.  valid_until_ms is the first
 * moment at which true becomes anything else, or anything else true, if nothing new is
 * recorded; null: never.  opts may be NULL.
 * Errors: CJ_EINVAL, CJ_ECURRENCY (money in another one), CJ_ENOTFOUND (a segment or
 * list it names), CJ_ELIMIT, CJ_EINTERRUPT.  Since 0.2. */
int32_t cj_segment_evaluate(cj_db *db, const char *expression,
                            const cj_segment_options *opts, cj_table **out);

/* Of a live segment, membership is kept: see cj_segment_feed. */
#define CJ_SEGMENT_LIVE 1

/* Keep an expression under a name, for the functions below and for in_segment("name");
 * one of that name is replaced.  flags: 0, or CJ_SEGMENT_LIVE: everybody is evaluated
 * now, and again whenever something is recorded that can change it.  Of live ones there
 * are at most 1,000.
 * Errors: CJ_EINVAL (also: in a circle, with the way), CJ_EEXISTS (a list has that
 * name), CJ_ELIMIT.  Since 0.2. */
int32_t cj_segment_define(cj_db *db, const char *name, const char *expression,
                          int64_t flags);

/* Keep a list of profiles under a name, for in_list("name"); one of that name is
 * replaced.  Errors: CJ_ENOTFOUND with cj_errpos() its index, CJ_EEXISTS (an expression
 * has that name).  Since 0.2. */
int32_t cj_segment_define_list(cj_db *db, const char *name, const int64_t *profiles,
                               int64_t n);

/* Forget a segment or list; everybody leaves a live one.  Errors: CJ_ENOTFOUND,
 * CJ_EEXISTS (another needs it). */
int32_t cj_segment_drop(cj_db *db, const char *name);

/* Let time pass for live segments up to now_ms (0: now, this millisecond included): who
 * enters or leaves by the clock alone does so at the exact moment, in order.  Time goes
 * forward only: a now_ms before the last one changes nothing, and what is recorded
 * later counts at the last one.  Recording does the same for the profiles it touches.
 * Work is committed in parts: after an error, or a crash, call it again, and nothing is
 * lost or doubled.  *n_changes_out (may be NULL): new rows of the feed.
 * Errors: CJ_EINVAL, CJ_EBUSY, CJ_EINTERRUPT.  Since 0.2. */
int32_t cj_segment_advance(cj_db *db, int64_t now_ms, int64_t *n_changes_out);

/* Who entered and left live segments, at most limit rows (0: 10,000) after a change (0:
 * from the beginning).  Each is durable together with its cause, and written once.
 *
 * Columns: change: int64, rises; segment: text, also of those that were dropped since;
 * profile, time_ms: int64; what: text (entered, left); cause: text (event: something
 * was recorded; clock; definition; identity: profiles merged or split).  Ordered by
 * change.  Errors: CJ_EINVAL.  Since 0.2. */
int32_t cj_segment_feed(cj_db *db, int64_t after, int64_t limit, cj_table **out);

/* All definitions.  Columns: segment, kind (expression, list): text; live, defined_ms:
 * int64; expression: text (canonical; null for a list).  Ordered by segment. */
int32_t cj_segments(cj_db *db, cj_table **out);

/* Who is in a segment or on a list: cj_segment_evaluate with members_only.  Errors: also
 * CJ_ENOTFOUND, with the nearest name. */
int32_t cj_segment_members(cj_db *db, const char *name, const cj_segment_options *opts,
                           cj_table **out);

/* How many are.  *n_out is 0 on failure. */
int32_t cj_segment_count(cj_db *db, const char *name, const cj_segment_options *opts,
                         int64_t *n_out);

/* What every definition says of one profile.  Columns: segment: text; truth,
 * valid_until_ms: int64 as above.  Ordered by segment.  Errors: CJ_ENOTFOUND. */
int32_t cj_profile_segments(cj_db *db, int64_t profile, const cj_segment_options *opts,
                            cj_table **out);

/* Where a segment loses its profiles, and what it reads.  source, here and below, is the
 * name of a definition or list, or else an expression.
 *
 * Rows are the whole segment (depth 0), the clauses of its `and` or `or` (depth 1),
 * the clauses of brackets in those (depth 2), ...; in the order of the canonical text.
 * Columns: depth: int64; clause: text (canonical); passes_alone, unknown: int64 (of how
 * many profiles it is true, is unknown); passes_in_order: int64 (those of whom it and
 * all clauses before it in its bracket are true; in an `or`: it or any before it);
 * share: double (passes_alone of all profiles; null: there are none); cost_ns: int64
 * (for a usual profile; declared, not measured: a constant of the expression); reads:
 * text ("events: time, name, product; traits: country"; "value projection: ..." when
 * orders and refunds suffice; null: nothing); from_ms, until_ms, blocks: int64 (slices
 * of sealed events that counting it alone reads, and their blocks; null, null, 0:
 * none).  opts may be NULL; identifier and members_only are not looked at.
 * Errors: as cj_segment_evaluate.  Since 0.2. */
int32_t cj_segment_explain(cj_db *db, const char *source,
                           const cj_segment_options *opts, cj_table **out);

/* Why a profile is in a segment, or is not.  Rows as above.  Columns: depth: int64;
 * clause, truth (true, false, unknown), found (the facts it leans on: "orders(last 90
 * days) is 3"; of a bracket "2 of 3 clauses are true"; null: it needs none; long values
 * are cut): text;
 * valid_until_ms: int64 as above.  Errors: CJ_ENOTFOUND, and as above.  Since 0.2. */
int32_t cj_segment_why(cj_db *db, int64_t profile, const char *source,
                       const cj_segment_options *opts, cj_table **out);

/* How n segments or lists (1 to 16, by name) overlap: a row for each combination that
 * some profile is in, those who are in none of them among it, so that the rows add up to
 * all profiles.  Columns: one per name, called so: int64 (1: in it, 0: not); profiles:
 * int64.  Ordered by profiles (most first), then by the other columns from the left (1
 * before 0).  Errors: CJ_EINVAL (a name twice), CJ_ENOTFOUND.  Since 0.2. */
int32_t cj_segment_overlap(cj_db *db, const char *const *names, int64_t n,
                           const cj_segment_options *opts, cj_table **out);

/* How a segment grows and shrinks: its size at every step_days-th (0: 1) midnight of the
 * store's time zone, from the first at or after from_ms to the last at or before as_of.
 * Identities and lists are those of today.  Columns: time_ms, members, entered, left:
 * int64 (who was not in it at the moment before and is now, and the reverse; in between
 * they may have come and gone; null in the first row).  Ordered by time_ms.
 * Errors: also CJ_ELIMIT (more than 10,000 moments).  Since 0.2. */
int32_t cj_segment_sizes(cj_db *db, const char *source, int64_t from_ms,
                         int64_t step_days, const cj_segment_options *opts,
                         cj_table **out);

/* What sets two segments a and b apart: what a larger or smaller share of the one's
 * profiles has than of the other's.  Who is in both counts in both: compare with `b and
 * not a` to leave them out.
 *
 * Dimensions: channel, campaign (of any event before as_of), product (bought), trait:NAME
 * (the values then; each of a list's), kpi (value is a condition of the language).
 * Numbers, where there are more than 20 different ones, are compared with the median of
 * all who are in a or b: "> 12.5".  Traits with more than 10,000 other values are left
 * out, and values of more than 200 bytes; and what everybody has, or nobody.
 * Columns: dimension, value: text; share_a, share_b, lift (share_a / share_b), low, high
 * (95 % confidence interval of lift: Katz's, docs/SEGMENTS.md): double; n_a, n_b (how
 * many have it): int64.  Ordered by how sure and large the difference is (the end of the
 * interval next to 1, farthest from 1 first), then dimension, value.  limit: rows; 0:
 * 50.  No rows when a or b is empty.  Since 0.2. */
int32_t cj_segment_compare(cj_db *db, const char *a, const char *b, int64_t limit,
                           const cj_segment_options *opts, cj_table **out);

/* Turn an expression from one form into another: "text" or "json" (docs/SEGMENTS.md);
 * text comes out canonical.  n_bytes_out may be NULL.
 * Owned: cj_text_free(*text_out). */
int32_t cj_segment_format(cj_db *db, const char *source, const char *from,
                          const char *to, char **text_out, int64_t *n_bytes_out);

/* ---- tables ------------------------------------------------------------------ */

#define CJ_INT64 1
#define CJ_DOUBLE 2
#define CJ_TEXT 3

int64_t cj_table_rows(const cj_table *table);
int64_t cj_table_columns(const cj_table *table);

/* Name of a column; NULL if there is no such column.  Borrowed until the table is
 * freed, as everything below. */
const char *cj_table_name(const cj_table *table, int64_t column);
int32_t cj_table_type(const cj_table *table, int64_t column); /* CJ_INT64 ...; 0: none */

/* The values of a column, cj_table_rows() of them; NULL if it has another type. */
const int64_t *cj_table_int64(const cj_table *table, int64_t column);
const double *cj_table_double(const cj_table *table, int64_t column);

/* A text column: row i is bytes[offsets[i]] to bytes[offsets[i + 1]], not
 * NUL-terminated.  NULL if it has another type. */
const char *cj_table_text(const cj_table *table, int64_t column,
                          const int64_t **offsets_out);

/* Bit i % 8 of byte i / 8 is 1 when row i is present; NULL: all are. */
const uint8_t *cj_table_validity(const cj_table *table, int64_t column);

/* Export with the Arrow C data interface into the caller's struct ArrowArray and struct
 * ArrowSchema (a struct of columns), without copying: the exported array keeps the
 * table's memory until it is released, so the table may be freed before. */
int32_t cj_table_export_arrow(cj_table *table, void *array_out, void *schema_out);

/* As above, but as a stream of one batch into the caller's struct ArrowArrayStream: what
 * DuckDB and the Python data frames ask for. */
int32_t cj_table_export_stream(cj_table *table, void *stream_out);

/* Write as "json" (array of objects), "jsonl", "csv" (text that a spreadsheet would
 * take for a formula gets a leading ') or "table" (aligned text).  *text_out is
 * NUL-terminated; n_bytes_out may be NULL.  Owned: cj_text_free(*text_out). */
int32_t cj_table_format(const cj_table *table, const char *format, char **text_out,
                        int64_t *n_bytes_out);
void cj_text_free(char *text);
void cj_table_free(cj_table *table);

/* ---- time -------------------------------------------------------------------- */

/* Read a time as people write it: "2011-12-09", "2011-12-09 12:50[:00[.123]]", with "T"
 * and an offset ("Z", "+01:00") if wanted, or digits since 1970: seconds (up to 11 of
 * them) or milliseconds.  Without an offset it is local to the store's zone; a date is
 * the instant at which it begins.
 * Errors: CJ_EINVAL.  Since 0.1. */
int32_t cj_time_parse(cj_db *db, const char *text, int64_t *ms_out);

/* ---- care of the file -------------------------------------------------------- */

/* Seal the journal, merge slices, give free pages back.  progress may be NULL. */
int32_t cj_compact(cj_db *db, cj_progress_fn progress, void *progress_user);

/* Verify every invariant and checksum.  Columns: place, problem: text; no row: the file
 * is sound.  Ordered as found.  Returns CJ_OK also when it found problems. */
int32_t cj_check(cj_db *db, cj_table **out);

/* What is in the file.  Columns: name: text; value: int64; unit, meaning: text.  Fixed
 * order. */
int32_t cj_stats(cj_db *db, cj_table **out);

#ifdef __cplusplus
}
#endif

#endif
