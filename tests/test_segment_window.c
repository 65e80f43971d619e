/* Every window at its edges: an event one millisecond before, at and after each bound,
 * on ordinary days and on those on which the clock changes. */
#include "harness.h"
#include "segment_facts.h"

#include <stdio.h>
#include <string.h>

/* Is an event at t in the window at now?  And does the next change, looked for before
 * it comes, come when it does? */
static int is_in(facts_case *c, const char *window, int64_t t, int64_t now)
{
    char text[200];
    facts_program p;
    cj__truth truth;

    snprintf(text, sizeof text, "count(a, %s) = 1", window);
    facts_clear(c);
    facts_event_at(c, t, "a");
    p = facts_compile(c, text);
    truth = facts_run(c, &p, now, NULL);
    facts_drop(c, &p);
    return truth == CJ__TRUE;
}

/* The window is [from, until) at now; absent bounds are "". */
static void expect_window(facts_case *c, const char *window, const char *now,
                          const char *from, const char *until)
{
    for (int64_t d = -1; d <= 1; d++) {
        if (from[0] != '\0')
            ck_assert_msg(is_in(c, window, facts_time(c, from) + d,
                                facts_time(c, now)) == (d >= 0),
                          "%s at %s: from %s %+d", window, now, from, (int)d);
        if (until[0] != '\0')
            ck_assert_msg(is_in(c, window, facts_time(c, until) + d,
                                facts_time(c, now)) == (d < 0),
                          "%s at %s: until %s %+d", window, now, until, (int)d);
    }
}

START_TEST(test_window__relative)
{
    facts_case c;

    facts_begin(&c, "Europe/Berlin");
    expect_window(&c, "ever", "2025-06-01T12:00", "", "2025-06-01T12:00");
    expect_window(&c, "last 90 days", "2025-06-01T12:00", "2025-03-03T11:00",
                  "2025-06-01T12:00"); /* 90 x 24 hours; the clock changed between */
    expect_window(&c, "last 1 hour", "2025-06-01T12:00", "2025-06-01T11:00",
                  "2025-06-01T12:00");
    expect_window(&c, "last 2 weeks", "2025-06-20T12:00", "2025-06-06T12:00",
                  "2025-06-20T12:00");
    expect_window(&c, "between 90 days and 30 days ago", "2025-12-31T12:00",
                  "2025-10-02T13:00", "2025-12-01T12:00");
    ck_assert_int_eq(is_in(&c, "between 30 days and 90 days ago",
                           facts_time(&c, "2025-11-01T12:00"),
                           facts_time(&c, "2025-12-31T12:00")),
                     0);
    facts_end(&c);
}
END_TEST

START_TEST(test_window__absolute)
{
    static const char now[] = "2025-06-01T12:00";
    facts_case c;

    facts_begin(&c, "Europe/Berlin");
    expect_window(&c, "since 2025-03-30", now, "2025-03-30T00:00", now);
    expect_window(&c, "since 2025-03-30T10:30", now, "2025-03-30T10:30", now);
    expect_window(&c, "until 2025-03-30", now, "", "2025-03-30T00:00");
    expect_window(&c, "until 2025-07-01", now, "", now);
    expect_window(&c, "from 2025-03-30 to 2025-03-31", now, "2025-03-30T00:00",
                  "2025-03-31T00:00");
    expect_window(&c, "from 2025-03-30 to 2025-07-01", now, "2025-03-30T00:00", now);
    for (int64_t d = -1; d <= 1; d++) /* all of it is still to come */
        ck_assert_int_eq(
            is_in(&c, "since 2025-07-01", facts_time(&c, now) + d, facts_time(&c, now)),
            0);
    ck_assert_int_eq(is_in(&c, "from 2025-05-01 to 2025-04-01",
                           facts_time(&c, "2025-04-15"), facts_time(&c, now)),
                     0);
    facts_end(&c);
}
END_TEST

