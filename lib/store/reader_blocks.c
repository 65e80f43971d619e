/* What a snapshot has of sealed events: the directory of parts, which stays what it is
 * until a part is added, and blocks, which never change: cores that are asked for again
 * and again are kept, with whatever is known of them. */
#include "store/internal.h"

#include <string.h>

static int32_t reader_blocks(cj__reader *r, cj__part *part, cj__text bytes)
{
    int64_t base = part->id << CJ__PART_SHIFT | (int64_t)part->family
                                                    << CJ__FAMILY_SHIFT;
    uint32_t entry[3];

    part->n_blocks = (int64_t)(bytes.n / CJ__DIRECTORY_ENTRY);
    part->blocks = cj__arena_alloc(&r->directory,
                                   ((size_t)part->n_blocks + 1) * sizeof *part->blocks);
    if (part->blocks == NULL)
        return CJ_ENOMEM;
    part->n_events = 0;
    for (int64_t i = 0; i < part->n_blocks; i++) {
        memcpy(entry, bytes.data + i * CJ__DIRECTORY_ENTRY, sizeof entry);
        part->blocks[i] = (cj__part_block){.id = base + i,
                                           .first_node = entry[0],
                                           .last_node = entry[1],
                                           .n_events = entry[2]};
        part->n_events += entry[2];
    }
    return CJ_OK;
}

/* A row of PART_ALL: the part as each family has it. */
static int32_t reader_part(cj__reader *r, const cj__query *q, cj__part *core,
                           cj__part *value)
{
    int32_t rc;

    *core = (cj__part){.family = CJ__FAMILY_CORE,
                       .id = cj__query_get_int64(q, 0),
                       .from_ms = cj__query_get_int64(q, 1),
                       .until_ms = cj__query_get_int64(q, 2),
                       .min_ms = cj__query_get_int64(q, 3),
                       .max_ms = cj__query_get_int64(q, 4)};
    *value = *core;
    value->family = CJ__FAMILY_VALUE;
    CJ_TRY(reader_blocks(r, core, cj__query_get_blob(q, 9)));
    CJ_TRY(reader_blocks(r, value, cj__query_get_blob(q, 10)));
out:
    return rc;
}

/* What is kept of other parts is of no use: they have been replaced. */
static int32_t reader_forget(cj__reader *r)
{
    cj__store *s = r->conn.db->store;
    int64_t *ids = cj__arena_alloc(&r->directory, ((size_t)r->n_parts + 1) * 2 * 8);

    if (ids == NULL)
        return CJ_ENOMEM;
    for (int64_t i = 0; i < r->n_parts; i++) { /* in order of time: almost ascending */
        int64_t at = i;

        for (; at > 0 && ids[at - 1] > r->parts[0][i].id; at--)
            ids[at] = ids[at - 1];
        ids[at] = r->parts[0][i].id;
    }
    for (int i = 0; i < CJ__N_KEPT; i++)
        cj__kept_only(&s->kept[i], ids, (size_t)r->n_parts);
    return CJ_OK;
}

static int32_t reader_directory(cj__reader *r)
{
    cj__query q = {0};
    int64_t n_parts, n = 0;
    int row;
    int32_t rc;

    cj__arena_end(&r->directory);
    r->n_parts = -1;
    CJ_TRY(cj__query_one(&r->conn, STMT_PART_COUNT, &n_parts));
    for (int f = 0; f < 2; f++) {
        r->parts[f] = cj__arena_alloc(
            &r->directory, cj__size_product((size_t)n_parts + 1, sizeof *r->parts[f]));
        if (r->parts[f] == NULL)
            CJ_TRY(CJ_ENOMEM);
    }
    CJ_TRY(cj__query_begin(&r->conn, STMT_PART_ALL, &q));
    for (;;) {
        CJ_TRY(cj__query_step(&q, &row));
        if (!row || n == n_parts)
            break;
        CJ_TRY(reader_part(r, &q, &r->parts[0][n], &r->parts[1][n]));
        n++;
    }
    r->n_parts = n;
    r->part = r->last_part;
    rc = reader_forget(r);
out:
    cj__query_end(&q);
    return rc;
}

