/* A shop with live segments: random things happen to it through the public API, and the
 * feed, replayed, must be what evaluating everybody gives.  Ends the test when not. */
#ifndef CJ_TESTS_LIVE_SHOP_H
#define CJ_TESTS_LIVE_SHOP_H

#include "api.h"

#define HOUR INT64_C(3600000)
#define DAY (24 * HOUR)

enum { LIVE_PEOPLE = 24, LIVE_PROFILES = 1000, LIVE_SEGMENTS = 14 };

typedef struct live_segment {
    const char *name;
    const char *texts[2]; /* it is redefined from one to the other */
    int is_live;
} live_segment;

extern const live_segment live_segments[LIVE_SEGMENTS];

typedef struct live_shop {
    api_file file;
    cj_db *db, *other; /* two handles take turns; other NULL: one */
    uint64_t dice;
    int64_t seal_events;
    int is_redefined[LIVE_SEGMENTS];
    int64_t cursor;
    uint8_t in[LIVE_SEGMENTS][LIVE_PROFILES];
    int64_t edges[256];
    int n_edges;
    int64_t n_entered, n_clock;
} live_shop;

extern _Atomic int64_t *live_now; /* the shop's clock; children share it */

void live_begin(live_shop *s, uint64_t seed, int64_t seal_events);
void live_end(live_shop *s);
cj_db *live_open(live_shop *s);
int live_random(live_shop *s, int below);
void live_define(live_shop *s, int i); /* as s->is_redefined says */
void live_list(live_shop *s);          /* random people by hand */

/* What happens. */
void live_record(live_shop *s, int n); /* at most n events, 8 at most */
void live_identify(live_shop *s);
void live_merge(live_shop *s);
void live_unmerge(live_shop *s);
void live_step(live_shop *s); /* time passes, and any of these, and others */

/* Rows that are new, until the first that is later than until_ms; each must be a change
 * of what there was. */
void live_replay(live_shop *s, int64_t until_ms);
/* Who is in at a moment, by evaluating, is who is in by the feed. */
void live_compare(live_shop *s, int64_t at_ms, const char *when);

#endif
