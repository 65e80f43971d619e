/* A segment as a tree: what the parser makes, what JSON says, what the evaluator runs.
 * Trees live in an arena and are not changed once checked.  Private to room segment. */
#ifndef CJ__SEGMENT_TREE_H
#define CJ__SEGMENT_TREE_H

#include "base/alloc.h"
#include "base/limits.h"
#include "base/str.h"

/* What a node is.  `kids` in the order in which they are written. */
typedef enum cj__seg_op {
    /* logic: kids are boolean */
    CJ__SEG_OR = 1, /* 2 or more kids (flattened) */
    CJ__SEG_AND,
    CJ__SEG_NOT,
    /* relations: kid 0 is the left side */
    CJ__SEG_EQ, /* kid 1: the right side */
    CJ__SEG_NE,
    CJ__SEG_LT,
    CJ__SEG_LE,
    CJ__SEG_GT,
    CJ__SEG_GE,
    CJ__SEG_BETWEEN,  /* kids 1, 2: both ends belong to it */
    CJ__SEG_IN,       /* kid 1: LIST */
    CJ__SEG_CONTAINS, /* kid 1: TEXT */
    CJ__SEG_STARTS,
    CJ__SEG_ENDS,
    CJ__SEG_LIKE,
    CJ__SEG_HAS_ANY, /* kid 1: LIST */
    CJ__SEG_HAS_ALL,
    CJ__SEG_HAS_NONE,
    CJ__SEG_IS_MISSING,
    CJ__SEG_IS_KNOWN,
    CJ__SEG_IS_TRUE,
    CJ__SEG_IS_FALSE,
    CJ__SEG_IS_EMPTY, /* text "" or list () */
    CJ__SEG_BEFORE,   /* kid 1: a time */
    CJ__SEG_AFTER,
    CJ__SEG_ON,               /* kid 1: DATE */
    CJ__SEG_WITHIN_LAST,      /* kid 1: DURATION: in [now - d, now] */
    CJ__SEG_WITHIN_NEXT,      /* in [now, now + d] */
    CJ__SEG_ANNIVERSARY_NEXT, /* kid 1: DURATION of whole days; 0 days: today */
    CJ__SEG_ANNIVERSARY_LAST,
    CJ__SEG_NEAR, /* kids 1, 2, 3: NUMBER km, latitude, longitude */
    /* arithmetic */
    CJ__SEG_ADD,
    CJ__SEG_SUBTRACT,
    CJ__SEG_MULTIPLY,
    CJ__SEG_DIVIDE,
    CJ__SEG_NEGATE,
    /* literals */
    CJ__SEG_NUMBER,   /* d; text: as written, canonical */
    CJ__SEG_PERCENT,  /* d is the ratio; text: the number before % */
    CJ__SEG_MONEY,    /* i minor units; text: currency code */
    CJ__SEG_DURATION, /* i ms; text: canonical ("90 days") */
    CJ__SEG_DATE,     /* i ms: local midnight; text: as written */
    CJ__SEG_TIME,     /* i ms; text: as written */
    CJ__SEG_TEXT,     /* text; i 1: letters of any case (i"...") */
    CJ__SEG_TRUE,
    CJ__SEG_FALSE,
    CJ__SEG_LIST, /* kids: literals */
    /* facts */
    CJ__SEG_TRAIT, /* text: the name, or a path joined by dots; i 1: written
                      trait("...") */
    CJ__SEG_CALL,  /* i: index of the function in cj__seg_functions; kids: arguments */
    /* arguments that are no values */
    CJ__SEG_SELECTOR, /* text: event name ("" any; "orders", "refunds"); i: 1 quoted;
                       * kid 0, optional: the filter */
    CJ__SEG_FIELD, /* text: channel, ..., or the property path "a.b[]"; i 1: property */
    CJ__SEG_SHARE, /* kids: SELECTOR of SELECTOR */
    CJ__SEG_STEPS, /* kids: SELECTORs, each but the first with i2 = within ms (0: none);
                    * text: the field that must be the same, or absent */
    CJ__SEG_FOLLOW,  /* kids: SELECTOR by SELECTOR; i: within ms */
    CJ__SEG_PERIODS, /* i: k, i2: n, text: "days" "weeks" "months" */
    CJ__SEG_WORD,    /* text: a bare name as argument (channel, kind, stage) */
    CJ__SEG_WINDOW   /* i: CJ__WIN_*; kids as that says */
} cj__seg_op;

