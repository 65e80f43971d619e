/* Evaluating: an expression or a definition over everybody, or all definitions over one
 * profile.  Definitions, traits and events are those of one read snapshot. */
#include "segment/everyone.h"
#include "segment/segment.h"

#include <stdio.h>
#include <string.h>

typedef struct evaluate_row {
    int64_t profile, truth, until_ms;
} evaluate_row;

/* What an evaluation reads from: one snapshot, one set. */
typedef struct evaluate {
    cj__reader *reader;
    cj__set set;
    uint32_t item;
    int32_t members_only;
} evaluate;

static int32_t evaluate_options(const cj_segment_options *o)
{
    if (o->threads < 0 || o->threads > CJ__MAX_THREADS)
        return cj__fail(CJ_EINVAL, "threads must be 0..%d", CJ__MAX_THREADS);
    if (o->as_of_ms > CJ__MAX_TIME_MS || o->as_of_ms < -CJ__MAX_TIME_MS)
        return cj__fail(CJ_EINVAL, "as_of_ms is not a time in milliseconds since 1970");
    if (o->deadline_ms < 0)
        return cj__fail(CJ_EINVAL, "deadline_ms is not a number of milliseconds");
    return CJ_OK;
}

static int32_t evaluate_open(cj_db *db, evaluate *v)
{
    int32_t rc;

    memset(v, 0, sizeof *v);
    CJ_TRY(cj__reader_open(db, &v->reader));
    cj__set_begin(&v->set, db, cj__reader_conn(v->reader));
out:
    return rc;
}

static void evaluate_close(evaluate *v)
{
    cj__set_end(&v->set);
    cj__reader_end(v->reader);
}

static void evaluate_everyone(const evaluate *v, const cj_segment_options *o,
                              cj__everyone *e)
{
    cj_db *db = v->set.db;

    *e = (cj__everyone){
        .db = db,
        .reader = v->reader,
        .set = &v->set,
        .now_ms = o->as_of_ms,
        .give_up_ms = o->deadline_ms == 0 ? 0 : cj__now_ms(&db->cx) + o->deadline_ms,
        .threads = o->threads,
        .progress = o->progress,
        .progress_user = o->progress_user,
        .user = (void *)(uintptr_t)v,
    };
}

static int32_t evaluate_visit(const cj__everyone *e, cj__runner *r, cj__str *partial)
{
    const evaluate *v = e->user;
    cj__answer answer;
    evaluate_row row;
    int32_t rc;

    CJ_TRY(cj__runner_answer(r, v->item, e->now_ms, &answer));
    if (v->members_only && answer.truth != CJ__TRUE)
        return CJ_OK;
    row = (evaluate_row){r->facts.profile, answer.truth, answer.until_ms};
    cj__str_put(partial, &row, sizeof row);
out:
    return rc;
}

/* ---- tables
 * ------------------------------------------------------------------------------- */

static void evaluate_until(cj_table *t, int column, int64_t until_ms)
{
    if (until_ms == INT64_MAX)
        cj__table_null(t, column);
    else
        cj__table_int64(t, column, until_ms);
}

static int32_t evaluate_table(cj_db *db, const cj_segment_options *o,
                              const cj__str *partial, cj_table **out)
{
    const char *kind = o->identifier == NULL ? "" : o->identifier;
    const int is_named = kind[0] != '\0';
    const int64_t n = (int64_t)(partial->n / sizeof(evaluate_row));
    char columns[CJ__MAX_NAME];
    cj_table *t = NULL;
    int64_t *profiles;
    evaluate_row row;
    int32_t rc;

    *out = NULL;
    if (strlen(kind) > 32 || strcspn(kind, ": ") != strlen(kind))
        return cj__fail(CJ_EINVAL, "identifier must be a kind, such as user_id");
    (void)snprintf(columns, sizeof columns, "profile:i %s%struth:i valid_until_ms:i",
                   kind, is_named ? ":t " : "");
    CJ_TRY(cj__table_new(&db->cx.allocator, columns, &t));
    profiles = cj__table_int64_extend(t, 0, (size_t)n);
    if (profiles == NULL)
        CJ_TRY(CJ_ENOMEM);
    for (int64_t i = 0; i < n; i++) {
        memcpy(&row, partial->data + (size_t)i * sizeof row, sizeof row);
        profiles[i] = row.profile;
        cj__table_int64(t, 1 + is_named, row.truth);
        evaluate_until(t, 2 + is_named, row.until_ms);
    }
    if (is_named)
        CJ_TRY(cj__scan_identifiers(db, kind, profiles, n, t, 1));
    rc = cj__table_finish(t, out);
    t = NULL;
out:
    cj__table_free(t);
    return rc;
}

