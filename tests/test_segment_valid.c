/* valid_until is never late and never early: for random facts and a corpus of segments
 * over every function, the truth is looked at wherever it could change - around every
 * event and trait, and all spans and local midnights that segments speak of. */
#include "harness.h"
#include "segment/program.h"
#include "segment_facts.h"

#include <stdio.h>
#include <string.h>

#define DAY INT64_C(86400000)
#define HOUR INT64_C(3600000)

typedef struct lot {
    uint64_t state;
} lot;

static uint32_t below(lot *l, uint32_t n)
{
    l->state = l->state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(l->state >> 33) % n;
}

static const char *const corpus[] = {
    "count(a) >= 2",
    "count(a, last 1 day) >= 1",
    "count(a, last 7 days) = 0 and count(a) >= 2",
    "count(a, between 7 days and 1 day ago) = 1",
    "count(a, today) = 0 and count(b, yesterday) >= 1",
    "count(a, this week) >= 1 or count(b, previous week) >= 1",
    "count(a, this month) > count(a, previous month)",
    "count(a, this year) = 0 or count(b, previous year) >= 1",
    "count(a, since 2025-03-29) >= 1",
    "count(a, until 2025-03-30) = 1",
    "count(a, from 2025-03-29 to 2025-03-31) = 1",
    "count(a, since last b) >= 2",
    "count(a where channel = \"web\", last 2 days) >= 1",
    "sum(value, any, last 7 days) > 10 EUR",
    "sum(quantity, any, last 2 days) >= 3",
    "avg(value, any, last 7 days) >= 5 EUR",
    "min(value, any, last 2 days) < 5 EUR",
    "max(value, any, today) >= 5 EUR",
    "distinct(channel, any, last 2 days) = 2",
    "share(a of any, last 2 days) >= 50 %",
    "first(a) before 2025-03-30",
    "last(a) within last 2 days",
    "last(a) within last 1 day or last(b) on 2025-03-30",
    "first_value(channel, any, last 2 days) = \"web\"",
    "last_value(channel, any, last 2 days) = \"web\"",
    "days_since(last(a)) >= 2",
    "days_since(last(a)) between 1 and 3",
    "days_since(last(a)) = 2",
    "days_since(last(a)) in (1, 4)",
    "days_since(last(a)) > 2.5",
    "days_since(last(a)) != 1 and hours_since(last(b)) < 30",
    "3 > days_since(last(a))",
    "days_since(last(a)) > 2 * median_days_between(a)",
    "days_since(last(a)) + 1 > 3",
    "days_since(last(a)) < days_since(last(b))",
    "2 * days_since(last(a)) > days_since(last(b)) + 1",
    "days_since(last(a)) is missing",
    "days_since(first(b)) - days_since(last(b)) >= 1",
    "hours_since(last(a)) / 24 >= 2",
    "days_since(signup) >= 2",
    "first_time(a, last 2 days)",
    "first_time(a, this week)",
    "first_time(b, since last a)",
    "regularly(a, 2 of last 3 days)",
    "regularly(a, 1 of last 1 weeks)",
    "regularly(b, 1 of last 2 months)",
    "stopped(a, 1 day)",
    "restarted(a, 1 day)",
    "more(a, 1 day)",
    "less(a, 2 days)",
    "trend(a, 2 days) > 1",
    "trend(a, 1 day) is missing",
    "median_days_between(a, last 7 days) > 1",
    "overdue(a, 1)",
    "overdue(a, 2.5)",
    "not overdue(a, 0.3)",
    "sequence(a -> b within 1 day, last 2 days)",
    "sequence(a -> b -> a)",
    "sequence(a -> b, same product, last 7 days)",
    "not_followed(a by b within 1 day)",
    "not_followed(a by b within 2 days, last 7 days)",
    "not_followed(a by b within 1 day, yesterday)",
    "without(a -> b, order, last 7 days)",
    "orders(last 2 days) >= 1",
    "items() >= 2",
    "revenue(last 7 days) > 3 EUR",
    "gross(this week) >= 5 EUR",
    "average_order(last 7 days) > 3 EUR",
    "largest_order(today) > 3 EUR",
    "refund_share(last 7 days) > 0",
    "bought(\"P\", last 2 days)",
    "bought_together(\"P\", \"Q\", last 7 days)",
    "sessions(last 2 days) >= 2",
    "session_minutes(last 2 days) > 60",
    "pages_per_session(last 7 days) >= 1",
    "channels(last 1 day) = 1",
    "channel_share(web, last 2 days) > 50 %",
    "first_channel(last 2 days) = \"web\"",
    "last_channel(today) = \"app\"",
    "top_channel(last 7 days) = \"web\"",
    "touched(\"spring\", last 2 days)",
    "responded(\"spring\", 1 day)",
    "stage(retention)",
    "plan = \"pro\"",
    "plan is missing or plan = \"free\"",
    "source(plan) = \"crm\"",
    "signup within last 2 days",
    "signup within next 2 days",
    "signup anniversary in today",
    "signup anniversary in next 2 days",
    "signup anniversary in last 2 days",
    "signup before 2025-03-30",
    "plan = \"pro\" and count(a, last 1 day) = 0 and days_since(last(b)) < 3",
    "plan = \"pro\" or count(a, last 1 day) = 0 or nil = 3",
    "not (plan = \"pro\" and (count(a, last 1 day) >= 1 or nil = 3))",
    "(count(a, last 1 day) = 0) is known",
    "nil = 3 and count(a, today) = 0",
    "count(a, last 1 day) = count(b, last 1 day)",
    "(count(a, last 1 day) >= 1 or count(b, last 2 days) >= 1) and orders(today) = 0",
    "sample(50 %, \"x\") and count(a, last 1 day) >= 1",
};

