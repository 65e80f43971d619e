/* A compiled segment and the state of evaluating it: what the files of the evaluator
 * share.  A program is a tree of ops; each op gives a value at p->now and lowers
 * p->next to the first later moment at which that value may differ (it may be early,
 * never late).  Private to the evaluator; its door is eval.h. */
#ifndef CJ__SEGMENT_PROGRAM_H
#define CJ__SEGMENT_PROGRAM_H

#include "base/hash.h"
#include "base/text.h"
#include "segment/eval.h"
#include "segment/path.h"

#define CJ__NEVER INT64_MAX
#define CJ__MS_PER_DAY INT64_C(86400000)
#define CJ__MS_PER_HOUR INT64_C(3600000)

/* Looked-at events, gaps and characters of one run; far beyond any customer, so that a
 * hostile profile costs a second and not an hour. */
#define CJ__MAX_STEPS (INT64_C(1) << 28)
/* Of the search for valid_until: beyond, it answers early (the caller looks again). */
#define CJ__MAX_VALID_STEPS (INT64_C(1) << 24)
#define CJ__MAX_VALID_MOMENTS 700000 /* every hour of 75 years */

/* ---- values (value.c) ----------------------------------------------------------- */

/* A NUMBER that grows with now by itself, as days_since does.  PURE: it is floor((now -
 * base) / unit).  LINEAR: a sum of such numbers times constants; on its way it stays
 * within width of a line of that slope through what it is now. */
enum { CJ__TICKS_NOT = 0, CJ__TICKS_PURE, CJ__TICKS_LINEAR };

/* type is CJ__TYPE_*: NONE is missing, or for a condition unknown; DYNAMIC is a JSON
 * object, which is known and compares with nothing. */
typedef struct cj__value {
    int32_t type;
    int32_t ticks;
    int64_t i;     /* BOOLEAN, MONEY, TIME, DURATION; TEXT: 1 letters of any case */
    double d;      /* NUMBER */
    cj__text text; /* TEXT; LIST and DYNAMIC: their JSON */
    int64_t base, unit, tick; /* tick: when it changes next */
    double slope, width;      /* slope per ms */
} cj__value;

typedef struct cj__op cj__op;
typedef int32_t (*cj__eval_fn)(cj__program *p, const cj__op *op, cj__value *out);

void cj__value_truth(cj__value *out, cj__truth truth);
cj__truth cj__truth_of(const cj__value *v);
void cj__value_number(cj__value *out, double d);
void cj__value_typed(cj__value *out, int32_t type, int64_t i);
void cj__value_text(cj__value *out, cj__text text);
void cj__value_missing(cj__value *out);
void cj__value_ticking(cj__value *out, const cj__program *p, int64_t base,
                       int64_t unit);

/* A value of JSON; texts with escapes go to p->texts. */
int32_t cj__value_json(cj__program *p, cj__text json, cj__value *out);
/* Let a number that ticks count as one that changes at its next tick. */
void cj__value_settle(cj__program *p, cj__value *v);
/* A time, or a text of ISO form as a time; 1 when it is one. */
int cj__value_time(const cj__program *p, const cj__value *v, int64_t *ms_out);
/* Order of two values: -1, 0, 1; 1 returned when they compare at all. */
int cj__value_order(const cj__program *p, const cj__value *a, const cj__value *b,
                    int *order_out);
/* Are they equal?  Unknown when they do not compare. */
cj__truth cj__value_equal(const cj__program *p, const cj__value *a, const cj__value *b);
int32_t cj__eval_arithmetic(cj__program *p, const cj__op *op, cj__value *out);

/* match.c: texts, letters of any case when fold is 1; *work counts characters. */
int cj__text_order(cj__text a, cj__text b, int fold);
int cj__text_contains(cj__text text, cj__text part, int fold, int64_t *work);
int cj__text_starts(cj__text text, cj__text part, int fold);
int cj__text_ends(cj__text text, cj__text part, int fold);
int cj__text_like(cj__text text, cj__text pattern, int fold, int64_t *work);

/* ---- selectors (select.c) ---------------------------------------------------------
 */

/* Rows of matching events, counted from the profile's first, ascending: past and
 * future. */
typedef struct cj__list {
    const uint32_t *rows;
    uint32_t n;
} cj__list;

typedef struct cj__range { /* entries [lo, hi) of a list */
    uint32_t lo, hi;
} cj__range;

enum { CJ__PICK_NAMES = 0, CJ__PICK_ORDERS, CJ__PICK_REFUNDS };

