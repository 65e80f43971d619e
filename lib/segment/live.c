/* The observer: what a write transaction tells of facts is noted here, and looked at
 * once, before the commit (live_commit.c).  Where no segment is live, telling costs a
 * look at one flag. */
#include "segment/live.h"

#include "segment/program.h"

#include <string.h>

#define LIVE_TOLD (1u << 28)

/* ---- noting
 * ----------------------------------------------------------------------------- */

/* Is anything to be noted?  The first of a transaction looks at the file. */
static int32_t live_notes(struct cj__live *l, int *active_out)
{
    int32_t rc = cj__live_sync(l, active_out);

    if (rc == CJ_OK && *active_out)
        l->is_touched = 1;
    return rc;
}

static int32_t live_row(cj_db *db, const cj__row *row)
{
    struct cj__live *l = db->live;
    int active;
    int32_t rc;

    CJ_TRY(live_notes(l, &active));
    if (!active)
        return CJ_OK;
    CJ_TRY(cj__frame_reserve(&l->rows, l->rows.n + 1));
    cj__frame_put_row(&l->rows, row, row->node);
    rc = cj__frame_own(&l->rows, l->rows.n - 1, 1); /* the row is gone soon */
out:
    return rc;
}

/* Room for one more trait, and copies of what it borrows. */
static int32_t live_tell(struct cj__live *l, const cj__live_trait *told)
{
    cj__live_trait *to;
    int32_t rc;

    CJ_TRY(cj__array_grow(l->allocator, (void **)&l->told, &l->told_capacity,
                          l->n_told + 1, sizeof *l->told, LIVE_TOLD));
    to = &l->told[l->n_told];
    *to = *told;
    to->trait.value.data =
        cj__arena_text(&l->scratch, told->trait.value.data, told->trait.value.n);
    if (to->trait.value.data == NULL)
        return CJ_ENOMEM;
    l->n_told++;
out:
    return rc;
}

static int32_t live_trait(cj_db *db, uint32_t node, uint32_t name, int64_t time_ms,
                          uint32_t source, cj__text value)
{
    cj__live_trait told = {
        node, {.time_ms = time_ms, .value = value}
    };
    struct cj__live *l = db->live;
    int active;
    int32_t rc;

    CJ_TRY(live_notes(l, &active));
    if (!active)
        return CJ_OK;
    CJ_TRY(cj__live_term(l, name, &told.trait.name));
    if (cj__live_trait_place(l, told.trait.name) < 0)
        return CJ_OK;
    CJ_TRY(cj__live_term(l, source, &told.trait.source));
    CJ_TRY(live_tell(l, &told));
out:
    return rc;
}

static int32_t live_moved(cj_db *db, uint32_t node, uint32_t from)
{
    struct cj__live *l = db->live;
    uint64_t ignored;
    int active;
    int32_t rc;

    CJ_TRY(live_notes(l, &active));
    if (!active || cj__map_get(&l->moved, node, &ignored))
        return CJ_OK;
    CJ_TRY(cj__array_grow(l->allocator, (void **)&l->movers, &l->movers_capacity,
                          l->n_movers + 1, sizeof *l->movers, LIVE_TOLD));
    CJ_TRY(cj__map_put(&l->moved, node, from));
    l->movers[l->n_movers++] = node;
out:
    return rc;
}

static int32_t live_refused(cj_db *db, uint32_t a, uint32_t b)
{
    struct cj__live *l = db->live;
    int active;
    int32_t rc;

    CJ_TRY(live_notes(l, &active));
    if (!active)
        return CJ_OK;
    CJ_TRY(cj__array_grow(l->allocator, (void **)&l->refused, &l->refused_capacity,
                          l->n_refused + 2, sizeof *l->refused, LIVE_TOLD));
    l->refused[l->n_refused++] = a;
    l->refused[l->n_refused++] = b;
out:
    return rc;
}

