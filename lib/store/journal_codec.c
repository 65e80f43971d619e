/* A row of the journal: its fields as varints behind a word that says which are there,
 * its texts as they are (docs/FORMAT.md).  Rows stand one behind the other; there is no
 * state between them, so a batch can be read from any row's beginning. */
#include "store/bits.h"
#include "store/block.h"

enum {
    ROW_VALUE = 1,
    ROW_QUANTITY = 2,
    ROW_CAMPAIGN = 4,
    ROW_CONTENT = 8,
    ROW_PRODUCT = 16,
    ROW_CURRENCY = 32,
    ROW_SESSION = 64,
    ROW_ORDER = 128,
    ROW_PROPERTIES = 256,
    ROW_CHANNEL = 512,
    ROW_ALL = 1023,
    ROW_NUMBERS = 14 /* of a row at most: 4 always, 7 by their bits, 3 lengths */
};

static uint32_t row_bits(const cj__row *row)
{
    return (row->has_value ? ROW_VALUE : 0u) | (row->quantity ? ROW_QUANTITY : 0u) |
           (row->campaign ? ROW_CAMPAIGN : 0u) | (row->content ? ROW_CONTENT : 0u) |
           (row->product ? ROW_PRODUCT : 0u) | (row->currency ? ROW_CURRENCY : 0u) |
           (row->session.data != NULL ? ROW_SESSION : 0u) |
           (row->order.data != NULL ? ROW_ORDER : 0u) |
           (row->properties.data != NULL ? ROW_PROPERTIES : 0u) |
           (row->channel ? ROW_CHANNEL : 0u);
}

static uint8_t *put_if(uint8_t *to, uint32_t there, uint64_t value)
{
    return there ? cj__varint_write(to, value) : to;
}

static uint8_t *put_text_if(uint8_t *to, uint32_t there, cj__text text)
{
    if (!there)
        return to;
    to = cj__varint_write(to, text.n);
    if (text.n > 0)
        memcpy(to, text.data, text.n);
    return to + text.n;
}

/* Room is made once, for the longest numbers, and what was too much is given back. */
void cj__journal_put(cj__str *s, const cj__row *row)
{
    size_t most =
        (size_t)ROW_NUMBERS * 10 + row->session.n + row->order.n + row->properties.n;
    uint8_t *to = cj__str_extend(s, most), *end = to;
    uint32_t bits = row_bits(row);

    if (to == NULL)
        return;
    end = cj__varint_write(end, bits);
    end = cj__varint_write(end, row->node);
    end = cj__varint_write(end, cj__zigzag(row->time_ms));
    end = cj__varint_write(end, row->name);
    end = put_if(end, bits & ROW_CHANNEL, row->channel);
    end = put_if(end, bits & ROW_VALUE, cj__zigzag(row->value_minor));
    end = put_if(end, bits & ROW_QUANTITY, cj__zigzag(row->quantity));
    end = put_if(end, bits & ROW_CAMPAIGN, row->campaign);
    end = put_if(end, bits & ROW_CONTENT, row->content);
    end = put_if(end, bits & ROW_PRODUCT, row->product);
    end = put_if(end, bits & ROW_CURRENCY, row->currency);
    end = put_text_if(end, bits & ROW_SESSION, row->session);
    end = put_text_if(end, bits & ROW_ORDER, row->order);
    end = put_text_if(end, bits & ROW_PROPERTIES, row->properties);
    cj__str_cut(s, s->n - most + (size_t)(end - to));
}

static uint32_t take_number(cj__bytes *b)
{
    uint64_t number = cj__bytes_varint(b);

    b->bad |= number > UINT32_MAX;
    return (uint32_t)number;
}

static uint32_t take_id(cj__bytes *b, uint64_t there)
{
    uint32_t id = there ? take_number(b) : 0;

    b->bad |= there && id == 0;
    return id;
}

static cj__text take_text(cj__bytes *b, uint64_t there)
{
    return there ? cj__bytes_sized(b) : (cj__text){NULL, 0};
}

int32_t cj__journal_next(cj__text bytes, size_t *at, cj__row *out)
{
    cj__bytes b = cj__bytes_of(bytes);
    uint64_t bits;

    memset(out, 0, sizeof *out);
    cj__bytes_take(&b, *at);
    bits = cj__bytes_varint(&b);
    b.bad |= bits > ROW_ALL;
    out->node = take_number(&b);
    out->time_ms = cj__unzigzag(cj__bytes_varint(&b));
    out->name = take_number(&b);
    out->channel = take_id(&b, bits & ROW_CHANNEL);
    out->has_value = (bits & ROW_VALUE) != 0;
    out->value_minor = out->has_value ? cj__unzigzag(cj__bytes_varint(&b)) : 0;
    out->quantity = bits & ROW_QUANTITY ? cj__unzigzag(cj__bytes_varint(&b)) : 0;
    b.bad |= bits & ROW_QUANTITY && out->quantity == 0;
    out->campaign = take_id(&b, bits & ROW_CAMPAIGN);
    out->content = take_id(&b, bits & ROW_CONTENT);
    out->product = take_id(&b, bits & ROW_PRODUCT);
    out->currency = take_id(&b, bits & ROW_CURRENCY);
    out->session = take_text(&b, bits & ROW_SESSION);
    out->order = take_text(&b, bits & ROW_ORDER);
    out->properties = take_text(&b, bits & ROW_PROPERTIES);
    if (b.bad) {
        memset(out, 0, sizeof *out);
        return cj__fail_at((int64_t)*at, CJ_ECORRUPT,
                           "a row of the journal is damaged: run cj_check");
    }
    *at = (size_t)(b.at - (const uint8_t *)bytes.data);
    return CJ_OK;
}