typedef struct cj__selector {
    int32_t pick, made;
    int32_t valued;           /* 1: events without a value make no difference */
    uint32_t n_names;         /* 0: any event */
    uint32_t *names;          /* in the arena: ids may come later */
    const cj__seg_node *node; /* where it comes from, for finding equal ones */
    cj__op *filter;           /* NULL: none */
    uint32_t *rows;
    size_t n, capacity;
} cj__selector;

/* The slot of a SELECTOR node, made if no equal one is there. */
int32_t cj__selector_slot(cj__program *p, const cj__seg_node *node, uint32_t *slot_out);
/* The same when it was made; 1, or 0. */
int cj__selector_find(const cj__program *p, const cj__seg_node *node,
                      uint32_t *slot_out);
/* Selectors that the language does not write: events of names (NULL-terminated). */
int32_t cj__selector_names(cj__program *p, const char *const *names,
                           uint32_t *slot_out);
/* One that it does: "orders", "refunds", a name; NULL: any event. */
int32_t cj__selector_word(cj__program *p, const char *word, uint32_t *slot_out);
/* name (NULL: any) "where" field relation literal; the literal may be NULL. */
int32_t cj__selector_where(cj__program *p, const char *name, const char *field,
                           int32_t relation, cj__seg_node *literal, uint32_t *slot_out);
int32_t cj__list_of(cj__program *p, uint32_t slot, cj__list *out);
/* The first entry whose time is at least t. */
uint32_t cj__list_at(const cj__program *p, const cj__list *list, int64_t t);
/* The first entry whose row is at least row. */
uint32_t cj__list_row(const cj__list *list, int64_t row);
/* How many entries are facts (time < now); the next one to become one counts for
 * p->next. */
uint32_t cj__list_seen(cj__program *p, const cj__list *list);

/* ---- fields (field.c) -------------------------------------------------------------
 */

enum {
    CJ__FIELD_CHANNEL = 0,
    CJ__FIELD_CAMPAIGN,
    CJ__FIELD_CONTENT,
    CJ__FIELD_PRODUCT,
    CJ__FIELD_CURRENCY, /* the last of those that are terms */
    CJ__FIELD_SESSION,
    CJ__FIELD_ORDER, /* the last of those that have a key only */
    CJ__FIELD_QUANTITY,
    CJ__FIELD_VALUE,
    CJ__FIELD_HOUR,
    CJ__FIELD_WEEKDAY,
    CJ__FIELD_WEEKEND,
    CJ__FIELD_PROPERTY
};

typedef struct cj__field {
    int32_t kind;
    uint32_t path; /* of a property: its slot */
} cj__field;

/* Where a property is in each row, once it was looked for. */
typedef struct cj__path_memo {
    cj__path path;
    cj__text *raw; /* data CJ__UNSEEN, NULL (absent) or the value's JSON */
    size_t n, capacity;
} cj__path_memo;

int32_t cj__field_make(cj__program *p, const cj__seg_node *node, cj__field *out);
uint32_t cj__field_term(const cj__program *p, const cj__field *f, uint32_t row);
/* The field of a row; of a path over arrays, the first value. */
int32_t cj__field_value(cj__program *p, const cj__field *f, uint32_t row,
                        cj__value *out);
/* Equal fields have equal keys; 0: the event lacks it. */
int32_t cj__field_key(cj__program *p, const cj__field *f, uint32_t row,
                      uint64_t *key_out);
/* The eval functions of a filter's relations. */
int32_t cj__filter_relation(cj__program *p, cj__op *op);
/* Ids have come: what was computed from them is old. */
void cj__filter_refresh(cj__op *op);

/* ---- windows (window.c) -------------------------------------------------------------
 */

typedef struct cj__window {
    int32_t kind;   /* CJ__WIN_* */
    uint32_t since; /* SINCE_LAST: slot of its selector */
    int64_t a, b;   /* as written: durations or times */
} cj__window;

enum { CJ__UNIT_DAY = 0, CJ__UNIT_WEEK, CJ__UNIT_MONTH, CJ__UNIT_YEAR, CJ__N_UNITS };

typedef struct cj__period { /* local calendar */
    int64_t start, end;     /* [start, end) */
    int64_t before;         /* start of the one before */
} cj__period;

int32_t cj__window_make(cj__program *p, const cj__seg_node *node, cj__window *out);
/* The entries of a list in the window at p->now. */
int32_t cj__window_range(cj__program *p, const cj__window *w, const cj__list *list,
                         cj__range *out);
/* Entries with a time in [now - older, now - younger). */
cj__range cj__window_ago(cj__program *p, const cj__list *list, int64_t older,
                         int64_t younger);
/* The period of an instant; where n periods before the one of p->now begin. */
cj__period cj__period_of(cj__program *p, int32_t unit, int64_t t);
int64_t cj__period_back(cj__program *p, int32_t unit, int64_t n);
/* When the range [from, end of this period) holds an entry: that end; else the end of
 * the period in which the next entry lies. */