static int32_t live_regraphed(cj_db *db, uint32_t a, uint32_t b)
{
    db->live->is_regraphed = 1;
    return live_refused(db, a, b);
}

int32_t cj__live_before(struct cj__live *l, uint32_t node, uint32_t *profile_out)
{
    cj__node now;
    uint64_t from;
    int32_t rc = CJ_OK;

    if (cj__map_get(&l->moved, node, &from)) {
        *profile_out = (uint32_t)from;
        return CJ_OK;
    }
    CJ_TRY(cj__node_get(l->db, node, &now));
    *profile_out = now.profile;
out:
    return rc;
}

/* ---- the transaction's end
 * ----------------------------------------------------------------- */

/* A map as large as an import needed it would cost every event after it. */
static void live_forget(cj__map *m)
{
    if (m->capacity > 4096)
        cj__map_end(m);
    else if (m->n > 0)
        cj__map_clear(m);
}

static void live_ended(cj_db *db, int32_t rc)
{
    struct cj__live *l = db->live;

    if (rc != CJ_OK) { /* nothing of it was: not even what was read in it */
        l->is_synced = 0;
        l->version = -1;
        cj__live_cool(l, 0);
    } else if (l->bytes > CJ__LIVE_CACHE) {
        cj__live_cool(l, CJ__LIVE_CACHE);
    }
    l->is_regraphed = 0;
    if (!l->is_touched && rc == CJ_OK)
        return;
    l->is_touched = 0;
    if (l->rows.allocator != NULL)
        cj__frame_clear(&l->rows);
    l->n_told = l->n_movers = l->n_refused = l->n_touches = 0;
    live_forget(&l->moved);
    live_forget(&l->touch_at);
    if (l->scratch.chunks != NULL)
        cj__arena_reset(&l->scratch);
}

/* ---- the handle's
 * -------------------------------------------------------------------------- */

static const cj__observer live_observer = {
    .row = live_row,
    .trait = live_trait,
    .moved = live_moved,
    .refused = live_refused,
    .regraphed = live_regraphed,
    .commit = cj__live_commit,
    .ended = live_ended,
};

int32_t cj__live_open(cj_db *db)
{
    struct cj__live *l = cj__alloc_zero(&db->cx.allocator, sizeof *l);

    if (l == NULL)
        return CJ_ENOMEM;
    l->db = db;
    l->allocator = &db->cx.allocator;
    l->version = -1;
    cj__map_init(&l->terms, l->allocator);
    cj__map_init(&l->persons, l->allocator);
    cj__map_init(&l->moved, l->allocator);
    cj__map_init(&l->touch_at, l->allocator);
    cj__map_init(&l->tail_last, l->allocator);
    cj__map_init(&l->shared, l->allocator);
    cj__arena_init(&l->defined, l->allocator);
    cj__arena_init(&l->texts, l->allocator);
    cj__arena_init(&l->scratch, l->allocator);
    db->live = l;
    db->observer = &live_observer;
    return CJ_OK;
}

void cj__live_close(cj_db *db)
{
    struct cj__live *l = db->live;

    if (l == NULL)
        return;
    cj__live_unload(l);
    cj__map_end(&l->terms);
    cj__map_end(&l->persons);
    cj__map_end(&l->moved);
    cj__map_end(&l->touch_at);
    cj__arena_end(&l->scratch);
    cj__arena_end(&l->defined);
    cj__arena_end(&l->texts);
    cj__free(l->allocator, l->told, l->told_capacity * sizeof *l->told);
    cj__free(l->allocator, l->movers, l->movers_capacity * sizeof *l->movers);
    cj__free(l->allocator, l->refused, l->refused_capacity * sizeof *l->refused);
    cj__free(l->allocator, l->touches, l->touches_capacity * sizeof *l->touches);
    cj__free(l->allocator, l, sizeof *l);
    db->live = NULL;
}
