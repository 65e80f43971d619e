/* Columns on a terminal. */
#include "base_memory.h"

#include "base/text.h"

#include <string.h>

static const struct {
    const char *text;
    size_t width;
} widths[] = {
    {"",                                                 0},
    {"order",                                            5},
    {"caf\xC3\xA9",                                      4},
    {"cafe\xCC\x81",                                     4}, /* e and a combining acute */
    {"\xE6\x9D\xB1\xE4\xBA\xAC",                         4}, /* Tokyo */
    {"\xED\x95\x9C\xEA\xB5\xAD",                         4}, /* Hangul */
    {"\xEF\xBC\xA1",                                     2}, /* a full-width A */
    {"\xEF\xBD\xB1",                                     1}, /* a half-width kana */
    {"\xF0\x9F\x98\x80",                                 2}, /* a face */
    {"\xE2\x82\xAC\xC2\xA3$",                            3}, /* money is narrow */
    {"\xE2\x94\x80\xE2\x94\x80",                         2}, /* our rule */
    {"a\xE2\x80\x8B\xEF\xBB\xBFz",                       2}, /* zero-width space, BOM */
    {"\xE2\x9D\xA4\xEF\xB8\x8F",                         1}, /* a heart and a selector */
    {"\xD0\x9C\xD0\xBE\xD1\x81\xD0\xBA\xD0\xB2\xD0\xB0", 6}, /* Cyrillic */
    {"\xFF\xFE",                                         2}, /* not UTF-8: one each */
    {"a\xC3",                                            2},
};

START_TEST(test_width__table)
{
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++)
        ck_assert_msg(cj__utf8_width(widths[i].text, strlen(widths[i].text)) ==
                          widths[i].width,
                      "row %zu", i);
}
END_TEST

START_TEST(test_width__of_two_texts_is_the_sum)
{
    const size_t n = sizeof widths / sizeof widths[0];
    char both[64];

    for (size_t i = 0; i + 1 < n; i++) { /* the last is cut off: it comes second */
        for (size_t k = 0; k < n; k++) {
            strcpy(both, widths[i].text);
            strcat(both, widths[k].text);
            ck_assert_uint_eq(cj__utf8_width(both, strlen(both)),
                              widths[i].width + widths[k].width);
        }
    }
}
END_TEST

START_TEST(test_width__any_bytes)
{
    uint64_t state = 10;

    for (int i = 0; i < 20000; i++) {
        size_t n = base_random(&state) % 16;
        char *bytes = malloc(n > 0 ? n : 1);

        for (size_t k = 0; k < n; k++)
            bytes[k] = (char)base_random(&state);
        ck_assert_uint_le(cj__utf8_width(bytes, n), n);
        free(bytes);
    }
}
END_TEST

HARNESS_MAIN("base_width", test_width__table, test_width__of_two_texts_is_the_sum,
             test_width__any_bytes)