void cj__period_next(cj__program *p, int32_t unit, const cj__list *list, int64_t from);

/* ---- traits (trait.c)
 * ----------------------------------------------------------------- */

typedef struct cj__trait_memo {
    cj__text name;
    cj__path path;        /* within its value; no parts: the value itself */
    int64_t first, until; /* its history: facts->traits [first, until) */
    int64_t at;           /* value is that of this entry; -1: of none */
    cj__value value;
} cj__trait_memo;

int32_t cj__trait_slot(cj__program *p, cj__text name, cj__text path,
                       uint32_t *slot_out);
int32_t cj__trait_value(cj__program *p, uint32_t slot, cj__value *out);
/* The newest entry that is a fact; -1: none. */
int64_t cj__trait_newest(cj__program *p, uint32_t slot);
void cj__trait_split(const cj__seg_node *node, cj__text *name, cj__text *path);

/* ---- ops
 * --------------------------------------------------------------------------------- */

/* What a call's arguments are, whatever their order. */
typedef struct cj__call {
    uint32_t *selectors;
    int64_t *within; /* of each selector, after the one before; 0: any time */
    uint32_t n_selectors;
    int32_t same; /* 1: the field below must be the same along the steps */
    cj__field field;
    cj__window window;
    int64_t k, n; /* periods: k of the last n */
    int32_t unit;
    int64_t duration;
    cj__text word; /* bare word, or first text */
    uint32_t slot; /* of a trait or a reference */
    /* what the last call gave for these entries of its first list, in these facts */
    cj__range kept;
    uint64_t kept_load;
    cj__value result;
} cj__call;

struct cj__op {
    cj__eval_fn eval;
    const cj__seg_node *node;
    cj__op **kids; /* values; of and and or: the cheapest first */
    uint32_t n_kids;
    int32_t op; /* CJ__SEG_* */
    int32_t cost;
    uint32_t slot;   /* TRAIT */
    cj__field field; /* FIELD, and relations of filters */
    cj__value constant;
    cj__call *call;
    uint32_t *ids;  /* filters: the terms */
    uint64_t *keys; /* or keys to compare with, ascending */
    uint32_t n_ids;
    uint32_t *id_set, id_mask; /* of many ids: slots of a hash set, 0 is free */
    const cj__op **sorted;     /* IN, of exact texts only: by their bytes */
    uint64_t *cache;           /* filters: truth by term, CJ__FILTER_CACHE entries */
};

enum { CJ__FILTER_CACHE = 512 };

typedef struct cj__call_row {
    const char *name;
    cj__eval_fn eval;
    int32_t (*prepare)(cj__program *p, cj__op *op); /* NULL: nothing */
    int32_t cost;                                   /* about ns for a usual profile */
    int32_t by_name; /* 1: prepare reads texts and lists from the tree itself */
} cj__call_row;

const cj__call_row *cj__call_named(const char *name); /* NULL: none */
/* One table per group, each ends with a NULL name. */
extern const cj__call_row cj__calls_events[], cj__calls_orders[], cj__calls_sequence[],
    cj__calls_session[], cj__calls_time[], cj__calls_profile[];

int32_t cj__op_compile(cj__program *p, const cj__seg_node *node, cj__op **out);
int32_t cj__call_compile(cj__program *p, cj__op *op);
/* The text of argument k, which the check has found to be one. */
cj__text cj__call_text(const cj__op *op, uint32_t k);
/* The k-th list of a call and its entries in the call's window. */
int32_t cj__call_range(cj__program *p, const cj__op *op, uint32_t k, cj__list *list,
                       cj__range *range);
/* A call whose result depends on nothing but which entries of its first list lie in the
 * window: computed when they are others than the last time. */
typedef int32_t (*cj__kept_fn)(cj__program *p, const cj__op *op, const cj__list *list,
                               cj__range range, cj__value *out);
int32_t cj__call_kept(cj__program *p, const cj__op *op, cj__kept_fn compute,
                      cj__value *out);
/* Entries of the first list divided by those of the second; missing without any. */
int32_t cj__call_share(cj__program *p, const cj__op *op, cj__value *out);
/* Different keys of a field (0 is none) among entries. */
int32_t cj__call_distinct(cj__program *p, const cj__field *field, const cj__list *list,
                          cj__range range, int64_t *n_out);
/* Sum of their values; CJ_ELIMIT beyond int64. */
int32_t cj__call_sum_value(cj__program *p, const cj__list *list, cj__range range,
                           int64_t *sum_out);
/* One more selector behind those that are written. */
int32_t cj__call_selector(cj__program *p, cj__op *op, uint32_t slot);

