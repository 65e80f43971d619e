/* Time zones from the system's zoneinfo: TZif (RFC 8536) version 1 to 4, 64-bit data
 * where present, and the footer's rule.  A file is untrusted: every count and index is
 * checked before use.
 *
 * A zone is a sorted list of changes.  Where a rule follows, its changes are written
 * out up to 2100, the last time this library records, so that the usual question is one
 * binary search; later years ask the rule.  Constant after open. */
#include "base/limits.h"
#include "base/time.h"
#include "base/zone_rule.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    ZONE_MAX_FILE = 1 << 20,   /* the largest file of tzdata has 4 KiB */
    ZONE_MAX_CHANGES = 100000, /* half a million bytes of them are no zone */
    ZONE_MAX_OFFSET = 7 * 86400,
    ZONE_MAX_PATH = 1024,
    ZONE_HEADER = 44,
    ZONE_LAST_YEAR = 2100
};

struct cj__zone {
    cj__allocator allocator;
    int32_t first; /* offset before the first change */
    size_t n, capacity;
    cj__zone_change *changes; /* ascending */
    int has_rule;             /* for times after the last change; or at all times if the
                               * file has no change */
    int rule_only;
    cj__zone_rule rule;
};

typedef struct zone_bytes {
    const unsigned char *data;
    size_t n, at;
} zone_bytes;

/* Counts of one TZif header, in the order of the file. */
typedef struct zone_counts {
    size_t is_ut, is_std, leap, time, type, chars;
} zone_counts;

/* ---- the file ------------------------------------------------------------------- */

static int32_t zone_damaged(void)
{
    return cj__fail(CJ_EINVAL, "the time zone's file is damaged");
}

static uint64_t zone_big_endian(const unsigned char *p, size_t n)
{
    uint64_t value = 0;

    for (size_t i = 0; i < n; i++)
        value = value << 8 | p[i];
    return value;
}

static int zone_read_header(zone_bytes *b, zone_counts *c, int *version)
{
    const unsigned char *p = b->data + b->at;
    size_t *const to[] = {&c->is_ut, &c->is_std, &c->leap,
                          &c->time,  &c->type,   &c->chars};

    if (b->n - b->at < ZONE_HEADER || memcmp(p, "TZif", 4) != 0)
        return -1;
    *version = p[4];
    for (size_t i = 0; i < 6; i++) {
        *to[i] = (size_t)zone_big_endian(p + 20 + 4 * i, 4);
        if (*to[i] > ZONE_MAX_FILE)
            return -1;
    }
    b->at += ZONE_HEADER;
    return 0;
}

static size_t zone_block_bytes(const zone_counts *c, size_t time_bytes)
{
    return c->time * time_bytes + c->time + c->type * 6 + c->chars +
           c->leap * (time_bytes + 4) + c->is_std + c->is_ut;
}

static int32_t zone_add(cj__zone *z, int64_t at, int32_t before, int32_t after)
{
    int32_t rc;

    CJ_TRY(cj__array_grow(&z->allocator, (void **)&z->changes, &z->capacity, z->n + 1,
                          sizeof *z->changes, 2 * ZONE_MAX_CHANGES));
    z->changes[z->n].at = at;
    z->changes[z->n].before = before;
    z->changes[z->n].after = after;
    z->n++;
out:
    return rc;
}

static int zone_type_offset(const unsigned char *types, size_t i, int32_t *offset)
{
    *offset = (int32_t)(uint32_t)zone_big_endian(types + 6 * i, 4);
    return *offset > -ZONE_MAX_OFFSET && *offset < ZONE_MAX_OFFSET ? 0 : -1;
}

/* The block of times, type indexes and types; its length has been checked. */
static int32_t zone_read_changes(cj__zone *z, const unsigned char *p,
                                 const zone_counts *c, size_t time_bytes)
{
    const unsigned char *indexes = p + c->time * time_bytes;
    const unsigned char *types = indexes + c->time;
    int32_t before, after, rc;

    if (c->type == 0 || c->type > 256 || c->time > ZONE_MAX_CHANGES ||
        zone_type_offset(types, 0, &z->first) != 0)
        return zone_damaged();
    before = z->first;
    for (size_t i = 0; i < c->time; i++) {
        uint64_t bits = zone_big_endian(p + i * time_bytes, time_bytes);
        int64_t at = time_bytes == 8 ? (int64_t)bits : (int32_t)(uint32_t)bits;

        if (indexes[i] >= c->type || zone_type_offset(types, indexes[i], &after) != 0 ||
            (z->n > 0 && at <= z->changes[z->n - 1].at))
            return zone_damaged();
        rc = zone_add(z, at, before, after);
        if (rc != CJ_OK)
            return rc;
        before = after;
    }
    return CJ_OK;
}

