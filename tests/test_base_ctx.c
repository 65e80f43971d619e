/* The context: hooks and their defaults, interrupts, structs of older and newer
 * callers. */
#include "harness.h"

#include "base/alloc.h"
#include "base/limits.h"

#include <string.h>
#include <time.h>

static int64_t fixed_clock(void *user)
{
    return *(int64_t *)user;
}

static void *counting_realloc(void *user, void *ptr, uint64_t old_bytes,
                              uint64_t new_bytes)
{
    (void)old_bytes;
    ++*(int *)user;
    if (new_bytes == 0) {
        free(ptr);
        return NULL;
    }
    return realloc(ptr, (size_t)new_bytes);
}

START_TEST(test_ctx_init__defaults)
{
    cj__ctx cx;
    int64_t now = (int64_t)time(NULL) * 1000;
    char *p;

    memset(&cx, 0xFF, sizeof cx);
    cj__ctx_init(&cx, NULL, NULL, NULL, NULL, NULL, NULL);
    ck_assert_int_eq(cj__interrupted(&cx), CJ_OK);
    ck_assert_int_ge(cj__now_ms(&cx), now);
    ck_assert_int_lt(cj__now_ms(&cx), now + 600000);
    ck_assert(cx.log == NULL);
    p = cx.allocator.realloc(cx.allocator.user, NULL, 0, 100);
    memset(p, 1, 100);
    p = cx.allocator.realloc(cx.allocator.user, p, 100, 200);
    ck_assert_int_eq(p[99], 1);
    ck_assert_ptr_null(cx.allocator.realloc(cx.allocator.user, p, 200, 0));
}
END_TEST

START_TEST(test_ctx_init__hooks_of_the_host)
{
    int64_t time_ms = 1323435000123;
    int calls = 0;
    cj__ctx cx;

    cj__ctx_init(&cx, counting_realloc, &calls, NULL, NULL, fixed_clock, &time_ms);
    ck_assert_int_eq(cj__now_ms(&cx), 1323435000123);
    cj__free(&cx.allocator, cj__alloc(&cx.allocator, 8), 8);
    ck_assert_int_eq(calls, 2);
}
END_TEST

START_TEST(test_deadline__is_a_moment_of_the_hosts_clock)
{
    int64_t time_ms = 1000, until;
    cj__ctx cx;

    cj__ctx_init(&cx, NULL, NULL, NULL, NULL, fixed_clock, &time_ms);
    ck_assert_int_eq(cj__deadline(&cx, 0), 0);
    until = cj__deadline(&cx, 50);
    ck_assert_int_eq(until, 1050);
    ck_assert_int_eq(cj__deadline(&cx, INT64_MAX), INT64_MAX);
    for (time_ms = 1000; time_ms < 1100; time_ms += 10) {
        ck_assert_int_eq(cj__deadline_check(&cx, 0), CJ_OK);
        ck_assert_int_eq(cj__deadline_check(&cx, INT64_MAX), CJ_OK);
        ck_assert_int_eq(cj__deadline_check(&cx, until),
                         time_ms <= 1050 ? CJ_OK : CJ_ELIMIT);
    }
}
END_TEST

START_TEST(test_interrupt__is_seen_until_taken_back)
{
    cj__ctx cx;

    cj__ctx_init(&cx, NULL, NULL, NULL, NULL, NULL, NULL);
    cj__interrupt_set(&cx, 1);
    ck_assert_int_eq(cj__interrupted(&cx), CJ_EINTERRUPT);
    ck_assert_int_eq(cj__interrupted(&cx), CJ_EINTERRUPT);
    cj__interrupt_set(&cx, 0);
    ck_assert_int_eq(cj__interrupted(&cx), CJ_OK);
}
END_TEST

START_TEST(test_call_begin__only_the_first_forgets_an_interrupt)
{
    cj__ctx cx;

    cj__ctx_init(&cx, NULL, NULL, NULL, NULL, NULL, NULL);
    cj__interrupt_set(&cx, 1); /* nothing was running */
    cj__call_begin(&cx);
    ck_assert_int_eq(cj__interrupted(&cx), CJ_OK);
    cj__interrupt_set(&cx, 1);
    cj__call_begin(&cx); /* a second call beside the interrupted one */
    ck_assert_int_eq(cj__interrupted(&cx), CJ_EINTERRUPT);
    cj__call_end(&cx);
    cj__call_end(&cx);
    cj__call_begin(&cx);
    ck_assert_int_eq(cj__interrupted(&cx), CJ_OK);
    cj__call_end(&cx);
}
END_TEST

/* ---- structs that grow ---------------------------------------------------------- */

typedef struct options_old {
    int64_t struct_size;
    int64_t a;
} options_old;

typedef struct options {
    int64_t struct_size;
    int64_t a, b;
} options;