int32_t cj__reader_parts(cj__reader *r, int32_t family, cj__slice window,
                         cj__arena *arena, cj__part **parts_out, int64_t *n_out)
{
    int64_t n = 0;
    int32_t rc = CJ_OK;

    *parts_out = NULL;
    *n_out = 0;
    (void)pthread_mutex_lock(&r->lock);
    if (r->n_parts < 0 || r->part != r->last_part)
        CJ_TRY(reader_directory(r));
    *parts_out = cj__arena_alloc(arena, ((size_t)r->n_parts + 1) * sizeof **parts_out);
    if (*parts_out == NULL)
        CJ_TRY(CJ_ENOMEM);
    for (int64_t i = 0; i < r->n_parts; i++) {
        const cj__part *p = &r->parts[family == CJ__FAMILY_VALUE][i];

        if (p->n_blocks > 0 && p->max_ms >= window.from_ms &&
            (window.until_ms == 0 || p->min_ms < window.until_ms))
            (*parts_out)[n++] = *p;
    }
    *n_out = n;
out:
    (void)pthread_mutex_unlock(&r->lock);
    return rc;
}

static int32_t reader_missing(int64_t block_id)
{
    return cj__fail(CJ_ECORRUPT, "block %lld is missing; run cj_check",
                    (long long)block_id);
}

int32_t cj__reader_block(cj__reader *r, int64_t block_id, cj__str *core, cj__str *props)
{
    cj__query q = {0};
    cj__text bytes;
    int row;
    int32_t rc;

    (void)pthread_mutex_lock(&r->lock);
    cj__str_clear(core);
    if (props != NULL)
        cj__str_clear(props);
    CJ_TRY(cj__query_begin(&r->conn, props != NULL ? STMT_BLOCK_GET : STMT_BLOCK_CORE,
                           &q));
    cj__query_int64(&q, 1, block_id);
    CJ_TRY(cj__query_step(&q, &row));
    if (!row)
        CJ_TRY(reader_missing(block_id));
    bytes = cj__query_get_blob(&q, 0);
    cj__str_put(core, bytes.data, bytes.n);
    CJ_TRY(cj__str_status(core));
    if (props != NULL) {
        bytes = cj__query_get_blob(&q, 1);
        cj__str_put(props, bytes.data, bytes.n);
        CJ_TRY(cj__str_status(props));
    }
out:
    cj__query_end(&q);
    (void)pthread_mutex_unlock(&r->lock);
    return rc;
}

cj__kept_block *cj__reader_kept(cj__reader *r, int kind, int64_t block_id)
{
    return cj__kept_get(&r->conn.db->store->kept[kind], block_id);
}

void cj__reader_let_go(cj__reader *r, int kind, cj__kept_block *b)
{
    cj__kept_let_go(&r->conn.db->store->kept[kind], b);
}

int32_t cj__reader_keep(cj__reader *r, int kind, int64_t block_id, cj__text bytes)
{
    cj__kept *kept = &r->conn.db->store->kept[kind];
    cj__kept_block *b = cj__kept_new(kept, block_id, bytes.n);

    if (b == NULL)
        return CJ_ENOMEM;
    if (bytes.n > 0)
        memcpy(b->bytes, bytes.data, bytes.n);
    cj__kept_let_go(kept, cj__kept_put(kept, b));
    return CJ_OK;
}

/* The bytes of a core, not yet kept. */
static int32_t reader_core(cj__reader *r, cj__kept *kept, int64_t block_id,
                           cj__kept_block **out)
{
    cj__query q = {0};
    cj__text bytes;
    int row;
    int32_t rc;

    *out = NULL;
    (void)pthread_mutex_lock(&r->lock);
    CJ_TRY(cj__query_begin(&r->conn, STMT_BLOCK_CORE, &q));
    cj__query_int64(&q, 1, block_id);
    CJ_TRY(cj__query_step(&q, &row));
    if (!row)
        CJ_TRY(reader_missing(block_id));
    bytes = cj__query_get_blob(&q, 0);
    *out = cj__kept_new(kept, block_id, bytes.n);
    if (*out == NULL)
        CJ_TRY(CJ_ENOMEM);
    if (bytes.n > 0)
        memcpy((*out)->bytes, bytes.data, bytes.n);
out:
    cj__query_end(&q);
    (void)pthread_mutex_unlock(&r->lock);
    return rc;
}

int32_t cj__reader_core(cj__reader *r, int64_t block_id, cj__kept_block **out)
{
    cj__kept *kept = &r->conn.db->store->kept[CJ__KEPT_CORES];
    const cj__text no_props = {NULL, 0};
    cj__kept_block *b;
    int32_t rc;

    *out = cj__kept_get(kept, block_id);
    if (*out != NULL)
        return CJ_OK;
    CJ_TRY(reader_core(r, kept, block_id, &b));
    rc = cj__block_open((cj__text){(const char *)b->bytes, b->n}, no_props, &b->header);
    if (rc == CJ_OK)
        *out = cj__kept_put(kept, b);
    else
        cj__kept_drop(kept, b);
out:
    return rc;
}
