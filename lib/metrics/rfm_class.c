/* Classes: names for regions of the r, f, m cube.  The first class that fits wins, so a
 * table reads from the special to the general.
 *
 * The usual eleven follow the common map of recency against frequency (1..5 each), with
 * monetary value where it changes what a shop should do: the best customers are worth
 * their title only when they also spend, a big spender who is gone is not to be lost,
 * and one who was never worth much is let go.  They cover all 125 combinations. */
#include "metrics/rfm.h"

#include <string.h>

typedef struct rfm_usual {
    const char *name;
    int64_t range[6]; /* r, f, m: least and most; 0: open */
    const char *meaning;
} rfm_usual;

static const rfm_usual rfm_usual_classes[] = {
  /* name, r, f, m, meaning: in order of precedence */
    {"Champions",          {4, 5, 4, 5, 4, 5}, "lately, often, for much: reward them"    },
    {"Loyal",              {3, 5, 4, 5, 0, 0}, "often, and still come: ask for reviews"  },
    {"Potential Loyalist", {4, 5, 2, 3, 0, 0}, "lately, some orders: bind them"          },
    {"New",                {5, 5, 1, 1, 0, 0}, "first order, just now: welcome them"     },
    {"Promising",          {4, 4, 1, 1, 0, 0}, "one order, not long ago: show more"      },
    {"Need Attention",     {3, 3, 3, 3, 0, 0}, "good until lately: make an offer"        },
    {"About to Sleep",     {3, 3, 1, 2, 0, 0}, "few orders, a while ago: remind them"    },
    {"Cannot Lose",        {1, 2, 4, 5, 4, 5}, "often, for much, long gone: call them"   },
    {"At Risk",            {1, 2, 3, 5, 0, 0}, "often, long gone: win them back"         },
    {"Lost",               {1, 1, 1, 2, 1, 2}, "seldom, little, longest gone: let go"    },
    {"Hibernating",        {1, 2, 1, 2, 0, 0}, "seldom, long gone: try once, at low cost"},
};
#define RFM_N_USUAL ((int64_t)(sizeof rfm_usual_classes / sizeof rfm_usual_classes[0]))

int32_t cj__rfm_classes(const cj__allocator *a, cj_table **out)
{
    cj_table *t;
    int32_t rc;

    *out = NULL;
    rc = cj__table_new(a,
                       "class:t r_min:i r_max:i f_min:i f_max:i m_min:i m_max:i "
                       "meaning:t",
                       &t);
    if (rc != CJ_OK)
        return rc;
    for (int64_t i = 0; i < RFM_N_USUAL; i++) {
        const rfm_usual *usual = &rfm_usual_classes[i];

        cj__table_put(t, 0, usual->name);
        for (int k = 0; k < 6; k++)
            cj__table_int64(t, k + 1, usual->range[k]);
        cj__table_put(t, 7, usual->meaning);
    }
    return cj__table_finish(t, out);
}

/* Give a class the cells of its ranges that are still free. */
static void class_fill(cj__rfm_grid *g, const char *name, const int64_t range[6])
{
    int64_t from[3], to[3];

    for (int k = 0; k < 3; k++) {
        from[k] = range[2 * k] == 0 ? 1 : range[2 * k];
        to[k] = range[2 * k + 1] == 0 ? 5 : range[2 * k + 1];
    }
    for (int64_t r = from[0]; r <= to[0]; r++)
        for (int64_t f = from[1]; f <= to[1]; f++)
            for (int64_t m = from[2]; m <= to[2]; m++)
                if (g->name[r - 1][f - 1][m - 1].data == NULL)
                    g->name[r - 1][f - 1][m - 1] = cj__text_of(name);
}

static int32_t class_check(const cj_rfm_class *c, const int64_t range[6], int64_t i)
{
    if (c->name == NULL || c->name[0] == '\0')
        return cj__fail(CJ_EINVAL, "class %lld has no name", (long long)i + 1);
    if (strnlen(c->name, CJ__MAX_NAME + 1) > CJ__MAX_NAME)
        return cj__fail(CJ_ELIMIT, "the name of class %lld is longer than %d bytes",
                        (long long)i + 1, CJ__MAX_NAME);
    for (int k = 0; k < 6; k++) {
        if (range[k] < 0 || range[k] > 5)
            return cj__fail(CJ_EINVAL, "class %lld: %c must lie in 1..5, or 0: open",
                            (long long)i + 1, "rrffmm"[k]);
    }
    for (int k = 0; k < 6; k += 2) {
        if (range[k] > range[k + 1] && range[k + 1] != 0)
            return cj__fail(CJ_EINVAL, "class %lld: %c_min is above %c_max",
                            (long long)i + 1, "rrffmm"[k], "rrffmm"[k]);
    }
    return CJ_OK;
}

int32_t cj__rfm_grid_make(cj__rfm_grid *g, const cj_rfm_class *classes, int64_t n)
{
    const unsigned char *at = (const unsigned char *)classes;
    cj_rfm_class c;
    int32_t rc;

    memset(g, 0, sizeof *g);
    if (n < 0 || (n > 0 && classes == NULL) || (n == 0 && classes != NULL))
        return cj__fail(CJ_EINVAL, "classes and n_classes do not belong together");
    for (int64_t i = 0; classes == NULL && i < RFM_N_USUAL; i++)
        class_fill(g, rfm_usual_classes[i].name, rfm_usual_classes[i].range);
    for (int64_t i = 0; i < n; i++) {
        int64_t range[6];

        rc = cj__sized_read(&c, sizeof c, at + i * classes->struct_size);
        if (rc != CJ_OK)
            return rc;
        memcpy(range,
               (const int64_t[6]){c.r_min, c.r_max, c.f_min, c.f_max, c.m_min, c.m_max},
               sizeof range);
        rc = class_check(&c, range, i);
        if (rc != CJ_OK)
            return rc;
        class_fill(g, c.name, range);
    }
    return CJ_OK;
}

cj__text cj__rfm_class_name(const cj_rfm_class *classes, int64_t n, int64_t i)
{
    const unsigned char *at = (const unsigned char *)classes;
    cj_rfm_class c;

    if (classes == NULL)
        return cj__text_of(i < RFM_N_USUAL ? rfm_usual_classes[i].name : NULL);
    if (i >= n || cj__sized_read(&c, sizeof c, at + i * classes->struct_size) != CJ_OK)
        return cj__text_of(NULL);
    return cj__text_of(c.name);
}
