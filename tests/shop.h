/* A shop in a file of its own: customers, events, traits and answers as text that a
 * shop manager could check.  Through cjourney.h; for the suites of segments. */
#ifndef CJ_TESTS_SHOP_H
#define CJ_TESTS_SHOP_H

#include "api.h"

typedef struct shop {
    api_file file;
    cj_db *db;
    api_heap heap;  /* counts; may be told to fail */
    int64_t now_ms; /* what the clock says; goes on by tick_ms at each look */
    int64_t tick_ms;
} shop;

void shop_open(shop *s, const char *time_zone, int64_t seal_events);
void shop_reopen(shop *s, int64_t flags);
void shop_close(shop *s); /* everything is sound, nothing is leaked, the file is gone */

int64_t shop_time(shop *s, const char *text); /* local to the shop */

/* "ann 2025-01-01T10:00 order 12.50 web" per line: customer, time, name, and maybe a
 * value and a channel.  A customer is a user_id, or "guest:t1" (any kind), or several
 * of them joined by "+". */
void shop_events(shop *s, const char *lines);
/* "ann 2025-01-01 country "DE" crm" per line: customer, time, name, JSON without
 * blanks, and maybe a source. */
void shop_traits(shop *s, const char *lines);
int64_t shop_who(shop *s, const char *customer);           /* the profile; 0: unknown */
int64_t shop_merge(shop *s, const char *a, const char *b); /* the edge */
/* "name = expression" per line. */
void shop_define(shop *s, const char *lines);
void shop_list(shop *s, const char *name, const char *customers); /* by blanks */

/* Rows as lines, values apart by blanks; absent ones "-"; doubles with six digits;
 * times of columns "..._ms" as text.  Frees the table; free the text. */
char *shop_rows(cj_table *table);
void expect_table(cj_table *table, const char *want); /* names, then rows; frees it */

cj_segment_options shop_options(shop *s, const char *as_of);
/* The rows of cj_segment_evaluate. */
void expect_evaluate(shop *s, const char *as_of, const char *expression,
                     const char *want);
/* The customers in it, by number of profile: "1 3". */
void expect_in(shop *s, const char *as_of, const char *expression, const char *want);
/* The call failed with this code and text. */
void expect_error_is(int32_t rc, int32_t code, int64_t position, const char *text);

#endif
