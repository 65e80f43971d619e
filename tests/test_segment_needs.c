/* What a segment must be shown: expected by hand, as a line of text for each segment.
 * That what is left out makes no difference is for the oracle and for
 * test_segment_candidates.c to show. */
#include "segment_facts.h"

#include "harness.h"

#include <stdio.h>
#include <string.h>

#define NOW "2025-06-18T12:00" /* a Wednesday */

static void put(char *line, size_t size, const char *text)
{
    (void)snprintf(line + strlen(line), size - strlen(line), "%s%s",
                   line[0] == '\0' ? "" : " ", text);
}

/* The text of a term, as facts_events made it. */
static const char *term(const facts_case *c, uint32_t id)
{
    static char name[64];

    (void)snprintf(name, sizeof name, "%.*s", (int)c->terms[id - 1].text.n,
                   c->terms[id - 1].text.data);
    return name;
}

/* "names: order refund products: A from: 2025-05-19T12:00 value": "any" where all. */
static void needs_of(facts_case *c, const char *segment, char *line, size_t size)
{
    facts_program p = facts_compile(c, segment);
    const int64_t now = facts_time(c, NOW);
    cj__needs needs;
    char days[40];

    cj__needs_begin(&needs);
    cj__program_needs(p.program, now, &needs);
    line[0] = '\0';
    if (needs.any_name)
        put(line, size, "any");
    for (size_t i = 0; !needs.any_name && i < needs.n_names; i++)
        put(line, size, term(c, needs.names[i]));
    for (size_t i = 0; !needs.any_product && i < needs.n_products; i++) {
        put(line, size, "of");
        put(line, size, term(c, needs.products[i]));
    }
    if (needs.from_ms == INT64_MIN)
        put(line, size, "ever");
    else if (needs.from_ms != INT64_MAX) {
        (void)snprintf(days, sizeof days, "%.3f",
                       (double)(now - needs.from_ms) / 86400000.0);
        put(line, size, days);
    }
    if (needs.valued)
        put(line, size, "valued");
    facts_drop(c, &p);
}

START_TEST(test_needs__by_hand)
{
    static const struct {
        const char *segment, *want; /* names, products, days back */
    } cases[] = {
        {"country = \"DE\"",                                            "valued"                   },
        {"orders() >= 2",                                               "order ever valued"        },
        {"orders(last 90 days) = 0",                                    "order 90.000 valued"      },
        {"orders(last 90 days) = 0 and orders(last 30 days) = 0",
         "order 90.000 valued"                                                                     },
        {"orders(last 90 days) = 0 and revenue() > 5 EUR",              "order refund ever valued" },
        {"orders(between 90 and 30 days ago) >= 1",                     "order 90.000 valued"      },
        {"orders(today) >= 1",                                          "order 0.500 valued"       },
        {"orders(yesterday) >= 1",                                      "order 1.500 valued"       },
        {"orders(this week) >= 1",                                      "order 2.500 valued"       },
        {"orders(previous month) >= 1",                                 "order 48.500 valued"      },
        {"orders(since 2025-06-08) >= 1",                               "order 10.500 valued"      },
        {"orders(from 2025-06-08 to 2025-06-10) >= 1",                  "order 10.500 valued"      },
        {"orders(until 2025-06-08) >= 1",                               "order ever valued"        },
        {"orders(since last view) >= 1",                                "view order ever"          },
        {"count(order, last 9 days) >= 1",                              "order 9.000"              },
        {"count(orders where channel = \"web\", last 9 days) >= 1",
         "order 9.000 valued"                                                                      },
        {"count(orders where product = \"A\", last 9 days) >= 1",       "order of A 9.000"         },
        {"count(refunds, last 9 days) >= 1",                            "order refund 9.000"       },
        {"count(any, last 9 days) >= 1",                                "any 9.000"                },
        {"count(nothing, last 9 days) >= 1",                            "9.000"                    },
        {"first_time(view, last 9 days)",                               "view ever"                },
        {"overdue(orders, 2)",                                          "order ever valued"        },
        {"sequence(view -> order within 2 days, last 9 days)",          "view order 9.000"         },
        {"count(view where product = \"A\") >= 1",                      "view of A ever"           },
        {"count(view where product in (\"A\", \"B\")) >= 1",            "view of A of B ever"      },
        {"count(view where product = \"A\" and channel = \"web\") >= 1 and "
         "count(order where product = \"B\") >= 1",            "view order of A of B ever"},
        {"count(view where product = \"A\" or channel = \"web\") >= 1", "view ever"                },
        {"count(view where product = \"A\") >= 1 and orders() >= 1",    "view order ever"          },
        {"count(view where not product = \"A\") >= 1",                  "view ever"                },
        {"count(view where product != \"A\") >= 1",                     "view ever"                },
        {"count(view where product = i\"a\") >= 1",                     "view ever"                },
        {"count(view where product = \"never seen\") >= 1",             "view ever"                },
    };
    facts_case c;
    char line[200];

    facts_begin(&c, "UTC");
    facts_events(&c, "2025-01-01 order value=1 channel=web product=A\n"
                     "2025-01-02 refund value=-1 product=B\n"
                     "2025-01-03 view product=A\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        needs_of(&c, cases[i].segment, line, sizeof line);
        ck_assert_msg(strcmp(line, cases[i].want) == 0, "%s needs %s, not %s",
                      cases[i].segment, line, cases[i].want);
    }
    facts_end(&c);
}
END_TEST

HARNESS_MAIN("segment_needs", test_needs__by_hand)