typedef struct options_new {
    int64_t struct_size;
    int64_t a, b, c;
} options_new;

START_TEST(test_sized_read__callers_of_three_ages)
{
    const options same = {sizeof same, 1, 2};
    const options_old old = {sizeof old, 1};
    options_new new = {sizeof new, 1, 2, 0};
    options o;

    ck_assert_int_eq(cj__sized_read(&o, sizeof o, &same), CJ_OK);
    ck_assert(o.a == 1 && o.b == 2);
    ck_assert_int_eq(cj__sized_read(&o, sizeof o, &old), CJ_OK);
    ck_assert(o.a == 1 && o.b == 0);
    ck_assert_int_eq(cj__sized_read(&o, sizeof o, &new), CJ_OK);
    ck_assert(o.a == 1 && o.b == 2);
    new.c = 1;
    ck_assert_int_eq(cj__sized_read(&o, sizeof o, &new), CJ_EMISUSE);
    ck_assert(o.struct_size == 0 && o.a == 0 && o.b == 0);
    new.c = INT64_MIN; /* the last byte counts too */
    ck_assert_int_eq(cj__sized_read(&o, sizeof o, &new), CJ_EMISUSE);
}
END_TEST

START_TEST(test_sized_read__null_is_all_defaults)
{
    options o = {1, 2, 3};

    ck_assert_int_eq(cj__sized_read(&o, sizeof o, NULL), CJ_OK);
    ck_assert(o.struct_size == 0 && o.a == 0 && o.b == 0);
}
END_TEST

START_TEST(test_sized_read__wrong_sizes)
{
    static const int64_t sizes[] = {0, 7, -1, INT64_MIN, INT64_MAX, CJ__MAX_STRUCT + 1};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const options from = {sizes[i], 1, 2};
        options o;

        ck_assert_int_eq(cj__sized_read(&o, sizeof o, &from), CJ_EMISUSE);
        ck_assert(o.a == 0 && o.b == 0);
    }
}
END_TEST

/* No byte beyond struct_size is read: the sanitizer watches the end of the block. */
START_TEST(test_sized_read__reads_only_what_the_caller_has)
{
    for (int64_t size = 8; size <= 64; size++) {
        int64_t *from = calloc(1, (size_t)size);
        options o;

        *from = size;
        ck_assert_int_eq(cj__sized_read(&o, sizeof o, from), CJ_OK);
        free(from);
    }
}
END_TEST

START_TEST(test_sized_write__fills_what_the_caller_has)
{
    const options result = {sizeof result, 1, 2};
    options_old old = {sizeof old, 9};
    options same = {sizeof same, 9, 9};
    options_new new = {sizeof new, 9, 9, 9};

    ck_assert_int_eq(cj__sized_write(&old, &result, sizeof result, CJ_OK), CJ_OK);
    ck_assert(old.struct_size == sizeof old && old.a == 1);
    ck_assert_int_eq(cj__sized_write(&same, &result, sizeof result, CJ_OK), CJ_OK);
    ck_assert(same.a == 1 && same.b == 2);
    ck_assert_int_eq(cj__sized_write(&new, &result, sizeof result, CJ_OK), CJ_OK);
    ck_assert(new.struct_size == sizeof new &&new.a == 1 && new.b == 2 && new.c == 0);
    ck_assert_int_eq(cj__sized_write(NULL, &result, sizeof result, CJ_EIO), CJ_EIO);
}
END_TEST

START_TEST(test_sized_write__a_failure_leaves_zeros)
{
    const options result = {sizeof result, 1, 2};
    options to = {sizeof to, 9, 9};
    options unset = {0, 9, 9};

    ck_assert_int_eq(cj__sized_write(&to, &result, sizeof result, CJ_EBUSY), CJ_EBUSY);
    ck_assert(to.struct_size == sizeof to && to.a == 0 && to.b == 0);
    ck_assert_int_eq(cj__sized_write(&unset, &result, sizeof result, CJ_OK),
                     CJ_EMISUSE);
    ck_assert_int_eq(cj__sized_write(&unset, &result, sizeof result, CJ_EIO), CJ_EIO);
    ck_assert(unset.a == 9 && unset.b == 9);
}
END_TEST

HARNESS_MAIN("base_ctx", test_ctx_init__defaults, test_ctx_init__hooks_of_the_host,
             test_deadline__is_a_moment_of_the_hosts_clock,
             test_interrupt__is_seen_until_taken_back,
             test_call_begin__only_the_first_forgets_an_interrupt,
             test_sized_read__callers_of_three_ages,
             test_sized_read__null_is_all_defaults, test_sized_read__wrong_sizes,
             test_sized_read__reads_only_what_the_caller_has,
             test_sized_write__fills_what_the_caller_has,
             test_sized_write__a_failure_leaves_zeros)