START_TEST(test_window__calendar)
{
    facts_case c;

    facts_begin(&c, "Europe/Berlin");
    expect_window(&c, "today", "2025-06-05T12:00", "2025-06-05T00:00",
                  "2025-06-05T12:00");
    expect_window(&c, "yesterday", "2025-06-05T12:00", "2025-06-04T00:00",
                  "2025-06-05T00:00");
    expect_window(&c, "this week", "2025-06-05T12:00", "2025-06-02T00:00",
                  "2025-06-05T12:00"); /* a Thursday */
    expect_window(&c, "this week", "2025-06-08T23:59", "2025-06-02T00:00",
                  "2025-06-08T23:59"); /* Sunday ends it */
    expect_window(&c, "previous week", "2025-06-02T00:00", "2025-05-26T00:00",
                  "2025-06-02T00:00"); /* Monday midnight begins it */
    expect_window(&c, "this month", "2025-06-05T12:00", "2025-06-01T00:00",
                  "2025-06-05T12:00");
    expect_window(&c, "previous month", "2025-01-31T12:00", "2024-12-01T00:00",
                  "2025-01-01T00:00");
    expect_window(&c, "previous month", "2024-03-31T12:00", "2024-02-01T00:00",
                  "2024-03-01T00:00");
    expect_window(&c, "this year", "2025-06-05T12:00", "2025-01-01T00:00",
                  "2025-06-05T12:00");
    expect_window(&c, "previous year", "2025-06-05T12:00", "2024-01-01T00:00",
                  "2025-01-01T00:00");
    for (int64_t d = -2; d <= 2; d++) /* at midnight today is empty */
        ck_assert_int_eq(is_in(&c, "today", facts_time(&c, "2025-06-05T00:00") + d,
                               facts_time(&c, "2025-06-05T00:00")),
                         0);
    facts_end(&c);
}
END_TEST

START_TEST(test_window__days_of_23_and_25_hours)
{
    facts_case c;

    facts_begin(&c, "Europe/Berlin");
    expect_window(&c, "today", "2025-03-30T12:00", "2025-03-29T23:00Z",
                  "2025-03-30T10:00Z");
    expect_window(&c, "yesterday", "2025-03-31T12:00", "2025-03-29T23:00Z",
                  "2025-03-30T22:00Z");
    expect_window(&c, "today", "2025-10-26T12:00", "2025-10-25T22:00Z",
                  "2025-10-26T11:00Z");
    expect_window(&c, "yesterday", "2025-10-27T12:00", "2025-10-25T22:00Z",
                  "2025-10-26T23:00Z");
    expect_window(&c, "previous week", "2025-10-27T00:00", "2025-10-19T22:00Z",
                  "2025-10-26T23:00Z");
    expect_window(&c, "this month", "2025-03-31T12:00", "2025-02-28T23:00Z",
                  "2025-03-31T10:00Z");
    facts_end(&c);
}
END_TEST

/* In Beirut the clock changes at midnight: the date begins at 01:00. */
START_TEST(test_window__a_day_without_midnight)
{
    facts_case c;

    facts_begin(&c, "Asia/Beirut");
    expect_window(&c, "today", "2022-03-27T12:00", "2022-03-26T22:00Z",
                  "2022-03-27T09:00Z");
    expect_window(&c, "yesterday", "2022-03-27T12:00", "2022-03-25T22:00Z",
                  "2022-03-26T22:00Z");
    expect_window(&c, "yesterday", "2022-10-31T12:00", "2022-10-29T22:00Z",
                  "2022-10-30T22:00Z"); /* 24:00 is 23:00 again: 29 October has 25 */
    facts_end(&c);
}
END_TEST

