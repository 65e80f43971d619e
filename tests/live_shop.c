/* See live_shop.h.  Steps come from dice, so that a seed repeats a history; times are
 * those of a clock that the tests turn. */
#include "live_shop.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

const live_segment live_segments[LIVE_SEGMENTS] = {
    {"buyers", {"orders() >= 1", "orders(last 3 days) >= 1"},                     1},
    {"fresh",  {"count(view, last 2 days) >= 2", "count(view, last 1 day) >= 1"}, 1},
    {"quiet",  {"not (count(any, last 4 days) >= 1)", "count(any) = 0"},          1},
    {"worth",  {"revenue() > 30 EUR", "revenue(last 5 days) > 20 EUR"},           0},
    {"both",
     {"in_segment(\"worth\") and in_segment(\"fresh\")",
      "in_segment(\"worth\") or in_segment(\"quiet\")"},
     1                                                                             },
    {"german", {"country = \"DE\"", "country in (\"DE\", \"AT\")"},               1},
    {"late",   {"days_since(last(order)) > 2", "days_since(last(any)) > 1.5"},    1},
    {"listed", {"in_list(\"hand\")", "not in_list(\"hand\")"},                    1},
    {"cart",
     {"not_followed(cart by order within 1 day)",
      "sequence(view -> order within 2 days)"},
     1                                                                             },
    {"mail",   {"has(email)", "identifiers(email) >= 2"},                         1},
    {"shared", {"shared_device()", "not shared_device()"},                        1},
    {"sample", {"sample(50 %, \"x\")", "sample(20 %, \"y\")"},                    1},
    {"never",
     {"count(unheard_of) >= 1", "count(view where channel = \"store\") >= 1"},
     1                                                                             },
    {"young",
     {"count(any, last 6 hours) >= 1 and country is known",
      "first(any) within last 2 days"},
     1                                                                             },
};

_Atomic int64_t *live_now;

static int64_t live_clock(void *user)
{
    (void)user;
    return *live_now;
}

int live_random(live_shop *s, int below)
{
    return (int)(api_random(&s->dice) % (uint64_t)below);
}

cj_db *live_open(live_shop *s)
{
    cj_open_options o = api_options(0, s->seal_events);
    cj_db *db;

    o.clock = live_clock;
    o.currency = "EUR";
    o.time_zone = "Europe/Berlin";
    expect_ok(cj_open(s->file.path, &o, &db));
    return db;
}

static const char *live_text(const live_shop *s, int i)
{
    return live_segments[i].texts[s->is_redefined[i]];
}

void live_define(live_shop *s, int i)
{
    expect_ok(cj_segment_define(s->db, live_segments[i].name, live_text(s, i),
                                live_segments[i].is_live ? CJ_SEGMENT_LIVE : 0));
}

void live_list(live_shop *s)
{
    int64_t profiles[3];
    int64_t n = 0;

    for (int i = 0; i < 3; i++) {
        char user[24];
        int64_t profile;

        (void)snprintf(user, sizeof user, "u%d", live_random(s, LIVE_PEOPLE));
        if (cj_profile_find(s->db, "user_id", user, &profile) == CJ_OK && profile != 0)
            profiles[n++] = profile;
    }
    expect_ok(cj_segment_define_list(s->db, "hand", profiles, n));
}

