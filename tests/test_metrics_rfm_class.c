/* The usual eleven classes cover all 125 combinations, each is used, and what is
 * printed in the public table is what cj_rfm uses; own classes are read in order. */
#include "metrics/rfm.h"

#include "harness.h"

#include <stdio.h>
#include <string.h>

static int text_is(cj__text text, const char *want)
{
    return text.data != NULL && text.n == strlen(want) &&
           memcmp(text.data, want, text.n) == 0;
}

static int fits(const cj_table *t, int64_t row, const int64_t score[3])
{
    for (int k = 0; k < 3; k++) {
        int64_t least = cj_table_int64(t, 1 + 2 * k)[row];
        int64_t most = cj_table_int64(t, 2 + 2 * k)[row];

        if ((least != 0 && score[k] < least) || (most != 0 && score[k] > most))
            return 0;
    }
    return 1;
}

/* Which row of the public table is first to fit; -1: none. */
static int64_t first_fit(const cj_table *t, const int64_t score[3])
{
    for (int64_t row = 0; row < cj_table_rows(t); row++) {
        if (fits(t, row, score))
            return row;
    }
    return -1;
}

START_TEST(test_rfm_class__the_usual_eleven_cover_everything)
{
    cj__rfm_grid grid;
    cj_table *t;
    const int64_t *offsets;
    const char *names;
    int used[11] = {0};

    ck_assert_int_eq(cj_rfm_classes(&t), CJ_OK);
    ck_assert_int_eq(cj_table_rows(t), 11);
    ck_assert_int_eq(cj__rfm_grid_make(&grid, NULL, 0), CJ_OK);
    names = cj_table_text(t, 0, &offsets);
    for (int64_t r = 1; r <= 5; r++) {
        for (int64_t f = 1; f <= 5; f++) {
            for (int64_t m = 1; m <= 5; m++) {
                int64_t row = first_fit(t, (const int64_t[]){r, f, m});
                cj__text name = grid.name[r - 1][f - 1][m - 1];

                ck_assert_int_ge(row, 0);
                used[row]++;
                ck_assert_uint_eq(name.n, (size_t)(offsets[row + 1] - offsets[row]));
                ck_assert_mem_eq(name.data, names + offsets[row], name.n);
            }
        }
    }
    for (int i = 0; i < 11; i++)
        ck_assert_int_gt(used[i], 0);
    cj_table_free(t);
}
END_TEST

START_TEST(test_rfm_class__names_and_meanings)
{
    static const char *const usual[] = {
        "Champions", "Loyal",          "Potential Loyalist", "New",
        "Promising", "Need Attention", "About to Sleep",     "Cannot Lose",
        "At Risk",   "Lost",           "Hibernating"};
    const int64_t *names_at, *meanings_at;
    const char *names, *meanings;
    cj_table *t;

    ck_assert_int_eq(cj_rfm_classes(&t), CJ_OK);
    ck_assert_int_eq(cj_table_columns(t), 8);
    names = cj_table_text(t, 0, &names_at);
    meanings = cj_table_text(t, 7, &meanings_at);
    ck_assert_ptr_nonnull(meanings);
    for (int i = 0; i < 11; i++) {
        ck_assert_int_eq(names_at[i + 1] - names_at[i], (int64_t)strlen(usual[i]));
        ck_assert_mem_eq(names + names_at[i], usual[i], strlen(usual[i]));
        ck_assert_int_gt(meanings_at[i + 1] - meanings_at[i], 10);
    }
    cj_table_free(t);
}
END_TEST

