/* What a row's texts are to a scan: keys that are equal when the texts are, and differ
 * when they differ unless two 63-bit hashes meet.  Stable: a fold may keep them. */
#include "store/row.h"

#include "base/hash.h"

uint64_t cj__row_key(cj__text text)
{
    uint64_t value = 0;
    size_t i = 0;

    if (text.data == NULL)
        return 0;
    if (text.n > 0 && text.n <= 19 && (text.n == 1 || text.data[0] != '0')) {
        while (i < text.n && text.data[i] >= '0' && text.data[i] <= '9')
            value = value * 10 + (uint64_t)(text.data[i++] - '0');
        if (i == text.n && value < (uint64_t)1 << 62)
            return value << 1 | 1;
    }
    value = cj__hash64(0, text.data, text.n) & ~(uint64_t)1;
    return value != 0 ? value : 2;
}