int32_t cj__eval_and(cj__program *p, const cj__op *op, cj__value *out);
int32_t cj__eval_or(cj__program *p, const cj__op *op, cj__value *out);
int32_t cj__eval_not(cj__program *p, const cj__op *op, cj__value *out);
cj__eval_fn cj__relation_eval(int32_t op); /* NULL: not a relation */
/* Prepare a list of many literals for searching. */
int32_t cj__relation_sort(cj__program *p, cj__op *op);
/* The relation of op with its left side given. */
int32_t cj__relation_with(cj__program *p, const cj__op *op, cj__value *left,
                          cj__truth *out);

int32_t cj__relation_moment(cj__program *p, const cj__op *op, cj__value *left,
                            cj__truth *out);

/* ---- the program
 * ---------------------------------------------------------------------------- */

typedef struct cj__term_use { /* a text whose id is wanted, and where */
    int32_t space;
    cj__text text;
    uint32_t *id;
} cj__term_use;

typedef struct cj__buffer { /* grows, and is kept */
    void *data;
    size_t capacity, element_bytes; /* in elements */
} cj__buffer;

struct cj__program {
    const cj__allocator *allocator;
    cj__allocator own_allocator; /* a copy */
    cj__eval_env env;
    cj__arena arena; /* the program */
    cj__op *root;
    uint32_t columns;
    int32_t reads_traits;

    cj__selector *selectors;
    size_t n_selectors, selectors_capacity;
    cj__path_memo *paths;
    size_t n_paths, paths_capacity;
    cj__trait_memo *traits;
    size_t n_traits, traits_capacity;
    cj__term_use *terms;
    size_t n_terms, terms_capacity;
    const cj__seg_node **references;
    size_t n_references, references_capacity;
    cj__op **ops; /* all of them, for explaining */
    size_t n_ops, ops_capacity;

    /* the run */
    const cj__facts *facts;
    const int64_t *time; /* of row 0 of the profile */
    uint64_t load;       /* counts them */
    int64_t now, next;
    int64_t steps;
    int32_t thorough; /* go on behind what settles and, or: for a later next */
    int32_t coarse;   /* unknown may be called false */
    uint32_t row;     /* of a filter */
    cj__arena moment, per_row, per_profile; /* unescaped texts, by how long they live */
    cj__arena *texts;                       /* one of them */
    cj__period periods[CJ__N_UNITS];        /* of now; end 0: not known */
    cj__buffer keys, rows_a, rows_b, gaps;
    size_t keys_mask;
    uint64_t keys_seed;
};

/* Longer than any time there is, and short enough to add to one. */
#define CJ__MAX_SPAN (INT64_C(1) << 60)

static inline int64_t cj__span(int64_t ms)
{
    return ms > CJ__MAX_SPAN ? CJ__MAX_SPAN : ms < -CJ__MAX_SPAN ? -CJ__MAX_SPAN : ms;
}

/* Beyond the span (36 million years) is never: no moment is asked for there. */
static inline void cj__later(cj__program *p, int64_t t)
{
    if (t < p->next && t <= CJ__MAX_SPAN)
        p->next = t;
}

/* t + d + 1: an event's time t is older than d for the first time */
static inline int64_t cj__beyond(int64_t t, int64_t d)
{
    int64_t sum;

    if (__builtin_add_overflow(t, d, &sum) || sum == INT64_MAX)
        return CJ__NEVER;
    return sum + 1;
}

static inline const cj__columns *cj__columns_of(const cj__program *p)
{
    return p->facts->columns;
}

static inline int64_t cj__row_at(const cj__program *p, uint32_t row)
{
    return p->facts->first + row;
}

/* The id of a text, now and again when terms have come (cj__program_refresh). */
int32_t cj__program_term(cj__program *p, int32_t space, cj__text text, uint32_t *where);
int32_t cj__program_reference_slot(cj__program *p, const cj__seg_node *node,
                                   uint32_t *slot_out);
int32_t cj__program_load(cj__program *p, const cj__facts *facts);
/* Evaluate at a moment in loaded facts. */
int32_t cj__program_at(cj__program *p, int64_t now_ms, cj__truth *truth_out);
/* Count work; CJ_ELIMIT when it is too much. */
int32_t cj__program_work(cj__program *p, int64_t steps);
int32_t cj__buffer_need(cj__program *p, cj__buffer *b, size_t n, size_t element_bytes);

/* ---- sets of keys (keys.c): 64-bit keys that are not 0, for one use
 * ------------------------- */

/* Empty, with room for n keys. */
int32_t cj__keys_begin(cj__program *p, size_t n);
/* The value of a key, 0 when it is new. */
int64_t *cj__keys_at(cj__program *p, uint64_t key);

#endif
