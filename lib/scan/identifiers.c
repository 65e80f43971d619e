/* The identifiers of profiles, as a column beside a result.  A profile shows its oldest
 * identifier of a kind: the one that named it first. */
#include "identity/identity.h"
#include "scan/internal.h"

#include <string.h>

typedef struct identifiers_walk {
    const uint32_t *profile_of;
    uint32_t n_nodes;
    uint32_t *row; /* 1 + row of each profile; 0: not asked for */
    uint64_t *at;  /* 1 + where in texts a row's value begins; 0: none yet */
    cj__str texts; /* each behind its length, a varint */
} identifiers_walk;

static int32_t identifiers_each(void *user, uint32_t node, cj__text value)
{
    identifiers_walk *w = user;
    uint32_t row;

    if (node < 1 || node > w->n_nodes)
        return CJ_OK;
    row = w->row[w->profile_of[node]];
    if (row == 0 || w->at[row - 1] != 0)
        return CJ_OK;
    w->at[row - 1] = w->texts.n + 1;
    cj__str_put_varint(&w->texts, value.n);
    cj__str_put(&w->texts, value.data, value.n);
    return cj__str_status(&w->texts);
}

static int32_t identifiers_room(const cj__allocator *a, identifiers_walk *w, int64_t n)
{
    w->row = cj__alloc_zero(a, ((size_t)w->n_nodes + 1) * sizeof *w->row);
    if (w->row == NULL)
        return CJ_ENOMEM;
    w->at = cj__alloc_zero(a, cj__size_product((size_t)n, sizeof *w->at));
    return w->at == NULL ? CJ_ENOMEM : CJ_OK;
}

static void identifiers_put(const identifiers_walk *w, int64_t n, cj_table *table,
                            int column)
{
    const uint8_t *texts = (const uint8_t *)w->texts.data, *end = texts + w->texts.n;

    for (int64_t i = 0; i < n; i++) {
        const uint8_t *value;
        uint64_t length;

        if (w->at[i] == 0) {
            cj__table_null(table, column);
            continue;
        }
        value = texts + w->at[i] - 1;
        (void)cj__varint_read(&value, end, &length); /* our own */
        cj__table_text(table, column, (const char *)value, (size_t)length);
    }
}

int32_t cj__scan_identifiers(cj__reader *reader, const char *kind,
                             const int64_t *profiles, int64_t n, cj_table *table,
                             int column)
{
    const cj__allocator *a = &cj__reader_db(reader)->cx.allocator;
    identifiers_walk w;
    const uint8_t *mask;
    const cj__kind *named = cj__kind_named(kind);
    int32_t rc;

    memset(&w, 0, sizeof w);
    cj__str_init(&w.texts, a, CJ__PARTIAL_BYTES);
    if (named == NULL)
        CJ_TRY(cj__fail(CJ_EINVAL, "identifier must be a kind, such as user_id"));
    rc = CJ_OK;
    if (n == 0)
        goto out;
    CJ_TRY(cj__reader_profiles(reader, &w.profile_of, &mask, &w.n_nodes));
    CJ_TRY(identifiers_room(a, &w, n));
    for (int64_t i = 0; i < n; i++) {
        if (profiles[i] >= 1 && profiles[i] <= w.n_nodes)
            w.row[profiles[i]] = (uint32_t)(i + 1);
    }
    CJ_TRY(cj__reader_identifiers(reader, named->id, identifiers_each, &w));
    cj__str_fit(&w.texts);
    CJ_TRY(cj__str_status(&w.texts));
    cj__free(a, w.row, ((size_t)w.n_nodes + 1) * sizeof *w.row);
    w.row = NULL;
    identifiers_put(&w, n, table, column);
out:
    cj__str_end(&w.texts);
    cj__free(a, w.row, ((size_t)w.n_nodes + 1) * sizeof *w.row);
    cj__free(a, w.at, cj__size_product((size_t)n, sizeof *w.at));
    return rc;
}
