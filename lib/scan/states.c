/* Folds to whom the order of events does not matter (cj__fold_states): every block is
 * read once, by any worker, and its rows are added to states where they lie; nothing is
 * arranged, copied or sorted.  A profile gets its place among the states when its first
 * row comes, since most profiles have none.  Place 1 takes the rows that nobody wants,
 * so that no loop has to leave them out.  When the states of all profiles are more than
 * the memory, profiles come in rounds, and a block may be read in several of them. */
#include "scan/internal.h"

#include <string.h>

#define STATES_FIRST 2      /* place of the first profile that comes; 0: none yet */
#define STATES_LEAST 256    /* profiles of a round */
#define STATES_KEEP 1024    /* profiles kept at a time */
#define STATES_WINDOW 16384 /* profiles of a task of keeping */

int cj__states_suffice(const cj__fold *folds, int n_folds, const cj__scan_options *opts)
{
    for (int i = 0; i < n_folds; i++) {
        if (folds[i].states == NULL)
            return 0;
    }
    return opts->profile == 0;
}

/* How many profiles a round takes: an index of each, a state for each that has events.
 */
static uint32_t states_profiles(const cj__walk *walk, int64_t bytes)
{
    const cj__plan *p = &walk->plan;
    int64_t n = p->n_nodes, rows = p->n_events + p->n_journal;
    int64_t need = n * (int64_t)sizeof *walk->place_of;

    for (int i = 0; i < walk->n_folds; i++)
        need += (rows < n ? rows : n) * (int64_t)walk->folds[i].states->bytes;
    n /= (need - 1) / bytes + 1;
    return n < STATES_LEAST ? STATES_LEAST : (uint32_t)n;
}

/* Where the states of a fold begin; of the fold after the last: place_of. */
static char *states_of(const cj__walk *walk, int fold)
{
    char *at = walk->places;

    for (int k = 0; k < fold; k++)
        at += walk->n_states * walk->folds[k].states->bytes;
    return at;
}

/* Room for all that a round can need, in one piece: what is not touched costs nothing.
 */
static int32_t states_begin(cj__walk *walk, uint32_t n_profiles)
{
    cj__plan *p = &walk->plan;
    const cj__allocator *a = walk->bins.allocator;
    int64_t rows = p->n_events + p->n_journal;
    size_t bytes = 0;

    walk->n_place_of = (size_t)n_profiles + 1;
    walk->n_states = STATES_FIRST + (size_t)(rows < n_profiles ? rows : n_profiles);
    for (int i = 0; i < walk->n_folds; i++)
        bytes += walk->folds[i].states->bytes;
    walk->places_bytes =
        walk->n_states * bytes + walk->n_place_of * sizeof *walk->place_of;
    walk->places = cj__alloc(a, walk->places_bytes);
    walk->by_node = cj__arena_alloc(&p->arena, ((size_t)p->n_blocks + 1) * 2 *
                                                   sizeof *walk->by_node);
    if (walk->places == NULL || walk->by_node == NULL)
        return CJ_ENOMEM;
    walk->place_of = (uint32_t *)(void *)states_of(walk, walk->n_folds);
    if (n_profiles >= p->n_nodes) /* one round: no block is passed over */
        return CJ_OK;
    walk->bits = cj__alloc(a, cj__bits_bytes(p->n_nodes));
    return walk->bits == NULL ? CJ_ENOMEM : CJ_OK;
}

void cj__states_end(cj__walk *walk)
{
    cj__free(walk->bins.allocator, walk->places, walk->places_bytes);
}

/* ---- adding ---------------------------------------------------------------------- */

/* Roots become indices of place_of: 1 + the profile's number in the round, or 0. */
static void states_index(const cj__walk *walk, cj__frame *f, int all_in_time)
{
    const cj__plan *p = &walk->plan;
    const int64_t *time_ms = f->i64[CJ__FRAME_TIME];
    uint32_t *root = f->u32[CJ__FRAME_ROOT], lo = walk->lo;
    uint32_t n = atomic_load(&walk->hi) - lo;

    for (int64_t i = 0; !p->all_wanted && i < f->n; i++)
        root[i] = cj__plan_wants(p, root[i]) ? root[i] : 0;
    for (int64_t i = 0; !all_in_time && i < f->n; i++)
        root[i] = time_ms[i] >= p->from_ms && time_ms[i] < p->until_ms ? root[i] : 0;
    for (int64_t i = 0; i < f->n; i++) {
        root[i] = root[i] - lo < n ? root[i] - lo + 1 : 0;
        __builtin_prefetch(&walk->place_of[root[i]], 1);
    }
}

