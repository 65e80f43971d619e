/* See ask.h.  Definitions, traits and events are those of one read snapshot, so that a
 * segment, what it leads to and whom it is asked of belong to one moment. */
#include "segment/ask.h"

#include "identity/identity.h"

#include <string.h>

int32_t cj__ask_options(const cj_segment_options *o)
{
    if (o->threads < 0 || o->threads > CJ__MAX_THREADS)
        return cj__fail(CJ_EINVAL, "threads must be 0..%d", CJ__MAX_THREADS);
    if (o->as_of_ms > CJ__MAX_TIME_MS || o->as_of_ms < -CJ__MAX_TIME_MS)
        return cj__fail(CJ_EINVAL, "as_of_ms is not a time in milliseconds since 1970");
    if (o->deadline_ms < 0)
        return cj__fail(CJ_EINVAL, "deadline_ms is not a number of milliseconds");
    if (o->identifier != NULL && o->identifier[0] != '\0' &&
        cj__kind_named(o->identifier) == NULL)
        return cj__fail(CJ_EINVAL, "identifier must be a kind, such as user_id");
    return CJ_OK;
}

int32_t cj__ask_open(cj_db *db, cj__ask *a)
{
    int32_t rc;

    memset(a, 0, sizeof *a);
    CJ_TRY(cj__reader_open(db, &a->reader));
    cj__set_begin(&a->set, db, cj__reader_conn(a->reader));
out:
    return rc;
}

void cj__ask_close(cj__ask *a)
{
    cj__set_end(&a->set);
    cj__reader_end(a->reader);
}

static int32_t ask_definition(cj__ask *a, const cj__definition *d, uint32_t *item_out)
{
    const cj__text nameless = {NULL, 0};
    cj__str source;
    int32_t rc;

    if (d->kind == CJ__SEGMENT_EXPRESSION)
        return cj__set_add_named(&a->set, d->name, item_out);
    cj__str_init(&source, &a->set.db->cx.allocator, CJ__MAX_SEGMENT);
    cj__str_put_text(&source, "in_list(");
    cj__str_put_json(&source, d->name.data, d->name.n);
    cj__str_put_text(&source, ")");
    CJ_TRY(cj__str_status(&source));
    CJ_TRY(cj__set_add(&a->set, nameless, (cj__text){source.data, source.n}, item_out));
out:
    cj__str_end(&source);
    return rc;
}

int32_t cj__ask_name(cj__ask *a, cj__text name, uint32_t *item_out)
{
    cj__definition d;
    int32_t rc = cj__definition_get(a->set.db, a->set.conn, name, &a->set.arena, &d);

    return rc == CJ_OK ? ask_definition(a, &d, item_out) : rc;
}

static int ask_is_word(cj__text source)
{
    return strcspn(source.data, " \t\r\n()<>=\"`'+*/,.:") == source.n;
}

/* A lone word that is no definition may be a trait; one that nobody ever had is rather
 * a definition's name gone wrong. */
static int32_t ask_is_unknown(const cj__ask *a, const cj__seg_node *root, int *out)
{
    uint32_t id = 1;
    int32_t rc = CJ_OK;

    if (root->op == CJ__SEG_TRAIT)
        rc = cj__reader_term_id(a->reader, CJ__SPACE_TRAIT, root->text, &id);
    *out = id == 0;
    return rc;
}

int32_t cj__ask_source(cj__ask *a, const char *source, uint32_t *item_out)
{
    const cj__text nameless = {NULL, 0}, text = cj__text_of(source);
    const int is_short = text.n > 0 && text.n <= CJ__MAX_NAME;
    cj__definition d;
    int is_unknown = 1;
    int32_t rc = CJ_ENOTFOUND;

    if (is_short)
        rc = cj__definition_get(a->set.db, a->set.conn, text, &a->set.arena, &d);
    if (rc == CJ_OK)
        return ask_definition(a, &d, item_out);
    if (rc != CJ_ENOTFOUND)
        return rc;
    cj__error_clear();
    rc = cj__set_add(&a->set, nameless, text, item_out);
    if ((rc != CJ_OK && rc != CJ_EINVAL) || !is_short || !ask_is_word(text))
        return rc;
    if (rc == CJ_OK)
        rc = ask_is_unknown(a, a->set.items[*item_out].tree->root, &is_unknown);
    if (is_unknown)
        return cj__definition_get(a->set.db, a->set.conn, text, &a->set.arena, &d);
    return rc;
}

void cj__ask_everyone(const cj__ask *a, const cj_segment_options *o, const void *user,
                      cj__everyone *e)
{
    cj_db *db = a->set.db;

    *e = (cj__everyone){
        .db = db,
        .reader = a->reader,
        .set = &a->set,
        .now_ms = o->as_of_ms,
        .give_up_ms = cj__deadline(&db->cx, o->deadline_ms),
        .threads = o->threads,
        .progress = o->progress,
        .progress_user = o->progress_user,
        .user = (void *)(uintptr_t)user,
    };
}

int32_t cj__ask_profile(int64_t profile, uint32_t *out)
{
    *out = 0;
    if (profile < 1 || profile > (int64_t)CJ__MAX_NODES)
        return cj__fail(CJ_ENOTFOUND, "there is no such profile");
    *out = (uint32_t)profile;
    return CJ_OK;
}

void cj__ask_until(cj_table *t, int column, int64_t until_ms)
{
    if (until_ms == INT64_MAX)
        cj__table_null(t, column);
    else
        cj__table_int64(t, column, until_ms);
}
