/* See people.h. */
#include "people.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PEOPLE_START_MS INT64_C(1735689600000) /* 2025-01-01 */

static void people_path(char to[64])
{
    (void)snprintf(to, 64, "/tmp/cj_people_%d.cj", (int)getpid());
}

cj_db *people_open(void)
{
    char path[64];
    cj_db *db;

    people_path(path);
    (void)unlink(path);
    ck_assert_msg(cj_open(path, NULL, &db) == CJ_OK, "%s", cj_errmsg());
    return db;
}

void people_close(cj_db *db)
{
    char path[64];

    ck_assert_int_eq(cj_close(db), CJ_OK);
    people_path(path);
    (void)unlink(path);
}

/* Splits in place; returns how many. */
static int64_t people_split(char *text, cj_identifier *to)
{
    int64_t n = 0;
    char *save = NULL;

    for (char *word = strtok_r(text, " ", &save); word != NULL;
         word = strtok_r(NULL, " ", &save)) {
        char *value = strchr(word, '=');
        ck_assert_ptr_nonnull(value);
        *value++ = '\0';
        to[n++] = (cj_identifier){sizeof *to, word, value};
    }
    return n;
}

int64_t people_say(cj_db *db, const char *identifiers)
{
    char text[512];
    cj_identifier ids[16];
    cj_event e = {.struct_size = sizeof e, .name = "page_view"};
    int64_t profile = 0;

    (void)snprintf(text, sizeof text, "%s", identifiers);
    e.n_identifiers = people_split(text, ids);
    e.identifiers = ids;
    e.time_ms = PEOPLE_START_MS + 1000 * people_count(db, "journal_events");
    ck_assert_msg(cj_record(db, &e) == CJ_OK, "%s", cj_errmsg());
    ck_assert_msg(
        cj_identify(db, ids, e.n_identifiers, NULL, e.time_ms, NULL, &profile) == CJ_OK,
        "%s", cj_errmsg());
    return profile;
}

int64_t people_who(cj_db *db, const char *identifier)
{
    char text[512];
    cj_identifier id[1];
    int64_t profile;

    (void)snprintf(text, sizeof text, "%s", identifier);
    ck_assert_int_eq(people_split(text, id), 1);
    if (cj_profile_find(db, id[0].kind, id[0].value, &profile) == CJ_ENOTFOUND)
        return 0;
    return profile;
}

int64_t people_last_edge(cj_db *db)
{
    return people_count(db, "edges");
}

int64_t people_count(cj_db *db, const char *stat)
{
    const int64_t *offsets;
    const char *names;
    cj_table *t;
    int64_t value = -1;

    ck_assert_int_eq(cj_stats(db, &t), CJ_OK);
    names = cj_table_text(t, 0, &offsets);
    for (int64_t i = 0; i < cj_table_rows(t); i++)
        if ((size_t)(offsets[i + 1] - offsets[i]) == strlen(stat) &&
            memcmp(names + offsets[i], stat, strlen(stat)) == 0)
            value = cj_table_int64(t, 1)[i];
    cj_table_free(t);
    return value;
}

static void people_profile(cj_db *db, int64_t profile, char *to, size_t size)
{
    const int64_t *kinds, *values;
    const char *kind, *value;
    cj_table *t;
    size_t n = strlen(to);

    ck_assert_int_eq(cj_profile_identifiers(db, profile, &t), CJ_OK);
    if (cj_table_int64(t, 0)[0] != profile) { /* a younger node of an older profile */
        cj_table_free(t);
        return;
    }
    kind = cj_table_text(t, 1, &kinds);
    value = cj_table_text(t, 2, &values);
    n += (size_t)snprintf(to + n, size - n, "%s%lld:", n > 0 ? " " : "",
                          (long long)profile);
    for (int64_t i = 0; i < cj_table_rows(t); i++)
        n += (size_t)snprintf(to + n, size - n, "%s%.*s=%.*s", i > 0 ? "+" : "",
                              (int)(kinds[i + 1] - kinds[i]), kind + kinds[i],
                              (int)(values[i + 1] - values[i]), value + values[i]);
    cj_table_free(t);
}

char *people_all(cj_db *db, int64_t n_nodes)
{
    size_t size = 256 + (size_t)n_nodes * 64;
    char *text = calloc(1, size);

    for (int64_t i = 1; i <= n_nodes; i++)
        people_profile(db, i, text, size);
    return text;
}

void people_sound(cj_db *db)
{
    cj_table *t;
    char *text;

    ck_assert_int_eq(cj_check(db, &t), CJ_OK);
    text = people_csv(t);
    ck_assert_str_eq(text, "place,problem\n");
    free(text);
}

char *people_csv(cj_table *table)
{
    char *text, *copy;

    ck_assert_int_eq(cj_table_format(table, "csv", &text, NULL), CJ_OK);
    copy = strdup(text);
    cj_text_free(text);
    cj_table_free(table);
    return copy;
}
