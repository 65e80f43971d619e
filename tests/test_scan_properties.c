/* Properties in a scan: each event brings its own, to the folds that ask for them, as
 * cj_events tells them; and how much memory that takes. */
#include "history.h"

#include "harness.h"

#include <stdio.h>
#include <string.h>

enum { EVENTS_TIME = 2, EVENTS_PROPERTIES = 13 }; /* columns of cj_events */

static void line_put(cj__str *s, int64_t profile, int64_t time_ms, cj__text properties)
{
    cj__str_put_int64(s, profile);
    cj__str_put_char(s, ' ');
    cj__str_put_int64(s, time_ms);
    cj__str_put_char(s, ' ');
    if (properties.data == NULL)
        cj__str_put_text(s, "none");
    else
        cj__str_put(s, properties.data, properties.n);
    cj__str_put_char(s, '\n');
}

static int32_t fold_lines(const void *arg, cj__str *partial, uint32_t profile,
                          const cj__columns *c, int64_t first, int64_t n)
{
    (void)arg;
    for (int64_t i = first; i < first + n; i++)
        line_put(partial, profile, c->time_ms[i], *c->properties[i]);
    return cj__str_status(partial);
}

static int table_has(const cj_table *t, int column, int64_t row)
{
    const uint8_t *bits = cj_table_validity(t, column);

    return bits == NULL || (bits[row / 8] >> (row % 8) & 1) != 0;
}

/* The same by cj_events. */
static void events_lines(history *h, const cj__scan_options *opts, cj__str *s)
{
    cj_events_options o = {.struct_size = sizeof o,
                           .profile = opts->profile,
                           .from_ms = opts->from_ms,
                           .until_ms = opts->until_ms};
    const int64_t *at;
    const char *text;
    cj_table *t;

    history_roots(h);
    ck_assert_msg(cj_events(h->db, &o, &t) == CJ_OK, "%s", cj_errmsg());
    text = cj_table_text(t, EVENTS_PROPERTIES, &at);
    for (int64_t i = 0; i < cj_table_rows(t); i++) {
        int64_t profile = cj_table_int64(t, 0)[i];
        cj__text properties = {NULL, 0};

        if (!opts->guests && !history_is_known(h, (uint32_t)profile))
            continue;
        if (table_has(t, EVENTS_PROPERTIES, i))
            properties = (cj__text){text + at[i], (size_t)(at[i + 1] - at[i])};
        line_put(s, profile, cj_table_int64(t, EVENTS_TIME)[i], properties);
    }
    cj_table_free(t);
}

static void expect_scan(history *h, const cj__scan_options *opts)
{
    cj__fold fold = {.columns = CJ__COL_PROPERTIES, .profile = fold_lines};
    cj__str want;

    cj__str_init(&want, &h->db->cx.allocator, SIZE_MAX / 4);
    events_lines(h, opts, &want);
    ck_assert_msg(cj__scan(h->db, opts, &fold, 1) == CJ_OK, "%s", cj_errmsg());
    ck_assert_uint_eq(fold.partial.n, want.n);
    if (want.n > 0)
        ck_assert_mem_eq(fold.partial.data, want.data, want.n);
    cj__str_end(&fold.partial);
    cj__str_end(&want);
}

static void expect_scans(history *h)
{
    static const int64_t memory[] = {0, 1, 300000};
    const int64_t day_ms = 86400000;

    for (int i = 0; i < 9; i++) {
        cj__scan_options opts = {.threads = 1 + i / 3, .memory_bytes = memory[i % 3]};

        expect_scan(h, &opts);
        opts.guests = 1;
        expect_scan(h, &opts);
        opts.from_ms = HISTORY_FROM_MS + history_random(h, 50) * day_ms;
        opts.until_ms = opts.from_ms + (1 + history_random(h, 20)) * day_ms;
        expect_scan(h, &opts);
        opts.profile = 1 + history_random(h, h->n_nodes);
        expect_scan(h, &opts);
        opts.from_ms = opts.until_ms = 0;
        expect_scan(h, &opts);
    }
}

