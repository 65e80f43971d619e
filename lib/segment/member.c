/* What is written of segments: definitions and static lists.  The one file of this room
 * that writes. */
#include "segment/live.h"

#include "base/text.h"
#include "store/reader.h"

#include <string.h>

static int32_t member_name(const char *name)
{
    return cj__name_check("a segment's name", cj__text_of(name));
}

/* The definition of a name, or id 0. */
static int32_t member_find(cj_db *db, const char *name, cj__arena *arena,
                           cj__definition *d)
{
    int32_t rc = cj__definition_get(db, cj__writer(db), cj__text_of(name), arena, d);

    if (rc != CJ_ENOTFOUND)
        return rc;
    memset(d, 0, sizeof *d);
    cj__error_clear();
    return CJ_OK;
}

static int32_t member_put(cj_db *db, const cj__definition *d)
{
    cj__query q = {0};
    int32_t rc;

    CJ_TRY(cj__query_begin(cj__writer(db), STMT_SEGMENT_PUT, &q));
    cj__query_text(&q, 1, d->name);
    cj__query_int64(&q, 2, d->kind);
    cj__query_int64(&q, 3, d->live);
    cj__query_int64(&q, 4, d->time_ms);
    cj__query_text(&q, 5, d->source);
    CJ_TRY(cj__query_run(&q));
out:
    cj__query_end(&q);
    return rc;
}

static int32_t member_by_id(cj_db *db, int stmt, int64_t id)
{
    cj__query q = {0};
    int32_t rc;

    CJ_TRY(cj__query_begin(cj__writer(db), stmt, &q));
    cj__query_int64(&q, 1, id);
    CJ_TRY(cj__query_run(&q));
out:
    cj__query_end(&q);
    return rc;
}

static int32_t member_needs(const cj__definition *it, const cj__set *set, cj__text name)
{
    if (cj__set_item_named(set, name) < 0 && cj__set_list_named(set, name) < 0)
        return CJ_OK;
    return cj__fail(CJ_EEXISTS, "segment `%.*s` needs it; drop that first",
                    it->name.n < 60 ? (int)it->name.n : 60, it->name.data);
}

/* All other definitions still stand: none has become too deep, and when this one is to
 * go, none leads to it: it would be left without it. */
static int32_t member_others(cj_db *db, const cj__definition *d, cj__arena *arena,
                             int is_going)
{
    cj__definition *all;
    cj__set set;
    size_t n;
    uint32_t item;
    int32_t rc;

    CJ_TRY(cj__definitions(cj__writer(db), arena, &all, &n));
    for (size_t i = 0; i < n; i++) {
        if (all[i].id == d->id || all[i].kind != CJ__SEGMENT_EXPRESSION)
            continue;
        cj__set_begin(&set, db, cj__writer(db));
        rc = cj__set_add_named(&set, all[i].name, &item);
        if (rc == CJ_OK && is_going)
            rc = member_needs(&all[i], &set, d->name);
        cj__set_end(&set);
        if (rc != CJ_OK)
            return rc;
    }
out:
    return rc;
}

/* ---- expressions
 * -------------------------------------------------------------------------- */

/* Time passes up to the moment at which a definition is to change; *at_out: that. */
static int32_t member_before(cj_db *db, int64_t now_ms, int64_t *at_out)
{
    int active;
    int32_t rc;

    CJ_TRY(cj__live_sync(db->live, &active));
    *at_out = now_ms + 1 > db->live->now_ms ? now_ms + 1 : db->live->now_ms;
    if (active)
        CJ_TRY(cj__live_advance_all(db->live, *at_out));
out:
    return rc;
}

/* What is due long since needs no place in the one transaction of a definition. */
static int32_t member_begin(cj_db *db, int64_t now_ms)
{
    int64_t ignored;
    int32_t rc = cj__segment_advance(db, now_ms + 1, &ignored);

    return rc == CJ_OK ? cj__write_begin(db) : rc;
}

