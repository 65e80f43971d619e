/* Kinds: normalisation, and the values that identify nobody. */
#include "harness.h"
#include "identity/identity.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* What a value becomes: its text, "malformed" or "junk". */
static const char *becomes(const char *kind, const char *value)
{
    static char to[CJ__MAX_IDENTIFIER + 1];
    size_t n;
    int32_t rc = cj__kind_normalise(cj__kind_named(kind), cj__text_of(value), to, &n);

    if (rc == 0)
        ck_assert_uint_eq(strlen(to), n);
    return rc == 0 ? to : rc == -1 ? "malformed" : "junk";
}

START_TEST(test_identity_kind__emails_are_lower_case)
{
    ck_assert_str_eq(becomes("email", "  Ann.Lee@Example.ORG "), "ann.lee@example.org");
    ck_assert_str_eq(becomes("email", "ann+shop@example.org"), "ann+shop@example.org");
    ck_assert_str_eq(becomes("email", "ann"), "malformed");
    ck_assert_str_eq(becomes("email", "@example.org"), "malformed");
    ck_assert_str_eq(becomes("email", "ann@"), "malformed");
    ck_assert_str_eq(becomes("email", "ann@lee@example.org"), "malformed");
    ck_assert_str_eq(becomes("email", "ann lee@example.org"), "malformed");
}
END_TEST

START_TEST(test_identity_kind__phones_are_digits)
{
    ck_assert_str_eq(becomes("phone", "+49 (30) 1234-567"), "+49301234567");
    ck_assert_str_eq(becomes("phone", "0049 30 1234567"), "+49301234567");
    ck_assert_str_eq(becomes("phone", "030/1234567"), "0301234567");
    ck_assert_str_eq(becomes("phone", "1234"), "malformed");
    ck_assert_str_eq(becomes("phone", "1234567890123456"), "malformed");
    ck_assert_str_eq(becomes("phone", "call me"), "malformed");
    ck_assert_str_eq(becomes("phone", "00 00 00 00"), "junk");
}
END_TEST

START_TEST(test_identity_kind__ids_stay_as_written)
{
    ck_assert_str_eq(becomes("user_id", " Ann-7 "), "Ann-7");
    ck_assert_str_eq(becomes("user_id", "0007"), "0007");
    ck_assert_str_eq(becomes("device_id", "B5372DB0-C21E"), "B5372DB0-C21E");
    ck_assert_str_eq(becomes("anonymous_id", "\xC3\xA4"), "\xC3\xA4");
}
END_TEST

START_TEST(test_identity_kind__junk_in_any_case_quoted_or_not)
{
    static const char *const junk[] = {
        "null",
        "NULL",
        "Null",
        "\"null\"",
        "'NULL'",
        "`null`",
        " \" null \" ",
        "\"'null'\"",
        "0",
        "0000",
        "00000000-0000-0000-0000-000000000000",
        "---",
        "-",
        "\"0000\"",
        "",
        "   ",
        "\"\"",
        "guest",
        "Guest",
        "GUEST",
        "[object Object]",
        "[OBJECT OBJECT]",
        "'[object Object]'",
        "undefined",
        "None",
        "NaN",
        "anonymous",
        "(not set)",
        "N/A",
        "0000000000000000000000000000000000000000000000000000",
        "00:00:00:00:00:00",
        "{}"};

    for (size_t i = 0; i < sizeof junk / sizeof junk[0]; i++)
        for (size_t k = 0; k < CJ__N_KINDS; k++)
            ck_assert_msg(strcmp(becomes(cj__kinds()[k].name, junk[i]), "junk") == 0,
                          "%s as %s", junk[i], cj__kinds()[k].name);
}
END_TEST

START_TEST(test_identity_kind__what_only_looks_like_junk)
{
    static const char *const fine[] = {
        "nullify", "guest-17",       "0x1", "user1", "1", "00001", "object17",
        "nan1",    "anonymous-5f3a", "a",   "-17-"};

    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++)
        ck_assert_str_eq(becomes("user_id", fine[i]), fine[i]);
}
END_TEST