static int32_t evaluate_run(evaluate *v, const cj_segment_options *o, cj_table **out)
{
    cj__everyone e;
    int32_t rc;

    evaluate_everyone(v, o, &e);
    e.visit = evaluate_visit;
    v->members_only = o->members_only;
    CJ_TRY(cj__everyone_run(&e));
    CJ_TRY(evaluate_table(v->set.db, o, &e.partial, out));
out:
    cj__str_end(&e.partial);
    return rc;
}

int32_t cj__segment_evaluate(cj_db *db, const char *expression,
                             const cj_segment_options *opts, cj_table **out)
{
    const cj__text nameless = {NULL, 0};
    evaluate v;
    int32_t rc = evaluate_options(opts);

    if (rc != CJ_OK)
        return rc;
    CJ_TRY(evaluate_open(db, &v));
    CJ_TRY(cj__set_add(&v.set, nameless, cj__text_of(expression), &v.item));
    CJ_TRY(evaluate_run(&v, opts, out));
out:
    evaluate_close(&v);
    return rc;
}

/* ---- a definition
 * ------------------------------------------------------------------------ */

/* The list's profiles, as an expression would give them. */
static int32_t evaluate_add(evaluate *v, const char *name)
{
    const cj__text nameless = {NULL, 0};
    cj__definition d;
    cj__str source;
    int32_t rc;

    cj__str_init(&source, &v->set.db->cx.allocator, CJ__MAX_SEGMENT);
    CJ_TRY(cj__definition_get(v->set.db, v->set.conn, cj__text_of(name), &v->set.arena,
                              &d));
    if (d.kind == CJ__SEGMENT_EXPRESSION) {
        CJ_TRY(cj__set_add_named(&v->set, d.name, &v->item));
    } else {
        cj__str_put_text(&source, "in_list(");
        cj__str_put_json(&source, d.name.data, d.name.n);
        cj__str_put_text(&source, ")");
        CJ_TRY(cj__str_status(&source));
        CJ_TRY(cj__set_add(&v->set, nameless, (cj__text){source.data, source.n},
                           &v->item));
    }
out:
    cj__str_end(&source);
    return rc;
}

int32_t cj__segment_members(cj_db *db, const char *name, const cj_segment_options *opts,
                            cj_table **out)
{
    cj_segment_options o = *opts;
    evaluate v;
    int32_t rc = evaluate_options(opts);

    if (rc != CJ_OK)
        return rc;
    o.members_only = 1;
    CJ_TRY(evaluate_open(db, &v));
    CJ_TRY(evaluate_add(&v, name));
    CJ_TRY(evaluate_run(&v, &o, out));
out:
    evaluate_close(&v);
    return rc;
}

static int32_t evaluate_counted(const cj__everyone *e, cj__runner *r, cj__str *partial)
{
    const evaluate *v = e->user;
    cj__answer answer;
    int32_t rc;

    CJ_TRY(cj__runner_answer(r, v->item, e->now_ms, &answer));
    if (answer.truth == CJ__TRUE)
        cj__str_put_char(partial, 1);
out:
    return rc;
}