START_TEST(test_rfm_class__corners_are_what_a_shop_expects)
{
    static const struct {
        int r, f, m;
        const char *name;
    } cases[] = {
        {5, 5, 5, "Champions"         },
        {4, 4, 4, "Champions"         },
        {5, 5, 1, "Loyal"             },
        {3, 4, 5, "Loyal"             },
        {5, 2, 5, "Potential Loyalist"},
        {5, 1, 5, "New"               },
        {4, 1, 1, "Promising"         },
        {3, 3, 3, "Need Attention"    },
        {3, 1, 1, "About to Sleep"    },
        {1, 5, 5, "Cannot Lose"       },
        {2, 4, 4, "Cannot Lose"       },
        {1, 5, 3, "At Risk"           },
        {2, 3, 1, "At Risk"           },
        {1, 1, 1, "Lost"              },
        {1, 1, 5, "Hibernating"       },
        {2, 2, 2, "Hibernating"       },
    };
    cj__rfm_grid grid;

    ck_assert_int_eq(cj__rfm_grid_make(&grid, NULL, 0), CJ_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ck_assert_msg(text_is(grid.name[cases[i].r - 1][cases[i].f - 1][cases[i].m - 1],
                              cases[i].name),
                      "%d %d %d is not %s", cases[i].r, cases[i].f, cases[i].m,
                      cases[i].name);
}
END_TEST

START_TEST(test_rfm_class__own_classes_in_order_of_precedence)
{
    const cj_rfm_class own[] = {
        {.struct_size = sizeof own[0], .name = "a", .r_min = 4, .m_max = 2},
        {.struct_size = sizeof own[0], .name = "b", .r_min = 3, .r_max = 4},
    };
    cj__rfm_grid grid;

    ck_assert_int_eq(cj__rfm_grid_make(&grid, own, 2), CJ_OK);
    for (int r = 1; r <= 5; r++) {
        for (int m = 1; m <= 5; m++) {
            cj__text name = grid.name[r - 1][2][m - 1];

            if (r >= 4 && m <= 2)
                ck_assert(text_is(name, "a"));
            else if (r == 3 || r == 4)
                ck_assert(text_is(name, "b"));
            else
                ck_assert_ptr_null(name.data);
        }
    }
}
END_TEST

/* A program built with a later header has a longer struct: the stride is its size. */
START_TEST(test_rfm_class__longer_structs_of_newer_callers)
{
    struct newer {
        cj_rfm_class c;
        int64_t unknown;
    } own[2] = {
        {.c = {.struct_size = sizeof own[0], .name = "a", .r_min = 5}},
        {.c = {.struct_size = sizeof own[0], .name = "b"}},
    };
    cj__rfm_grid grid;

    ck_assert_int_eq(cj__rfm_grid_make(&grid, &own[0].c, 2), CJ_OK);
    ck_assert(text_is(grid.name[4][0][0], "a"));
    ck_assert(text_is(grid.name[3][0][0], "b"));
    own[1].unknown = 1;
    ck_assert_int_eq(cj__rfm_grid_make(&grid, &own[0].c, 2), CJ_EMISUSE);
    own[0].c.struct_size = 0;
    ck_assert_int_eq(cj__rfm_grid_make(&grid, &own[0].c, 2), CJ_EMISUSE);
}
END_TEST

START_TEST(test_rfm_class__wrong_classes)
{
    char longest[202];
    cj_rfm_class c = {.struct_size = sizeof c, .name = longest};
    cj__rfm_grid grid;

    memset(longest, 'x', sizeof longest);
    longest[201] = '\0';
    ck_assert_int_eq(cj__rfm_grid_make(&grid, &c, 1), CJ_ELIMIT);
    longest[200] = '\0';
    ck_assert_int_eq(cj__rfm_grid_make(&grid, &c, 1), CJ_OK);
    c.m_min = -1;
    ck_assert_int_eq(cj__rfm_grid_make(&grid, &c, 1), CJ_EINVAL);
    ck_assert_int_eq(cj__rfm_grid_make(&grid, NULL, 1), CJ_EINVAL);
    ck_assert_int_eq(cj__rfm_grid_make(&grid, &c, -1), CJ_EINVAL);
}
END_TEST

HARNESS_MAIN("metrics_rfm_class", test_rfm_class__the_usual_eleven_cover_everything,
             test_rfm_class__names_and_meanings,
             test_rfm_class__corners_are_what_a_shop_expects,
             test_rfm_class__own_classes_in_order_of_precedence,
             test_rfm_class__longer_structs_of_newer_callers,
             test_rfm_class__wrong_classes)
