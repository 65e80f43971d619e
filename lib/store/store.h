/* SQLite: the handle, transactions, statements; what the rooms above share of them.
 * The door of room store; no other room includes <sqlite3.h>. */
#ifndef CJ__STORE_STORE_H
#define CJ__STORE_STORE_H

#include "base/alloc.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/table.h"
#include "base/text.h"
#include "base/time.h"
#include "store/row.h"

typedef struct cj__store cj__store; /* connections, statements, locks: store/internal.h */
struct cj__identity;                /* caches of the rooms above, freed through their doors */
struct cj__recorder;

struct cj_db {
    cj__ctx cx; /* cx.allocator first */
    uint64_t magic;
    int64_t pid;
    cj__store *store;
    struct cj__identity *identity;
    struct cj__recorder *recorder;
    cj__zone *zone;      /* the store's time zone; constant after open */
    char currency[4];    /* the store's currency; constant after open */
    int currency_exponent;
    int64_t flags, busy_ms, commit_ms, seal_events;
};

#endif
