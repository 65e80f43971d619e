/* Live segments while several threads record, one lets time pass and one polls the
 * feed, on one handle: what the poller has seen in the end is the membership. */
#include "harness.h"
#include "live_shop.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { THREADS_WRITERS = 3, THREADS_EVENTS = 150 };

static live_shop threads_shop;
static _Atomic int threads_left;

/* Checks are the main thread's: a writer tells what went wrong by its number. */
static _Atomic int32_t threads_failed;

static void threads_note(int32_t rc)
{
    int32_t none = CJ_OK;

    if (rc != CJ_OK)
        (void)atomic_compare_exchange_strong(&threads_failed, &none, rc);
}

static void *threads_record(void *arg)
{
    static const char *const names[] = {"view", "cart", "order"};
    uint64_t dice = (uint64_t)(size_t)arg;

    for (int i = 0; i < THREADS_EVENTS; i++) {
        const int name = (int)(api_random(&dice) % 3);
        char user[24];
        const cj_identifier id = {sizeof id, "user_id", user};
        const cj_event e = {.struct_size = (int64_t)sizeof e,
                            .time_ms = *live_now,
                            .name = names[name],
                            .identifiers = &id,
                            .n_identifiers = 1,
                            .value_minor = name == 2 ? 1500 : 0};

        (void)snprintf(user, sizeof user, "u%d",
                       (int)(api_random(&dice) % LIVE_PEOPLE));
        threads_note(cj_record(threads_shop.db, &e));
        if (i % 20 == 7)
            threads_note(cj_identify(threads_shop.db, &id, 1, "{\"country\":\"DE\"}", 0,
                                     NULL, NULL));
    }
    threads_left--;
    return NULL;
}

static void *threads_advance(void *arg)
{
    (void)arg;
    while (threads_left > 0) {
        *live_now += HOUR;
        threads_note(cj_segment_advance(threads_shop.db, 0, NULL));
    }
    return NULL;
}

START_TEST(test_segment_threads__record_advance_and_poll)
{
    pthread_t writers[THREADS_WRITERS], clock;

    live_begin(&threads_shop, 31, 200);
    threads_left = THREADS_WRITERS;
    for (size_t i = 0; i < THREADS_WRITERS; i++)
        ck_assert_int_eq(
            pthread_create(&writers[i], NULL, threads_record, (void *)(i + 1)), 0);
    ck_assert_int_eq(pthread_create(&clock, NULL, threads_advance, NULL), 0);
    while (threads_left > 0)
        live_replay(&threads_shop, INT64_MAX);
    for (size_t i = 0; i < THREADS_WRITERS; i++)
        ck_assert_int_eq(pthread_join(writers[i], NULL), 0);
    ck_assert_int_eq(pthread_join(clock, NULL), 0);
    ck_assert_int_eq(threads_failed, CJ_OK);
    expect_ok(cj_segment_advance(threads_shop.db, 0, NULL));
    live_replay(&threads_shop, INT64_MAX);
    live_compare(&threads_shop, *live_now + 1, "after all threads");
    api_expect_sound(threads_shop.db);
    ck_assert_int_gt(threads_shop.n_entered, 20);
    live_end(&threads_shop);
}
END_TEST

HARNESS_MAIN("segment_threads", test_segment_threads__record_advance_and_poll)
