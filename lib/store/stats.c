/* What is in the file: one row per fact, from one snapshot.  A new fact is a row of
 * stats_rows[]. */
#include "store/internal.h"

typedef struct stats_row {
    const char *name, *unit, *meaning;
    int stmt, column; /* which number of which statement */
} stats_row;

/* clang-format off */
static const stats_row stats_rows[] = {
    {"identifiers",       "count", "identifiers known, one node each",             STMT_IDENTIFIER_MAX, 0},
    {"edges",             "count", "pairs of identifiers seen together",           STMT_EDGE_MAX, 0},
    {"traits",            "count", "values of traits, with their history",         STMT_TRAIT_COUNT, 0},
    {"terms",             "count", "names, channels, products and other texts",    STMT_TERM_MAX, 0},
    {"journal_events",    "count", "durable events that are not sealed yet",       STMT_JOURNAL_COUNT, 0},
    {"sealed_events",     "count", "events in sealed blocks",                      STMT_PART_TOTALS, 0},
    {"sealed_values",     "count", "orders and refunds in the value projection",   STMT_PART_TOTALS, 1},
    {"sealed_messages",   "count", "message ids of sealed events",                 STMT_PART_TOTALS, 2},
    {"parts",             "count", "parts of time slices",                         STMT_PART_TOTALS, 3},
    {"blocks",            "count", "blocks of up to 4,096 events",                 STMT_BLOCK_SIZES, 2},
    {"core_bytes",        "byte",  "core columns, with the value projection",      STMT_BLOCK_SIZES, 0},
    {"property_bytes",    "byte",  "properties",                                   STMT_BLOCK_SIZES, 1},
    {"message_bytes",     "byte",  "hashes of sealed message ids",                 STMT_MESSAGE_SIZES, 0},
    {"score_bytes",       "byte",  "scores of value models, with their history",   STMT_SCORE_SIZE, 0},
    {"failed_events",     "count", "rejected events, kept with their reason",      STMT_FAILED_COUNT, 0},
    {"segments",          "count", "segments, lists aside",                        STMT_SEGMENT_COUNT, 0},
    {"live_segments",     "count", "segments whose membership is kept",            STMT_LIVE_COUNT, 0},
    {"segment_states",    "count", "profiles that live segments know more of",     STMT_STATE_COUNT, 0},
    {"segment_changes",   "count", "rows of the feed of segments",                 STMT_CHANGE_MAX, 0},
    {"pages",             "count", "pages of the file",                            STMT_PAGE_COUNT, 0},
    {"page_bytes",        "byte",  "size of a page",                               STMT_PAGE_SIZE, 0},
    {"free_pages",        "count", "pages that cj_compact can give back",          STMT_FREELIST_COUNT, 0},
    {"schema_version",    "count", "version of the file's schema",                 STMT_USER_VERSION, 0},
};
/* clang-format on */

static int32_t stats_number(cj__conn *conn, const stats_row *row, int64_t *out)
{
    cj__query q = {0};
    int got;
    int32_t rc;

    CJ_TRY(cj__query_begin(conn, row->stmt, &q));
    CJ_TRY(cj__query_step(&q, &got));
    *out = got ? cj__query_get_int64(&q, row->column) : 0;
out:
    cj__query_end(&q);
    return rc;
}

static void stats_put(cj_table *t, const char *name, int64_t value, const char *unit,
                      const char *meaning)
{
    cj__table_put(t, 0, name);
    cj__table_int64(t, 1, value);
    cj__table_put(t, 2, unit);
    cj__table_put(t, 3, meaning);
}

/* Nodes that are the oldest of their profile. */
static int32_t stats_profiles(cj__reader *r, int64_t *out)
{
    int64_t n_merged, n_guests;
    int32_t rc;

    CJ_TRY(cj__query_one(cj__reader_conn(r), STMT_IDENTIFIER_MAX, out));
    CJ_TRY(cj__reader_profile_counts(r, &n_merged, &n_guests));
    *out -= n_merged;
out:
    return rc;
}

int32_t cj__stats(cj_db *db, int64_t now_ms, cj_table **out)
{
    cj__reader *r = NULL;
    cj_table *t = NULL;
    int64_t value;
    int32_t rc;

    *out = NULL;
    CJ_TRY(cj__reader_open(db, &r));
    CJ_TRY(cj__table_new(&db->cx.allocator, "name:t value:i unit:t meaning:t", &t));
    CJ_TRY(stats_profiles(r, &value));
    stats_put(t, "profiles", value, "count", "people, as far as identifiers tell");
    for (size_t i = 0; i < sizeof stats_rows / sizeof stats_rows[0]; i++) {
        CJ_TRY(stats_number(cj__reader_conn(r), &stats_rows[i], &value));
        stats_put(t, stats_rows[i].name, value, stats_rows[i].unit,
                  stats_rows[i].meaning);
    }
    stats_put(t, "currency_exponent", db->currency_exponent, "digit", db->currency);
    stats_put(t, "utc_offset", cj__zone_offset_ms(db->zone, now_ms) / 1000, "second",
              db->time_zone);
    rc = cj__table_finish(t, out);
    t = NULL;
out:
    cj__table_free(t);
    cj__reader_end(r);
    return rc;
}
