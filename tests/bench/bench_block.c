/* Bytes and time per event of the block codec on two kinds of events: "visits" (what a
 * shop's trackers send: a session per visit, most events of a visit within minutes) and
 * "shop" (tests/bench/shop.c, where nothing repeats).  Sorted as sealing sorts them. */
#include "shop.h"
#include "store/block.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BENCH_BLOCKS = 64,
    BENCH_EVENTS = BENCH_BLOCKS * CJ__BLOCK_EVENTS,
    BENCH_ROUNDS = 5
};
static const int64_t bench_week_ms = INT64_C(7) * 86400000;

typedef struct bench_set {
    cj__row *rows;
    cj__arena arena;
    cj__ctx cx;
    uint64_t state;
} bench_set;

static uint64_t bench_dice(bench_set *b)
{
    uint64_t z = (b->state += 0x9e3779b97f4a7c15u); /* splitmix64 */

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* From 0 to n - 1, low numbers more often. */
static uint32_t bench_skewed(bench_set *b, uint32_t n)
{
    double u = (double)(bench_dice(b) >> 11) * 0x1p-53;

    return (uint32_t)(u * u * n);
}

static cj__text bench_text(bench_set *b, const char *text)
{
    size_t n = strlen(text);

    return (cj__text){cj__arena_text(&b->arena, text, n), n};
}

static int bench_order(const void *x, const void *y)
{
    const cj__row *a = x, *b = y;

    if (a->node != b->node)
        return a->node < b->node ? -1 : 1;
    return (a->time_ms > b->time_ms) - (a->time_ms < b->time_ms);
}

static void visit_properties(bench_set *b, cj__row *row)
{
    static const char *const refs[] = {"search", "category", "home", "mail", "ads"};
    static const char *const variants[] = {"blue-m", "blue-l", "red-s", "red-m",
                                           "black-xl"};
    uint32_t product = row->product;
    char text[160];

    if (row->name < 4)
        snprintf(text, sizeof text,
                 "{\"path\":\"/%s\",\"title\":\"Shop - page %u\",\"load_ms\":%u}",
                 refs[bench_skewed(b, 5)], bench_skewed(b, 30),
                 200 + bench_skewed(b, 2000));
    else if (row->has_value)
        snprintf(
            text, sizeof text,
            "{\"payment\":\"%s\",\"coupon\":null,\"items\":%u,\"shipping\":%u.%02u}",
            row->value_minor % 3 ? "card" : "invoice", 1 + bench_skewed(b, 8), 4, 90);
    else
        snprintf(text, sizeof text,
                 "{\"path\":\"/shop/p/%u\",\"ref\":\"%s\",\"position\":%u,\"price\":%u,"
                 "\"variant\":\"%s\"}",
                 10000 + product, refs[bench_skewed(b, 5)], bench_skewed(b, 40),
                 product % 90 * 100 + 495, variants[bench_dice(b) % 5]);
    row->properties = bench_text(b, text);
}

static void bench_visits(bench_set *b)
{
    uint32_t i = 0, session = 100000;
    char text[32];

    while (i < BENCH_EVENTS) {
        uint32_t node = 1 + bench_skewed(b, BENCH_EVENTS / 6),
                 n = 1 + bench_skewed(b, 16);
        uint32_t channel = 1 + bench_skewed(b, 6),
                 campaign = (uint32_t)(bench_dice(b) % 8);
        int64_t now =
            SHOP_YEAR_START_MS + (int64_t)(bench_dice(b) % (uint64_t)bench_week_ms);

        snprintf(text, sizeof text, "%u", session++);
        for (; n > 0 && i < BENCH_EVENTS; n--, i++) {
            cj__row *row = &b->rows[i];

            *row = (cj__row){.time_ms = now, .node = node, .channel = channel};
            row->name = 1 + bench_skewed(b, 12);
            row->session = bench_text(b, text);
            row->campaign = campaign < 2 ? campaign + 20 : 0;
            row->product = row->name >= 4 ? 100 + bench_skewed(b, 10000) : 0;
            if (row->name > 11) {
                row->has_value = 1;
                row->value_minor = 995 + 50 * bench_skewed(b, 400);
                row->currency = 9;
                row->order = bench_text(b, text);
            }
            visit_properties(b, row);
            now += 2000 + bench_skewed(b, 180000);
        }
    }
}

static void bench_shop(bench_set *b)
{
    shop s = shop_of(INT64_C(52) * BENCH_EVENTS);
    shop_event *e = malloc(sizeof *e);

    for (uint32_t i = 0; e != NULL && i < BENCH_EVENTS; i++) {
        cj__row *row = &b->rows[i];

        shop_make(&s, i, e);
        *row = (cj__row){.time_ms = e->event.time_ms, .node = (uint32_t)e->person + 1};
        row->name = (uint32_t)e->name + 1;
        row->channel = (uint32_t)e->channel + 1;
        row->campaign = e->event.campaign == NULL ? 0 : (uint32_t)e->event.campaign[0];
        row->product =
            e->event.product == NULL ? 0 : 100 + (uint32_t)atoi(e->product + 1);
        row->quantity = e->event.quantity;
        row->value_minor = e->event.value_minor;
        row->has_value = row->value_minor != 0;
        row->currency = row->has_value ? 9 : 0;
        row->session = bench_text(b, e->session);
        if (e->event.order_id != NULL)
            row->order = bench_text(b, e->order);
        row->properties = bench_text(b, e->properties);
    }
    free(e);
}

/* ---- measuring --------------------------------------------------------------------
 */

typedef struct bench_block {
    cj__str core, props;
} bench_block;

static double bench_best(double best, double begin, int64_t n)
{
    double ns = (shop_cpu_seconds() - begin) * 1e9 / (double)n;

    return ns < best ? ns : best;
}

static void bench_encode(bench_set *b, bench_block *blocks, double best[2])
{
    double begin = shop_cpu_seconds();

    for (int i = 0; i < BENCH_BLOCKS; i++) {
        cj__str_clear(&blocks[i].core);
        cj__str_clear(&blocks[i].props);
        if (cj__block_encode(&b->cx.allocator, b->rows + (size_t)i * CJ__BLOCK_EVENTS,
                             CJ__BLOCK_EVENTS, CJ__COL_ALL, &blocks[i].core,
                             &blocks[i].props) != CJ_OK)
            shop_die("cj__block_encode");
    }
    best[0] = bench_best(best[0], begin, BENCH_EVENTS);
    begin = shop_cpu_seconds();
    for (int i = 0; i < BENCH_BLOCKS; i++) {
        cj__str_clear(&blocks[i].props);
        if (cj__props_encode(&b->cx.allocator, b->rows + (size_t)i * CJ__BLOCK_EVENTS,
                             CJ__BLOCK_EVENTS, &blocks[i].props) != CJ_OK)
            shop_die("cj__props_encode");
    }
    best[1] = bench_best(best[1], begin, BENCH_EVENTS);
}

static cj__text bench_bytes(const cj__str *s)
{
    return (cj__text){s->data, s->n};
}

static void bench_rows(bench_set *b, const bench_block *blocks, double best[2])
{
    cj__row *rows = malloc(CJ__BLOCK_EVENTS * sizeof *rows);
    cj__arena arena;
    int64_t n;

    cj__arena_init(&arena, &b->cx.allocator);
    for (int with = 0; with < 2; with++) {
        double begin = shop_cpu_seconds();

        for (int i = 0; i < BENCH_BLOCKS; i++) {
            const cj__text none = {NULL, 0};

            if (cj__block_rows(bench_bytes(&blocks[i].core),
                               with ? bench_bytes(&blocks[i].props) : none, &arena,
                               rows, &n) != CJ_OK)
                shop_die("cj__block_rows");
            if (with && memcmp(rows[77].properties.data,
                               b->rows[i * CJ__BLOCK_EVENTS + 77].properties.data,
                               rows[77].properties.n) != 0)
                shop_die("properties differ");
            cj__arena_reset(&arena);
        }
        best[with] = bench_best(best[with], begin, BENCH_EVENTS);
    }
    cj__arena_end(&arena);
    free(rows);
}

static void bench_columns(bench_set *b, const bench_block *blocks, double best[3])
{
    static uint32_t node[CJ__BLOCK_EVENTS], ids[6][CJ__BLOCK_EVENTS];
    static int64_t wide[3][CJ__BLOCK_EVENTS];
    static uint64_t keys[2][CJ__BLOCK_EVENTS];
    static uint8_t has_value[CJ__BLOCK_EVENTS];
    const uint32_t four = CJ__COL_TIME | CJ__COL_NAME | CJ__COL_VALUE;
    cj__columns c = {0,         node,    wide[0], ids[0],  ids[1],
                     ids[2],    ids[3],  ids[4],  ids[5],  wide[1],
                     has_value, wide[2], keys[0], keys[1], NULL};
    int64_t first;

    for (int all = 0; all < 2; all++) {
        double begin = shop_cpu_seconds();

        for (int i = 0; i < BENCH_BLOCKS; i++)
            if (cj__block_columns(bench_bytes(&blocks[i].core),
                                  all ? CJ__COL_ALL : four, &c) != CJ_OK)
                shop_die("cj__block_columns");
        best[all] = bench_best(best[all], begin, BENCH_BLOCKS);
    }
    double begin = shop_cpu_seconds();
    for (int i = 0; i < BENCH_BLOCKS * 64; i++) {
        size_t row = (size_t)i * (CJ__BLOCK_EVENTS / 64) + 5;

        if (cj__block_node(bench_bytes(&blocks[i / 64].core), b->rows[row].node, four,
                           &c, &first) != CJ_OK ||
            c.n == 0)
            shop_die("cj__block_node");
    }
    best[2] = bench_best(best[2], begin, BENCH_BLOCKS * 64);
}

static void bench_run(const char *name, void (*make)(bench_set *))
{
    static bench_block blocks[BENCH_BLOCKS];
    double best[7] = {1e9, 1e9, 1e9, 1e9, 1e9, 1e9, 1e9};
    size_t core = 0, props = 0, json = 0;
    bench_set b = {.rows = calloc(BENCH_EVENTS, sizeof(cj__row))};

    cj__ctx_init(&b.cx, NULL, NULL, NULL, NULL, NULL, NULL);
    cj__arena_init(&b.arena, &b.cx.allocator);
    if (b.rows == NULL)
        shop_die("out of memory");
    make(&b);
    qsort(b.rows, BENCH_EVENTS, sizeof *b.rows, bench_order);
    for (int i = 0; i < BENCH_BLOCKS; i++) {
        cj__str_init(&blocks[i].core, &b.cx.allocator, 1 << 24);
        cj__str_init(&blocks[i].props, &b.cx.allocator, 1 << 24);
    }
    for (int round = 0; round < BENCH_ROUNDS; round++) {
        bench_encode(&b, blocks, best);
        bench_rows(&b, blocks, best + 2);
        bench_columns(&b, blocks, best + 4);
    }
    for (int i = 0; i < BENCH_BLOCKS; i++) {
        core += blocks[i].core.n;
        props += blocks[i].props.n;
        cj__str_end(&blocks[i].core);
        cj__str_end(&blocks[i].props);
    }
    for (uint32_t i = 0; i < BENCH_EVENTS; i++)
        json += b.rows[i].properties.n;
    printf("%s: core %.2f B/event, properties %.2f B/event (of %.1f)\n", name,
           (double)core / BENCH_EVENTS, (double)props / BENCH_EVENTS,
           (double)json / BENCH_EVENTS);
    printf("  encode %.0f ns/event (properties %.0f); rows %.0f ns/event (core %.0f)\n",
           best[0], best[1], best[3], best[2]);
    printf("  node+time+name+value %.1f us/block; all columns %.1f us/block; "
           "one node %.2f us\n",
           best[4] / 1000, best[5] / 1000, best[6] / 1000);
    cj__arena_end(&b.arena);
    free(b.rows);
}

int main(void)
{
    bench_run("visits", bench_visits);
    bench_run("shop", bench_shop);
    return 0;
}
