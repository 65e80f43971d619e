/* How a block's core is laid out (docs/FORMAT.md), for its encoder and decoder. */
#ifndef CJ__STORE_BLOCK_LAYOUT_H
#define CJ__STORE_BLOCK_LAYOUT_H

#include "store/block.h"
#include "store/texts.h"

enum {
    CJ__BLOCK_MARK = 0xc1,
    CJ__PROPS_MARK = 0xd1,
    CJ__BLOCK_SUM = 1,       /* where the checksum of what follows it is */
    CJ__BLOCK_PROPS_SUM = 9, /* where the checksum of the properties is */
    CJ__BLOCK_FIELDS = 17,   /* where the varints begin */
    CJ__BLOCK_RANK_ROWS = 512,
    CJ__BLOCK_OPTIONAL =
        8, /* columns that a row may lack, in the order of presence bits */
    CJ__BLOCK_SECTIONS = 4 + CJ__BLOCK_OPTIONAL
};

enum {
    CJ__SECTION_NODES,
    CJ__SECTION_TIMES,
    CJ__SECTION_CODES,
    CJ__SECTION_RANKS,
    CJ__SECTION_COLUMNS /* and seven more */
};

/* The optional columns; the last two are texts. */
enum {
    CJ__OPT_VALUE,
    CJ__OPT_QUANTITY,
    CJ__OPT_CAMPAIGN,
    CJ__OPT_CONTENT,
    CJ__OPT_PRODUCT,
    CJ__OPT_CURRENCY,
    CJ__OPT_SESSION,
    CJ__OPT_ORDER
};
extern const uint32_t cj__block_optional[CJ__BLOCK_OPTIONAL]; /* their CJ__COL_* */

typedef struct cj__block_layout {
    cj__block_header header;
    cj__text sections[CJ__BLOCK_SECTIONS];
} cj__block_layout;

/* Read the head without looking at checksums: 0, or -1 when damaged. */
int cj__block_layout_read(cj__text core, cj__block_layout *out);

/* The section of nodes: how many runs, and the packs of their steps and lengths.  0, or
 * -1 when damaged. */
int cj__block_layout_nodes(const cj__block_layout *layout, uint32_t *runs,
                           cj__text *steps, cj__text *lengths);

int32_t cj__block_corrupt(void); /* fails with CJ_ECORRUPT */

#endif
