/* See history.h.  Everything here is meant to be obviously right, not fast. */
#include "history.h"

#include "store/reader.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HISTORY_MOST 60000 /* events, edges */

const char *const history_names[HISTORY_NAMES] = {"order", "refund", "product_view",
                                                  "search"};
const char *const history_channels[HISTORY_CHANNELS] = {"web", "app", "store"};

uint32_t history_random(history *h, uint32_t below)
{
    h->random ^= h->random << 13;
    h->random ^= h->random >> 7;
    h->random ^= h->random << 17;
    return (uint32_t)((h->random >> 11) % below);
}

void history_open(history *h, uint64_t seed, int n_users, int64_t seal_events,
                  const char *time_zone)
{
    cj_open_options opts = {
        .struct_size = sizeof opts, .seal_events = seal_events, .time_zone = time_zone};
    int fd;

    memset(h, 0, sizeof *h);
    h->random = seed * 2654435761u + 88172645463325252u;
    h->n_users = n_users;
    h->span_hours = 1400;
    h->events = calloc(HISTORY_MOST, sizeof *h->events);
    h->edges = calloc(HISTORY_MOST, sizeof *h->edges);
    h->node_of = calloc((size_t)n_users, sizeof *h->node_of);
    h->user_of = calloc((size_t)n_users + 1, sizeof *h->user_of);
    h->root = calloc((size_t)n_users + 1, sizeof *h->root);
    snprintf(h->path, sizeof h->path, "/tmp/cj_history_XXXXXX");
    fd = mkstemp(h->path);
    ck_assert_int_ge(fd, 0);
    close(fd);
    unlink(h->path);
    ck_assert_msg(cj_open(h->path, &opts, &h->db) == CJ_OK, "%s", cj_errmsg());
}

void history_end(history *h)
{
    static const char *const endings[] = {"", "-wal", "-shm", "-lock"};
    char name[80];

    ck_assert_int_eq(cj_close(h->db), CJ_OK);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        snprintf(name, sizeof name, "%s%s", h->path, endings[i]);
        unlink(name);
    }
    free(h->events);
    free(h->edges);
    free(h->node_of);
    free(h->user_of);
    free(h->root);
}

void history_user(int user, const char **kind, char value[32])
{
    *kind = user % 3 == 2 ? "guest" : user % 3 == 1 ? "user_id" : "device_id";
    snprintf(value, 32, "%s-%d", user % 3 == 2 ? "till" : "u", user + 1000);
}

/* ---- recording --------------------------------------------------------------------
 */

static history_event history_any(history *h)
{
    history_event e = {.user = (int)history_random(h, (uint32_t)h->n_users),
                       .name = (int)history_random(h, HISTORY_NAMES),
                       .channel = (int)history_random(h, HISTORY_CHANNELS + 1) - 1};

    if (history_random(h, 3) == 0) /* a few users do most */
        e.user = (int)history_random(h, (uint32_t)(1 + h->n_users / 10));
    e.time_ms = HISTORY_FROM_MS + history_random(h, h->span_hours) * (int64_t)3600000;
    if (history_random(h, 2) == 0) /* the others tie in time */
        e.time_ms += history_random(h, 3600000);
    e.has_value = e.name < 2 || history_random(h, 4) == 0;
    if (e.has_value)
        e.value = e.name == 1 ? -(int64_t)history_random(h, 5000) - 1
                              : (int64_t)history_random(h, 20000) * (e.name < 2) + 1;
    if (e.name == 0 && history_random(h, 10) == 0)
        e.value = 0;
    if (history_random(h, 5) == 0)
        e.quantity = 1 + history_random(h, 9);
    if (history_random(h, 2) == 0)
        snprintf(e.session, sizeof e.session, history_random(h, 2) ? "%u" : "s-%u",
                 history_random(h, 100));
    if (e.name < 2)
        snprintf(e.order, sizeof e.order, "o%u", history_random(h, 100000));
    if (history_random(h, 3) == 0)
        snprintf(e.properties, sizeof e.properties, "{\"page\":\"/p/%u\",\"n\":%u}",
                 history_random(h, 50), history_random(h, 7));
    if (h->n_products > 0 && history_random(h, 4) > 0)
        e.product = 1 + (int)history_random(h, h->n_products);
    return e;
}

static const char *history_text(const char *text)
{
    return text[0] == '\0' ? NULL : text;
}

