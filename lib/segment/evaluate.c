/* Evaluating: an expression or a definition over everybody, or all definitions over one
 * profile.  Definitions, traits and events are those of one read snapshot. */
#include "segment/ask.h"
#include "segment/segment.h"

#include <stdio.h>
#include <string.h>

typedef struct evaluate_row {
    int64_t profile, truth, until_ms;
} evaluate_row;

/* What an evaluation asks: one item of a set. */
typedef struct evaluate {
    cj__ask ask;
    uint32_t item;
    int32_t members_only;
} evaluate;

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

static int32_t evaluate_table(const evaluate *v, const cj_segment_options *o,
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
    (void)snprintf(columns, sizeof columns, "profile:i %s%struth:i valid_until_ms:i",
                   kind, is_named ? ":t " : "");
    CJ_TRY(cj__table_new(&v->ask.set.db->cx.allocator, columns, &t));
    profiles = cj__table_int64_extend(t, 0, (size_t)n);
    if (profiles == NULL)
        CJ_TRY(CJ_ENOMEM);
    for (int64_t i = 0; i < n; i++) {
        memcpy(&row, partial->data + (size_t)i * sizeof row, sizeof row);
        profiles[i] = row.profile;
        cj__table_int64(t, 1 + is_named, row.truth);
        cj__ask_until(t, 2 + is_named, row.until_ms);
    }
    if (is_named)
        CJ_TRY(cj__scan_identifiers(v->ask.reader, kind, profiles, n, t, 1));
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

    cj__ask_everyone(&v->ask, o, v, &e);
    e.visit = evaluate_visit;
    e.root = v->item;
    e.members_only = v->members_only = o->members_only != 0;
    CJ_TRY(cj__everyone_run(&e));
    CJ_TRY(evaluate_table(v, o, &e.partial, out));
out:
    cj__str_end(&e.partial);
    return rc;
}

int32_t cj__segment_evaluate(cj_db *db, const char *expression,
                             const cj_segment_options *opts, cj_table **out)
{
    const cj__text nameless = {NULL, 0};
    evaluate v;
    int32_t rc = cj__ask_options(opts);

    if (rc != CJ_OK)
        return rc;
    CJ_TRY(cj__ask_open(db, &v.ask));
    CJ_TRY(cj__set_add(&v.ask.set, nameless, cj__text_of(expression), &v.item));
    CJ_TRY(evaluate_run(&v, opts, out));
out:
    cj__ask_close(&v.ask);
    return rc;
}

/* ---- a definition
 * ------------------------------------------------------------------------ */

int32_t cj__segment_members(cj_db *db, const char *name, const cj_segment_options *opts,
                            cj_table **out)
{
    cj_segment_options o = *opts;
    evaluate v;
    int32_t rc = cj__ask_options(opts);

    if (rc != CJ_OK)
        return rc;
    o.members_only = 1;
    CJ_TRY(cj__ask_open(db, &v.ask));
    CJ_TRY(cj__ask_name(&v.ask, cj__text_of(name), &v.item));
    CJ_TRY(evaluate_run(&v, &o, out));
out:
    cj__ask_close(&v.ask);
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
    int32_t rc = cj__ask_options(opts);

    *n_out = 0;
    if (rc != CJ_OK)
        return rc;
    CJ_TRY(cj__ask_open(db, &v.ask));
    CJ_TRY(cj__ask_name(&v.ask, cj__text_of(name), &v.item));
    cj__ask_everyone(&v.ask, opts, &v, &e);
    e.visit = evaluate_counted;
    e.momentary = e.members_only = 1;
    e.root = v.item;
    CJ_TRY(cj__everyone_run(&e));
    *n_out = (int64_t)e.partial.n;
out:
    cj__str_end(&e.partial);
    cj__ask_close(&v.ask);
    return rc;
}

static int32_t evaluate_known(const cj__everyone *e, cj__runner *r, cj__str *partial)
{
    const evaluate *v = e->user;
    const uint32_t profile = (uint32_t)r->facts.profile;
    cj__answer answer;
    int32_t rc;

    CJ_TRY(cj__runner_answer(r, v->item, e->now_ms, &answer));
    if (answer.truth == CJ__TRUE)
        cj__str_put(partial, &profile, sizeof profile);
out:
    return rc;
}

int32_t cj__segment_profiles(cj__reader *reader, const char *source,
                             const cj_segment_options *opts, cj__arena *arena,
                             uint64_t **bits_out)
{
    cj_db *db = cj__reader_db(reader);
    cj__everyone e = {0};
    evaluate v = {.ask.reader = reader};
    int32_t rc = cj__ask_options(opts);

    *bits_out = NULL;
    if (rc != CJ_OK)
        return rc;
    cj__set_begin(&v.ask.set, db, cj__reader_conn(reader));
    CJ_TRY(cj__ask_source(&v.ask, source, &v.item));
    cj__ask_everyone(&v.ask, opts, &v, &e);
    e.visit = evaluate_known;
    e.momentary = e.members_only = 1;
    e.root = v.item;
    CJ_TRY(cj__everyone_run(&e));
    CJ_TRY(cj__everyone_bits(&e, e.partial.data, e.partial.n / sizeof(uint32_t), arena,
                             bits_out));
out:
    cj__str_end(&e.partial);
    cj__set_end(&v.ask.set);
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
        cj__ask_until(v->table, 2, answer.until_ms);
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
    cj__ask ask = {0};
    uint32_t only;
    int32_t rc;

    CJ_TRY(cj__ask_options(opts));
    CJ_TRY(cj__ask_profile(profile, &only));
    CJ_TRY(cj__ask_open(db, &ask));
    CJ_TRY(evaluate_all(&ask.set, &p));
    CJ_TRY(cj__table_new(&db->cx.allocator, "segment:t truth:i valid_until_ms:i",
                         &p.table));
    cj__ask_everyone(&ask, opts, &p, &e);
    e.profile = only;
    e.visit = evaluate_profile_visit;
    CJ_TRY(cj__everyone_run(&e));
    rc = cj__table_finish(p.table, out);
    p.table = NULL;
out:
    cj__table_free(p.table);
    cj__str_end(&e.partial);
    cj__ask_close(&ask);
    return rc;
}