/* Strictly after the last such event in profile order; without one: ever. */
START_TEST(test_window__since_last)
{
    facts_case c;

    facts_begin(&c, "UTC");
    facts_events(&c, "2025-01-01 a\n"
                     "2025-01-02 mail\n"
                     "2025-01-02 a\n"
                     "2025-01-03 a\n"
                     "2025-01-03 mail\n"
                     "2025-01-04 a\n");
    expect_value(&c, "2025-01-02", "1", "count(a, since last mail) = 0");
    expect_value(&c, "2025-01-02T00:00:00.001", "1", "count(a, since last mail) = 0");
    expect_value(&c, "2025-01-03", "1", "count(a, since last mail) = 0");
    expect_value(&c, "2025-01-03T00:00:00.001", "0", "count(a, since last mail) = 0");
    expect_value(&c, "2025-01-05", "1", "count(a, since last mail) = 0");
    expect_value(&c, "2025-01-05", "4", "count(a, since last nothing) = 0");
    expect_value(&c, "2025-01-05", "0", "count(a, since last a) = 0");
    expect_until(&c, "2025-01-02T12:00", "2025-01-03T00:00:00.001Z",
                 "count(a, since last mail) >= 1");
    facts_end(&c);
}
END_TEST

/* When a window lets go of its only event, and takes up one to come. */
START_TEST(test_window__until)
{
    static const struct {
        const char *window, *until;
    } cases[] = {
        {"last 7 days",                   "2025-04-04T10:00:00.001Z"},
        {"today",                         "2025-03-28T23:00:00.000Z"},
        {"this week",                     "2025-03-30T22:00:00.000Z"},
        {"this month",                    "2025-03-31T22:00:00.000Z"},
        {"this year",                     "2025-12-31T23:00:00.000Z"},
        {"ever",                          "never"                   },
        {"since 2025-03-01",              "never"                   },
        {"from 2025-03-01 to 2025-04-01", "never"                   },
    };
    char text[100];
    facts_case c;

    facts_begin(&c, "Europe/Berlin");
    facts_events(&c, "2025-03-28T10:00Z a\n"); /* a Friday */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(text, sizeof text, "count(a, %s) = 1", cases[i].window);
        expect_until(&c, "2025-03-28T12:00", cases[i].until, text);
        snprintf(text, sizeof text, "not count(a, %s) = 1", cases[i].window);
        expect_until(&c, "2025-03-20T12:00", "2025-03-28T10:00:00.001Z", text);
    }
    expect_until(&c, "2025-03-20", "2025-03-28T23:00:00.000Z",
                 "count(a, yesterday) = 1");
    expect_until(&c, "2025-03-29T12:00", "2025-03-29T23:00:00.000Z",
                 "count(a, yesterday) = 1");
    expect_until(&c, "2025-03-20", "2025-03-30T22:00:00.000Z",
                 "count(a, previous week) = 1");
    expect_until(&c, "2025-03-31", "2025-04-06T22:00:00.000Z",
                 "count(a, previous week) = 1");
    expect_until(&c, "2025-03-20", "2025-03-31T22:00:00.000Z",
                 "count(a, previous month) = 1");
    expect_until(&c, "2025-04-01", "2025-04-30T22:00:00.000Z",
                 "count(a, previous month) = 1");
    expect_until(&c, "2025-03-29", "2025-12-31T23:00:00.000Z",
                 "count(a, previous year) = 1");
    expect_until(&c, "2026-01-01", "2026-12-31T23:00:00.000Z",
                 "count(a, previous year) = 1");
    expect_until(&c, "2025-03-29", "2025-04-07T10:00:00.001Z",
                 "count(a, between 20 days and 10 days ago) = 1");
    expect_until(&c, "2025-04-08", "2025-04-17T10:00:00.001Z",
                 "count(a, between 20 days and 10 days ago) = 1");
    facts_end(&c);
}
END_TEST

HARNESS_MAIN("segment_window", test_window__relative, test_window__absolute,
             test_window__calendar, test_window__days_of_23_and_25_hours,
             test_window__a_day_without_midnight, test_window__since_last,
             test_window__until)
