/* The thread's last error: one line, at most 100 characters, whole characters, its own
 * in each thread. */
#include "harness.h"

#include "base/ctx.h"
#include "base/text.h"

#include <pthread.h>
#include <string.h>

START_TEST(test_fail__sets_text_code_and_position)
{
    ck_assert_int_eq(cj__fail_at(12, CJ_EINVAL, "bad value %d", 7), CJ_EINVAL);
    ck_assert_str_eq(cj__error_text(), "bad value 7");
    ck_assert_int_eq(cj__error_position(), 12);
    ck_assert_int_eq(cj__fail(CJ_EBUSY, "busy"), CJ_EBUSY);
    ck_assert_str_eq(cj__error_text(), "busy");
    ck_assert_int_eq(cj__error_position(), -1);
    ck_assert_int_eq(cj__fail_at(0, CJ_EINVAL, "first byte"), CJ_EINVAL);
    ck_assert_int_eq(cj__error_position(), 0);
    ck_assert_int_eq(cj__fail_nomem(), CJ_ENOMEM);
    ck_assert_str_eq(cj__error_text(), "out of memory");
    ck_assert_int_eq(cj__error_position(), -1);
    cj__error_clear();
    ck_assert_str_eq(cj__error_text(), "");
    ck_assert_int_eq(cj__error_position(), -1);
}
END_TEST

START_TEST(test_fail__is_one_line_of_100_characters)
{
    char text[300];

    memset(text, 'x', sizeof text);
    text[299] = '\0';
    cj__fail(CJ_EINVAL, "%s", text);
    ck_assert_uint_eq(strlen(cj__error_text()), 100);
    cj__fail(CJ_EINVAL, "a\nb\tc\x1B[31m\x7F");
    ck_assert_str_eq(cj__error_text(), "a b c [31m ");
}
END_TEST

START_TEST(test_fail__never_cuts_a_character)
{
    static const char *const characters[] = {"\xC3\xA9", "\xE2\x82\xAC",
                                             "\xF0\x9F\x98\x80"};

    for (size_t c = 0; c < sizeof characters / sizeof characters[0]; c++) {
        for (int before = 90; before <= 101; before++) {
            cj__fail(CJ_EINVAL, "%*s%s%s%s", before, "", characters[c], characters[c],
                     characters[c]);
            ck_assert(cj__utf8_valid(cj__error_text(), strlen(cj__error_text())));
            ck_assert_uint_le(strlen(cj__error_text()), 100);
            ck_assert_uint_ge(strlen(cj__error_text()), 90);
        }
    }
}
END_TEST

START_TEST(test_fail__may_quote_the_last_text)
{
    cj__fail(CJ_EIO, "disk full");
    cj__fail(CJ_EIO, "while sealing: %s", cj__error_text());
    ck_assert_str_eq(cj__error_text(), "while sealing: disk full");
}
END_TEST

static void *other_thread(void *unused)
{
    (void)unused;
    ck_assert_str_eq(cj__error_text(), "");
    ck_assert_int_eq(cj__error_position(), -1);
    cj__fail_at(5, CJ_EIO, "theirs");
    return NULL;
}

START_TEST(test_fail__each_thread_has_its_own)
{
    pthread_t thread;

    cj__fail_at(3, CJ_EINVAL, "ours");
    ck_assert_int_eq(pthread_create(&thread, NULL, other_thread, NULL), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_str_eq(cj__error_text(), "ours");
    ck_assert_int_eq(cj__error_position(), 3);
}
END_TEST

START_TEST(test_error_name__every_code)
{
    static const char *const names[] = {
        "CJ_OK",        "CJ_EINVAL",     "CJ_ENOMEM",    "CJ_EIO",     "CJ_EBUSY",
        "CJ_ECORRUPT",  "CJ_EVERSION",   "CJ_ENOTFOUND", "CJ_EEXISTS", "CJ_EFORK",
        "CJ_EMISUSE",   "CJ_EINTERRUPT", "CJ_ECURRENCY", "CJ_EREJECT", "CJ_ELIMIT",
        "CJ_EREADONLY", "CJ_ELOCK",
    };
    const int32_t n = sizeof names / sizeof names[0];

    ck_assert_int_eq(n, 1 - CJ_ELOCK);
    for (int32_t i = 0; i < n; i++)
        ck_assert_str_eq(cj__error_name(-i), names[i]);
    ck_assert_str_eq(cj__error_name(1), "CJ_E?");
    ck_assert_str_eq(cj__error_name(-n), "CJ_E?");
    ck_assert_str_eq(cj__error_name(INT32_MIN), "CJ_E?");
}
END_TEST

HARNESS_MAIN("base_error", test_fail__sets_text_code_and_position,
             test_fail__is_one_line_of_100_characters,
             test_fail__never_cuts_a_character, test_fail__may_quote_the_last_text,
             test_fail__each_thread_has_its_own, test_error_name__every_code)