int32_t cj__segment_count(cj_db *db, const char *name, const cj_segment_options *opts,
                          int64_t *n_out)
{
    cj__everyone e = {0};
    evaluate v;
    int32_t rc = evaluate_options(opts);

    *n_out = 0;
    if (rc != CJ_OK)
        return rc;
    CJ_TRY(evaluate_open(db, &v));
    CJ_TRY(evaluate_add(&v, name));
    evaluate_everyone(&v, opts, &e);
    e.visit = evaluate_counted;
    e.momentary = 1;
    CJ_TRY(cj__everyone_run(&e));
    *n_out = (int64_t)e.partial.n;
out:
    cj__str_end(&e.partial);
    evaluate_close(&v);
    return rc;
}

/* ---- one profile
 * ------------------------------------------------------------------------- */

typedef struct evaluate_profile {
    const cj__definition *definitions;
    const uint32_t *items; /* of each; lists: UINT32_MAX */
    size_t n;
    cj_table *table;
} evaluate_profile;

static int32_t evaluate_profile_visit(const cj__everyone *e, cj__runner *r,
                                      cj__str *partial)
{
    const evaluate_profile *v = e->user;
    cj__answer answer;
    int32_t rc = CJ_OK;

    (void)partial;
    for (size_t i = 0; i < v->n; i++) {
        const cj__definition *d = &v->definitions[i];
        const int64_t list = cj__set_list_named(e->set, d->name);

        if (v->items[i] != UINT32_MAX)
            CJ_TRY(cj__runner_answer(r, v->items[i], e->now_ms, &answer));
        else
            answer = (cj__answer){
                cj__known_on_list(r->known, (size_t)list, (uint32_t)r->facts.profile)
                    ? CJ__TRUE
                    : CJ__FALSE,
                INT64_MAX};
        cj__table_text(v->table, 0, d->name.data, d->name.n);
        cj__table_int64(v->table, 1, answer.truth);
        evaluate_until(v->table, 2, answer.until_ms);
    }
out:
    return rc;
}

static int32_t evaluate_all(cj__set *set, evaluate_profile *v)
{
    cj__definition *all;
    uint32_t *items;
    int32_t rc;

    CJ_TRY(cj__definitions(set->conn, &set->arena, &all, &v->n));
    items = cj__arena_alloc(&set->arena, (v->n + 1) * sizeof *items);
    if (items == NULL)
        return CJ_ENOMEM;
    for (size_t i = 0; i < v->n; i++) {
        items[i] = UINT32_MAX;
        CJ_TRY(all[i].kind == CJ__SEGMENT_LIST
                   ? cj__set_add_list(set, all[i].name)
                   : cj__set_add_named(set, all[i].name, &items[i]));
    }
    v->definitions = all;
    v->items = items;
out:
    return rc;
}

int32_t cj__profile_segments(cj_db *db, int64_t profile, const cj_segment_options *opts,
                             cj_table **out)
{
    evaluate_profile p = {0};
    cj__everyone e = {0};
    evaluate v;
    int32_t rc = evaluate_options(opts);

    if (rc != CJ_OK)
        return rc;
    if (profile < 1 || profile > (int64_t)CJ__MAX_NODES)
        return cj__fail(CJ_ENOTFOUND, "there is no such profile");
    CJ_TRY(evaluate_open(db, &v));
    CJ_TRY(evaluate_all(&v.set, &p));
    CJ_TRY(cj__table_new(&db->cx.allocator, "segment:t truth:i valid_until_ms:i",
                         &p.table));
    evaluate_everyone(&v, opts, &e);
    e.profile = (uint32_t)profile;
    e.visit = evaluate_profile_visit;
    e.user = &p;
    CJ_TRY(cj__everyone_run(&e));
    rc = cj__table_finish(p.table, out);
    p.table = NULL;
out:
    cj__table_free(p.table);
    cj__str_end(&e.partial);
    evaluate_close(&v);
    return rc;
}
