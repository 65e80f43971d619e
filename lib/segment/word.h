/* The fixed words of the segment language: each stands in one table, which parser,
 * check, printer and documents read.  Knows nothing of trees.  Private to the front
 * end of room segment. */
#ifndef CJ__SEGMENT_WORD_H
#define CJ__SEGMENT_WORD_H

#include "segment/tree.h"

/* The i-th name of a table, NULL behind its end. */
typedef const char *(*cj__seg_names)(size_t i);

/* A name and a word of the language, which may be written in any case. */
int cj__seg_same(cj__text name, const char *word);
/* [A-Za-z_][A-Za-z0-9_]* and no reserved word: needs no quotes. */
int cj__seg_is_name(cj__text text);
/* The same, reserved words too. */
int cj__seg_is_letters(cj__text text);
const char *cj__seg_reserved(size_t i);
int cj__seg_is_reserved(cj__text name);

/* The name that was probably meant; NULL: none is near. */
const char *cj__seg_nearest(cj__text said, cj__seg_names names);
/* Fail at a byte: unknown <what> `<said>`, did you mean `<nearest>`? */
int32_t cj__seg_unknown(int64_t position, const char *what, cj__text said,
                        cj__seg_names names);
/* A name for a message, "..." when it may not be said; in a buffer of the caller. */
enum { CJ__SAID = 48 };
const char *cj__seg_said(cj__text name, char said[CJ__SAID]);

/* ---- relations and arithmetic ---------------------------------------------------- */

/* What stands to the right of a relation's left side. */
enum {
    CJ__RIGHT_VALUE = 1, /* a value */
    CJ__RIGHT_TWO,       /* value and value */
    CJ__RIGHT_LIST,
    CJ__RIGHT_TEXT,
    CJ__RIGHT_NONE,
    CJ__RIGHT_TIME, /* a value that is a time */
    CJ__RIGHT_DATE,
    CJ__RIGHT_DURATION,
    CJ__RIGHT_DAYS, /* a duration of whole days, or today */
    CJ__RIGHT_PLACE /* km, latitude, longitude */
};

typedef struct cj__seg_relation {
    int32_t op, right;
    const char *text;    /* as written, and in JSON */
    const char *negated; /* how a `not` around it is written; NULL: before it */
    int32_t in_filters;
} cj__seg_relation;

extern const cj__seg_relation cj__seg_relations[];       /* the last one has op 0 */
const cj__seg_relation *cj__seg_relation_of(int32_t op); /* NULL: it is none */
const char *cj__seg_relation_name(size_t i);

/* "+" of CJ__SEG_ADD, ...; NULL: it is no arithmetic of two sides. */
const char *cj__seg_sign(int32_t op);

/* ---- fields -----------------------------------------------------------------------
 */

enum {                       /* where a field may stand besides filters */
       CJ__USE_SUMS = 1,     /* sum, avg, min, max */
       CJ__USE_COUNTS = 2,   /* distinct */
       CJ__USE_GIVES = 4,    /* first_value, last_value */
       CJ__USE_SAME = 8,     /* sequence(..., same field) */
       CJ__USE_KEY_ONLY = 16 /* its text is not kept */
};

typedef struct cj__seg_field_row {
    const char *name;
    int32_t type, uses;
} cj__seg_field_row;

const cj__seg_field_row *cj__seg_field_named(cj__text name); /* NULL: there is none */
const char *cj__seg_field_name(size_t i);
const char *cj__seg_same_name(size_t i); /* of those that may stay the same */

/* ---- other names -------------------------------------------------------------------
 */

const char *cj__seg_function_name(size_t i);
const char *cj__seg_stage_name(size_t i);
const char *cj__seg_kind_name(size_t i);
const char *cj__seg_period_name(size_t i);       /* days weeks months */
const char *cj__seg_period_named(cj__text name); /* "day" too; NULL: none */
/* As the table spells it; NULL: not in it. */
const char *cj__seg_find(cj__text name, cj__seg_names names);

/* ms of a unit of time in either number ("day", "days"); 0: it is none. */
int64_t cj__seg_unit_ms(cj__text name);
const char *cj__seg_unit_name(size_t i);

/* Windows without arguments ("this week"): the words of CJ__WIN_*; NULL: not one. */
const char *cj__seg_window_words(int32_t window);
/* CJ__WIN_* of two words, the second absent where there is one only; -1: not one. */
int32_t cj__seg_window_named(cj__text first, cj__text second);

#endif
