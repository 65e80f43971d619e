/* See everyone.h.  Runners wait in a pool: a thread takes one for a profile and puts it
 * back, so there are never more than threads. */
#include "segment/everyone.h"

#include <pthread.h>
#include <string.h>

#define EVERYONE_LOOK 64 /* profiles between two looks at the clock */

typedef struct everyone_pool {
    cj__everyone *e;
    cj__known known;
    cj__eval_env env;
    pthread_mutex_t lock;
    cj__runner *free[CJ__MAX_THREADS];
    int n_free;
    int64_t n_profiles;
} everyone_pool;

static int32_t everyone_runner(everyone_pool *pool, cj__runner **out)
{
    int32_t rc = cj__runner_new(pool->e->set, &pool->env, out);

    if (rc == CJ_OK)
        (*out)->momentary = pool->e->momentary;
    return rc;
}

/* The scan looks once per block; here between profiles, of which a block may hold
 * thousands, and which may all be in the journal. */
static int32_t everyone_look(const cj__everyone *e)
{
    int32_t rc = cj__deadline_check(&e->db->cx, e->give_up_ms);

    return rc == CJ_OK ? cj__interrupted(&e->db->cx) : rc;
}

static int32_t everyone_take(everyone_pool *pool, cj__runner **out)
{
    int look;

    (void)pthread_mutex_lock(&pool->lock);
    *out = pool->n_free > 0 ? pool->free[--pool->n_free] : NULL;
    look = pool->n_profiles++ % EVERYONE_LOOK == 0;
    (void)pthread_mutex_unlock(&pool->lock);
    return look ? everyone_look(pool->e) : CJ_OK;
}

static void everyone_give(everyone_pool *pool, cj__runner *r)
{
    (void)pthread_mutex_lock(&pool->lock);
    pool->free[pool->n_free++] = r;
    (void)pthread_mutex_unlock(&pool->lock);
}

static int32_t everyone_profile(const void *arg, cj__str *partial, uint32_t profile,
                                const cj__columns *columns, int64_t first, int64_t n)
{
    everyone_pool *pool = *(everyone_pool *const *)arg;
    cj__runner *r = NULL;
    int32_t rc;

    CJ_TRY(everyone_take(pool, &r));
    if (r == NULL)
        CJ_TRY(everyone_runner(pool, &r));
    cj__runner_turn(r, &pool->known, profile, columns, first, n);
    CJ_TRY(pool->e->visit(pool->e, r, partial));
out:
    if (r != NULL)
        everyone_give(pool, r);
    return rc;
}

static int everyone_wants(const cj__everyone *e, uint32_t profile)
{
    return e->profiles == NULL ||
           (e->profiles[profile >> 6] >> (profile & 63) & 1) != 0;
}

/* No program reads events: nothing to scan. */
static int32_t everyone_without_events(everyone_pool *pool)
{
    const cj__known *k = &pool->known;
    const uint32_t only = pool->e->profile;
    int32_t rc = CJ_OK;

    for (uint32_t i = only == 0 ? 1 : only; i <= (only == 0 ? k->n_nodes : only); i++) {
        if (i % EVERYONE_LOOK == 0)
            CJ_TRY(cj__interrupted(&pool->e->db->cx));
        if (k->profile_of[i] == i && everyone_wants(pool->e, i))
            CJ_TRY(everyone_profile(&pool, &pool->e->partial, i, NULL, 0, 0));
    }
    rc = cj__str_status(&pool->e->partial);
out:
    return rc;
}

cj__scan_options cj__everyone_scan(const cj__everyone *e, const cj__needs *needs)
{
    return (cj__scan_options){.profile = e->profile,
                              .from_ms = needs->from_ms < 0 ? 0 : needs->from_ms,
                              .until_ms = e->momentary ? e->now_ms : 0,
                              .value_only = needs->valued,
                              .names = needs->names,
                              .n_names = needs->any_name      ? 0
                                         : needs->n_names > 0 ? needs->n_names
                                                              : 1, /* 0: nobody's */
                              .products = needs->products,
                              .n_products = needs->any_product ? 0 : needs->n_products,
                              .profiles = e->profiles,
                              .some = e->some,
                              .n_some = e->n_some,
                              .unsealed = e->n_some > 0,
                              .guests = 1,
                              .idle = needs->idle,
                              .threads = e->threads,
                              .reader = e->reader,
                              .progress = e->progress,
                              .progress_user = e->progress_user};
}

