/* rfm migrate, distribution, concentration: all customers together, at one date or
 * between two.  The table of these commands is here too. */
#include "rfm.h"

#include <string.h>

/* clang-format off */
#define AS_OF {"as-of", 0, "TIME", NULL, \
     "the moment of the question; later events are not seen", "now"}
#define SCORES \
    {"from", 0, "TIME", NULL, "only events since", "the first"}, \
    {"monetary", 0, "WHAT", "net|gross", "orders less refunds, or orders alone", "net"}, \
    {"guests", 0, NULL, NULL, "also people known only by a guest order", NULL}, \
    {"threads", 0, "N", NULL, "threads to compute with", "1"}
#define BINS {"bins", 0, "N", NULL, "scores from 1 to N, 2 to 10", "5"}

static const example migrate_examples[] = {
    {"who has moved to which class in a year",
     "cjourney -d shop.db rfm migrate --before 2025-01-01 --as-of 2026-01-01"},
    END_EXAMPLES,
};
static const option migrate_options[] = {
    {"before", 0, "TIME", NULL, "the first of the two moments", NULL},
    AS_OF, BINS, SCORES, END_OPTIONS,
};
static const example distribution_examples[] = {
    {"how many customers, and how much of the money, have each score and class",
     "cjourney -d shop.db rfm distribution"},
    END_EXAMPLES,
};
static const option distribution_options[] = {AS_OF, BINS, SCORES, END_OPTIONS};
static const example concentration_examples[] = {
    {"how much of the money do the best customers bring?",
     "cjourney -d shop.db rfm concentration"},
    END_EXAMPLES,
};
static const option concentration_options[] = {AS_OF, SCORES, END_OPTIONS};

const command rfm_commands[] = {
    {"rfm migrate", "", "tell who moved from which class to which",
     "All together", migrate_examples, migrate_options,
     "Scores are those of each moment.  From \"(new)\" come those who were no customers "
     "then; to \"(gone)\" go those who are none any more.",
     0, 0, NEEDS_FILE, run_rfm_migrate, NULL},
    {"rfm distribution", "", "count the customers of each score and class",
     "All together", distribution_examples, distribution_options, NULL,
     0, 0, NEEDS_FILE, run_rfm_distribution, NULL},
    {"rfm concentration", "", "tell how much of the money the best bring",
     "All together", concentration_examples, concentration_options, NULL,
     0, 0, NEEDS_FILE, run_rfm_concentration, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL},
};
/* clang-format on */

/* Nobody is in it: no row, or the last one, of all, counts none. */
static int tables_empty(const cj_table *t)
{
    const int64_t n = cj_table_rows(t), customers = table_column(t, "customers");

    return n == 0 ||
           (table_column(t, "dimension") >= 0 && table_int64(t, customers, n - 1) == 0);
}

static int tables_print(program *p, int32_t rc, cj_table *t)
{
    progress_end(p);
    if (rc != CJ_OK)
        return complain_library(p, rc);
    if (!tables_empty(t))
        return table_print(p, t);
    cj_table_free(t);
    return complain(p, NOTHING,
                    "orders are events named \"order\" with a positive value",
                    "no customer has an order in this time");
}

int run_rfm_migrate(program *p)
{
    rfm_question q = {.o = {0}};
    cj_table *t = NULL;
    int64_t before_ms = 0;
    int code = option_time(p, "before", &before_ms);
    int32_t rc;

    if (code == DONE && !option_given(p, "before"))
        code = complain(p, USAGE, "for example --before 2025-01-01",
                        "it needs the first of two moments");
    if (code == DONE)
        code = rfm_question_read(p, &q);
    if (code != DONE)
        return code;
    rc = cj_rfm_migrate(p->db, &q.o, before_ms, &t);
    return tables_print(p, rc, t);
}

int run_rfm_distribution(program *p)
{
    rfm_question q = {.o = {0}};
    cj_table *t = NULL;
    int code = rfm_question_read(p, &q);
    int32_t rc;

    if (code != DONE)
        return code;
    rc = cj_rfm_distribution(p->db, &q.o, NULL, &t);
    return tables_print(p, rc, t);
}

int run_rfm_concentration(program *p)
{
    rfm_question q = {.o = {0}};
    cj_table *customers = NULL, *t = NULL;
    int code = rfm_question_read(p, &q);
    int32_t rc;

    if (code != DONE)
        return code;
    rc = cj_rfm(p->db, &q.o, &customers);
    if (rc == CJ_OK && cj_table_rows(customers) == 0)
        return tables_print(p, rc, customers);
    if (rc == CJ_OK) {
        const int64_t column = table_column(customers, "monetary_minor");

        rc = cj_value_concentration(cj_table_int64(customers, column), NULL,
                                    cj_table_rows(customers), &t);
    }
    cj_table_free(customers);
    return tables_print(p, rc, t);
}
