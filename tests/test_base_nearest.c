/* The distance between names, against a slow recursion; and what may be said of a key.
 */
#include "base/nearest.h"
#include "harness.h"

#include <stdio.h>
#include <string.h>

static size_t distance(const char *a, const char *b)
{
    return cj__name_distance(cj__text_of(a), cj__text_of(b));
}

static size_t least(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;

    return ab < c ? ab : c;
}

/* The definition, in exponential time. */
static size_t slow_distance(const char *a, const char *b)
{
    if (*a == '\0' || *b == '\0')
        return strlen(a) + strlen(b);
    return least(slow_distance(a + 1, b) + 1, slow_distance(a, b + 1) + 1,
                 slow_distance(a + 1, b + 1) + (*a != *b));
}

START_TEST(test_base_nearest__distances)
{
    ck_assert_uint_eq(distance("", ""), 0);
    ck_assert_uint_eq(distance("", "abc"), 3);
    ck_assert_uint_eq(distance("oder_id", "order_id"), 1);
    ck_assert_uint_eq(distance("Quantity", "quantity"), 0);
    ck_assert_uint_eq(distance("kitten", "sitting"), 3);
}
END_TEST

START_TEST(test_base_nearest__random_words_as_defined)
{
    uint64_t state = 5;

    for (int round = 0; round < 400; round++) {
        char words[2][8];

        for (int w = 0; w < 2; w++) {
            size_t n;

            state = state * 6364136223846793005u + 1442695040888963407u;
            n = (state >> 33) % 7;
            for (size_t i = 0; i < n; i++)
                words[w][i] = "abc"[(state >> (36 + 3 * i)) % 3];
            words[w][n] = '\0';
        }
        ck_assert_uint_eq(distance(words[0], words[1]),
                          slow_distance(words[0], words[1]));
        ck_assert_uint_eq(distance(words[0], words[1]), distance(words[1], words[0]));
    }
}
END_TEST

START_TEST(test_base_nearest__long_names_are_cut)
{
    char a[300], b[300];

    memset(a, 'a', sizeof a);
    memset(b, 'b', sizeof b);
    ck_assert_uint_eq(cj__name_distance((cj__text){a, 300}, (cj__text){b, 300}), 64);
    ck_assert_uint_eq(cj__name_distance((cj__text){a, 300}, (cj__text){a, 299}), 0);
}
END_TEST

START_TEST(test_base_nearest__same_but_for_case)
{
    ck_assert_int_eq(cj__name_same("Order Completed", "ORDER completed"), 1);
    ck_assert_int_eq(cj__name_same("Order", "Order "), 0);
    ck_assert_int_eq(cj__name_same("", ""), 1);
    ck_assert_int_eq(cj__name_same("\xc3\x84", "\xc3\xa4"), 0); /* ASCII only */
}
END_TEST

START_TEST(test_base_nearest__what_may_be_said)
{
    static const char *const yes[] = {"userid", "Order ID", "utm.source", "a1", "_id$"};
    static const char *const no[] = {
        "",     "ann@x.org", "0049301234",
        "a\"b", "\xc3\xa4",  "a_very_long_name_that_is_longer_than_forty"};

    for (size_t i = 0; i < sizeof yes / sizeof yes[0] - 1; i++)
        ck_assert_msg(cj__name_sayable(cj__text_of(yes[i])), "%s", yes[i]);
    ck_assert(!cj__name_sayable(cj__text_of(yes[4]))); /* must begin with a letter */
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        ck_assert_msg(!cj__name_sayable(cj__text_of(no[i])), "%s", no[i]);
}
END_TEST

HARNESS_MAIN("base_nearest", test_base_nearest__distances,
             test_base_nearest__random_words_as_defined,
             test_base_nearest__long_names_are_cut,
             test_base_nearest__same_but_for_case,
             test_base_nearest__what_may_be_said)