START_TEST(test_identity_kind__length_at_its_limit)
{
    char value[CJ__MAX_IDENTIFIER + 2];

    memset(value, 'x', sizeof value);
    value[CJ__MAX_IDENTIFIER] = '\0';
    ck_assert_str_eq(becomes("user_id", value), value);
    value[CJ__MAX_IDENTIFIER] = 'x';
    value[CJ__MAX_IDENTIFIER + 1] = '\0';
    ck_assert_str_eq(becomes("user_id", value), "malformed");
}
END_TEST

/* Every row of the table: found by name and number, with a meaning; ids never change.
 */
START_TEST(test_identity_kind__table)
{
    static const char *const order[] = {"user_id",      "crm_id", "loyalty_card",
                                        "email",        "phone",  "device_id",
                                        "anonymous_id", "guest"};

    for (int i = 0; i < CJ__N_KINDS; i++) {
        const cj__kind *kind = &cj__kinds()[i];
        ck_assert_str_eq(kind->name, order[i]);
        ck_assert_int_eq(kind->id, i + 1);
        ck_assert_ptr_eq(cj__kind_named(kind->name), kind);
        ck_assert_ptr_eq(cj__kind_numbered(kind->id), kind);
        ck_assert_int_gt((int)strlen(kind->meaning), 10);
        ck_assert_int_eq((kind->mask & CJ__KNOWN) != 0,
                         strcmp(kind->name, "guest") != 0);
        ck_assert_int_eq((kind->mask & CJ__UNIQUE) != 0, i < 2);
    }
    ck_assert_ptr_null(cj__kind_named("userid"));
    ck_assert_ptr_null(cj__kind_named(NULL));
    ck_assert_ptr_null(cj__kind_numbered(0));
    ck_assert_ptr_null(cj__kind_numbered(CJ__N_KINDS + 1));
}
END_TEST

/* The list of junk is kept by length: each word of it, and none a letter longer. */
START_TEST(test_identity_kind__each_word_of_the_list)
{
    static const char *const words[] = {"null",
                                        "nil",
                                        "none",
                                        "undefined",
                                        "nan",
                                        "n/a",
                                        "na",
                                        "unknown",
                                        "anonymous",
                                        "anon",
                                        "guest",
                                        "user",
                                        "customer",
                                        "id",
                                        "distinct_id",
                                        "distinctid",
                                        "email",
                                        "true",
                                        "false",
                                        "[object object]",
                                        "object",
                                        "not set",
                                        "(not set)",
                                        "not_authenticated",
                                        "not authenticated",
                                        "(null)",
                                        "<null>",
                                        "(none)",
                                        "invalid",
                                        "default",
                                        "deleted",
                                        "empty",
                                        "blank",
                                        "test",
                                        "string",
                                        "user_id",
                                        "userid",
                                        "device_id",
                                        "anonymous_id",
                                        "noemail",
                                        "no email",
                                        "none@none",
                                        "-1"};
    char text[64];

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        ck_assert_str_eq(becomes("user_id", words[i]), "junk");
        (void)snprintf(text, sizeof text, "'%s'", words[i]);
        text[1] = (char)toupper(text[1]);
        ck_assert_str_eq(becomes("user_id", text), "junk");
        (void)snprintf(text, sizeof text, "%s7", words[i]);
        ck_assert_str_eq(becomes("user_id", text), text);
        (void)snprintf(text, sizeof text, "7%s", words[i]);
        ck_assert_str_eq(becomes("user_id", text), text);
    }
}
END_TEST

HARNESS_MAIN("identity_kind", test_identity_kind__emails_are_lower_case,
             test_identity_kind__phones_are_digits,
             test_identity_kind__ids_stay_as_written,
             test_identity_kind__junk_in_any_case_quoted_or_not,
             test_identity_kind__what_only_looks_like_junk,
             test_identity_kind__length_at_its_limit, test_identity_kind__table,
             test_identity_kind__each_word_of_the_list)