/* ---- random facts: a fortnight around the night on which the clock changes
 * ------------- */

static int64_t random_time(lot *l, int64_t origin)
{
    const int64_t hour = origin + below(l, 14 * 24) * HOUR;

    switch (below(l, 4)) {
    case 0:
        return hour / DAY * DAY - HOUR + (int64_t)below(l, 3) - 1; /* local midnight */
    case 1:
        return hour + (int64_t)below(l, 3) - 1;
    case 2:
        return hour / DAY * DAY + (int64_t)below(l, 3) - 1;
    default:
        return hour + below(l, (uint32_t)HOUR);
    }
}

static void random_facts(facts_case *c, lot *l, int64_t origin)
{
    static const char *const events[] = {"a",
                                         "a channel=web product=P session=1",
                                         "b channel=app product=P",
                                         "b",
                                         "a product=Q session=2 quantity=2",
                                         "order value=5 order=1 session=2",
                                         "order value=2.50",
                                         "refund value=-1",
                                         "order_item product=P order=1 quantity=1",
                                         "order_item product=Q order=1",
                                         "email_open campaign=spring channel=mail",
                                         "page_view channel=web session=3"};
    static const char *const traits[] = {"plan \"pro\" crm",
                                         "plan \"free\"",
                                         "plan null",
                                         "signup \"2025-03-29\"",
                                         "signup \"2024-03-30\"",
                                         "signup \"2025-03-30T12:00\""};
    const uint32_t n = below(l, 14), n_traits = below(l, 5);

    facts_clear(c);
    for (uint32_t i = 0; i < n; i++)
        facts_event_at(c, random_time(l, origin),
                       events[below(l, sizeof events / sizeof events[0])]);
    for (uint32_t i = 0; i < n_traits; i++)
        facts_trait_at(c, random_time(l, origin),
                       traits[below(l, sizeof traits / sizeof traits[0])]);
}

/* ---- every moment at which something could change
 * ---------------------------------------- */

typedef struct moments {
    int64_t at[40000];
    size_t n;
} moments;

static void moments_add(moments *m, int64_t t)
{
    for (int64_t d = -1; d <= 2 && m->n < sizeof m->at / sizeof m->at[0]; d++)
        m->at[m->n++] = t + d;
}