static int32_t zone_read_footer(cj__zone *z, const zone_bytes *b)
{
    const char *text = (const char *)b->data + b->at;
    const char *end;

    if (b->at == b->n || *text != '\n')
        return zone_damaged();
    text++;
    end = memchr(text, '\n', b->n - b->at - 1);
    if (end == NULL)
        return zone_damaged();
    if (end == text)
        return CJ_OK;
    if (cj__zone_rule_parse(text, (size_t)(end - text), &z->rule) != 0)
        return zone_damaged();
    z->has_rule = 1;
    return CJ_OK;
}

static int32_t zone_read(cj__zone *z, const unsigned char *data, size_t n)
{
    zone_bytes b = {data, n, 0};
    size_t time_bytes = 4;
    zone_counts c;
    int version, again;
    int32_t rc;

    if (zone_read_header(&b, &c, &version) != 0)
        return zone_damaged();
    if (version >= '2') { /* skip the 32-bit block: the same again, cut at 2038 */
        size_t skip = zone_block_bytes(&c, time_bytes);

        time_bytes = 8;
        if (skip > b.n - b.at)
            return zone_damaged();
        b.at += skip;
        if (zone_read_header(&b, &c, &again) != 0)
            return zone_damaged();
    }
    if (c.leap > 0)
        return cj__fail(CJ_EINVAL, "a time zone with leap seconds: use its usual name");
    if (zone_block_bytes(&c, time_bytes) > b.n - b.at)
        return zone_damaged();
    CJ_TRY(zone_read_changes(z, b.data + b.at, &c, time_bytes));
    b.at += zone_block_bytes(&c, time_bytes);
    if (version >= '2')
        CJ_TRY(zone_read_footer(z, &b));
out:
    return rc;
}

/* Append a change of the rule unless it is in the file already or changes nothing. When
 * daylight time ends at the very moment at which the next year's begins (a zone that is
 * always on it), the two undo each other. */
static int32_t zone_add_ruled(cj__zone *z, size_t n_in_file, const cj__zone_change *c)
{
    int32_t before = c->before;

    if (z->n > n_in_file && z->changes[z->n - 1].at == c->at) {
        z->n--;
        before = z->changes[z->n].before;
    }
    if (z->n > 0) {
        before = z->changes[z->n - 1].after;
        if (c->at <= z->changes[z->n - 1].at)
            return CJ_OK;
    }
    return before != c->after ? zone_add(z, c->at, before, c->after) : CJ_OK;
}

/* Write the rule's changes out from the last one of the file. */
static int32_t zone_expand_rule(cj__zone *z)
{
    const size_t n_in_file = z->n;
    int64_t year = 1970;
    int32_t rc = CJ_OK;
    int month, date;

    z->rule_only = z->has_rule && z->n == 0;
    if (!z->has_rule || !z->rule.has_daylight)
        return CJ_OK;
    if (z->n > 0)
        cj__day_to_civil(z->changes[z->n - 1].at / 86400, &year, &month, &date);
    for (year = year < 1900 ? 1900 : year; year <= ZONE_LAST_YEAR; year++) {
        cj__zone_change two[2];

        cj__zone_rule_changes(&z->rule, year, two);
        CJ_TRY(zone_add_ruled(z, n_in_file, &two[0]));
        CJ_TRY(zone_add_ruled(z, n_in_file, &two[1]));
    }
out:
    return rc;
}

/* ---- opening -------------------------------------------------------------------- */

/* A name may not leave the directory it is looked up in. */
static int zone_name_valid(const char *name)
{
    const size_t n = strlen(name);

    if (n == 0 || n > 255 || name[0] == '/' || strstr(name, "..") != NULL)
        return 0;
    for (size_t i = 0; i < n; i++) {
        const char c = name[i];

        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
              (c >= '0' && c <= '9')) &&
            strchr("_+-/.", c) == NULL)
            return 0;
    }
    return 1;
}

/* A descriptor, or -1 when the directory has no such file. */
static int zone_open_in(const char *directory, const char *name)
{
    const size_t n = directory != NULL ? strlen(directory) : 0, m = strlen(name);
    char path[ZONE_MAX_PATH];

    if (n == 0 || n + 1 + m + 1 > sizeof path)
        return -1;
    memcpy(path, directory, n);
    path[n] = '/';
    memcpy(path + n + 1, name, m + 1);
    return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

static int zone_open_file(const char *name, size_t *size)
{
    const char *const directories[] = {getenv("TZDIR"), "/usr/share/zoneinfo",
                                       "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo"};
    struct stat st;

    for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++) {
        int fd = zone_open_in(directories[i], name);

        if (fd < 0)
            continue;
        if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
            st.st_size <= ZONE_MAX_FILE) {
            *size = (size_t)st.st_size;
            return fd;
        }
        close(fd);
    }
    return -1;
}

