/* An event as the store sees it: ids instead of texts where texts repeat.  Rows are
 * what the journal packs and blocks are made of; columns are what a scan reads. */
#ifndef CJ__STORE_ROW_H
#define CJ__STORE_ROW_H

#include "base/str.h"

#define CJ__BLOCK_EVENTS                                                               \
    4096 /* rows of a block at most: 16 KiB a decoded column, L1/L2 */

typedef struct cj__row {
    int64_t time_ms;
    int64_t quantity;    /* 0: absent */
    int64_t value_minor; /* meaningful when has_value */
    uint32_t node;       /* from 1 */
    uint32_t name;       /* term ids, from 1; 0: absent (name is always present) */
    uint32_t channel;
    uint32_t campaign;
    uint32_t content;
    uint32_t product;
    uint32_t currency; /* present only when has_value */
    uint32_t has_value;
    cj__text session; /* data NULL: absent; never empty */
    cj__text order;
    cj__text properties; /* a JSON object, byte for byte */
} cj__row;

/* Columns, as bits of "what is wanted". */
enum {
    CJ__COL_TIME = 1,
    CJ__COL_NAME = 2,
    CJ__COL_CHANNEL = 4,
    CJ__COL_VALUE = 8, /* value_minor and has_value */
    CJ__COL_QUANTITY = 16,
    CJ__COL_CAMPAIGN = 32,
    CJ__COL_CONTENT = 64,
    CJ__COL_PRODUCT = 128,
    CJ__COL_CURRENCY = 256,
    CJ__COL_SESSION = 512, /* as keys: equal text, equal key */
    CJ__COL_ORDER = 1024,
    CJ__COL_PROPERTIES = 2048,
    CJ__COL_ALL = 4095,
    /* what the value projection keeps */
    CJ__COL_PROJECTION = CJ__COL_TIME | CJ__COL_NAME | CJ__COL_CHANNEL | CJ__COL_VALUE |
                         CJ__COL_CAMPAIGN | CJ__COL_CURRENCY
};

/* Columns of n events.  A pointer may be NULL when the column is not wanted.  Events
 * are sorted by (node, time, arrival). */
typedef struct cj__columns {
    int64_t n;
    uint32_t *node;
    int64_t *time_ms;
    uint32_t *name, *channel, *campaign, *content, *product, *currency;
    int64_t *value_minor;
    uint8_t *has_value;
    int64_t *quantity;
    uint64_t *session, *order;   /* keys: 0 absent */
    const cj__text **properties; /* data NULL: absent */
} cj__columns;

/* Names every file has: terms 1 to 3 (store/migrations/0001_first.sql). */
enum { CJ__NAME_ORDER = 1, CJ__NAME_REFUND = 2, CJ__NAME_ORDER_ITEM = 3 };

/* Is it in the value projection? */
static inline int cj__row_is_value(const cj__row *row)
{
    return row->has_value &&
           (row->name == CJ__NAME_ORDER || row->name == CJ__NAME_REFUND);
}

/* The key of a session or order text: canonical decimal numbers below 2^62 are
 * (number << 1 | 1), anything else a hash with bit 0 clear and never 0. */
uint64_t cj__row_key(cj__text text);

#endif
