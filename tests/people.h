/* People as text: "user_id=ann email=ann@x.org" is one message's identifiers.  For
 * tests of who is who, through the public API. */
#ifndef CJ_TESTS_PEOPLE_H
#define CJ_TESTS_PEOPLE_H

#include "cjourney.h"

/* A new file of this test alone, in UTC and EUR; people_close removes it. */
cj_db *people_open(void);
void people_close(cj_db *db);

/* Record an event with these identifiers; time counts up.  The profile it belongs to,
 * by its strongest identifier. */
int64_t people_say(cj_db *db, const char *identifiers);
/* The profile of one identifier; 0: unknown. */
int64_t people_who(cj_db *db, const char *identifier);
/* The number of the newest edge. */
int64_t people_last_edge(cj_db *db);
/* "1:user_id=ann+email=ann@x.org 3:user_id=bob" - all profiles up to node n, in order.
 */
char *people_all(cj_db *db, int64_t n_nodes);
int64_t people_count(cj_db *db, const char *stat); /* a row of cj_stats */
void people_sound(cj_db *db);                      /* cj_check finds nothing */

/* A text that the caller frees: a table as CSV. */
char *people_csv(cj_table *table);

#endif
