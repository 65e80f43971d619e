/* Tokens of the segment language: bytes in, one token at a time, each with its place.
 * Knows nothing of grammar.  Private to the front end of room segment. */
#ifndef CJ__SEGMENT_LEX_H
#define CJ__SEGMENT_LEX_H

#include "base/alloc.h"
#include "base/str.h"

enum {
    CJ__LEX_END = 0,
    CJ__LEX_NAME,
    CJ__LEX_TEXT,   /* text: without quotes and escapes; fold: i"..." */
    CJ__LEX_NUMBER, /* digits, perhaps a point and digits */
    CJ__LEX_DATE,   /* 2025-03-01 */
    CJ__LEX_TIME,   /* 2025-03-01T10:30:15+01:00 */
    CJ__LEX_SIGN    /* ( ) , . % + - * / = < > [ ], or != <= >= -> */
};

typedef struct cj__token {
    int32_t kind, fold;
    uint32_t begin, end;
    cj__text text; /* of the source, but for a text with escapes: in the arena */
} cj__token;

/* A lexer may be copied to come back to a place. */
typedef struct cj__lexer {
    cj__text source;
    cj__arena *arena;
    uint32_t at; /* behind the token */
    cj__token token;
} cj__lexer;

/* Refuse what is too long or not UTF-8, then stand at the first token. */
int32_t cj__lex_begin(cj__lexer *l, cj__arena *arena, cj__text source);
int32_t cj__lex_next(cj__lexer *l); /* behind CJ__LEX_END: stays there */
int cj__lex_is_sign(const cj__lexer *l, const char *sign);
/* The byte behind the token, blanks and comments skipped; 0 at the end. */
char cj__lex_ahead(const cj__lexer *l);

#endif
