/* Journal rows from foreign bytes: what is read as a row and written again reads as the
 * same row. */
#include "store/block.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void fuzz_expect(int holds)
{
    if (!holds)
        abort();
}

static void fuzz_inside(cj__text text, const uint8_t *data, size_t n)
{
    const char *begin = (const char *)data;

    fuzz_expect(text.data == NULL || text.n == 0 ||
                (text.data >= begin && text.data + text.n <= begin + n));
}

static void fuzz_again(const cj__allocator *a, const cj__row *row)
{
    cj__str s;
    cj__row again;
    size_t at = 0;

    cj__str_init(&s, a, 1 << 24);
    cj__journal_put(&s, row);
    fuzz_expect(cj__str_status(&s) == CJ_OK);
    fuzz_expect(cj__journal_next((cj__text){s.data, s.n}, &at, &again) == CJ_OK);
    fuzz_expect(at == s.n && again.time_ms == row->time_ms && again.node == row->node &&
                again.name == row->name && again.channel == row->channel &&
                again.has_value == row->has_value &&
                again.value_minor == row->value_minor &&
                again.quantity == row->quantity && again.campaign == row->campaign &&
                again.content == row->content && again.product == row->product &&
                again.currency == row->currency);
    fuzz_expect((again.session.data == NULL) == (row->session.data == NULL) &&
                cj__text_equal(again.session, row->session) &&
                cj__text_equal(again.order, row->order) &&
                cj__text_equal(again.properties, row->properties));
    cj__str_end(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    size_t at = 0, before = 0;
    cj__row row;
    cj__ctx cx;

    cj__ctx_init(&cx, NULL, NULL, NULL, NULL, NULL, NULL);
    while (at < n &&
           cj__journal_next((cj__text){(const char *)data, n}, &at, &row) == CJ_OK) {
        fuzz_expect(at > before && at <= n);
        before = at;
        fuzz_inside(row.session, data, n);
        fuzz_inside(row.order, data, n);
        fuzz_inside(row.properties, data, n);
        fuzz_again(&cx.allocator, &row);
    }
    fuzz_expect(at == before); /* a failure does not move it */
    return 0;
}