static int32_t member_define(cj_db *db, cj__definition *d, cj__set *set, cj__str *text)
{
    cj__definition old;
    uint32_t item;
    int64_t at_ms;
    int32_t rc;

    CJ_TRY(member_before(db, d->time_ms, &at_ms));
    CJ_TRY(member_find(db, d->name.data, &set->arena, &old));
    if (old.kind == CJ__SEGMENT_LIST)
        return cj__fail(CJ_EEXISTS, "there is a list of that name; drop it first");
    CJ_TRY(cj__set_add(set, d->name, d->source, &item));
    cj__segment_put(text, set->items[item].tree->root);
    CJ_TRY(cj__str_status(text));
    d->source = (cj__text){text->data, text->n};
    CJ_TRY(member_put(db, d));
    if (old.id != 0)
        CJ_TRY(member_others(db, &old, &set->arena, 0));
    CJ_TRY(cj__live_redefined(db->live, d->name, old.live != 0, at_ms));
out:
    return rc;
}

int32_t cj__segment_define(cj_db *db, const char *name, const char *expression,
                           int64_t flags, int64_t now_ms)
{
    cj__definition d = {.kind = CJ__SEGMENT_EXPRESSION,
                        .live = flags,
                        .time_ms = now_ms,
                        .name = cj__text_of(name),
                        .source = cj__text_of(expression)};
    cj__str text;
    cj__set set;
    int32_t rc;

    CJ_TRY(member_name(name));
    if ((flags & ~(int64_t)CJ_SEGMENT_LIVE) != 0)
        return cj__fail(CJ_EINVAL, "unknown flags; use CJ_SEGMENT_LIVE or 0");
    CJ_TRY(member_begin(db, now_ms));
    cj__str_init(&text, &db->cx.allocator, CJ__MAX_SEGMENT);
    cj__set_begin(&set, db, cj__writer(db));
    rc = cj__write_end(db, member_define(db, &d, &set, &text));
    cj__set_end(&set);
    cj__str_end(&text);
out:
    return rc;
}

/* ---- lists
 * ------------------------------------------------------------------------------- */

static int32_t member_list_add(cj_db *db, int64_t id, int64_t profile)
{
    cj__query q = {0};
    cj__node node;
    int32_t rc;

    if (profile < 1 || profile > (int64_t)CJ__MAX_NODES)
        return cj__fail(CJ_ENOTFOUND, "there is no such profile");
    CJ_TRY(cj__node_get(db, (uint32_t)profile, &node));
    if (node.profile != profile)
        return cj__fail(CJ_ENOTFOUND, "there is no such profile");
    CJ_TRY(cj__query_begin(cj__writer(db), STMT_LIST_ADD, &q));
    cj__query_int64(&q, 1, id);
    cj__query_int64(&q, 2, profile);
    CJ_TRY(cj__query_run(&q));
out:
    cj__query_end(&q);
    return rc;
}

static int32_t member_list(cj_db *db, cj__definition *d, const int64_t *profiles,
                           int64_t n)
{
    cj__definition now;
    cj__arena arena;
    int64_t at_ms;
    int32_t rc;

    cj__arena_init(&arena, &db->cx.allocator);
    CJ_TRY(member_before(db, d->time_ms, &at_ms));
    CJ_TRY(member_find(db, d->name.data, &arena, &now));
    if (now.kind == CJ__SEGMENT_EXPRESSION)
        CJ_TRY(cj__fail(CJ_EEXISTS, "there is a segment of that name; drop it first"));
    CJ_TRY(member_put(db, d));
    CJ_TRY(member_find(db, d->name.data, &arena, &now));
    CJ_TRY(member_by_id(db, STMT_LIST_CLEAR, now.id));
    for (int64_t i = 0; i < n; i++) {
        rc = member_list_add(db, now.id, profiles[i]);
        if (rc != CJ_OK)
            CJ_TRY(cj__fail_at(i, rc, "%s", cj__error_text()));
    }
    CJ_TRY(cj__live_redefined(db->live, d->name, 0, at_ms));
out:
    cj__arena_end(&arena);
    return rc;
}

