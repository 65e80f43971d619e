/* Making nodes, for text and JSON alike: what is counted, joined and brought to its one
 * canonical shape (names, numbers, nested `and`s) is so here.  Positions are bytes of
 * what is read.  Private to the front end of room segment. */
#ifndef CJ__SEGMENT_BUILD_H
#define CJ__SEGMENT_BUILD_H

#include "segment/tree.h"

typedef struct cj__seg_maker {
    struct cj_db *db; /* currency and zone */
    cj__arena *arena;
    uint32_t n_nodes;
    int32_t in_list; /* values of lists are counted apart */
} cj__seg_maker;

int32_t cj__seg_new(cj__seg_maker *m, int32_t op, uint32_t begin, cj__seg_node **out);
/* Both CJ_ELIMIT when a list grows too long. */
int32_t cj__seg_add(cj__seg_maker *m, cj__seg_node *to, cj__seg_node *kid);
/* A new node of one or two kids; its place is that of its first kid. */
int32_t cj__seg_over(cj__seg_maker *m, int32_t op, cj__seg_node *a, cj__seg_node *b,
                     cj__seg_node **out);
/* Add to an `and` or `or`; the kids of another one become its own. */
int32_t cj__seg_join(cj__seg_maker *m, cj__seg_node *to, cj__seg_node *kid);
/* Minus: of a literal the literal. */
int32_t cj__seg_negate(cj__seg_maker *m, uint32_t begin, cj__seg_node *kid,
                       cj__seg_node **out);

/* ---- literals: text is digits, perhaps with a point -------------------------------
 */

int32_t cj__seg_number(cj__seg_maker *m, uint32_t begin, cj__text text,
                       cj__seg_node **out);
int32_t cj__seg_percent(cj__seg_maker *m, uint32_t begin, cj__text text,
                        cj__seg_node **out);
int32_t cj__seg_money(cj__seg_maker *m, uint32_t begin, cj__text text, cj__text code,
                      cj__seg_node **out);
int32_t cj__seg_duration(cj__seg_maker *m, uint32_t begin, cj__text text,
                         int64_t unit_ms, cj__seg_node **out);
int32_t cj__seg_duration_of(cj__seg_maker *m, uint32_t begin, int64_t ms,
                            cj__seg_node **out);
/* "2025-03-01", or with T and a time of day. */
int32_t cj__seg_moment(cj__seg_maker *m, uint32_t begin, cj__text text,
                       cj__seg_node **out);
int32_t cj__seg_text(cj__seg_maker *m, uint32_t begin, cj__text text, int fold,
                     cj__seg_node **out);

/* The canonical text of a duration: "90 days"; to must hold CJ__DURATION bytes. */
enum { CJ__DURATION = 40 };
void cj__seg_put_duration(int64_t ms, char *to);
/* put.c: "200 EUR", "19.90 EUR" */
void cj__seg_put_money(cj__str *s, const cj__seg_node *node);

/* ---- names --------------------------------------------------------------------------
 */

/* quoted 1: a name whatever its letters; 0: of letters, perhaps a path with dots. */
int32_t cj__seg_trait(cj__seg_maker *m, uint32_t begin, cj__text text, int quoted,
                      cj__seg_node **out);
int32_t cj__seg_selector(cj__seg_maker *m, uint32_t begin, cj__text text, int quoted,
                         cj__seg_node **out);
/* A field by its name; a property by its path when property is 1. */
int32_t cj__seg_field(cj__seg_maker *m, uint32_t begin, cj__text text, int property,
                      cj__seg_node **out);
/* A channel, or a text where it needs quotes. */
int32_t cj__seg_channel(cj__seg_maker *m, uint32_t begin, cj__text text, int fold,
                        cj__seg_node **out);

#endif