typedef enum cj__seg_window {
    CJ__WIN_EVER = 0,
    CJ__WIN_LAST,    /* kid: DURATION */
    CJ__WIN_BETWEEN, /* kids: DURATION (older), DURATION (younger) ago */
    CJ__WIN_TODAY,
    CJ__WIN_YESTERDAY,
    CJ__WIN_THIS_WEEK,
    CJ__WIN_THIS_MONTH,
    CJ__WIN_THIS_YEAR,
    CJ__WIN_PREVIOUS_WEEK,
    CJ__WIN_PREVIOUS_MONTH,
    CJ__WIN_PREVIOUS_YEAR,
    CJ__WIN_SINCE,      /* kid: DATE or TIME */
    CJ__WIN_SINCE_LAST, /* kid: SELECTOR */
    CJ__WIN_UNTIL,      /* kid: DATE or TIME */
    CJ__WIN_FROM        /* kids: DATE or TIME, DATE or TIME */
} cj__seg_window;

/* Types of values; DYNAMIC is a trait's or a property's. */
typedef enum cj__seg_type {
    CJ__TYPE_NONE = 0,
    CJ__TYPE_BOOLEAN,
    CJ__TYPE_NUMBER,
    CJ__TYPE_MONEY,
    CJ__TYPE_TIME,
    CJ__TYPE_DURATION,
    CJ__TYPE_TEXT,
    CJ__TYPE_LIST,
    CJ__TYPE_DYNAMIC
} cj__seg_type;

typedef struct cj__seg_node cj__seg_node;
struct cj__seg_node {
    int32_t op, type;    /* type: set by the check */
    uint32_t begin, end; /* bytes of the source */
    int64_t i, i2;
    double d;
    cj__text text;
    cj__seg_node **kids;
    uint32_t n_kids;
    uint32_t slot; /* for the evaluator: free use, set by its compile step */
};

typedef struct cj__segment_tree {
    cj__arena arena; /* owns everything below */
    cj__text source; /* a copy */
    cj__seg_node *root;
    uint32_t n_nodes;
} cj__segment_tree;

/* ---- functions (function.c): one row each ---------------------------------------- */

typedef struct cj__seg_function {
    const char *name;
    /* Arguments, a letter each: s selector, f field, h share, q steps, u two steps, w
     * follow, p periods, t text literal, x exact text, n number, % percent, d duration,
     * e time expression, r trait, b text, list or filter ("where ..."); bare words: k
     * identifier kind, c channel (or text), g stage; ? behind one that may be left out.
     * A window may always follow when `window` is 1. */
    const char *arguments;
    int32_t window;
    int32_t type; /* of the result; NONE: the type of the field (sum, avg, ...) */
    const char *meaning, *example;
} cj__seg_function;

extern const cj__seg_function cj__seg_functions[];
extern const int32_t cj__seg_n_functions;
int32_t cj__seg_function_named(cj__text name); /* index, or -1 */

/* ---- front end (front.c and what it uses): text and JSON --------------------------
 */

struct cj_db;

/* Parse and check; money and dates by the store's currency and zone (db->currency,
 * zone). On failure the error's position is the byte, its text says what was expected,
 * and the nearest known name.  Owned: cj__segment_free. */
int32_t cj__segment_parse(struct cj_db *db, cj__text source, cj__segment_tree **out);
int32_t cj__segment_from_json(struct cj_db *db, cj__text json, cj__segment_tree **out);
void cj__segment_free(struct cj_db *db, cj__segment_tree *tree); /* NULL is fine */

void cj__segment_put(cj__str *s, const cj__seg_node *node);      /* canonical text */
void cj__segment_put_json(cj__str *s, const cj__seg_node *node); /* {"op":...} */

#endif
