/* Times, numbers, money and names between people and the library.  Local times go
 * through the library for the store's zone, and through the C library for --tz: this is
 * the program's own process, so its TZ is ours to set. */
#include "program.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- time ---------------------------------------------------------------------------
 */

/* The C library takes an unknown zone for UTC without a word, so look first. */
static int output_zone_set(const program *p)
{
    const char *folder = getenv("TZDIR"), *zone = p->zone;
    char path[400], value[300];

    snprintf(path, sizeof path, "%.100s/%.200s",
             folder == NULL ? "/usr/share/zoneinfo" : folder, zone);
    if (strcmp(zone, "UTC") != 0 &&
        (zone[0] == '/' || strstr(zone, "..") != NULL || access(path, R_OK) != 0))
        return complain(p, USAGE, "write it as Europe/Berlin, or leave --tz out",
                        "there is no time zone \"%.40s\"", zone);
    snprintf(value, sizeof value, ":%.200s", zone);
    setenv("TZ", value, 1);
    tzset();
    return DONE;
}

/* "YYYY-MM-DD[ T]HH:MM[:SS]" without offset, in --tz; -1: another form. */
static int output_zone_read(const char *text, int64_t *ms_out)
{
    static const char *const forms[] = {"%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M",
                                        "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"};

    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct tm local = {.tm_isdst = -1};
        const char *end = strptime(text, forms[i], &local);

        if (end != NULL && *end == '\0') {
            *ms_out = (int64_t)mktime(&local) * 1000;
            return 0;
        }
    }
    return -1;
}

int time_read(program *p, const char *text, int64_t *ms_out)
{
    if (p->zone != NULL) {
        if (output_zone_set(p) != DONE)
            return USAGE;
        if (output_zone_read(text, ms_out) == 0)
            return DONE;
    }
    return cj_time_parse(p->db, text, ms_out) == CJ_OK ? DONE : USAGE;
}

static void output_civil(int64_t ms, struct tm *out)
{
    time_t seconds = (time_t)(ms >= 0 ? ms / 1000 : -((999 - ms) / 1000));

    gmtime_r(&seconds, out);
}

static void output_stamp(const struct tm *t, char *to, size_t size)
{
    snprintf(to, size, "%04d-%02d-%02d %02d:%02d:%02d", t->tm_year + 1900,
             t->tm_mon + 1, t->tm_mday, t->tm_hour, t->tm_min, t->tm_sec);
}

/* Offset of the store's zone near an instant: the library reads local times, so look
 * what it makes of the instant's digits. */
static int output_offset(program *p, int64_t ms, int64_t *offset_out)
{
    struct tm t;
    char stamp[64];
    int64_t back;

    output_civil(ms, &t);
    output_stamp(&t, stamp, sizeof stamp);
    if (cj_time_parse(p->db, stamp, &back) != CJ_OK)
        return -1;
    *offset_out = ms - back;
    return 0;
}

/* What the store's clock shows at an instant.  Offsets of the day before and the day
 * after differ only around a change of the clocks.  There the larger one holds exactly
 * when its time reads back: in spring it is the later one (the hour that is left out
 * reads as the smaller), in autumn the earlier one (of the hour that happens twice the
 * first is read). */
static void output_store_local(program *p, int64_t ms, struct tm *out)
{
    int64_t whole = ms - ((ms % 1000) + 1000) % 1000, before, after, back;
    char stamp[64];

    if (output_offset(p, whole - 86400000, &before) != 0 ||
        output_offset(p, whole + 86400000, &after) != 0)
        before = after = 0;
    output_civil(whole + (before > after ? before : after), out);
    output_stamp(out, stamp, sizeof stamp);
    if (before != after &&
        (cj_time_parse(p->db, stamp, &back) != CJ_OK || back != whole))
        output_civil(whole + (before < after ? before : after), out);
}

void time_local(program *p, int64_t ms, char to[20])
{
    struct tm t;
    char stamp[64];

    if (p->zone != NULL && output_zone_set(p) == DONE) {
        time_t seconds = (time_t)(ms / 1000);

        localtime_r(&seconds, &t);
    } else {
        output_store_local(p, ms, &t);
    }
    output_stamp(&t, stamp, sizeof stamp);
    snprintf(to, 20, "%.19s", stamp);
}

int64_t time_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void time_utc(int64_t ms, char to[28])
{
    struct tm t;
    char stamp[64];

    output_civil(ms, &t);
    output_stamp(&t, stamp, sizeof stamp);
    snprintf(to, 28, "%.10sT%.8s.%03dZ", stamp, stamp + 11,
             (int)((ms % 1000 + 1000) % 1000));
}

/* ---- numbers and money ----------------------------------------------------------- */

void number_text(int64_t value, char to[32])
{
    char digits[24];
    uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    int n = snprintf(digits, sizeof digits, "%llu", (unsigned long long)size), at = 0;

    if (value < 0)
        to[at++] = '-';
    for (int i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0)
            to[at++] = ',';
        to[at++] = digits[i];
    }
    to[at] = '\0';
}