/* Indices become places; new ones are zeroed. */
static void states_place(cj__walk *walk, cj__frame *f)
{
    uint32_t *at = f->u32[CJ__FRAME_ROOT], n = walk->n_places;

    for (int64_t i = 0; i < f->n; i++) {
        uint32_t place = walk->place_of[at[i]];

        walk->place_of[at[i]] = place != 0 ? place : n;
        at[i] = place != 0 ? place : n;
        n += place == 0;
    }
    for (int k = 0; k < walk->n_folds; k++) {
        size_t bytes = walk->folds[k].states->bytes;

        memset(states_of(walk, k) + walk->n_places * bytes, 0,
               (n - walk->n_places) * bytes);
    }
    walk->n_places = n;
}

/* Reading a block takes longer than adding it, so one lock serves a few workers. */
static void states_add(cj__worker *w, int all_in_time)
{
    cj__walk *walk = w->walk;
    cj__frame *f = &w->gather;
    cj__columns view = cj__frame_view(f, 0);

    states_index(walk, f, all_in_time);
    pthread_mutex_lock(&walk->lock);
    states_place(walk, f);
    for (int k = 0; k < walk->n_folds; k++) {
        const cj__fold *fold = &walk->folds[k];

        fold->states->add(fold->arg, states_of(walk, k), f->u32[CJ__FRAME_ROOT], &view);
    }
    pthread_mutex_unlock(&walk->lock);
}

static int32_t states_add_block(cj__worker *w, int64_t task)
{
    const cj__plan *p = &w->walk->plan;
    cj__block_ref ref = w->walk->refs[w->walk->by_node[task] & 0xFFFFFFFF];
    const cj__part *part = &p->parts[ref.part];
    int32_t rc;

    w->gather.n = 0;
    rc = cj__gather_block(w, &part->blocks[ref.block], &w->gather);
    if (rc == CJ_OK)
        states_add(w, part->min_ms >= p->from_ms && part->max_ms < p->until_ms);
    return rc;
}

/* The journal's rows are all in time. */
static int32_t states_add_journal(cj__worker *w)
{
    const cj__plan *p = &w->walk->plan;
    int64_t first, end;
    int32_t rc;

    cj__plan_journal(p, w->walk->lo, atomic_load(&w->walk->hi), &first, &end);
    rc = cj__frame_reserve(&w->gather, CJ__BLOCK_EVENTS);
    for (int64_t n; rc == CJ_OK && first < end; first += n) {
        n = end - first < CJ__BLOCK_EVENTS ? end - first : CJ__BLOCK_EVENTS;
        w->gather.n = 0;
        for (int64_t i = first; i < first + n; i++)
            cj__frame_put_row(&w->gather, &p->rows[p->journal[i] & 0xFFFFFFFF],
                              (uint32_t)(p->journal[i] >> 32));
        states_add(w, 1);
    }
    return rc;
}

/* ---- keeping --------------------------------------------------------------------- */

/* A task: the profiles of a window that have a place. */
static int32_t states_keep(cj__worker *w, int64_t task)
{
    cj__walk *walk = w->walk;
    uint32_t profile = walk->windows.at[task].lo, hi = walk->windows.at[task].hi;
    uint32_t profiles[STATES_KEEP], places[STATES_KEEP];
    int32_t rc = CJ_OK;

    while (profile < hi) {
        int64_t n = 0;

        for (; profile < hi && n < STATES_KEEP; profile++) {
            profiles[n] = profile;
            places[n] = walk->place_of[profile - walk->lo + 1];
            n += places[n] != 0;
        }
        for (int k = 0; k < walk->n_folds; k++) {
            const cj__fold *fold = &walk->folds[k];

            CJ_TRY(fold->states->keep(fold->arg, &w->partial[k], states_of(walk, k),
                                      profiles, places, n));
        }
    }
    CJ_TRY(cj__window_done(w, task));
out:
    return rc;
}

