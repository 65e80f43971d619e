/* One segment over one profile's facts at one moment: a pure function.  Knows nothing
 * of SQLite, of scans or of membership.  Private to room segment. */
#ifndef CJ__SEGMENT_EVAL_H
#define CJ__SEGMENT_EVAL_H

#include "base/time.h"
#include "segment/tree.h"
#include "store/row.h"

/* A value that a trait took: history of the profile, in order of (name, time, node). */
typedef struct cj__fact_trait {
    cj__text name, value /* JSON */, source;
    int64_t time_ms;
} cj__fact_trait;

/* Everything that is known of one profile, also what lies after `now`. */
typedef struct cj__facts {
    int64_t profile;
    const cj__columns *columns; /* events in profile order: rows [first, first + n) */
    int64_t first, n;
    const cj__fact_trait *traits;
    int64_t n_traits;
    int64_t n_identifiers[9]; /* by kind id 1..8; [0]: all */
    int32_t shared_device;
    /* membership in other segments and lists, in the order in which the program names
     * them (cj__program_references) */
    const int8_t *members;
} cj__facts;

/* How the program reaches what is not in the tree.  Terms: ids of texts as the columns
 * hold them, and back. */
typedef struct cj__eval_env {
    const cj__zone *zone;
    int32_t currency_exponent;
    void *user;
    /* The id of a text in a space (CJ__SPACE_*); 0: no event ever had it. */
    int32_t (*term_id)(void *user, int space, cj__text text, uint32_t *id_out);
    int32_t (*term_text)(void *user, uint32_t id, cj__text *text_out);
} cj__eval_env;

typedef struct cj__program cj__program;

/* Resolve names and lay out scratch; the tree must outlive the program. */
int32_t cj__program_new(const cj__allocator *a, const cj__segment_tree *tree,
                        const cj__eval_env *env, cj__program **out);
void cj__program_end(cj__program *p); /* NULL is fine */
/* Ask again for the ids of texts that no event had: when terms may have come. */
int32_t cj__program_refresh(cj__program *p);
uint32_t cj__program_columns(const cj__program *p); /* CJ__COL_* it reads */
int32_t cj__program_reads_traits(const cj__program *p);
/* The calls in_segment("...") and in_list("..."), in the order of facts->members: each
 * a CALL node whose kid 0 is the TEXT; NULL after the last. */
const cj__seg_node *cj__program_reference(const cj__program *p, int32_t i);

/* What programs look at, now and at any later moment. */
enum { CJ__NEEDS_NAMES = 32, CJ__NEEDS_PRODUCTS = 8 };
typedef struct cj__needs {
    uint32_t columns;
    int32_t any_name; /* 1: events of any name; 0: those below */
    int32_t valued;   /* 1: only orders and refunds that have a value, and of them
                       * only CJ__COL_PROJECTION */
    size_t n_names;
    uint32_t names[CJ__NEEDS_NAMES];
    int32_t any_product; /* 1: whatever their product, 0: of those below only */
    uint32_t n_products;
    uint32_t products[CJ__NEEDS_PRODUCTS];
    int64_t from_ms; /* events from here on; INT64_MIN: all */
    int32_t idle;    /* 1: profiles without such an event too */
} cj__needs;
void cj__needs_begin(cj__needs *needs);
/* Add what a program needs from now_ms on. */
void cj__program_needs(cj__program *p, int64_t now_ms, cj__needs *needs);

typedef enum cj__truth { CJ__FALSE = 0, CJ__TRUE = 1, CJ__UNKNOWN = 2 } cj__truth;

/* Truth at `now`; *next_out (may be NULL) is the first later moment at which any part
 * of it may differ (INT64_MAX: never).  Errors: CJ_ENOMEM, CJ_ELIMIT (work). */
int32_t cj__program_run(cj__program *p, const cj__facts *facts, int64_t now_ms,
                        cj__truth *truth_out, int64_t *next_out);

/* The same, and the first later moment at which the truth itself differs. */
int32_t cj__program_valid(cj__program *p, const cj__facts *facts, int64_t now_ms,
                          cj__truth *truth_out, int64_t *valid_until_out);

/* The truth, or value as text, of one node in the last run's facts: for explaining. */
int32_t cj__program_explain(cj__program *p, const cj__seg_node *node,
                            const cj__facts *facts, int64_t now_ms,
                            cj__truth *truth_out, cj__str *value_out);

#endif
