/* The parser of segment text: recursive descent, a file per part of the grammar, each
 * function at the first token of what it reads and leaving behind its last.  Makes
 * nodes; whether types fit is for the check.  Private to the front end. */
#ifndef CJ__SEGMENT_PARSE_H
#define CJ__SEGMENT_PARSE_H

#include "segment/build.h"
#include "segment/lex.h"

typedef struct cj__parser {
    cj__lexer lex;
    cj__seg_maker *make;
    uint32_t end;      /* of the token before */
    int32_t depth;     /* brackets, `not`s, minuses and calls that are open */
    int32_t in_filter; /* conditions are about an event's fields */
} cj__parser;

/* ---- tokens (parse.c) ---------------------------------------------------------------
 */

int32_t cj__parse_next(cj__parser *p);
int cj__parse_is(const cj__parser *p, const char *word);
int cj__parse_is_sign(const cj__parser *p, const char *sign);
int32_t cj__parse_expect(cj__parser *p, const char *word);
int32_t cj__parse_expect_sign(cj__parser *p, const char *sign);
/* Fail at the token: expected <what>, found ...; or the word that was meant. */
int32_t cj__parse_expected(const cj__parser *p, const char *what);
int32_t cj__parse_enter(cj__parser *p); /* one deeper; leave it by p->depth-- */

/* ---- conditions (parse.c), values (parse_value.c)
 * ------------------------------------ */

int32_t cj__parse_or(cj__parser *p, cj__seg_node **out);
int32_t cj__parse_relation(cj__parser *p, cj__seg_node *left, cj__seg_node **out);
int32_t cj__parse_sum(cj__parser *p, cj__seg_node **out);
int32_t cj__parse_literal(cj__parser *p, cj__seg_node **out);
int32_t cj__parse_list(cj__parser *p, cj__seg_node **out);
int32_t cj__parse_plain_number(cj__parser *p, cj__seg_node **out); /* without a unit */
/* Names joined by dots, perhaps with [], without blanks; the first is the token. */
int32_t cj__parse_path(cj__parser *p, int brackets, cj__text *out);

/* ---- arguments of functions
 * ----------------------------------------------------------- */

int32_t cj__parse_call(cj__parser *p, int32_t function, cj__seg_node **out);
int32_t cj__parse_selector(cj__parser *p, cj__seg_node **out);
int32_t cj__parse_event(cj__parser *p, cj__seg_node **out); /* without a filter */
/* At `where`: its filter becomes the selector's. */
int32_t cj__parse_where(cj__parser *p, cj__seg_node *selector);
int32_t cj__parse_field(cj__parser *p, cj__seg_node **out);
int32_t cj__parse_duration(cj__parser *p, cj__seg_node **out);
int32_t cj__parse_window(cj__parser *p, cj__seg_node **out); /* of `ever`: NULL */

#endif