/* In the journal, sealed, merged with others, parted from them, compacted. */
static void properties_history(uint64_t seed, int n_users, int64_t seal_events)
{
    history h;

    history_open(&h, seed, n_users, seal_events, NULL);
    for (int round = 0; round < 3; round++) {
        history_record(&h, 700);
        expect_scans(&h);
        for (int i = 0; i < n_users / 4; i++)
            history_merge(&h);
        expect_scans(&h);
        for (int i = 0; i < n_users / 8; i++)
            history_unmerge(&h);
        expect_scans(&h);
    }
    ck_assert_int_eq(cj_compact(h.db, NULL, NULL), CJ_OK);
    expect_scans(&h);
    history_end(&h);
}

START_TEST(test_properties__are_those_of_cj_events)
{
    static const int64_t seals[] = {1, 60, 500, 65536};

    for (uint64_t seed = 0; seed < 8; seed += (uint64_t)harness_stride(3))
        properties_history(seed + 40, 8 + 40 * (int)seed, seals[seed % 4]);
}
END_TEST

/* Several blocks per slice and windows that share them: with slots and without. */
START_TEST(test_properties__of_many_blocks)
{
    static const int64_t memory[] = {0, 1, 900000, 3000000, 9000000};
    history h;

    history_open(&h, 21, 700, 14000, NULL);
    h.span_hours = 400;
    history_record(&h, 45000);
    for (int merges = 0; merges < 3; merges++) {
        for (int i = 0; i < 5; i++) {
            cj__scan_options opts = {.threads = 1 + i % 3, .memory_bytes = memory[i]};

            opts.guests = 1;
            expect_scan(&h, &opts);
        }
        for (int i = 0; i < 400; i++)
            history_merge(&h);
    }
    history_end(&h);
}
END_TEST

/* ---- who sees them --------------------------------------------------------------- */

static int32_t fold_sees(const void *arg, cj__str *partial, uint32_t profile,
                         const cj__columns *c, int64_t first, int64_t n)
{
    (void)arg;
    (void)profile;
    (void)first;
    (void)n;
    cj__str_put_char(partial, c->properties != NULL ? 'y' : 'n');
    return cj__str_status(partial);
}

static void expect_seen(history *h, const cj__scan_options *opts, uint32_t columns,
                        char want)
{
    cj__fold folds[2] = {
        {.columns = columns,      .profile = fold_sees},
        {.columns = CJ__COL_TIME, .profile = fold_sees}
    };

    ck_assert_int_eq(cj__scan(h->db, opts, folds, 2), CJ_OK);
    for (int i = 0; i < 2; i++) {
        ck_assert_uint_gt(folds[i].partial.n, 0);
        for (size_t k = 0; k < folds[i].partial.n; k++)
            ck_assert_int_eq(folds[i].partial.data[k], want);
        cj__str_end(&folds[i].partial);
    }
}

START_TEST(test_properties__only_when_asked_for)
{
    cj__scan_options opts = {.guests = 1};
    history h;

    history_open(&h, 3, 30, 100, NULL);
    history_record(&h, 950);
    for (int i = 0; i < 20; i++) {
        expect_seen(&h, &opts, CJ__COL_ALL, 'y');
        expect_seen(&h, &opts, CJ__COL_PROPERTIES, 'y');
        expect_seen(&h, &opts, CJ__COL_NAME | CJ__COL_ORDER, 'n');
        opts.value_only = 1; /* the projection has none */
        expect_seen(&h, &opts, CJ__COL_ALL, 'n');
        opts.value_only = 0;
        history_merge(&h);
    }
    history_end(&h);
}
END_TEST

/* ---- memory ---------------------------------------------------------------------- */

enum { LONG_USERS = 3000, LONG_EVENTS = 60000, LONG_BATCH = 500 };

typedef struct counting {
    cj_realloc_fn realloc;
    void *user;
    int64_t balance, most;
} counting;

static void *counting_realloc(void *user, void *p, uint64_t old_bytes,
                              uint64_t new_bytes)
{
    counting *c = user;
    void *got = c->realloc(c->user, p, old_bytes, new_bytes);

    c->balance += (int64_t)new_bytes - (int64_t)old_bytes;
    c->most = c->balance > c->most ? c->balance : c->most;
    return got;
}