void money_text(int64_t minor, int exponent, char to[40])
{
    uint64_t size = minor < 0 ? 0 - (uint64_t)minor : (uint64_t)minor, unit = 1;
    char whole[32];

    for (int i = 0; i < exponent; i++)
        unit *= 10;
    number_text((int64_t)(size / unit), whole);
    if (exponent == 0)
        snprintf(to, 40, "%s%s", minor < 0 ? "-" : "", whole);
    else
        snprintf(to, 40, "%s%s.%0*llu", minor < 0 ? "-" : "", whole, exponent,
                 (unsigned long long)(size % unit));
}

int money_read(program *p, const char *text, int64_t *minor_out)
{
    const char *at = text;
    int64_t value = 0;
    int digits = 0, after = -1;

    currency_learn(p);
    for (; *at != '\0' && *at != ','; at++) {
        if (*at == '.' && after < 0) {
            after = 0;
            continue;
        }
        if (!isdigit((unsigned char)*at) || ++digits > 15 ||
            (after >= 0 && ++after > p->exponent))
            return -1;
        value = value * 10 + (*at - '0');
    }
    for (after = after < 0 ? 0 : after; after < p->exponent; after++)
        value *= 10;
    *minor_out = value;
    return digits == 0 ? -1 : 0;
}

/* The statistics name the store's currency: the row's value is the digits after the
 * point, its meaning the code.  They count much, so they are asked only when needed. */
void currency_learn(program *p)
{
    cj_table *t;

    if (p->currency_known || cj_stats(p->db, &t) != CJ_OK)
        return;
    p->currency_known = 1;
    for (int64_t row = 0; row < cj_table_rows(t); row++) {
        static const char wanted[] = "currency_exponent";
        size_t n;
        const char *text = table_text(t, table_column(t, "name"), row, &n);

        if (text == NULL || n != sizeof wanted - 1 || memcmp(text, wanted, n) != 0)
            continue;
        p->exponent = (int)table_int64(t, table_column(t, "value"), row);
        text = table_text(t, table_column(t, "meaning"), row, &n);
        if (text != NULL && n < sizeof p->currency) {
            memcpy(p->currency, text, n);
            p->currency[n] = '\0';
        }
    }
    cj_table_free(t);
}

/* ---- people ---------------------------------------------------------------------- */

int pair_read(program *p, const char *text, char **kind_out, const char **value_out)
{
    const char *equals = strchr(text, '=');

    *kind_out = NULL;
    if (equals == NULL || equals == text || equals[1] == '\0')
        return complain(p, USAGE, "write user_id=ann, email=ann@example.org, ...",
                        "\"%.40s\" is not KIND=VALUE", text);
    *kind_out = memory(NULL, (size_t)(equals - text) + 1);
    memcpy(*kind_out, text, (size_t)(equals - text));
    (*kind_out)[equals - text] = '\0';
    *value_out = equals + 1;
    return DONE;
}

const char *const identifier_kinds[] = {"user_id",      "crm_id", "loyalty_card",
                                        "email",        "phone",  "device_id",
                                        "anonymous_id", "guest",  NULL};

/* A value without its kind: whoever has it, asked from the strongest kind on. */
static int output_anybody(program *p, const char *value, int64_t *profile_out)
{
    for (size_t i = 0; identifier_kinds[i] != NULL; i++) {
        int32_t rc = cj_profile_find(p->db, identifier_kinds[i], value, profile_out);

        if (rc != CJ_ENOTFOUND)
            return rc == CJ_OK ? DONE : complain_library(p, rc);
    }
    return complain(p, NOTHING,
                    "if you know its kind, write user_id=..., email=..., ...",
                    "no profile has an identifier \"%.60s\"", value);
}

/* The number of a profile, as results show it. */
static int output_numbered(program *p, int64_t profile, const char *text)
{
    cj_table *t = NULL;
    char next[100];
    int32_t rc = cj_profile_identifiers(p->db, profile, &t);

    cj_table_free(t);
    snprintf(next, sizeof next, "a customer number is written user_id=%.40s", text);
    if (rc == CJ_ENOTFOUND)
        return complain(p, NOTHING, next, "there is no profile %.40s", text);
    return rc == CJ_OK ? DONE : complain_library(p, rc);
}

int profile_read(program *p, const char *text, int64_t *profile_out)
{
    char *kind = NULL, *end;
    const char *value = text;
    int32_t rc;

    errno = 0;
    *profile_out = strtoll(text, &end, 10);
    if (*end == '\0' && end != text && errno == 0 && *profile_out > 0)
        return output_numbered(p, *profile_out, text);
    if (strchr(text, '=') == NULL)
        return output_anybody(p, text, profile_out);
    if (pair_read(p, text, &kind, &value) != DONE)
        return USAGE;
    rc = cj_profile_find(p->db, kind, value, profile_out);
    free(kind);
    return rc == CJ_OK ? DONE : complain_library(p, rc);
}

void json_put(FILE *out, const char *bytes, size_t n)
{
    fputc('"', out);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)bytes[i];

        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c == '\n')
            fputs("\\n", out);
        else if (c < 0x20)
            fprintf(out, "\\u%04x", c);
        else
            fputc(c, out);
    }
    fputc('"', out);
}
