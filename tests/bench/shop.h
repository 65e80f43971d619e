/* The shop that benchmarks record: the same events for the same seed, everywhere.
 * Persons follow a power law (person = persons * u^2), times rise through a year,
 * twelve names, six channels, some 83 bytes of JSON.  An event carries the person's
 * anonymous_id, and when logged in the user_id as well. */
#ifndef CJ_TESTS_BENCH_SHOP_H
#define CJ_TESTS_BENCH_SHOP_H

#include "cjourney.h"

#define SHOP_YEAR_START_MS 1704067200000 /* 2024-01-01 */
#define SHOP_EVENTS_PER_PERSON 20

typedef struct shop {
    int64_t n_events, n_persons;
    int64_t first_ms, step_ms; /* event i is at about first + i * step */
} shop;

/* One event with the bytes its pointers lead to; must not be moved. */
typedef struct shop_event {
    cj_event event;
    cj_identifier identifiers[2];
    int64_t person; /* from 0 */
    int32_t name;   /* index into shop_names */
    int32_t channel;
    char message[40], session[24], product[16], order[24], user[24], anonymous[40];
    char properties[160];
} shop_event;

enum { SHOP_ORDER = 0, SHOP_REFUND = 1, SHOP_NAMES = 12, SHOP_CHANNELS = 6 };
extern const char *const shop_names[SHOP_NAMES];
extern const char *const shop_channels[SHOP_CHANNELS];

shop shop_of(int64_t n_events);
void shop_make(const shop *s, int64_t i, shop_event *out);

double shop_seconds(void);        /* a clock that only rises */
double shop_cpu_seconds(void);    /* of this process */
int64_t shop_rss_bytes(int peak); /* VmRSS, or VmHWM */

/* Record events [from, from + n) in batches; ends the process on failure. */
void shop_record(cj_db *db, const shop *s, int64_t from, int64_t n, int64_t batch);
void shop_die(const char *doing); /* prints cj_errmsg() */

#endif
