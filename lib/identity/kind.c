/* Identifier kinds: how each is normalised, and the values that identify nobody.  Pure
 * functions of the text; what the host has blocked is in lookup.c. */
#include "identity/identity.h"

#include <string.h>

static int kind_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static cj__text kind_trim(cj__text t)
{
    while (t.n > 0 && kind_blank(t.data[0])) {
        t.data++;
        t.n--;
    }
    while (t.n > 0 && kind_blank(t.data[t.n - 1]))
        t.n--;
    return t;
}

static char kind_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* As written: ids are the shop's own, upper and lower case differ. */
static int32_t kind_exact(cj__text value, char *to, size_t *n_out)
{
    memcpy(to, value.data, value.n);
    *n_out = value.n;
    return 0;
}

/* One @ with something on both sides; ASCII letters in lower case (the part before the
 * @ could differ by case in theory, and never does in practice). */
static int32_t kind_email(cj__text value, char *to, size_t *n_out)
{
    size_t ats = 0;

    for (size_t i = 0; i < value.n; i++) {
        to[i] = kind_lower(value.data[i]);
        ats += to[i] == '@';
        if (kind_blank(to[i]))
            return -1;
    }
    *n_out = value.n;
    return ats == 1 && to[0] != '@' && to[value.n - 1] != '@' ? 0 : -1;
}

/* Digits, with a leading + when the number is international (00 is +); 5 to 15 digits
 * (E.164).  National and international forms of one number are not brought together:
 * that needs the country. */
static int32_t kind_phone(cj__text value, char *to, size_t *n_out)
{
    size_t n = 0, digits;

    for (size_t i = 0; i < value.n; i++) {
        char c = value.data[i];
        if ((c >= '0' && c <= '9') || (c == '+' && n == 0))
            to[n++] = c;
        else if (!kind_blank(c) && strchr("-./()", c) == NULL)
            return -1;
    }
    if (n > 2 && to[0] == '0' && to[1] == '0') {
        to[0] = '+';
        memmove(to + 1, to + 2, n - 2);
        n--;
    }
    digits = n - (n > 0 && to[0] == '+');
    *n_out = n;
    return digits >= 5 && digits <= 15 ? 0 : -1;
}

/* clang-format off */
static const cj__kind kinds[CJ__N_KINDS] = {
    {"user_id",      1, CJ__UNIQUE_USER | CJ__KNOWN, kind_exact, "account in the shop; one per person"},
    {"crm_id",       2, CJ__UNIQUE_CRM | CJ__KNOWN,  kind_exact, "record in the CRM; one per person"},
    {"loyalty_card", 3, CJ__KNOWN,                   kind_exact, "card number; a person may have several"},
    {"email",        4, CJ__KNOWN,                   kind_email, "e-mail address, in lower case"},
    {"phone",        5, CJ__KNOWN,                   kind_phone, "telephone number, digits and a leading +"},
    {"device_id",    6, CJ__KNOWN,                   kind_exact, "installed app or device"},
    {"anonymous_id", 7, CJ__KNOWN,                   kind_exact, "cookie or visitor id"},
    {"guest",        8, 0,                           kind_exact, "one visit that nothing else identifies"},
};
/* clang-format on */

const cj__kind *cj__kinds(void)
{
    return kinds;
}

const cj__kind *cj__kind_named(const char *name)
{
    for (size_t i = 0; name != NULL && i < CJ__N_KINDS; i++)
        if (kinds[i].name[0] == name[0] && strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

const cj__kind *cj__kind_numbered(int64_t id)
{
    return id >= 1 && id <= CJ__N_KINDS ? &kinds[id - 1] : NULL;
}

/* ---- junk
 * --------------------------------------------------------------------------------- */

/* In lower case.  What programs write when they have no id: seen in Segment's and
 * PostHog's lists of illegal ids and in real exports. */
static const char *const kind_junk[] = {"null",
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

/* Only zeros, dashes and what stands between them in empty ids. */
static int kind_is_hollow(const char *text, size_t n)
{
    return strspn(text, "0-_.:{} ") >= n;
}

static int kind_is_junk(cj__text value)
{
    char text[32];
    cj__text t = kind_trim(value);

    while (t.n >= 2 && (t.data[0] == '"' || t.data[0] == '\'' || t.data[0] == '`') &&
           t.data[t.n - 1] == t.data[0])
        t = kind_trim((cj__text){t.data + 1, t.n - 2});
    if (t.n >= sizeof text) { /* a long one can only be hollow */
        for (size_t i = 0; i < t.n; i++)
            if (strchr("0-_.:{} ", t.data[i]) == NULL)
                return 0;
        return 1;
    }
    for (size_t i = 0; i < t.n; i++)
        text[i] = kind_lower(t.data[i]);
    text[t.n] = '\0';
    if (kind_is_hollow(text, t.n))
        return 1;
    for (size_t i = 0; i < sizeof kind_junk / sizeof kind_junk[0]; i++)
        if (kind_junk[i][0] == text[0] && strcmp(text, kind_junk[i]) == 0)
            return 1;
    return 0;
}

int32_t cj__kind_normalise(const cj__kind *kind, cj__text value, char *to,
                           size_t *n_out)
{
    cj__text t = kind_trim(value);

    *n_out = 0;
    if (kind_is_junk(t))
        return -2;
    if (t.n > CJ__MAX_IDENTIFIER || kind->normalise(t, to, n_out) != 0)
        return -1;
    to[*n_out] = '\0';
    return kind_is_junk((cj__text){to, *n_out}) ? -2 : 0;
}
