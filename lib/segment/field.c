/* Fields of events: reading them, and the relations of filters over them.  A field that
 * is a term is compared by id, or its text once per term; properties are looked for
 * once per event.  Knows nothing of time but the local hour and weekday. */
#include "segment/program.h"

#include <string.h>

#include "store/store.h"

static const struct {
    const char *name;
    int32_t kind;
    uint32_t column;
    int32_t space;
} fields[] = {
    {"channel",  CJ__FIELD_CHANNEL,  CJ__COL_CHANNEL,  CJ__SPACE_CHANNEL },
    {"campaign", CJ__FIELD_CAMPAIGN, CJ__COL_CAMPAIGN, CJ__SPACE_CAMPAIGN},
    {"content",  CJ__FIELD_CONTENT,  CJ__COL_CONTENT,  CJ__SPACE_CONTENT },
    {"product",  CJ__FIELD_PRODUCT,  CJ__COL_PRODUCT,  CJ__SPACE_PRODUCT },
    {"currency", CJ__FIELD_CURRENCY, CJ__COL_CURRENCY, CJ__SPACE_CURRENCY},
    {"session",  CJ__FIELD_SESSION,  CJ__COL_SESSION,  0                 },
    {"order",    CJ__FIELD_ORDER,    CJ__COL_ORDER,    0                 },
    {"quantity", CJ__FIELD_QUANTITY, CJ__COL_QUANTITY, 0                 },
    {"value",    CJ__FIELD_VALUE,    CJ__COL_VALUE,    0                 },
    {"hour",     CJ__FIELD_HOUR,     CJ__COL_TIME,     0                 },
    {"weekday",  CJ__FIELD_WEEKDAY,  CJ__COL_TIME,     0                 },
    {"weekend",  CJ__FIELD_WEEKEND,  CJ__COL_TIME,     0                 },
};

static const char field_unseen[] = "?"; /* a place no property is at */

static int32_t field_path(cj__program *p, cj__text text, uint32_t *slot_out)
{
    int32_t rc = CJ_OK;

    for (*slot_out = 0; *slot_out < p->n_paths; ++*slot_out) {
        if (cj__text_equal(p->paths[*slot_out].path.text, text))
            return CJ_OK;
    }
    CJ_TRY(cj__array_grow(p->allocator, (void **)&p->paths, &p->paths_capacity,
                          p->n_paths + 1, sizeof *p->paths, 65536));
    memset(&p->paths[p->n_paths], 0, sizeof *p->paths);
    CJ_TRY(cj__path_make(&p->arena, text, &p->paths[p->n_paths].path));
    p->n_paths++;
out:
    return rc;
}

int32_t cj__field_make(cj__program *p, const cj__seg_node *node, cj__field *out)
{
    memset(out, 0, sizeof *out);
    if (node->i == 1) {
        out->kind = CJ__FIELD_PROPERTY;
        p->columns |= CJ__COL_PROPERTIES;
        return field_path(p, node->text, &out->path);
    }
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (cj__text_order(node->text, cj__text_of(fields[i].name), 0) == 0) {
            out->kind = fields[i].kind;
            p->columns |= fields[i].column;
            return CJ_OK;
        }
    }
    return cj__fail_at(node->begin, CJ_EINVAL, "an event has no such field");
}

/* ---- reading ------------------------------------------------------------------------
 */

uint32_t cj__field_term(const cj__program *p, const cj__field *f, uint32_t row)
{
    const cj__columns *c = cj__columns_of(p);
    const int64_t at = cj__row_at(p, row);

    switch (f->kind) {
    case CJ__FIELD_CHANNEL:
        return c->channel[at];
    case CJ__FIELD_CAMPAIGN:
        return c->campaign[at];
    case CJ__FIELD_CONTENT:
        return c->content[at];
    case CJ__FIELD_PRODUCT:
        return c->product[at];
    default:
        return c->has_value == NULL || c->has_value[at] ? c->currency[at] : 0;
    }
}

static int32_t field_memo(cj__program *p, cj__path_memo *memo)
{
    int32_t rc = CJ_OK;

    CJ_TRY(cj__array_grow(p->allocator, (void **)&memo->raw, &memo->capacity,
                          (size_t)p->facts->n, sizeof *memo->raw, UINT32_MAX));
    memo->n = (size_t)p->facts->n;
    for (size_t i = 0; i < memo->n; i++)
        memo->raw[i].data = field_unseen;
out:
    return rc;
}

