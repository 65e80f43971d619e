/* A set of segments as programs over one profile at a time, with what they say of each
 * other.  A runner belongs to one thread.  Private to room segment. */
#ifndef CJ__SEGMENT_RUNNER_H
#define CJ__SEGMENT_RUNNER_H

#include "segment/eval.h"
#include "segment/known.h"
#include "segment/set.h"

/* An answer holds in [now, until_ms): INT64_MAX is for ever. */
typedef struct cj__answer {
    cj__truth truth;
    int64_t until_ms;
} cj__answer;

typedef struct cj__runner_item {
    cj__program *program;
    int32_t *refs; /* of each reference: an item; ~a list */
    int8_t *members;
    size_t n_refs;
    uint64_t load; /* the answer is that of this load */
    int64_t at;
    cj__answer answer;
} cj__runner_item;

typedef struct cj__runner {
    const cj__set *set;
    cj__runner_item *items; /* as the set's */
    uint64_t load;
    int32_t momentary; /* 1: nobody asks how long an answer holds */
    int32_t early;     /* 1: until_ms may be early, which is found at once */
    const cj__known *known;
    cj__facts facts; /* of the profile at hand */
} cj__runner;

int32_t cj__runner_new(const cj__set *set, const cj__eval_env *env, cj__runner **out);
void cj__runner_end(cj__runner *r); /* NULL is fine */

/* The names of traits that the programs read, in the arena; equal ones may repeat. */
int32_t cj__runner_traits(const cj__runner *r, cj__arena *arena, cj__text **names_out,
                          size_t *n_out);

/* What its programs need to be shown at a moment and later. */
void cj__runner_needs(const cj__runner *r, int64_t now_ms, cj__needs *needs);

/* Turn to a profile: its rows [first, first + n) of columns (NULL: none). */
void cj__runner_turn(cj__runner *r, const cj__known *known, uint32_t profile,
                     const cj__columns *columns, int64_t first, int64_t n);
/* Turn to somebody of whom nothing is known; the set has no lists. */
void cj__runner_turn_blank(cj__runner *r);
/* What item i says of it at a moment. */
int32_t cj__runner_answer(cj__runner *r, uint32_t i, int64_t now_ms, cj__answer *out);
/* The truth, or value as text, of a node of item i at a moment: cj__program_explain. */
int32_t cj__runner_explain(cj__runner *r, uint32_t i, const cj__seg_node *node,
                           int64_t now_ms, cj__truth *truth_out, cj__str *value_out);
/* The value on the left side of item i's relation at a moment. */
struct cj__value;
int32_t cj__runner_value(cj__runner *r, uint32_t i, int64_t now_ms,
                         struct cj__value *out);

/* Names and texts as a read snapshot knows them. */
cj__eval_env cj__runner_env(const cj_db *db, cj__reader *reader);

#endif