/* Bytes read, up to size; fewer when the file shrank. */
static size_t zone_read_bytes(int fd, unsigned char *to, size_t size)
{
    size_t n = 0;

    while (n < size) {
        ssize_t got = read(fd, to + n, size - n);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    return n;
}

static int32_t zone_load(cj__zone *z, const char *name)
{
    unsigned char *bytes;
    size_t size = 0;
    int32_t rc;
    int fd = zone_open_file(name, &size);

    if (fd < 0)
        return cj__fail(CJ_EINVAL,
                        "no such time zone: use an IANA name, or install tzdata");
    bytes = cj__alloc(&z->allocator, size);
    if (bytes == NULL) {
        close(fd);
        return CJ_ENOMEM;
    }
    rc = zone_read(z, bytes, zone_read_bytes(fd, bytes, size));
    if (rc == CJ_OK)
        rc = zone_expand_rule(z);
    close(fd);
    cj__free(&z->allocator, bytes, size);
    return rc;
}

int32_t cj__zone_open(const cj__allocator *a, const char *name, cj__zone **out)
{
    cj__zone *z;
    int32_t rc = CJ_OK;

    *out = NULL;
    if (!zone_name_valid(name))
        return cj__fail(CJ_EINVAL, "a time zone is an IANA name such as Europe/London");
    z = cj__alloc_zero(a, sizeof *z);
    if (z == NULL)
        return CJ_ENOMEM;
    z->allocator = *a;
    if (strcmp(name, "UTC") != 0)
        rc = zone_load(z, name);
    if (rc != CJ_OK) {
        cj__zone_end(z);
        return rc;
    }
    *out = z;
    return CJ_OK;
}

void cj__zone_end(cj__zone *z)
{
    cj__allocator a;

    if (z == NULL)
        return;
    a = z->allocator;
    cj__free(&a, z->changes, z->capacity * sizeof *z->changes);
    cj__free(&a, z, sizeof *z);
}

/* ---- asking --------------------------------------------------------------------- */

/* The moment from which a change counts: on the UTC line its instant; on the wall, the
 * later of what clocks show before and after, so that the times of a gap and of an
 * overlap are read with the offset before the change. */
static int64_t zone_change_from(const cj__zone_change *c, int is_wall)
{
    if (!is_wall)
        return c->at;
    return c->at + (c->before > c->after ? c->before : c->after);
}

/* By the rule alone: the latest change of three years that counts. */
static int32_t zone_rule_offset(const cj__zone *z, int64_t seconds, int is_wall)
{
    int32_t offset = z->rule.standard;
    int64_t year;
    int month, date;

    if (!z->rule.has_daylight)
        return offset;
    cj__day_to_civil(seconds / 86400, &year, &month, &date);
    for (int64_t y = year - 1; y <= year + 1; y++) {
        cj__zone_change two[2];

        cj__zone_rule_changes(&z->rule, y, two);
        for (int i = 0; i < 2; i++) {
            if (seconds >= zone_change_from(&two[i], is_wall))
                offset = two[i].after;
        }
    }
    return offset;
}

static int32_t zone_offset(const cj__zone *z, int64_t seconds, int is_wall)
{
    size_t low = 0, high = z->n; /* the first change that does not count yet */

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (seconds >= zone_change_from(&z->changes[middle], is_wall))
            low = middle + 1;
        else
            high = middle;
    }
    if (z->has_rule && (low == z->n || (low == 0 && z->rule_only)))
        return zone_rule_offset(z, seconds, is_wall);
    return low == 0 ? z->first : z->changes[low - 1].after;
}

static int64_t zone_seconds(int64_t ms)
{
    return ms / 1000 - (ms % 1000 < 0 ? 1 : 0);
}

int64_t cj__zone_offset_ms(const cj__zone *zone, int64_t utc_ms)
{
    return (int64_t)zone_offset(zone, zone_seconds(utc_ms), 0) * 1000;
}

int64_t cj__zone_to_utc(const cj__zone *zone, int64_t local_ms)
{
    return local_ms - (int64_t)zone_offset(zone, zone_seconds(local_ms), 1) * 1000;
}

int64_t cj__zone_day(const cj__zone *zone, int64_t utc_ms)
{
    int64_t local = zone_seconds(utc_ms) + zone_offset(zone, zone_seconds(utc_ms), 0);

    return local / 86400 - (local % 86400 < 0 ? 1 : 0);
}

/* Midnight may fall into a gap (clocks go from 00:00 to 01:00, from 23:30 to 00:30, or
 * a whole date is left out): then the date begins where the gap ends, at the change. */
int64_t cj__zone_day_start(const cj__zone *zone, int64_t day)
{
    const int64_t midnight = day * 86400;
    const int64_t instant = midnight - zone_offset(zone, midnight, 1);
    const int32_t offset = zone_offset(zone, instant, 0);
    const int64_t gap = instant + offset - midnight;
    int64_t low = instant - gap, high = instant; /* the change is in (low, high] */

    if (gap <= 0)
        return instant * 1000;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;

        if (zone_offset(zone, middle, 0) == offset)
            high = middle;
        else
            low = middle;
    }
    return high * 1000;
}
