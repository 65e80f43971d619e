/* Functions over sessions, channels, campaigns and stages of the journey.  An event
 * without a session or channel belongs to none and is not counted. */
#include "segment/program.h"

static const cj__field session_field = {.kind = CJ__FIELD_SESSION};
static const cj__field channel_field = {.kind = CJ__FIELD_CHANNEL};

static int32_t session_add(cj__program *p, cj__op *op, const char *name,
                           const char *field)
{
    uint32_t slot;
    int32_t rc;

    CJ_TRY(cj__selector_where(p, name, field, CJ__SEG_IS_KNOWN, NULL, &slot));
    CJ_TRY(cj__call_selector(p, op, slot));
out:
    return rc;
}

static int32_t session_prepare(cj__program *p, cj__op *op)
{
    return session_add(p, op, NULL, "session");
}

static int32_t session_prepare_pages(cj__program *p, cj__op *op)
{
    int32_t rc;

    CJ_TRY(session_prepare(p, op));
    CJ_TRY(session_add(p, op, "page_view", "session"));
out:
    return rc;
}

static int32_t session_prepare_channels(cj__program *p, cj__op *op)
{
    return session_add(p, op, NULL, "channel");
}

/* Events with a field of a text: the first argument, a text or a bare word. */
static int32_t session_add_text(cj__program *p, cj__op *op, const char *field)
{
    cj__seg_node *literal = op->node->kids[0];
    uint32_t slot;
    int32_t rc;

    CJ_TRY(cj__selector_where(p, NULL, field, CJ__SEG_EQ, literal, &slot));
    CJ_TRY(cj__call_selector(p, op, slot));
out:
    return rc;
}

static int32_t session_prepare_touched(cj__program *p, cj__op *op)
{
    return session_add_text(p, op, "campaign");
}

static int32_t session_prepare_seen(cj__program *p, cj__op *op)
{
    return session_add_text(p, op, "content");
}

static int32_t session_prepare_share(cj__program *p, cj__op *op)
{
    int32_t rc;

    CJ_TRY(session_add_text(p, op, "channel"));
    CJ_TRY(session_prepare_channels(p, op));
out:
    return rc;
}

/* ---- sessions
 * ------------------------------------------------------------------------------ */

static int32_t session_count_of(cj__program *p, const cj__op *op, const cj__list *list,
                                cj__range range, cj__value *out)
{
    int64_t n;
    int32_t rc;

    (void)op;
    CJ_TRY(cj__call_distinct(p, &session_field, list, range, &n));
    cj__value_number(out, (double)n);
out:
    return rc;
}

static int32_t session_count(cj__program *p, const cj__op *op, cj__value *out)
{
    return cj__call_kept(p, op, session_count_of, out);
}

/* A session's length is the sum of the gaps between its events. */
static int32_t session_minutes_of(cj__program *p, const cj__op *op,
                                  const cj__list *list, cj__range range, cj__value *out)
{
    int64_t total = 0, n = 0;
    uint64_t key;
    int32_t rc;

    (void)op;
    CJ_TRY(cj__keys_begin(p, range.hi - range.lo));
    for (uint32_t i = range.lo; i < range.hi; i++) {
        const uint32_t row = list->rows[i];
        int64_t *before;

        CJ_TRY(cj__field_key(p, &session_field, row, &key));
        before = cj__keys_at(p, key); /* row + 1; 0: the session begins */
        if (*before == 0)
            n++;
        else
            total += p->time[row] - p->time[*before - 1];
        *before = (int64_t)row + 1;
    }
    if (n == 0)
        cj__value_missing(out);
    else
        cj__value_number(out, (double)total / (double)n / 60000);
out:
    return rc;
}

static int32_t session_minutes(cj__program *p, const cj__op *op, cj__value *out)
{
    return cj__call_kept(p, op, session_minutes_of, out);
}

static int32_t session_pages(cj__program *p, const cj__op *op, cj__value *out)
{
    cj__value sessions;
    cj__range range;
    cj__list list;
    int32_t rc;

    CJ_TRY(cj__call_kept(p, op, session_count_of, &sessions));
    CJ_TRY(cj__call_range(p, op, 1, &list, &range));
    if (sessions.d > 0)
        cj__value_number(out, (double)(range.hi - range.lo) / sessions.d);
    else
        cj__value_missing(out);
out:
    return rc;
}

/* ---- channels
 * ------------------------------------------------------------------------------- */

static int32_t session_channels_of(cj__program *p, const cj__op *op,
                                   const cj__list *list, cj__range range,
                                   cj__value *out)
{
    int64_t n;
    int32_t rc;

    (void)op;
    CJ_TRY(cj__call_distinct(p, &channel_field, list, range, &n));
    cj__value_number(out, (double)n);
out:
    return rc;
}

static int32_t session_channels(cj__program *p, const cj__op *op, cj__value *out)
{
    return cj__call_kept(p, op, session_channels_of, out);
}