/* The JSON of a property; data NULL: the event lacks it. */
static int32_t field_raw(cj__program *p, const cj__field *f, uint32_t row,
                         cj__text *out)
{
    cj__path_memo *memo = &p->paths[f->path];
    int32_t rc = CJ_OK;

    if (memo->n == 0)
        CJ_TRY(field_memo(p, memo));
    if (memo->raw[row].data == field_unseen) {
        const cj__text json = *cj__columns_of(p)->properties[cj__row_at(p, row)];

        CJ_TRY(cj__program_work(p, (int64_t)json.n));
        memo->raw[row] = cj__path_find(&memo->path, json);
    }
    *out = memo->raw[row];
out:
    return rc;
}

static int64_t field_local(const cj__program *p, uint32_t row)
{
    return p->time[row] + cj__zone_offset_ms(p->env.zone, p->time[row]);
}

static int64_t field_floor(int64_t a, int64_t b)
{
    return a / b - (a % b < 0 ? 1 : 0);
}

/* Monday is 1; 1970-01-01 was a Thursday. */
static int64_t field_weekday(const cj__program *p, uint32_t row)
{
    const int64_t day = field_floor(field_local(p, row), CJ__MS_PER_DAY) + 3;

    return day - field_floor(day, 7) * 7 + 1;
}

static int64_t field_hour(const cj__program *p, uint32_t row)
{
    const int64_t hour = field_floor(field_local(p, row), CJ__MS_PER_HOUR);

    return hour - field_floor(hour, 24) * 24;
}

static int32_t field_text(cj__program *p, const cj__field *f, uint32_t row,
                          cj__value *out)
{
    const uint32_t id = cj__field_term(p, f, row);
    cj__text text;
    int32_t rc = CJ_OK;

    if (id == 0)
        return CJ_OK;
    CJ_TRY(p->env.term_text(p->env.user, id, &text));
    if (text.data != NULL)
        cj__value_text(out, text);
out:
    return rc;
}

int32_t cj__field_value(cj__program *p, const cj__field *f, uint32_t row,
                        cj__value *out)
{
    const cj__columns *c = cj__columns_of(p);
    const int64_t at = cj__row_at(p, row);
    cj__text raw;
    int32_t rc = CJ_OK;

    cj__value_missing(out);
    switch (f->kind) {
    case CJ__FIELD_SESSION:
    case CJ__FIELD_ORDER: /* their texts are not kept: only equal, in, known compare */
        break;
    case CJ__FIELD_QUANTITY:
        if (c->quantity[at] != 0)
            cj__value_number(out, (double)c->quantity[at]);
        break;
    case CJ__FIELD_VALUE:
        if (c->has_value[at])
            cj__value_typed(out, CJ__TYPE_MONEY, c->value_minor[at]);
        break;
    case CJ__FIELD_HOUR:
        cj__value_number(out, (double)field_hour(p, row));
        break;
    case CJ__FIELD_WEEKDAY:
        cj__value_number(out, (double)field_weekday(p, row));
        break;
    case CJ__FIELD_WEEKEND:
        cj__value_truth(out, field_weekday(p, row) >= 6 ? CJ__TRUE : CJ__FALSE);
        break;
    case CJ__FIELD_PROPERTY:
        CJ_TRY(field_raw(p, f, row, &raw));
        rc = cj__value_json(p, raw, out);
        break;
    default:
        rc = field_text(p, f, row, out);
    }
out:
    return rc;
}

int32_t cj__field_key(cj__program *p, const cj__field *f, uint32_t row,
                      uint64_t *key_out)
{
    const cj__columns *c = cj__columns_of(p);
    const int64_t at = cj__row_at(p, row);
    cj__text raw;
    int32_t rc = CJ_OK;

    *key_out = 0;
    switch (f->kind) {
    case CJ__FIELD_SESSION:
        *key_out = c->session[at];
        break;
    case CJ__FIELD_ORDER:
        *key_out = c->order[at];
        break;
    case CJ__FIELD_QUANTITY: /* shifted: every number but "none" has a key */
        if (c->quantity[at] != 0)
            *key_out = (uint64_t)c->quantity[at] << 1 | 1;
        break;
    case CJ__FIELD_VALUE:
        if (c->has_value[at])
            *key_out = (uint64_t)c->value_minor[at] << 1 | 1;
        break;
    case CJ__FIELD_HOUR:
        *key_out = (uint64_t)field_hour(p, row) + 1;
        break;
    case CJ__FIELD_WEEKDAY:
        *key_out = (uint64_t)field_weekday(p, row);
        break;
    case CJ__FIELD_WEEKEND:
        *key_out = field_weekday(p, row) >= 6 ? 2 : 1;
        break;
    case CJ__FIELD_PROPERTY:
        CJ_TRY(field_raw(p, f, row, &raw));
        if (raw.data != NULL && raw.data[0] != '[' && raw.data[0] != '{')
            *key_out = cj__hash64(p->keys_seed, raw.data, raw.n) | 1;
        break;
    default:
        *key_out = cj__field_term(p, f, row);
    }
out:
    return rc;
}