static void history_batch(history *h, const history_event *added, int n)
{
    cj_event *events = calloc((size_t)n, sizeof *events);
    cj_identifier *ids = calloc((size_t)n, sizeof *ids);
    char(*values)[32] = calloc((size_t)n, sizeof *values);
    char(*products)[16] = calloc((size_t)n, sizeof *products);
    cj_record_result result = {.struct_size = sizeof result};

    for (int i = 0; i < n; i++) {
        const history_event *from = &added[i];

        ids[i].struct_size = sizeof ids[i];
        history_user(from->user, &ids[i].kind, values[i]);
        ids[i].value = values[i];
        if (from->product > 0)
            snprintf(products[i], sizeof *products, "P%d", from->product);
        events[i] = (cj_event){
            .struct_size = sizeof events[i],
            .time_ms = from->time_ms,
            .name = history_names[from->name],
            .channel = from->channel < 0 ? NULL : history_channels[from->channel],
            .identifiers = &ids[i],
            .n_identifiers = 1,
            .session = history_text(from->session),
            .order_id = history_text(from->order),
            .product = history_text(products[i]),
            .quantity = from->quantity,
            .value_minor = from->value,
            .properties = history_text(from->properties),
        };
    }
    ck_assert_msg(cj_record_many(h->db, events, n, 0, &result) == CJ_OK, "%s",
                  cj_errmsg());
    ck_assert_int_eq(result.n_recorded, n);
    free(events);
    free(ids);
    free(values);
    free(products);
}

/* Note an event as the store will: a new user is a new node. */
static void history_note(history *h, const history_event *e)
{
    history_event *to = &h->events[h->n_events++];

    ck_assert_int_lt(h->n_events, HISTORY_MOST);
    *to = *e;
    if (h->node_of[e->user] == 0) {
        h->node_of[e->user] = ++h->n_nodes;
        h->user_of[h->n_nodes] = e->user;
    }
    to->node = h->node_of[e->user];
}

void history_record(history *h, int n)
{
    while (n > 0) {
        int size = 1 + (int)history_random(h, n < 600 ? 40 : 1500), first = h->n_events;

        size = size < n ? size : n;
        for (int i = 0; i < size; i++) {
            history_event e = history_any(h);

            history_note(h, &e);
        }
        history_batch(h, h->events + first, size);
        n -= size;
    }
}

void history_add(history *h, history_event e)
{
    history_add_many(h, e, 1);
}

void history_add_many(history *h, history_event e, int n)
{
    int first = h->n_events;

    for (int i = 0; i < n; i++)
        history_note(h, &e);
    history_batch(h, h->events + first, n);
}

void history_copy(history *h, const history *from, const int *order)
{
    for (int i = 0, n; i < from->n_events; i += n) {
        int first = h->n_events;

        n = 1 + (int)history_random(h, 60);
        n = n < from->n_events - i ? n : from->n_events - i;
        for (int k = i; k < i + n; k++)
            history_note(h, &from->events[order[k]]);
        history_batch(h, h->events + first, n);
    }
}

/* ---- identity ---------------------------------------------------------------------
 */

void history_roots(history *h)
{
    int changed = 1;

    for (uint32_t node = 1; node <= h->n_nodes; node++)
        h->root[node] = node;
    while (changed) {
        changed = 0;
        for (int i = 0; i < h->n_edges; i++) {
            uint32_t *a = &h->root[h->edges[i].a], *b = &h->root[h->edges[i].b];

            if (!h->edges[i].live || *a == *b)
                continue;
            if (*a < *b)
                *b = *a;
            else
                *a = *b;
            changed = 1;
        }
    }
}

int history_is_known(const history *h, uint32_t root)
{
    for (uint32_t node = 1; node <= h->n_nodes; node++) {
        if (h->root[node] == root && h->user_of[node] % 3 != 2)
            return 1;
    }
    return 0;
}

void history_merge(history *h)
{
    uint32_t a, b;
    int64_t edge;

    if (h->n_nodes < 2)
        return;
    history_roots(h);
    a = h->root[1 + history_random(h, h->n_nodes)];
    b = h->root[1 + history_random(h, h->n_nodes)];
    if (a == b) {
        ck_assert_int_eq(cj_merge(h->db, a, b, &edge), CJ_EEXISTS);
        return;
    }
    ck_assert_msg(cj_merge(h->db, a, b, &edge) == CJ_OK, "%s", cj_errmsg());
    for (int i = 0; i < h->n_edges; i++) { /* the same pair again: the same edge */
        if (h->edges[i].edge == edge) {
            h->edges[i].live = 1;
            return;
        }
    }
    h->edges[h->n_edges++] = (history_edge){.edge = edge, .a = a, .b = b, .live = 1};
}