static int moments_order(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static void moments_of(const facts_case *c, int64_t origin, lot *l, moments *m)
{
    static const int64_t spans[] = {0,       HOUR,    30 * HOUR, 31 * HOUR, 2 * DAY,
                                    4 * DAY, 7 * DAY, 14 * DAY,  1 * DAY,   3 * DAY,
                                    5 * DAY, 6 * DAY, 48 * HOUR};

    m->n = 0;
    for (int64_t i = 0; i < c->facts.n; i++)
        for (size_t s = 0; s < sizeof spans / sizeof spans[0]; s++)
            moments_add(m, c->columns.time_ms[i] + spans[s]);
    for (int64_t i = 0; i < c->facts.n_traits; i++)
        moments_add(m, c->traits[i].time_ms);
    for (int64_t hours = -24; hours <= 24 * 40; hours += hours < 24 * 16 ? 1 : 12)
        moments_add(m, (origin / DAY) * DAY + hours * HOUR); /* midnights, days since */
    for (int i = 0; i < 100; i++)
        moments_add(m, origin + (int64_t)below(l, 40 * 24) * HOUR +
                           below(l, (uint32_t)HOUR));
    moments_add(m, facts_time(c, "2026-01-01"));
    moments_add(m, facts_time(c, "2027-01-01"));
    moments_add(m, facts_time(c, "2026-03-29"));
    qsort(m->at, m->n, sizeof m->at[0], moments_order);
}

/* What holds from one moment on must hold at all of these before `until`. */
static void expect_exact(facts_case *c, const char *segment, int64_t now,
                         const moments *m)
{
    facts_program p = facts_compile(c, segment);
    cj__truth truth, again;
    int64_t until, next;

    ck_assert_int_eq(cj__program_valid(p.program, &c->facts, now, &truth, &until),
                     CJ_OK);
    ck_assert_int_eq(facts_run(c, &p, now, &next), truth);
    ck_assert_int_gt(until, now);
    for (size_t i = 0; i < m->n; i++) {
        if (m->at[i] <= now || m->at[i] >= until)
            continue;
        again = facts_run(c, &p, m->at[i], NULL);
        ck_assert_msg((again == CJ__TRUE) == (truth == CJ__TRUE),
                      "%s: late, at %lld it is %d for %lld, but %d at %lld", segment,
                      (long long)now, truth, (long long)until, again,
                      (long long)m->at[i]);
        if (m->at[i] < next)
            ck_assert_msg(again == truth, "%s: next is late at %lld", segment,
                          (long long)m->at[i]);
    }
    if (until != INT64_MAX) {
        again = facts_run(c, &p, until, NULL);
        ck_assert_msg((again == CJ__TRUE) != (truth == CJ__TRUE),
                      "%s: early, at %lld it is %d for %lld", segment, (long long)now,
                      truth, (long long)until);
        again = facts_run(c, &p, until - 1, NULL);
        ck_assert_msg((again == CJ__TRUE) == (truth == CJ__TRUE),
                      "%s: late by 1 ms or more, at %lld", segment, (long long)now);
    }
    facts_drop(c, &p);
}

/* Mostly while there is still something to come. */
static int64_t random_now(lot *l, int64_t origin, const moments *m)
{
    int64_t now = m->at[below(l, (uint32_t)m->n)];

    for (int i = 0; i < 3 && now > origin + 14 * DAY; i++)
        now = m->at[below(l, (uint32_t)m->n)];
    return now;
}

static void expect_exact_in(const char *zone, const char *around)
{
    static moments m;
    lot l = {2025};
    facts_case c;

    facts_begin(&c, zone);
    for (int round = 0; round < 16; round += harness_stride(5)) {
        const int64_t origin = facts_time(&c, around);

        random_facts(&c, &l, origin);
        moments_of(&c, origin, &l, &m);
        for (size_t i = 0; i < sizeof corpus / sizeof corpus[0]; i++)
            expect_exact(&c, corpus[i], random_now(&l, origin, &m), &m);
    }
    facts_end(&c);
}

START_TEST(test_valid__is_exact_where_the_clock_changes)
{
    expect_exact_in("Europe/Berlin", "2025-03-24");
}
END_TEST

START_TEST(test_valid__is_exact_in_utc)
{
    expect_exact_in("UTC", "2025-03-24");
}
END_TEST

START_TEST(test_valid__is_exact_off_the_whole_hour)
{
    expect_exact_in("America/St_Johns", "2025-03-03");
}
END_TEST

/* ---- by hand
 * ------------------------------------------------------------------------------- */

START_TEST(test_valid__by_hand)
{
    facts_case c;

    facts_begin(&c, "UTC");
    facts_events(&c, "2025-01-01T10:00 a\n"
                     "2025-01-03T10:00 a\n"
                     "2025-01-05T10:00 a\n"
                     "2025-02-01T10:00 b\n");
    facts_traits(&c, "2025-01-01 signup \"2025-01-20\"\n");
    /* the second a becomes visible one millisecond after it happened */
    expect_until(&c, "2025-01-02", "2025-01-03T10:00:00.001Z", "count(a) >= 2");
    expect_until(&c, "2025-01-03T10:00", "2025-01-03T10:00:00.001Z", "count(a) >= 2");
    expect_until(&c, "2025-01-03T10:00:00.001", "never", "count(a) >= 2");
    /* in [now - 2 days, now): the last one leaves a millisecond after two days */
    expect_until(&c, "2025-01-06", "2025-01-07T10:00:00.001Z",
                 "count(a, last 2 days) >= 1");
    /* over the gap of two days there is never none: windows touch */
    expect_until(&c, "2025-01-02", "2025-01-07T10:00:00.001Z",
                 "count(a, last 2 days) >= 1");
    expect_until(&c, "2025-01-06", "2025-01-15T10:00:00.000Z",
                 "days_since(last(a)) >= 10");
    expect_until(&c, "2025-01-06", "2025-01-16T10:00:00.000Z",
                 "days_since(last(a)) > 10");
    expect_until(&c, "2025-01-15T12:00", "2025-01-16T10:00:00.000Z",
                 "days_since(last(a)) = 10");
    expect_until(&c, "2025-01-17", "never", "days_since(last(a)) = 10");
    expect_until(&c, "2025-01-06", "2025-01-07T10:00:00.001Z", "overdue(a, 1)");
    expect_until(&c, "2025-01-06", "2025-02-01T10:00:00.001Z",
                 "count(b) = 1 or count(nothing) = 1");
    /* the abandoned cart: three days after the first a nothing else had come */
    expect_until(&c, "2025-01-04", "2025-01-04T10:00:00.000Z",
                 "not_followed(a by b within 3 days)");
    expect_until(&c, "2025-01-02", "2025-01-20T00:00:00.000Z",
                 "signup within last 1 day");
    expect_until(&c, "2025-01-20", "2025-01-21T00:00:00.001Z",
                 "signup within last 1 day");
    expect_until(&c, "2025-01-02", "2025-01-19T00:00:00.000Z",
                 "signup within next 1 day");
    expect_until(&c, "2025-01-19", "2025-01-20T00:00:00.001Z",
                 "signup within next 1 day");
    expect_until(&c, "2025-01-02", "2025-01-18T00:00:00.000Z",
                 "signup anniversary in next 2 days");
    expect_until(&c, "2025-01-18", "2025-01-21T00:00:00.000Z",
                 "signup anniversary in next 2 days");
    facts_end(&c);
}
END_TEST

/* Far away and never: a constant that no day reaches, a million days, ticks without
 * end. */
START_TEST(test_valid__far_away)
{
    facts_case c;

    facts_begin(&c, "UTC");
    facts_events(&c, "2025-01-01 a\n2025-01-02 a\n");
    expect_until(&c, "2025-01-03", "never",
                 "days_since(last(a)) > 1000000000000000000");
    expect_until(&c, "2025-01-03", "never", "days_since(last(a)) = 3.5");
    expect_until(&c, "2025-01-03", "2098-12-05T00:00:00.000Z",
                 "days_since(last(a)) >= 27000");
    expect_until(&c, "2025-01-03", "2098-12-05T00:00:00.001Z", "overdue(a, 27000)");
    expect_until(&c, "2025-01-03", "never", "overdue(a, 100000000000000)");
    expect_until(&c, "2025-01-02T12:00", "2098-12-06T00:00:00.000Z",
                 "days_since(last(a)) * 2 > 54000");
    /* no event can be of 2100 or later: what is after that is never */
    expect_until(&c, "2025-01-03", "2100-01-01T00:00:00.000Z",
                 "days_since(last(a)) >= 27392");
    expect_until(&c, "2025-01-03", "never", "days_since(last(a)) >= 27393");
    expect_until(&c, "2025-01-03", "never", "overdue(a, 27392)");
    expect_until(&c, "2025-01-02T12:00", "never",
                 "days_since(last(a)) - days_since(first(a)) > -1");
    expect_until(&c, "2025-01-02T12:00", "2025-01-03T00:00:00.000Z",
                 "hours_since(last(a)) - 24 * days_since(last(a)) > 0");
    /* a product of two is looked at day by day, until no event can be any more */
    expect_until(&c, "2025-01-02T12:00", "never",
                 "days_since(last(a)) * days_since(last(a)) > 1000000000");
    expect_until(&c, "2025-01-02T12:00", "2052-05-20T00:00:00.000Z",
                 "days_since(last(a)) * days_since(last(a)) >= 100000000");
    /* beside what is missing nothing that ticks is seen */
    expect_until(&c, "2025-01-02T12:00", "never",
                 "days_since(last(a)) - days_since(last(b)) > 3");
    expect_until(&c, "2025-01-02T12:00", "never",
                 "hours_since(gone) / 24 < hours_since(last(a))");
    expect_until(
        &c, "2025-01-02T12:00", "2025-01-03T00:00:00.000Z",
        "1 / (days_since(last(a)) - 1) is missing and days_since(last(a)) = 1");
    facts_end(&c);
}
END_TEST

HARNESS_MAIN("segment_valid", test_valid__is_exact_where_the_clock_changes,
             test_valid__is_exact_in_utc, test_valid__is_exact_off_the_whole_hour,
             test_valid__by_hand, test_valid__far_away)