static void everyone_needs(const cj__everyone *e, const cj__runner *r, cj__needs *needs)
{
    cj__runner_needs(r, e->now_ms, needs);
    if (e->columns == 0)
        return;
    needs->columns |= e->columns;
    needs->any_name = needs->any_product = 1;
    needs->valued = 0;
    needs->from_ms = INT64_MIN;
}

static int32_t everyone_scan(everyone_pool *pool, const cj__needs *needs)
{
    cj__everyone *e = pool->e;
    const cj__scan_options opts = cj__everyone_scan(e, needs);
    cj__fold fold = {
        .columns = needs->columns, .profile = everyone_profile, .arg = &pool};
    int32_t rc = cj__scan(e->db, &opts, &fold, 1);

    if (rc == CJ_OK)
        e->partial = fold.partial;
    return rc;
}

static int32_t everyone_traits(const cj__everyone *e, const cj__runner *r,
                               cj__arena *arena, cj__text **names_out, size_t *n_out)
{
    cj__text *names;
    size_t n;
    int32_t rc;

    CJ_TRY(cj__runner_traits(r, arena, names_out, n_out));
    if (e->n_traits == 0)
        return CJ_OK;
    n = *n_out + e->n_traits;
    names = cj__arena_alloc(arena, n * sizeof *names);
    if (names == NULL)
        return CJ_ENOMEM;
    memcpy(names, e->traits, e->n_traits * sizeof *names);
    memcpy(names + e->n_traits, *names_out, *n_out * sizeof *names);
    *names_out = names;
    *n_out = n;
out:
    return rc;
}

/* Can somebody be in it of whom no event is shown?  Of those, one without traits stands
 * for all when nothing else is read of them. */
static int32_t everyone_idle(const everyone_pool *pool, cj__runner *r,
                             int32_t *idle_out)
{
    const cj__set *set = pool->e->set;
    cj__answer answer;
    int32_t rc;

    *idle_out = 1;
    if (!pool->e->members_only || pool->known.n_traits > 0 || set->n_lists > 0 ||
        set->reads_identifiers || set->reads_shared || set->reads_number)
        return CJ_OK;
    cj__runner_turn_blank(r);
    CJ_TRY(cj__runner_answer(r, pool->e->root, pool->e->now_ms, &answer));
    *idle_out = answer.truth == CJ__TRUE;
out:
    return rc;
}

static int32_t everyone_begin(everyone_pool *pool, cj__runner *r, cj__arena *arena,
                              cj__needs *needs)
{
    cj__everyone *e = pool->e;
    cj__text *names;
    size_t n_names;
    int32_t rc;

    CJ_TRY(everyone_traits(e, r, arena, &names, &n_names));
    CJ_TRY(cj__known_load(&pool->known, e->reader, e->set, names, n_names, e->profile));
    if (e->profile > pool->known.n_nodes ||
        (e->profile != 0 && pool->known.profile_of[e->profile] != e->profile))
        CJ_TRY(cj__fail(CJ_ENOTFOUND, "there is no such profile"));
    if (e->members_only && e->profiles == NULL && e->profile == 0)
        CJ_TRY(cj__candidates(e, r, arena));
    everyone_needs(e, r, needs);
    CJ_TRY(everyone_idle(pool, r, &needs->idle));
out:
    return rc;
}

int32_t cj__everyone_run(cj__everyone *e)
{
    everyone_pool pool = {.e = e, .env = cj__runner_env(e->db, e->reader)};
    cj__runner *first = NULL;
    cj__arena arena;
    cj__needs needs;
    int32_t rc;

    (void)pthread_mutex_init(&pool.lock, NULL);
    cj__arena_init(&arena, &e->db->cx.allocator);
    cj__str_init(&e->partial, &e->db->cx.allocator, PTRDIFF_MAX / 2);
    CJ_TRY(everyone_runner(&pool, &first));
    CJ_TRY(everyone_begin(&pool, first, &arena, &needs));
    everyone_give(&pool, first);
    first = NULL;
    if (e->nobody)
        goto out;
    CJ_TRY(needs.columns == 0 ? everyone_without_events(&pool)
                              : everyone_scan(&pool, &needs));
out:
    cj__runner_end(first);
    while (pool.n_free > 0)
        cj__runner_end(pool.free[--pool.n_free]);
    if (pool.known.profile_of != NULL)
        cj__known_end(&pool.known);
    cj__arena_end(&arena);
    (void)pthread_mutex_destroy(&pool.lock);
    return rc;
}