void history_unmerge(history *h)
{
    history_edge *e;

    if (h->n_edges == 0)
        return;
    e = &h->edges[history_random(h, (uint32_t)h->n_edges)];
    if (!e->live)
        return;
    ck_assert_msg(cj_unmerge(h->db, e->edge) == CJ_OK, "%s", cj_errmsg());
    e->live = 0;
}

/* ---- what a scan shows ------------------------------------------------------------
 */

typedef struct history_sorted {
    const history *h;
    int index;
} history_sorted;

static int history_compare(const void *x, const void *y)
{
    const history_sorted *a = x, *b = y;
    const history_event *e = &a->h->events[a->index], *f = &b->h->events[b->index];
    uint32_t root_e = a->h->root[e->node], root_f = b->h->root[f->node];

    if (root_e != root_f)
        return root_e < root_f ? -1 : 1;
    if (e->time_ms != f->time_ms)
        return e->time_ms < f->time_ms ? -1 : 1;
    if (e->node != f->node)
        return e->node < f->node ? -1 : 1;
    return a->index < b->index ? -1 : 1;
}

int history_shows(const history *h, const cj__scan_options *opts, uint32_t root)
{
    return (opts->profile == 0 || opts->profile == root) &&
           (opts->profiles == NULL ||
            (opts->profiles[root >> 6] >> (root & 63) & 1) != 0) &&
           (opts->guests || history_is_known(h, root));
}

static int history_wants(const history *h, const history_event *e,
                         const cj__scan_options *opts, int name)
{
    uint32_t root = h->root[e->node];

    return (opts->from_ms == 0 || e->time_ms >= opts->from_ms) &&
           (opts->until_ms == 0 || e->time_ms < opts->until_ms) &&
           (!opts->value_only || (e->name < 2 && e->has_value)) &&
           history_shows(h, opts, root) && (name < 0 || name == e->name);
}

static int history_is_among(const uint32_t *list, size_t n, uint32_t id)
{
    for (size_t i = 0; i < n; i++) {
        if (list[i] == id)
            return 1;
    }
    return n == 0;
}

int *history_select(history *h, const cj__scan_options *opts, int name, int *n_out)
{
    history_sorted *sorted = calloc((size_t)h->n_events + 1, sizeof *sorted);
    int *indices = calloc((size_t)h->n_events + 1, sizeof *indices);
    uint32_t ids[HISTORY_NAMES] = {0};
    uint32_t *products = calloc((size_t)h->n_products + 1, sizeof *products);
    int n = 0;

    history_roots(h);
    for (int i = 0; opts->n_names > 0 && i < HISTORY_NAMES; i++)
        ids[i] = history_name_id(h, i);
    for (uint32_t i = 1; opts->n_products > 0 && i <= h->n_products; i++)
        products[i] = history_product_id(h, (int)i);
    for (int i = 0; i < h->n_events; i++) {
        const history_event *e = &h->events[i];

        if (history_wants(h, e, opts, name) &&
            history_is_among(opts->names, opts->n_names, ids[e->name]) &&
            history_is_among(opts->products, opts->n_products, products[e->product]))
            sorted[n++] = (history_sorted){h, i};
    }
    qsort(sorted, (size_t)n, sizeof *sorted, history_compare);
    for (int i = 0; i < n; i++)
        indices[i] = sorted[i].index;
    free(sorted);
    free(products);
    *n_out = n;
    return indices;
}

static uint32_t history_term(history *h, int space, const char *text)
{
    cj__reader *reader;
    uint32_t id;

    ck_assert_int_eq(cj__reader_open(h->db, &reader), CJ_OK);
    ck_assert_int_eq(cj__reader_term_id(reader, space, cj__text_of(text), &id), CJ_OK);
    cj__reader_end(reader);
    return id;
}

uint32_t history_name_id(history *h, int name)
{
    return history_term(h, CJ__SPACE_NAME, history_names[name]);
}

uint32_t history_product_id(history *h, int product)
{
    char text[16];

    snprintf(text, sizeof text, "P%d", product);
    return history_term(h, CJ__SPACE_PRODUCT, text);
}
