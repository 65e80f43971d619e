/* The column map of a CSV import: "time=InvoiceDate,trait.country=Country" against the
 * header.  Strict, because a column that is not found would lose data in every row:
 * what does not fit is an error that names the nearest column. */
#include "base/nearest.h"
#include "events/import.h"

#include <string.h>

enum { MAP_MAX_EXTRAS = 256, MAP_SHOWN = 24 };

static const struct {
    const char *name;
    int field;
} map_fields[] = {
    {"time",        CJ__FIELD_TIME       },
    {"order",       CJ__FIELD_ORDER      },
    {"order_id",    CJ__FIELD_ORDER      },
    {"product",     CJ__FIELD_PRODUCT    },
    {"quantity",    CJ__FIELD_QUANTITY   },
    {"unit_price",  CJ__FIELD_UNIT_PRICE },
    {"value",       CJ__FIELD_VALUE      },
    {"value_minor", CJ__FIELD_VALUE_MINOR},
    {"name",        CJ__FIELD_NAME       },
    {"channel",     CJ__FIELD_CHANNEL    },
    {"session",     CJ__FIELD_SESSION    },
    {"campaign",    CJ__FIELD_CAMPAIGN   },
    {"content",     CJ__FIELD_CONTENT    },
    {"currency",    CJ__FIELD_CURRENCY   },
    {"message_id",  CJ__FIELD_MESSAGE_ID },
};

enum { MAP_N_FIELDS = sizeof map_fields / sizeof map_fields[0] };

typedef struct map_reader {
    cj__arena *arena;
    const cj__text *header;
    cj__columns_map *out;
} map_reader;

static int map_starts(cj__text text, const char *with)
{
    size_t n = strlen(with);

    return text.n > n && memcmp(text.data, with, n) == 0;
}

/* The i-th name a column may have of ours, absent after the last. */
static cj__text map_name_at(size_t i)
{
    if (i < MAP_N_FIELDS)
        return cj__text_of(map_fields[i].name);
    return cj__text_of(
        i < MAP_N_FIELDS + CJ__N_KINDS ? cj__kinds()[i - MAP_N_FIELDS].name : NULL);
}

/* The index of the nearest of n names; of our names when names is NULL. */
static cj__text map_nearest(cj__text said, const cj__text *names, size_t n)
{
    cj__text best = {"", 0};
    size_t least = (size_t)-1;

    for (size_t i = 0; names == NULL ? map_name_at(i).data != NULL : i < n; i++) {
        cj__text name = names == NULL ? map_name_at(i) : names[i];
        size_t distance = cj__name_distance(said, name);

        if (distance < least) {
            least = distance;
            best = name;
        }
    }
    return best;
}

static int map_shown(cj__text text)
{
    return text.n < MAP_SHOWN ? (int)text.n : MAP_SHOWN;
}

static int32_t map_unknown_column(const map_reader *r, cj__text said)
{
    cj__text best = map_nearest(said, r->header, r->out->n_columns);

    return cj__fail(CJ_EINVAL,
                    "the file has no column \"%.*s\"; the nearest is \"%.*s\"",
                    map_shown(said), said.data, map_shown(best), best.data);
}

static int32_t map_unknown_name(cj__text said)
{
    cj__text best = map_nearest(said, NULL, 0);

    if (!cj__name_sayable(said))
        return cj__fail(CJ_EINVAL, "map: an unknown name; the nearest is %.*s",
                        map_shown(best), best.data);
    return cj__fail(CJ_EINVAL, "map: \"%.*s\" is unknown; the nearest is %.*s",
                    map_shown(said), said.data, map_shown(best), best.data);
}

/* The index of a header column that stands there once. */
static int32_t map_column(const map_reader *r, cj__text name, int *out)
{
    *out = -1;
    for (size_t i = 0; i < r->out->n_columns; i++) {
        if (!cj__text_equal(r->header[i], name))
            continue;
        if (*out >= 0)
            return cj__fail(CJ_EINVAL, "the file has two columns \"%.*s\"",
                            map_shown(name), name.data);
        *out = (int)i;
    }
    return *out >= 0 ? CJ_OK : map_unknown_column(r, name);
}

static int32_t map_extra(map_reader *r, cj__text key, int is_trait, int column)
{
    cj__extra *extra = &r->out->extras[r->out->n_extras];
    cj__str s;
    int32_t rc;

    if (r->out->n_extras == MAP_MAX_EXTRAS)
        return cj__fail(CJ_ELIMIT, "map: more than %d properties and traits",
                        MAP_MAX_EXTRAS);
    if (!cj__utf8_valid(key.data, key.n))
        return cj__fail(CJ_EINVAL, "map: a name is not valid UTF-8");
    cj__str_init(&s, r->arena->allocator, CJ__MAX_MESSAGE);
    cj__str_put_json(&s, key.data, key.n);
    cj__str_put_char(&s, ':');
    CJ_TRY(cj__str_status(&s));
    extra->key = cj__arena_text(r->arena, s.data, s.n);
    extra->column = column;
    extra->is_trait = is_trait;
    for (size_t i = 0; extra->key != NULL && i < r->out->n_extras; i++)
        if (r->out->extras[i].is_trait == is_trait &&
            strcmp(r->out->extras[i].key, extra->key) == 0)
            CJ_TRY(cj__fail(CJ_EINVAL, "map: a property or trait is named twice"));
    r->out->n_extras++;
    rc = extra->key != NULL ? CJ_OK : CJ_ENOMEM;
out:
    cj__str_end(&s);
    return rc;
}