void live_begin(live_shop *s, uint64_t seed, int64_t seal_events)
{
    memset(s, 0, sizeof *s);
    api_file_make(&s->file);
    s->dice = seed;
    s->seal_events = seal_events;
    if (live_now == NULL)
        live_now = mmap(NULL, sizeof *live_now, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(live_now, MAP_FAILED);
    *live_now = API_TIME;
    s->db = live_open(s);
    live_list(s);
    for (int i = 0; i < LIVE_SEGMENTS; i++)
        live_define(s, i);
}

void live_end(live_shop *s)
{
    expect_ok(cj_close(s->db));
    expect_ok(cj_close(s->other));
    api_file_remove(&s->file);
}

/* ---- what happens ------------------------------------------------------------------
 */

static int64_t live_when(live_shop *s)
{
    static const int64_t back[] = {0, 0, 0, 0, 1, HOUR, DAY, 3 * DAY, 9 * DAY};

    if (live_random(s, 12) == 0) /* a clock that is ahead */
        return *live_now + live_random(s, 5) * 60000;
    return *live_now - back[live_random(s, 9)] - live_random(s, 2) * 500;
}

typedef struct live_event {
    cj_event event;
    cj_identifier identifiers[2];
    char user[24], other[24];
    char order[24];
} live_event;

static void live_make(live_shop *s, live_event *e)
{
    static const char *const names[] = {"view", "view", "cart", "order", "refund"};
    static const char *const kinds[] = {"email", "device_id"};
    static const char *const channels[] = {NULL, "web", "store"};
    const int name = live_random(s, 5);

    memset(e, 0, sizeof *e);
    (void)snprintf(e->user, sizeof e->user, "u%d", live_random(s, LIVE_PEOPLE));
    e->identifiers[0] = (cj_identifier){sizeof(cj_identifier), "user_id", e->user};
    e->event.struct_size = (int64_t)sizeof e->event;
    e->event.identifiers = e->identifiers;
    e->event.n_identifiers = 1;
    if (live_random(s, 6) == 0) {
        const int kind = live_random(s, 2);

        (void)snprintf(e->other, sizeof e->other, kind == 0 ? "m%d@a.de" : "dev%d",
                       live_random(s, LIVE_PEOPLE / 2));
        e->identifiers[1] =
            (cj_identifier){sizeof(cj_identifier), kinds[kind], e->other};
        e->event.n_identifiers = 2;
        if (live_random(s, 2))
            e->event.identifiers = &e->identifiers[1], e->event.n_identifiers = 1;
    }
    e->event.name = names[name];
    e->event.time_ms = live_when(s);
    e->event.channel = channels[live_random(s, 3)];
    if (name >= 3)
        e->event.value_minor = (name == 4 ? -100 : 100) * (1 + live_random(s, 30));
}

void live_record(live_shop *s, int most)
{
    live_event events[8];
    cj_event list[8];
    const int n = 1 + live_random(s, most);
    cj_record_result result = {.struct_size = (int64_t)sizeof result};

    for (int i = 0; i < n; i++) {
        live_make(s, &events[i]);
        list[i] = events[i].event;
    }
    expect_ok(cj_record_many(s->db, list, n, (int64_t)sizeof *list, &result));
    ck_assert_int_eq(result.n_rejected, 0);
}

void live_identify(live_shop *s)
{
    static const char *const traits[] = {"{\"country\":\"DE\"}", "{\"country\":\"AT\"}",
                                         "{\"country\":null,\"size\":3}",
                                         "{\"size\":4}"};
    char user[24];
    const cj_identifier id = {sizeof id, "user_id", user};

    (void)snprintf(user, sizeof user, "u%d", live_random(s, LIVE_PEOPLE));
    expect_ok(cj_identify(s->db, &id, 1, traits[live_random(s, 4)], live_when(s), "crm",
                          NULL));
}

void live_merge(live_shop *s)
{
    int64_t a = 1 + live_random(s, LIVE_PEOPLE), b = 1 + live_random(s, LIVE_PEOPLE),
            edge;
    const int32_t rc = cj_merge(s->db, a, b, &edge);

    ck_assert(rc == CJ_OK || rc == CJ_ENOTFOUND || rc == CJ_EEXISTS);
    if (rc == CJ_OK && s->n_edges < 256)
        s->edges[s->n_edges++] = edge;
}

void live_unmerge(live_shop *s)
{
    const int64_t any = 1 + live_random(s, 40);
    const int64_t edge = s->n_edges > 0 && live_random(s, 2)
                             ? s->edges[live_random(s, s->n_edges)]
                             : any;
    const int32_t rc = cj_unmerge(s->db, edge);

    ck_assert(rc == CJ_OK || rc == CJ_ENOTFOUND);
}

static void live_swap(live_shop *s)
{
    cj_db *db = s->db;

    if (s->other == NULL || live_random(s, 3) != 0)
        return;
    s->db = s->other;
    s->other = db;
}

void live_step(live_shop *s)
{
    static const int64_t steps[] = {0, 1, 1000, HOUR, 7 * HOUR, DAY, 2 * DAY};
    const int what = live_random(s, 40);
    const int i = live_random(s, LIVE_SEGMENTS);

    live_swap(s);
    *live_now += steps[live_random(s, 7)];
    if (what < 26) {
        live_record(s, 8);
    } else if (what < 30) {
        live_identify(s);
    } else if (what < 33) {
        live_merge(s);
    } else if (what < 36) {
        live_unmerge(s);
    } else if (what == 36) {
        s->is_redefined[i] ^= 1;
        live_define(s, i);
    } else if (what == 37) {
        live_list(s);
    } else if (what == 38) {
        expect_ok(cj_compact(s->db, NULL, NULL));
    } else {
        expect_ok(cj_close(s->db));
        s->db = live_open(s);
    }
}

/* ---- what must be -------------------------------------------------------------------
 */

static int live_named(const char *text, int64_t n)
{
    for (int i = 0; i < LIVE_SEGMENTS; i++) {
        if (strlen(live_segments[i].name) == (size_t)n &&
            memcmp(live_segments[i].name, text, (size_t)n) == 0)
            return i;
    }
    ck_abort_msg("the feed tells of %.*s", (int)n, text);
    return 0;
}

void live_replay(live_shop *s, int64_t until_ms)
{
    const int64_t *names, *whats, *causes, *profile;
    const char *name, *what, *cause;
    cj_table *t;

    expect_ok(cj_segment_feed(s->db, s->cursor, 0, &t));
    name = cj_table_text(t, 1, &names);
    what = cj_table_text(t, 4, &whats);
    cause = cj_table_text(t, 5, &causes);
    profile = cj_table_int64(t, 2);
    for (int64_t i = 0; i < cj_table_rows(t); i++) {
        const int entered = what[whats[i]] == 'e';
        const int at = live_named(name + names[i], names[i + 1] - names[i]);

        if (cj_table_int64(t, 3)[i] > until_ms)
            break;
        ck_assert_int_gt(cj_table_int64(t, 0)[i], s->cursor);
        s->cursor = cj_table_int64(t, 0)[i];
        ck_assert_int_lt(profile[i], LIVE_PROFILES);
        ck_assert_msg(s->in[at][profile[i]] != entered,
                      "change %" PRId64 " of %s, profile %" PRId64 ": twice", s->cursor,
                      live_segments[at].name, profile[i]);
        s->in[at][profile[i]] = (uint8_t)entered;
        s->n_entered += entered;
        s->n_clock += cause[causes[i]] == 'c';
    }
    cj_table_free(t);
}

void live_compare(live_shop *s, int64_t at_ms, const char *when)
{
    for (int i = 0; i < LIVE_SEGMENTS; i++) {
        cj_segment_options o = {.struct_size = (int64_t)sizeof o, .as_of_ms = at_ms};
        uint8_t in[LIVE_PROFILES] = {0};
        cj_table *t;

        if (!live_segments[i].is_live)
            continue;
        expect_ok(cj_segment_members(s->db, live_segments[i].name, &o, &t));
        for (int64_t row = 0; row < cj_table_rows(t); row++)
            in[cj_table_int64(t, 0)[row]] = 1;
        cj_table_free(t);
        for (int p = 0; p < LIVE_PROFILES; p++)
            ck_assert_msg(in[p] == s->in[i][p],
                          "%s: profile %d, %s (%s): is %d, by the feed %d", when, p,
                          live_segments[i].name, live_text(s, i), in[p], s->in[i][p]);
    }
}
