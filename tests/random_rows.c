/* See random_rows.h. */
#include "random_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t random_next(random_rows *r)
{
    uint64_t z = (r->state += 0x9e3779b97f4a7c15u); /* splitmix64 */

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint32_t random_below(random_rows *r, uint32_t n)
{
    return (uint32_t)(random_next(r) % n);
}

static cj__text random_kept(random_rows *r, const char *bytes, size_t n)
{
    return (cj__text){cj__arena_text(r->arena, bytes, n), n};
}

static cj__text random_noise(random_rows *r, uint32_t longest)
{
    char bytes[512];
    size_t n = random_below(r, longest + 1);

    for (size_t i = 0; i < n; i++)
        bytes[i] = (char)random_next(r);
    return random_kept(r, bytes, n);
}

static int random_uuid(random_rows *r, char *to, size_t n)
{
    uint64_t a = random_next(r), b = random_next(r);

    return snprintf(to, n, "%08x-%04x-%04x-%04x-%012llx", (uint32_t)a,
                    (uint32_t)(a >> 32 & 0xffff), (uint32_t)(a >> 48),
                    (uint32_t)(b >> 48), (unsigned long long)(b & 0xffffffffffffu));
}

cj__text random_text(random_rows *r, uint32_t family, uint32_t i)
{
    static const char *const words[] = {"blue-m",    "blue-l", "red",  "",
                                        "black-xl",  "7",      "grün", "a\\\"b",
                                        "sonstiges", "null"};
    static const char *const odd[] = {"007",
                                      "7",
                                      "00",
                                      "0",
                                      "-0",
                                      "-",
                                      "1.",
                                      ".5",
                                      "1e9",
                                      "+1",
                                      "0x1f",
                                      "18446744073709551615",
                                      "4611686018427387903",
                                      "4611686018427387904",
                                      "9223372036854775807",
                                      "-9223372036854775808"};
    uint32_t x = random_below(r, 100000);
    char text[600];
    int n = 0;

    switch (family) {
    case 0: /* canonical numbers */
        n = snprintf(text, sizeof text, "%u", x);
        break;
    case 1: /* rising, repeated */
        n = snprintf(text, sizeof text, "%u", 70000 + i / 5);
        break;
    case 2: /* signed */
        n = snprintf(text, sizeof text, "%d", (int)x - 50000);
        break;
    case 3: /* money, two digits */
        n = snprintf(text, sizeof text, "%d.%02u", (int)x - 50000, x % 100);
        break;
    case 4: /* as JSON printers shorten it: 19, 24.95, 24.5 */
        n = snprintf(text, sizeof text, x % 3 ? x % 7 ? "%u.%02u" : "%u.%u" : "%u", x,
                     x % 9 * 10 + x % 8 + 1);
        break;
    case 5: /* 19.0, 24.95 */
        n = snprintf(text, sizeof text, x % 2 ? "%u.0" : "%u.%u5", x, x % 10);
        break;
    case 6:
        n = snprintf(text, sizeof text, "/shop/p/%u", x);
        break;
    case 7:
        n = snprintf(text, sizeof text, "SKU-%05u-X", x);
        break;
    case 8: /* several patterns, some with no number */
        n = snprintf(text, sizeof text, x % 4 ? "/p/%u?ref=mail" : "/home", x);
        break;
    case 9:
        n = snprintf(text, sizeof text, "%s", words[x % 10]);
        break;
    case 10:
        n = random_uuid(r, text, sizeof text);
        break;
    case 11:
        n = snprintf(text, sizeof text, "sess_%016llx",
                     (unsigned long long)random_next(r));
        break;
    case 12: /* slugs: words that begin alike */
        n = snprintf(text, sizeof text, "/category/shoes/%s-of-%c%c", words[x % 10],
                     'a' + (int)(x % 26), 'a' + (int)(x / 26 % 26));
        break;
    case 13:
        n = snprintf(text, sizeof text, "%s", odd[x % 16]);
        break;
    case 14:
        return random_noise(r, 40);
    case 15: /* a few long texts */
        memset(text, 'a' + (int)(x % 3), sizeof text);
        return random_kept(r, text, 200 + x % 300);
    case 16: /* leading zeros and none, of one width or not */
        n = snprintf(text, sizeof text, x % 50 ? "N%06u" : "N%u", x);
        break;
    default: /* anything of the others */
        return random_text(r, x % (RANDOM_FAMILIES - 1), i);
    }
    return random_kept(r, text, (size_t)n);
}

static int properties_shop(random_rows *r, char *to, size_t n, uint32_t x)
{
    static const char *const refs[] = {"search", "home", "mail"};

    switch (x % 4) {
    case 0:
        return snprintf(to, n,
                        "{\"path\":\"/shop/p/%u\",\"ref\":\"%s\",\"position\":%u,"
                        "\"price\":%u,\"variant\":\"blue-m\"}",
                        10000 + x % 900, refs[x % 3], x % 40, 495 + x % 90 * 100);
    case 1:
        return snprintf(to, n, "{ \"total\" : %u.%02u, \"new\": %s,\t\"none\":null }",
                        x, x % 100, x % 2 ? "true" : "false");
    case 2:
        return snprintf(to, n,
                        "{\"q\":\"%s \\\"%u\\\" \\\\\",\"hits\":[%u,%u],\"e\":{}}",
                        refs[x % 3], x, x % 7, x % 11);
    default:
        return snprintf(to, n, "{\"request\":\"%016llx\",\"at\":-1.5e-%u}",
                        (unsigned long long)random_next(r), x % 9);
    }
}

cj__text random_properties(random_rows *r, uint32_t kind)
{
    static const char *const broken[] = {"",
                                         "{",
                                         "{}",
                                         "\"",
                                         "{\"a\":\"b",
                                         "{\"a\":\"b\\",
                                         "\\",
                                         "-",
                                         "--",
                                         "1-",
                                         "{\"a\"",
                                         "{\"a\":1,}",
                                         "[\"\\\\\",\"\\\"\"]",
                                         "\"a\" :1",
                                         "{\"\":\"\"}",
                                         "{\"a\":1e}",
                                         "\"\"\"\"\"",
                                         "1\"2\"3",
                                         "{'a':'b'}",
                                         "\"a\"\n:\"b\"",
                                         "{\"a\":0123}"};
    uint32_t x = random_below(r, 100000);
    char text[512];
    int n = 0;

    switch (kind) {
    case 0:
        n = properties_shop(r, text, sizeof text, x);
        break;
    case 1: /* names differ: up to 400 shapes, most of them rare */
        n = snprintf(text, sizeof text, "{\"k%u\":%u,\"v\":\"%u\"}",
                     x % 7 ? x % 20 : x % 400, x, x % 13);
        break;
    case 2:
        n = snprintf(text, sizeof text, "%s", broken[x % 21]);
        break;
    case 3:
        return random_noise(r, 100);
    default:
        return random_properties(r, x % (RANDOM_PROPERTIES - 1));
    }
    return random_kept(r, text, (size_t)n);
}

static uint32_t random_id(random_rows *r, uint32_t usual, int wild)
{
    return wild && random_below(r, 9) == 0 ? (uint32_t)random_next(r) | 1
                                           : 1 + random_below(r, usual);
}

static int64_t random_wide(random_rows *r, uint32_t usual, int wild)
{
    return wild && random_below(r, 9) == 0 ? (int64_t)random_next(r)
                                           : (int64_t)random_below(r, usual) - 200;
}

static int order_rows(const void *x, const void *y)
{
    const cj__row *a = x, *b = y;

    if (a->node != b->node)
        return a->node < b->node ? -1 : 1;
    return (a->time_ms > b->time_ms) - (a->time_ms < b->time_ms);
}

void random_fill(random_rows *r, cj__row *rows, uint32_t n, int wild)
{
    static const uint32_t units[] = {1, 1000, 60000, 7};
    uint32_t unit = units[random_below(r, 4)];
    uint32_t nodes = 1 + random_below(r, n), properties = random_below(r, 6);
    uint32_t session = random_below(r, RANDOM_FAMILIES);
    uint32_t order = random_below(r, RANDOM_FAMILIES), sparse = 1 + random_below(r, 8);

    for (uint32_t i = 0; i < n; i++) {
        cj__row *row = &rows[i];

        memset(row, 0, sizeof *row);
        row->node = random_id(r, nodes, wild);
        row->time_ms =
            1700000000000 + (int64_t)random_below(r, 7 * 86400000 / unit) * unit;
        if (wild && random_below(r, 50) == 0)
            row->time_ms = (int64_t)random_next(r);
        row->name = random_id(r, 12, wild);
        row->channel = random_below(r, 7);
        row->has_value = random_below(r, sparse) == 0;
        row->value_minor = row->has_value ? random_wide(r, 5000, wild) : 0;
        row->currency = row->has_value ? random_id(r, 2, 0) : 0;
        row->quantity = random_below(r, 9) ? 0 : random_wide(r, 300, wild);
        row->campaign = random_below(r, sparse) ? 0 : random_id(r, 5, wild);
        row->content = random_below(r, 5) ? 0 : random_id(r, 50, wild);
        row->product = random_below(r, 2) ? 0 : random_id(r, 10000, wild);
        if (random_below(r, 7) > 0)
            row->session = random_text(r, session, i);
        if (random_below(r, sparse) == 0)
            row->order = random_text(r, order, i);
        if (properties < RANDOM_PROPERTIES && random_below(r, 20) > 0)
            row->properties = random_properties(r, properties);
    }
    qsort(rows, n, sizeof *rows, order_rows);
}

static int texts_differ(cj__text a, cj__text b)
{
    return (a.data == NULL) != (b.data == NULL) || a.n != b.n ||
           (a.n > 0 && memcmp(a.data, b.data, a.n) != 0);
}

const char *rows_differ(const cj__row *a, const cj__row *b)
{
    if (a->time_ms != b->time_ms)
        return "time_ms";
    if (a->quantity != b->quantity)
        return "quantity";
    if (a->value_minor != b->value_minor)
        return "value_minor";
    if (a->node != b->node)
        return "node";
    if (a->name != b->name)
        return "name";
    if (a->channel != b->channel)
        return "channel";
    if (a->campaign != b->campaign)
        return "campaign";
    if (a->content != b->content)
        return "content";
    if (a->product != b->product)
        return "product";
    if (a->currency != b->currency)
        return "currency";
    if (a->has_value != b->has_value)
        return "has_value";
    if (texts_differ(a->session, b->session))
        return "session";
    if (texts_differ(a->order, b->order))
        return "order";
    if (texts_differ(a->properties, b->properties))
        return "properties";
    return NULL;
}

cj__text bytes_copy(const void *bytes, size_t n)
{
    char *copy = malloc(n > 0 ? n : 1);

    if (copy != NULL && n > 0)
        memcpy(copy, bytes, n);
    return (cj__text){copy, n};
}

void bytes_free(cj__text copy)
{
    char *bytes;

    memcpy(&bytes, &copy.data, sizeof bytes); /* ours, though a cj__text borrows */
    free(bytes);
}
