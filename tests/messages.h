/* Messages as lines of text that a shop manager could check, for the tests of what JSON
 * becomes.  Parsers need no file: a bare handle with currency, zone and allocator. */
#ifndef CJ_TESTS_MESSAGES_H
#define CJ_TESTS_MESSAGES_H

#include "events/events.h"

/* A handle without a file, in UTC; only for parsing and writing messages. */
void messages_open(cj_db *db, const char *currency);
void messages_close(cj_db *db);

/* What a message becomes:
 *   order 2024-01-02T00:00:00.000Z web user_id=u1 value=1250 EUR order=7 id=m1
 *   items=[p1 x2 =1000; p2 x1 =250] properties={"a":1} traits={...} source=crm
 * absent parts are left out; "rejected: reason", also for what the limits of events
 * refuse.  The caller frees it. */
char *messages_describe(cj_db *db, const char *format, const char *json);
char *messages_describe_one(const cj__message *m);

/* A whole file, NUL-terminated, that the caller frees; NULL: it is not there. */
char *messages_file(const char *path);

/* A path under CJ_TEST_DATA (default ../shared/data), or NULL, with a loud line, when
 * the data is not there. */
const char *messages_data(const char *name, char *to, size_t size);

#endif