static int32_t session_channel_at(cj__program *p, const cj__op *op, int last,
                                  cj__value *out)
{
    cj__range range;
    cj__list list;
    int32_t rc;

    CJ_TRY(cj__call_range(p, op, 0, &list, &range));
    if (range.lo == range.hi)
        cj__value_missing(out);
    else
        CJ_TRY(cj__field_value(p, &channel_field,
                               list.rows[last ? range.hi - 1 : range.lo], out));
out:
    return rc;
}

static int32_t session_first_channel(cj__program *p, const cj__op *op, cj__value *out)
{
    return session_channel_at(p, op, 0, out);
}

static int32_t session_last_channel(cj__program *p, const cj__op *op, cj__value *out)
{
    return session_channel_at(p, op, 1, out);
}

/* Count, then look again: of equally many the smallest text. */
static int32_t session_top_of(cj__program *p, const cj__op *op, const cj__list *list,
                              cj__range range, cj__value *out)
{
    int64_t most = 0;
    cj__value text;
    int32_t rc;

    (void)op;
    cj__value_missing(out);
    CJ_TRY(cj__keys_begin(p, range.hi - range.lo));
    for (uint32_t i = range.lo; i < range.hi; i++)
        ++*cj__keys_at(p, cj__field_term(p, &channel_field, list->rows[i]));
    for (uint32_t i = range.lo; i < range.hi; i++) {
        int64_t *n = cj__keys_at(p, cj__field_term(p, &channel_field, list->rows[i]));

        if (*n >= most) {
            CJ_TRY(cj__field_value(p, &channel_field, list->rows[i], &text));
            if (*n > most || cj__text_order(text.text, out->text, 0) < 0)
                *out = text;
            most = *n;
        }
        *n = -1; /* done */
    }
out:
    return rc;
}

static int32_t session_top_channel(cj__program *p, const cj__op *op, cj__value *out)
{
    return cj__call_kept(p, op, session_top_of, out);
}

/* ---- contacts and stages
 * ----------------------------------------------------------------------- */

static int32_t session_any(cj__program *p, const cj__op *op, cj__value *out)
{
    cj__range range;
    cj__list list;
    int32_t rc;

    CJ_TRY(cj__call_range(p, op, 0, &list, &range));
    cj__value_truth(out, range.lo < range.hi ? CJ__TRUE : CJ__FALSE);
out:
    return rc;
}

static const struct {
    const char *name;
    const char *events[8]; /* none: orders */
    int64_t least;         /* that many of them reach the stage */
} stages[] = {
    {"awareness",     {"impression", "ad_click", "email_open", "social_view", NULL}, 1},
    {"consideration",
     {"product_view", "product_list_view", "product_click", "search", "cart_add",
      "cart_view", "checkout_start", NULL},
     1                                                                                },
    {"purchase",      {NULL},                                                        1},
    {"retention",     {NULL},                                                        2},
    {"advocacy",      {"review", "product_share", "cart_share", "referral", NULL},   1},
};

static int32_t session_prepare_stage(cj__program *p, cj__op *op)
{
    uint32_t slot;
    int32_t rc = CJ_OK;

    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++) {
        if (cj__text_order(op->call->word, cj__text_of(stages[i].name), 0) != 0)
            continue;
        op->call->k = stages[i].least;
        if (stages[i].events[0] != NULL)
            CJ_TRY(cj__selector_names(p, stages[i].events, &slot));
        else
            CJ_TRY(cj__selector_word(p, "orders", &slot));
        return cj__call_selector(p, op, slot);
    }
    return cj__fail_at(op->node->begin, CJ_EINVAL, "there is no such stage");
out:
    return rc;
}

static int32_t session_stage(cj__program *p, const cj__op *op, cj__value *out)
{
    cj__list list;
    int32_t rc;

    CJ_TRY(cj__list_of(p, op->call->selectors[0], &list));
    cj__value_truth(out, cj__list_seen(p, &list) >= op->call->k ? CJ__TRUE : CJ__FALSE);
out:
    return rc;
}

const cj__call_row cj__calls_session[] = {
    {"sessions",          session_count,         session_prepare,          200, 0},
    {"session_minutes",   session_minutes,       session_prepare,          250, 0},
    {"pages_per_session", session_pages,         session_prepare_pages,    250, 0},
    {"channels",          session_channels,      session_prepare_channels, 200, 0},
    {"channel_share",     cj__call_share,        session_prepare_share,    100, 1},
    {"first_channel",     session_first_channel, session_prepare_channels, 60,  0},
    {"last_channel",      session_last_channel,  session_prepare_channels, 60,  0},
    {"top_channel",       session_top_channel,   session_prepare_channels, 250, 0},
    {"touched",           session_any,           session_prepare_touched,  60,  1},
    {"seen",              session_any,           session_prepare_seen,     60,  1},
    {"stage",             session_stage,         session_prepare_stage,    60,  0},
    {NULL,                NULL,                  NULL,                     0,   0},
};
