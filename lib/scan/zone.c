/* Zone maps: which names and products occur together in a block, so that a question
 * after one product reads only the blocks that have it.  Made when a block is decoded
 * for such a question, and kept for the next one.
 *
 * A Bloom filter of (name, product) in 64-bit words: a pair is four bits of one word,
 * and there are twelve bits for each row that has a product, so about one block in
 * fifty is read in vain. */
#include "scan/internal.h"

#define ZONE_BITS 12
#define ZONE_PAIRS 64 /* more are asked for: then few blocks can be passed over */

typedef struct zone_place {
    uint64_t word, bits;
} zone_place;

static zone_place zone_at(uint32_t name, uint32_t product, uint64_t n_words)
{
    uint64_t h = ((uint64_t)name << 32 | product) * 0x9E3779B97F4A7C15u;

    h = (h ^ h >> 29) * 0xBF58476D1CE4E5B9u; /* as in splitmix64 */
    h ^= h >> 32;
    return (zone_place){(h >> 32) * n_words >> 32, (uint64_t)1 << (h & 63) |
                                                       (uint64_t)1 << (h >> 6 & 63) |
                                                       (uint64_t)1 << (h >> 12 & 63) |
                                                       (uint64_t)1 << (h >> 18 & 63)};
}

int cj__zone_suits(const cj__scan_options *opts)
{
    return opts->n_names > 0 && opts->n_products > 0 &&
           opts->n_names <= ZONE_PAIRS / opts->n_products;
}

static int zone_has_any(const cj__scan_options *opts, const uint64_t *words, uint64_t n)
{
    for (size_t i = 0; i < opts->n_names; i++) {
        for (size_t k = 0; k < opts->n_products; k++) {
            const zone_place at = zone_at(opts->names[i], opts->products[k], n);

            if ((words[at.word] & at.bits) == at.bits)
                return 1;
        }
    }
    return 0;
}

int cj__zone_may_have(const cj__plan *p, int64_t block)
{
    cj__kept_block *zone = cj__reader_kept(p->reader, CJ__KEPT_ZONES, block);
    int may = 1;

    if (zone != NULL && zone->n > 0)
        may = zone_has_any(&p->opts, (const uint64_t *)(const void *)zone->bytes,
                           zone->n / sizeof(uint64_t));
    else if (zone != NULL) /* no row has a product */
        may = 0;
    cj__reader_let_go(p->reader, CJ__KEPT_ZONES, zone);
    return may;
}

static int32_t zone_keep(cj__reader *reader, int64_t block, const uint32_t *name,
                         const uint32_t *product, int64_t n)
{
    enum { WORDS = CJ__BLOCK_EVENTS * ZONE_BITS / 64 };
    uint64_t words[WORDS] = {0}, n_words = 0;

    for (int64_t i = 0; i < n; i++)
        n_words += product[i] != 0;
    n_words = (n_words * ZONE_BITS + 63) / 64;
    for (int64_t i = 0; i < n; i++) {
        if (product[i] != 0) {
            const zone_place at = zone_at(name[i], product[i], n_words);

            words[at.word] |= at.bits;
        }
    }
    return cj__reader_keep(reader, CJ__KEPT_ZONES, block,
                           (cj__text){(const char *)words, n_words * sizeof *words});
}

int32_t cj__zone_keep(cj__worker *w, int64_t block, const cj__frame *f, int64_t n)
{
    cj__reader *reader = w->walk->plan.reader;
    cj__kept_block *there = cj__reader_kept(reader, CJ__KEPT_ZONES, block);

    if (there == NULL)
        return zone_keep(reader, block, f->u32[CJ__FRAME_NAME] + f->n,
                         f->u32[CJ__FRAME_PRODUCT] + f->n, n);
    cj__reader_let_go(reader, CJ__KEPT_ZONES, there);
    return CJ_OK;
}