/* Windows of equally many profiles; one for a worker that is alone. */
static int32_t states_cut(cj__walk *walk)
{
    uint32_t n = atomic_load(&walk->hi) - walk->lo;
    uint32_t each = walk->n_workers == 1 ? n : STATES_WINDOW;
    void *array = walk->windows.at;
    int32_t rc;

    rc = cj__array_grow(walk->bins.allocator, &array, &walk->windows.capacity,
                        n / each + 1, sizeof(cj__window), SIZE_MAX);
    walk->windows.at = array;
    if (rc != CJ_OK)
        return rc;
    walk->windows.n = walk->n_appended = 0;
    for (uint32_t at = 0; at < n; at += each)
        walk->windows.at[walk->windows.n++] = (cj__window){
            .lo = walk->lo + at, .hi = walk->lo + (n - at < each ? n : at + each)};
    return CJ_OK;
}

/* Partials do not grow step by step, which would touch fresh memory at each. */
static int32_t states_reserve(cj__walk *walk)
{
    size_t n = walk->n_places - STATES_FIRST;
    int32_t rc = CJ_OK;

    for (int k = 0; k < walk->n_folds; k++)
        CJ_TRY(cj__str_reserve(walk->n_workers == 1 ? &walk->workers[0].partial[k]
                                                    : &walk->folds[k].partial,
                               n * walk->folds[k].states->kept_bytes));
out:
    return rc;
}

/* ---- rounds ---------------------------------------------------------------------- */

/* Note the nodes of the round's profiles. */
static void states_mark(cj__walk *walk)
{
    const cj__plan *p = &walk->plan;
    uint32_t n = atomic_load(&walk->hi) - walk->lo;

    memset(walk->bits, 0, cj__bits_bytes(p->n_nodes));
    for (uint32_t node = walk->lo; node <= p->n_nodes; node++) {
        if (p->profile_of[node] - walk->lo < n)
            cj__bits_set(walk->bits, node);
    }
}

/* Blocks of one run of nodes, whatever their time, come after one another: then what is
 * known of these nodes stays in the cache, and profiles get their places almost in
 * their order. */
static void states_order(cj__walk *walk)
{
    const cj__plan *p = &walk->plan;

    for (int64_t i = 0; i < walk->n_refs; i++) {
        const cj__part *part = &p->parts[walk->refs[i].part];
        uint64_t node = part->blocks[walk->refs[i].block].first_node;

        walk->by_node[i] = node << 32 | (uint64_t)i;
    }
    cj__sort_pairs(walk->by_node, walk->by_node + walk->n_refs, walk->n_refs,
                   p->n_nodes);
}

static int32_t states_round(cj__walk *walk)
{
    int32_t rc;

    memset(walk->place_of, 0, walk->n_place_of * sizeof *walk->place_of);
    walk->place_of[0] = STATES_FIRST - 1;
    walk->n_places = STATES_FIRST;
    for (int k = 0; k < walk->n_folds; k++)
        memset(states_of(walk, k), 0, STATES_FIRST * walk->folds[k].states->bytes);
    if (walk->bits != NULL)
        states_mark(walk);
    CJ_TRY(cj__walk_refs(walk));
    states_order(walk);
    CJ_TRY(states_add_journal(&walk->workers[0]));
    CJ_TRY(cj__walk_run(walk, walk->n_refs, states_add_block));
    CJ_TRY(states_cut(walk));
    CJ_TRY(states_reserve(walk));
    CJ_TRY(cj__walk_run(walk, walk->windows.n, states_keep));
out:
    return rc;
}

int32_t cj__states_scan(cj__walk *walk, int64_t bytes)
{
    uint32_t n_nodes = walk->plan.n_nodes, n = states_profiles(walk, bytes);
    int32_t rc;

    CJ_TRY(states_begin(walk, n));
    for (walk->lo = 1; walk->lo <= n_nodes; walk->lo = atomic_load(&walk->hi)) {
        atomic_store(&walk->hi, n_nodes - walk->lo < n ? n_nodes + 1 : walk->lo + n);
        CJ_TRY(states_round(walk));
    }
out:
    return rc;
}