/* About 230 bytes that no two events share. */
static void long_text(int i, char to[300])
{
    int n = sprintf(to, "{\"n\":%d,\"t\":\"", i);
    uint64_t state = (uint64_t)i * 2654435761u + 1;

    for (int k = 0; k < 220; k++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        to[n++] = (char)('a' + (state >> 40) % 26);
    }
    sprintf(to + n, "\"}");
}

static void long_record(history *h, int first)
{
    static char texts[LONG_BATCH][300], users[LONG_BATCH][16];
    static cj_identifier ids[LONG_BATCH];
    static cj_event events[LONG_BATCH];

    for (int i = 0; i < LONG_BATCH; i++) {
        long_text(first + i, texts[i]);
        sprintf(users[i], "u%d", (first + i) * 7 % LONG_USERS);
        ids[i] = (cj_identifier){
            .struct_size = sizeof *ids, .kind = "user_id", .value = users[i]};
        events[i] = (cj_event){.struct_size = sizeof *events,
                               .time_ms = HISTORY_FROM_MS + (first + i) * 1000,
                               .name = "view",
                               .identifiers = &ids[i],
                               .n_identifiers = 1,
                               .properties = texts[i]};
    }
    ck_assert_msg(cj_record_many(h->db, events, LONG_BATCH, 0, NULL) == CJ_OK, "%s",
                  cj_errmsg());
}

/* Every text is the one of its time. */
static int32_t fold_long(const void *arg, cj__str *partial, uint32_t profile,
                         const cj__columns *c, int64_t first, int64_t n)
{
    char want[300];

    (void)arg;
    (void)profile;
    for (int64_t i = first; i < first + n; i++) {
        long_text((int)((c->time_ms[i] - HISTORY_FROM_MS) / 1000), want);
        if (!cj__text_equal(*c->properties[i], cj__text_of(want)))
            return cj__fail(CJ_ECORRUPT, "another event's properties");
    }
    cj__str_put(partial, &n, sizeof n);
    return cj__str_status(partial);
}

/* What the scan takes beyond what was there. */
static int64_t long_scan(history *h, const cj__scan_options *opts)
{
    cj__fold fold = {.columns = CJ__COL_PROPERTIES, .profile = fold_long};
    cj__allocator before = h->db->cx.allocator;
    counting c = {.realloc = before.realloc, .user = before.user};
    int64_t sum = 0, n;
    int32_t rc;

    h->db->cx.allocator = (cj__allocator){counting_realloc, &c};
    rc = cj__scan(h->db, opts, &fold, 1);
    h->db->cx.allocator = before;
    ck_assert_msg(rc == CJ_OK, "%s", cj_errmsg());
    for (size_t at = 0; at < fold.partial.n; at += sizeof n) {
        memcpy(&n, fold.partial.data + at, sizeof n);
        sum += n;
    }
    ck_assert_int_eq(sum, LONG_EVENTS);
    cj__str_end(&fold.partial);
    return c.most;
}

START_TEST(test_properties__take_little_memory)
{
    cj__scan_options opts = {.guests = 1, .threads = 1, .memory_bytes = 1};
    int64_t edge, merged = 0;
    history h;

    history_open(&h, 1, 1, 9000, NULL);
    for (int i = 0; i < LONG_EVENTS; i += LONG_BATCH)
        long_record(&h, i);
    ck_assert_int_eq(cj_compact(h.db, NULL, NULL), CJ_OK);
    ck_assert_int_lt(long_scan(&h, &opts), 5 << 20);
    opts.memory_bytes = 0;
    ck_assert_int_lt(long_scan(&h, &opts), 64 << 20);
    for (int i = LONG_USERS; i > 20; i--)
        merged += cj_merge(h.db, i, 1 + i % 20, &edge) == CJ_OK;
    ck_assert_int_eq(merged, LONG_USERS - 20);
    ck_assert_int_lt(long_scan(&h, &opts), 64 << 20);
    opts.memory_bytes = 1;
    ck_assert_int_lt(long_scan(&h, &opts), 10 << 20); /* all: 16 MB */
    history_end(&h);
}
END_TEST

HARNESS_MAIN("scan_properties", test_properties__are_those_of_cj_events,
             test_properties__of_many_blocks, test_properties__only_when_asked_for,
             test_properties__take_little_memory)
