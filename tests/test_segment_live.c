/* Live segments over random histories of a shop, through the public API: whatever is
 * recorded, merged, taken apart, redefined or sealed, by one handle or by two in turn,
 * the feed replayed from its beginning is what evaluating everybody gives. */
#include "harness.h"
#include "live_shop.h"

#include <inttypes.h>
#include <stdio.h>

static void live_history(uint64_t seed, int n_steps, int64_t seal_events, int two)
{
    live_shop s;
    char when[64];

    live_begin(&s, seed, seal_events);
    if (two)
        s.other = live_open(&s);
    for (int step = 0; step < n_steps; step++) {
        live_step(&s);
        if (live_random(&s, 3) != 0)
            continue;
        (void)snprintf(when, sizeof when, "seed %" PRIu64 " step %d", seed, step);
        expect_ok(cj_segment_advance(s.db, 0, NULL));
        live_replay(&s, INT64_MAX);
        live_compare(&s, *live_now + 1, when);
    }
    live_replay(&s, INT64_MAX);
    api_expect_sound(s.db);
    ck_assert_int_gt(s.n_entered, 20);
    ck_assert_int_gt(s.n_clock, 5);
    live_end(&s);
}

static void live_histories(uint64_t seed, int64_t seal_events, int two)
{
    const char *wanted = getenv("CJ_SEED");
    const int n = getenv("CJ_NIGHTLY") != NULL ? 200 : 4;

    if (wanted != NULL) {
        live_history(strtoull(wanted, NULL, 10), 160, seal_events, two);
        return;
    }
    for (int i = 0; i < n; i += harness_stride(5))
        live_history(seed + (uint64_t)i, 160, seal_events, two);
}

START_TEST(test_segment_live__feed_is_what_evaluating_gives)
{
    live_histories(1, 100000, 0);
}
END_TEST

START_TEST(test_segment_live__sealed_often)
{
    live_histories(1000, 20, 0);
}
END_TEST

START_TEST(test_segment_live__two_handles_take_turns)
{
    live_histories(2000, 100, 1);
}
END_TEST

HARNESS_MAIN("segment_live", test_segment_live__feed_is_what_evaluating_gives,
             test_segment_live__sealed_often, test_segment_live__two_handles_take_turns)
