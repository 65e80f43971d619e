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

/* What programs write when they have no id: seen in Segment's and PostHog's lists of
 * illegal ids and in real exports.  In lower case, by length, since most ids are done
 * with after a look at those of their length. */
static const char *const kind_junk[] = {
    [2] = "na|id|-1",
    [3] = "nil|nan|n/a",
    [4] = "null|none|anon|user|true|test",
    [5] = "guest|email|false|empty|blank",
    [6] = "object|(null)|<null>|(none)|string|userid",
    [7] = "unknown|not set|invalid|default|deleted|user_id|noemail",
    [8] = "customer|no email",
    [9] = "undefined|anonymous|(not set)|none@none|device_id",
    [10] = "distinctid",
    [11] = "distinct_id",
    [12] = "anonymous_id",
    [15] = "[object object]",
    [17] = "not_authenticated|not authenticated"};

/* What stands between the zeros of empty ids. */
static int kind_is_hollow(char c)
{
    return c == '0' || c == '-' || c == '_' || c == '.' || c == ':' || c == '{' ||
           c == '}' || c == ' ';
}

static int kind_in_list(cj__text t, const char *list)
{
    char text[24];

    for (size_t i = 0; i < t.n; i++)
        text[i] = kind_lower(t.data[i]);
    for (;; list += t.n + 1) {
        if (list[0] == text[0] && memcmp(list, text, t.n) == 0)
            return 1;
        if (list[t.n] == '\0')
            return 0;
    }
}

static int kind_is_junk(cj__text t)
{
    size_t hollow = 0;

    while (t.n >= 2 && (t.data[0] == '"' || t.data[0] == '\'' || t.data[0] == '`') &&
           t.data[t.n - 1] == t.data[0])
        t = kind_trim((cj__text){t.data + 1, t.n - 2});
    while (hollow < t.n && kind_is_hollow(t.data[hollow]))
        hollow++;
    if (hollow == t.n)
        return 1;
    return t.n < sizeof kind_junk / sizeof kind_junk[0] && kind_junk[t.n] != NULL &&
           kind_in_list(t, kind_junk[t.n]);
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
    if (*n_out == t.n && memcmp(to, t.data, t.n) == 0)
        return 0;
    return kind_is_junk(kind_trim((cj__text){to, *n_out})) ? -2 : 0;
}
