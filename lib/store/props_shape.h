/* Shapes: a JSON text with the insides of its strings and its numbers cut out.  Nothing
 * here parses JSON: a shape and its slots put together again are the text, whatever it
 * is, so shapes need not be right, only frequent. */
#ifndef CJ__STORE_PROPS_SHAPE_H
#define CJ__STORE_PROPS_SHAPE_H

#include "base/limits.h"
#include "store/bits.h"
#include "store/row.h"

/* Shapes counted in a block, and how many of them, the frequent ones, are written.
 * Texts of other shapes stay whole. */
#define CJ__SHAPES_SEEN 255
#define CJ__SHAPES_KEPT 64
#define CJ__SHAPE_SLOTS 255
#define CJ__SHAPE_NONE CJ__SHAPES_SEEN

typedef struct cj__slot { /* bytes [at, at + n) of the row's text */
    uint32_t at, n;
} cj__slot;

typedef struct cj__shape {
    cj__text *pieces; /* n_slots + 1 */
    uint8_t *strings; /* per slot: 1 the inside of a string, 0 a number */
    uint32_t n_slots, n_rows;
    uint64_t hash;
} cj__shape;

typedef struct cj__shapes {
    cj__arena arena; /* of pieces */
    cj__shape list[CJ__SHAPES_SEEN];
    uint32_t n;
    uint8_t hint[64];    /* by event name: the shape such an event had last, + 1 */
    uint8_t hashed[512]; /* hash table: shape + 1 */
    uint8_t strings[CJ__SHAPE_SLOTS]; /* of the text at hand */
} cj__shapes;

/* Cut a text into slots (room for CJ__SHAPE_SLOTS) and find its shape, a new one if
 * need be; *shape_out is its number or CJ__SHAPE_NONE when it has none.  hint: the
 * event's name.  Errors: CJ_ENOMEM. */
int32_t cj__shape_of(cj__shapes *s, cj__text text, uint32_t hint, cj__slot *slots,
                     uint32_t *shape_out);

#endif