/* The field of one of our names, or -1. */
static int map_field(cj__text name)
{
    for (size_t i = 0; map_name_at(i).data != NULL; i++)
        if (cj__text_equal(map_name_at(i), name))
            return i < MAP_N_FIELDS ? map_fields[i].field
                                    : CJ__FIELD_KINDS + (int)(i - MAP_N_FIELDS);
    return -1;
}

/* One pair: ours is known to nobody yet, column is an index. */
static int32_t map_set(map_reader *r, cj__text ours, int column)
{
    int field = map_field(ours);

    if (map_starts(ours, "property."))
        return map_extra(r, (cj__text){ours.data + 9, ours.n - 9}, 0, column);
    if (map_starts(ours, "trait."))
        return map_extra(r, (cj__text){ours.data + 6, ours.n - 6}, 1, column);
    if (field < 0)
        return map_unknown_name(ours);
    if (r->out->column[field] >= 0)
        return cj__fail(CJ_EINVAL, "map: %.*s is named twice", map_shown(ours),
                        ours.data);
    r->out->column[field] = column;
    return CJ_OK;
}

/* The column's name at *at: up to the next comma, or in quotes. */
static int32_t map_read_column(map_reader *r, const char **at, cj__text *out)
{
    const char *p = *at;
    char *to;

    if (*p != '"') {
        out->data = p;
        out->n = strcspn(p, ",");
        *at = p + out->n;
        return CJ_OK;
    }
    to = cj__arena_alloc(r->arena, strlen(p));
    if (to == NULL)
        return CJ_ENOMEM;
    out->data = to;
    for (p++; *p != '\0' && (*p != '"' || p[1] == '"'); p++) {
        p += *p == '"';
        *to++ = *p;
    }
    out->n = (size_t)(to - out->data);
    *at = p + 1;
    if (*p != '"' || (p[1] != ',' && p[1] != '\0'))
        return cj__fail(CJ_EINVAL, "map: a quote is not closed before the comma");
    return CJ_OK;
}

static int32_t map_read(map_reader *r, const char *map)
{
    int32_t rc = CJ_OK;

    while (*map != '\0') {
        size_t n = strcspn(map, "=,");
        cj__text ours = {map, n}, theirs;
        int column;

        if (map[n] != '=')
            return cj__fail(CJ_EINVAL,
                            "map: after \"%.*s\" a = and a column are missing",
                            map_shown(ours), ours.data);
        map += n + 1;
        CJ_TRY(map_read_column(r, &map, &theirs));
        CJ_TRY(map_column(r, theirs, &column));
        CJ_TRY(map_set(r, ours, column));
        map += *map == ',';
    }
out:
    return rc;
}

/* No map: every column of the file has one of our names. */
static int32_t map_header(map_reader *r)
{
    int32_t rc = CJ_OK;

    for (size_t i = 0; rc == CJ_OK && i < r->out->n_columns; i++) {
        if (map_field(r->header[i]) < 0 && !map_starts(r->header[i], "property.") &&
            !map_starts(r->header[i], "trait."))
            return cj__fail(CJ_EINVAL,
                            "column %zu of the file has none of our names; give a map",
                            i + 1);
        rc = map_set(r, r->header[i], (int)i);
    }
    return rc;
}

int32_t cj__columns_match(cj__arena *arena, const char *map, const char *guest,
                          const cj__text *header, size_t n_header, cj__columns_map *out)
{
    map_reader r = {arena, header, out};
    int32_t rc;

    memset(out, 0, sizeof *out);
    for (int i = 0; i < CJ__N_FIELDS; i++)
        out->column[i] = -1;
    out->n_columns = n_header;
    out->extras = cj__arena_alloc(arena, MAP_MAX_EXTRAS * sizeof *out->extras);
    if (out->extras == NULL)
        return CJ_ENOMEM;
    CJ_TRY(map != NULL ? map_read(&r, map) : map_header(&r));
    if (guest != NULL)
        CJ_TRY(
            map_column(&r, cj__text_of(guest), &out->column[CJ__FIELD_GUEST_COLUMN]));
    if (out->column[CJ__FIELD_TIME] < 0)
        rc = cj__fail(CJ_EINVAL, "map: no column for time (time=...)");
out:
    return rc;
}
