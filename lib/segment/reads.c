/* What a segment reads, in words: columns of events, traits, identifiers, other
 * segments and lists, as its programs have compiled them. */
#include "segment/clauses.h"
#include "segment/program.h"

#include <string.h>

static const struct {
    uint32_t column;
    const char *name;
} reads_columns[] = {
    {CJ__COL_TIME,       "time"      },
    {CJ__COL_NAME,       "name"      },
    {CJ__COL_CHANNEL,    "channel"   },
    {CJ__COL_VALUE,      "value"     },
    {CJ__COL_QUANTITY,   "quantity"  },
    {CJ__COL_CAMPAIGN,   "campaign"  },
    {CJ__COL_CONTENT,    "content"   },
    {CJ__COL_PRODUCT,    "product"   },
    {CJ__COL_CURRENCY,   "currency"  },
    {CJ__COL_SESSION,    "session"   },
    {CJ__COL_ORDER,      "order"     },
    {CJ__COL_PROPERTIES, "properties"},
};

/* One word more of a list with a title: "traits: country, age". */
static void reads_put(cj__str *s, const char *title, int first, cj__text word)
{
    if (first) {
        cj__str_put_text(s, s->n == 0 ? "" : "; ");
        cj__str_put_text(s, title);
    }
    if (word.n > 0) {
        cj__str_put_text(s, first ? ": " : ", ");
        cj__str_put(s, word.data, word.n);
    }
}

static void reads_events(cj__reads *reads)
{
    const char *what = reads->needs.valued ? "value projection" : "events";
    int n = 0;

    for (size_t i = 0; i < sizeof reads_columns / sizeof *reads_columns; i++) {
        if ((reads->needs.columns & reads_columns[i].column) != 0)
            reads_put(&reads->text, what, n++ == 0, cj__text_of(reads_columns[i].name));
    }
}

/* 1: an item that is looked at before, or this one before its trait k, has the name. */
static int reads_trait_known(const cj__runner *r, const uint8_t *is_read, uint32_t item,
                             size_t trait)
{
    const cj__text name = r->items[item].program->traits[trait].name;

    for (uint32_t i = 0; i <= item; i++) {
        const cj__program *p = r->items[i].program;
        const size_t n = i < item ? p->n_traits : trait;

        for (size_t k = 0; is_read[i] && k < n; k++) {
            if (cj__text_equal(p->traits[k].name, name))
                return 1;
        }
    }
    return 0;
}

static void reads_traits(const cj__runner *r, const uint8_t *is_read, uint32_t item,
                         cj__reads *reads)
{
    int n = 0;

    for (uint32_t i = 0; i <= item; i++) {
        const cj__program *p = r->items[i].program;

        for (size_t k = 0; is_read[i] && k < p->n_traits; k++) {
            if (!reads_trait_known(r, is_read, i, k))
                reads_put(&reads->text, "traits", n++ == 0, p->traits[k].name);
        }
    }
}

/* Is one of these functions called? */
static int reads_calls(const cj__seg_node *node, const char *one, const char *other)
{
    if (node->op == CJ__SEG_CALL) {
        const char *name = cj__seg_functions[node->i].name;

        if (strcmp(name, one) == 0 || strcmp(name, other) == 0)
            return 1;
    }
    for (uint32_t i = 0; i < node->n_kids; i++) {
        if (reads_calls(node->kids[i], one, other))
            return 1;
    }
    return 0;
}

static void reads_function(const cj__runner *r, const uint8_t *is_read, uint32_t item,
                           cj__str *s, const char *const names[3])
{
    const cj__text nothing = {NULL, 0};

    for (uint32_t i = 0; i <= item; i++) {
        if (!is_read[i] ||
            !reads_calls(r->set->items[i].tree->root, names[1], names[2]))
            continue;
        reads_put(s, names[0], 1, nothing);
        return;
    }
}

/* Segments (lists 0) or lists that the items name. */
static void reads_named(const cj__runner *r, const uint8_t *is_read, uint32_t item,
                        int lists, cj__str *s)
{
    const size_t n_all = lists ? r->set->n_lists : r->set->n;
    int n = 0;

    for (size_t at = 0; at < n_all; at++) {
        const int32_t wanted = lists ? ~(int32_t)at : (int32_t)at;
        int is_named = 0;

        for (uint32_t i = 0; i <= item; i++) {
            for (size_t k = 0; is_read[i] && k < r->items[i].n_refs; k++)
                is_named |= r->items[i].refs[k] == wanted;
        }
        if (is_named)
            reads_put(s, lists ? "lists" : "segments", n++ == 0,
                      lists ? r->set->lists[at].name : r->set->items[at].name);
    }
}

/* The items that an item leads to: they are before it. */
static void reads_reach(const cj__runner *r, uint32_t item, uint8_t *is_read)
{
    is_read[item] = 1;
    for (uint32_t i = item + 1; i-- > 0;) {
        for (size_t k = 0; is_read[i] && k < r->items[i].n_refs; k++) {
            if (r->items[i].refs[k] >= 0)
                is_read[r->items[i].refs[k]] = 1;
        }
    }
}

int32_t cj__reads_of(const cj__runner *r, uint32_t item, int64_t now_ms, cj__reads *out)
{
    static const char *const identifiers[] = {"identifiers", "has", "identifiers"};
    static const char *const devices[] = {"shared devices", "shared_device", ""};
    const cj__allocator *a = &r->set->db->cx.allocator;
    uint8_t *is_read = cj__alloc_zero(a, r->set->n);
    int32_t rc;

    memset(out, 0, sizeof *out);
    cj__str_init(&out->text, a, (size_t)CJ__MAX_SEGMENT * 64);
    if (is_read == NULL)
        return CJ_ENOMEM;
    reads_reach(r, item, is_read);
    cj__needs_begin(&out->needs);
    for (uint32_t i = 0; i <= item; i++) {
        if (!is_read[i])
            continue;
        cj__program_needs(r->items[i].program, now_ms, &out->needs);
        out->cost_ns += r->items[i].program->root->cost;
    }
    reads_events(out);
    reads_traits(r, is_read, item, out);
    reads_function(r, is_read, item, &out->text, identifiers);
    reads_function(r, is_read, item, &out->text, devices);
    reads_named(r, is_read, item, 0, &out->text);
    reads_named(r, is_read, item, 1, &out->text);
    rc = cj__str_status(&out->text);
    cj__free(a, is_read, r->set->n);
    return rc;
}
