/* Scores as bytes, and as names and values of traits.
 *
 * A chunk is entries in order of profiles:
 *
 *     varint          profile, less the one before; the first is 0, the chunk's key has
 * it varint, bytes   the state varint, bytes   the tellings
 *
 * and a telling a zigzag varint, its time, a byte of flags (1 << number: null), and the
 * numbers that are not null as zigzag varints. */
#include "profile/score.h"

#include <stdio.h>
#include <string.h>

#define SCORE_SMALL 6 /* decimal places of probabilities and purchases */

static const char *const score_names[] = {"p_alive", "expected_", "clv_"};

void cj__score_put(cj__str *to, const cj__score *score)
{
    int flags = 0;

    for (int i = 0; i < CJ__SCORE_NUMBERS; i++)
        flags |= (score->number[i] == CJ__SCORE_NULL) << i;
    cj__str_put_varint(to, cj__zigzag(score->time_ms));
    cj__str_put_char(to, (char)flags);
    for (int i = 0; i < CJ__SCORE_NUMBERS; i++) {
        if (!(flags >> i & 1))
            cj__str_put_varint(to, cj__zigzag(score->number[i]));
    }
}

static int score_varint(cj__text *from, uint64_t *out)
{
    const uint8_t *at = (const uint8_t *)from->data, *end = at + from->n;

    if (from->n > 0 && *at < 0x80) { /* as most are */
        *out = *at;
        *from = (cj__text){from->data + 1, from->n - 1};
        return 1;
    }
    if (cj__varint_read(&at, end, out) != 0)
        return -1;
    *from = (cj__text){(const char *)at, (size_t)(end - at)};
    return 1;
}

int cj__score_take(cj__text *tellings, cj__score *out)
{
    uint64_t bits;
    int flags;

    if (tellings->n == 0)
        return 0;
    if (score_varint(tellings, &bits) < 0 || tellings->n == 0)
        return -1;
    out->time_ms = cj__unzigzag(bits);
    flags = (unsigned char)*tellings->data++;
    tellings->n--;
    for (int i = 0; i < CJ__SCORE_NUMBERS; i++) {
        if (!(flags >> i & 1) && score_varint(tellings, &bits) < 0)
            return -1;
        out->number[i] = flags >> i & 1 ? CJ__SCORE_NULL : cj__unzigzag(bits);
    }
    return flags >> CJ__SCORE_NUMBERS == 0 ? 1 : -1;
}

void cj__score_entry_put(cj__str *to, uint32_t before, const cj__score_entry *entry)
{
    cj__str_put_varint(to, entry->profile - before);
    cj__str_put_varint(to, entry->state.n);
    cj__str_put(to, entry->state.data, entry->state.n);
    cj__str_put_varint(to, entry->tellings.n);
    cj__str_put(to, entry->tellings.data, entry->tellings.n);
}

static int score_text(cj__text *from, cj__text *out)
{
    uint64_t n;

    if (score_varint(from, &n) < 0 || n > from->n)
        return -1;
    *out = (cj__text){from->data, n};
    *from = (cj__text){from->data + n, from->n - n};
    return 1;
}

int cj__score_entry_take(cj__text *entries, uint32_t before, cj__score_entry *out)
{
    uint64_t more;

    if (entries->n == 0)
        return 0;
    if (score_varint(entries, &more) < 0 || more > UINT32_MAX - before ||
        score_text(entries, &out->state) < 0 || score_text(entries, &out->tellings) < 0)
        return -1;
    out->profile = before + (uint32_t)more;
    return 1;
}

int64_t cj__score_checksum(int64_t chunk, cj__text entries)
{
    return (int64_t)(cj__hash64((uint64_t)chunk, entries.data, entries.n) >> 1) | 1;
}

/* ---- as traits --------------------------------------------------------------------
 */

void cj__score_name(char name[CJ__SCORE_NAME], int number, int64_t months)
{
    if (number == CJ__SCORE_ALIVE)
        (void)snprintf(name, CJ__SCORE_NAME, "%s", score_names[number]);
    else
        (void)snprintf(name, CJ__SCORE_NAME, "%s%dm", score_names[number], (int)months);
}

int cj__score_is_name(cj__text name)
{
    char text[CJ__SCORE_NAME];
    int months = 0;

    for (size_t i = 0; i < name.n && months < 10000; i++) {
        if (name.data[i] >= '0' && name.data[i] <= '9')
            months = 10 * months + (name.data[i] - '0');
    }
    for (int i = 0; i < CJ__SCORE_NUMBERS; i++) {
        cj__score_name(text, i, months);
        if (cj__text_equal(name, cj__text_of(text)))
            return 1;
    }
    return 0;
}

void cj__score_text(cj__str *to, int number, int64_t value, int currency_exponent)
{
    const int exponent = number == CJ__SCORE_VALUE ? currency_exponent : SCORE_SMALL;

    if (value == CJ__SCORE_NULL) {
        cj__str_put_text(to, "null");
        return;
    }
    cj__decimal_put(to, value, exponent);
    if (exponent == 0)
        return;
    while (to->n > 0 && to->data[to->n - 1] == '0')
        cj__str_cut(to, to->n - 1);
    if (to->n > 0 && to->data[to->n - 1] == '.')
        cj__str_cut(to, to->n - 1);
}
