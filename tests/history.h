/* A random history of a shop: recorded through the public API, and kept beside as plain
 * arrays, so that tests can say slowly and obviously what a result must be.  One
 * identifier per event: nodes count up in the order in which users first appear. */
#ifndef CJ_TESTS_HISTORY_H
#define CJ_TESTS_HISTORY_H

#include "scan/scan.h"

typedef struct history_event {
    int64_t time_ms, value, quantity;
    int user, name, channel; /* channel -1: none */
    int has_value;
    int product; /* 0: none */
    uint32_t node;
    char session[24], order[24]; /* "": none */
    char properties[64];
} history_event;

typedef struct history_edge {
    int64_t edge;
    uint32_t a, b;
    int live;
} history_edge;

typedef struct history {
    cj_db *db;
    char path[64];
    uint64_t random;
    uint32_t span_hours;   /* of the times; few: fewer slices, of more blocks */
    uint32_t n_products;   /* of random events: 1 .. n_products; 0: they have none */
    history_event *events; /* in order of arrival */
    int n_events;
    int n_users;
    uint32_t *node_of; /* of each user; 0: not yet seen */
    int *user_of;      /* of each node */
    uint32_t n_nodes;
    history_edge *edges;
    int n_edges;
    uint32_t *root; /* of each node; see history_roots */
} history;

#define HISTORY_NAMES 4
#define HISTORY_CHANNELS 3
extern const char *const history_names[HISTORY_NAMES]; /* order, refund, ... */
extern const char *const history_channels[HISTORY_CHANNELS];
#define HISTORY_FROM_MS INT64_C(1704067200000) /* 2024-01-01 */
#define HISTORY_UNTIL_MS (HISTORY_FROM_MS + INT64_C(100) * 86400000)

/* A new file in UTC (time_zone NULL) and EUR.  Every third user is a guest. */
void history_open(history *h, uint64_t seed, int n_users, int64_t seal_events,
                  const char *time_zone);
void history_end(history *h); /* closes and removes the file */

uint32_t history_random(history *h, uint32_t below);
void history_record(history *h, int n); /* random events, in batches of random size */
void history_add_many(history *h, history_event e, int n); /* the same, n times */
void history_add(history *h, history_event e);
/* The events of another history in another order. */
void history_copy(history *h, const history *from, const int *order);
void history_merge(history *h);   /* two random profiles */
void history_unmerge(history *h); /* a random edge */

/* The roots of all nodes by looking at the edges again and again. */
void history_roots(history *h);
int history_is_known(const history *h, uint32_t root); /* has more than guests */

/* A scan shows this profile, when it has events. */
int history_shows(const history *h, const cj__scan_options *opts, uint32_t root);
/* The events that a scan shows, as indices in order; free it.  name -1: all. */
int *history_select(history *h, const cj__scan_options *opts, int name, int *n_out);

void history_user(int user, const char **kind, char value[32]);
uint32_t history_name_id(history *h, int name);
uint32_t history_product_id(history *h, int product); /* 0: no event has it */

#endif