int32_t cj__segment_define_list(cj_db *db, const char *name, const int64_t *profiles,
                                int64_t n, int64_t now_ms)
{
    cj__definition d = {.kind = CJ__SEGMENT_LIST,
                        .time_ms = now_ms,
                        .name = cj__text_of(name),
                        .source = cj__text_of("")};
    int32_t rc;

    CJ_TRY(member_name(name));
    CJ_TRY(member_begin(db, now_ms));
    rc = cj__write_end(db, member_list(db, &d, profiles, n));
out:
    return rc;
}

/* ---- dropping and listing
 * ---------------------------------------------------------------- */

/* The feed goes on to tell its name. */
static int32_t member_past(cj_db *db, const cj__definition *d)
{
    cj__query q = {0};
    int32_t rc;

    CJ_TRY(cj__query_begin(cj__writer(db), STMT_SEGMENT_PAST_ADD, &q));
    cj__query_int64(&q, 1, d->id);
    cj__query_text(&q, 2, d->name);
    CJ_TRY(cj__query_run(&q));
out:
    cj__query_end(&q);
    return rc;
}

static int32_t member_drop(cj_db *db, const char *name, int64_t now_ms)
{
    cj__definition d;
    cj__arena arena;
    int64_t at_ms;
    int32_t rc;

    cj__arena_init(&arena, &db->cx.allocator);
    CJ_TRY(member_before(db, now_ms, &at_ms));
    CJ_TRY(cj__definition_get(db, cj__writer(db), cj__text_of(name), &arena, &d));
    CJ_TRY(member_others(db, &d, &arena, 1));
    CJ_TRY(member_by_id(db, STMT_LIST_CLEAR, d.id));
    CJ_TRY(member_by_id(db, STMT_SEGMENT_DELETE, d.id));
    if (d.kind == CJ__SEGMENT_EXPRESSION)
        CJ_TRY(member_past(db, &d));
    CJ_TRY(cj__live_redefined(db->live, d.name, d.live != 0, at_ms));
out:
    cj__arena_end(&arena);
    return rc;
}

int32_t cj__segment_drop(cj_db *db, const char *name, int64_t now_ms)
{
    int32_t rc = member_begin(db, now_ms);

    return rc == CJ_OK ? cj__write_end(db, member_drop(db, name, now_ms)) : rc;
}

int32_t cj__segments(cj_db *db, cj_table **out)
{
    cj__definition *all;
    cj__reader *reader = NULL;
    cj_table *t = NULL;
    cj__arena arena;
    size_t n;
    int32_t rc;

    *out = NULL;
    cj__arena_init(&arena, &db->cx.allocator);
    CJ_TRY(cj__reader_open(db, &reader));
    CJ_TRY(cj__definitions(cj__reader_conn(reader), &arena, &all, &n));
    CJ_TRY(cj__table_new(&db->cx.allocator,
                         "segment:t kind:t live:i defined_ms:i expression:t", &t));
    for (size_t i = 0; i < n; i++) {
        const int is_list = all[i].kind == CJ__SEGMENT_LIST;

        cj__table_text(t, 0, all[i].name.data, all[i].name.n);
        cj__table_put(t, 1, is_list ? "list" : "expression");
        cj__table_int64(t, 2, all[i].live);
        cj__table_int64(t, 3, all[i].time_ms);
        if (is_list)
            cj__table_null(t, 4);
        else
            cj__table_text(t, 4, all[i].source.data, all[i].source.n);
    }
    rc = cj__table_finish(t, out);
    t = NULL;
out:
    cj__table_free(t);
    cj__reader_end(reader);
    cj__arena_end(&arena);
    return rc;
}
