/* Three-valued logic: the tables of Kleene, what is unknown, and how long a truth that
 * rests on one part lasts. */
#include "harness.h"
#include "segment_facts.h"

#include <stdio.h>
#include <string.h>

#define NOW "2025-06-01T12:00"

/* yes is true, no is false, nil is not there. */
static void given(facts_case *c)
{
    facts_begin(c, "UTC");
    facts_traits(c, "2025-01-01 yes true\n"
                    "2025-01-01 no false\n"
                    "2025-01-01 n 5\n"
                    "2025-01-01 t \"text\"\n"
                    "2025-01-01 gone null\n"
                    "2025-01-01 o {\"a\":{\"b\":1}}\n"
                    "2025-01-01 l [1,\"x\"]\n");
}

START_TEST(test_logic__kleene_tables)
{
    static const char *const names[] = {"no is true", "yes is true", "nil is true"};
    static const char *const words[] = {"false", "true", "unknown"};
    static const int and_table[3][3] = {
        {0, 0, 0},
        {0, 1, 2},
        {0, 2, 2}
    };
    static const int or_table[3][3] = {
        {0, 1, 2},
        {1, 1, 1},
        {2, 1, 2}
    };
    static const int not_table[3] = {1, 0, 2};
    char text[200];
    facts_case c;

    given(&c);
    for (int a = 0; a < 3; a++) {
        snprintf(text, sizeof text, "not %s", names[a]);
        expect_truth(&c, NOW, words[not_table[a]], text);
        for (int b = 0; b < 3; b++) {
            snprintf(text, sizeof text, "%s and %s", names[a], names[b]);
            expect_truth(&c, NOW, words[and_table[a][b]], text);
            snprintf(text, sizeof text, "%s or %s", names[a], names[b]);
            expect_truth(&c, NOW, words[or_table[a][b]], text);
            snprintf(text, sizeof text, "not (%s and %s)", names[a], names[b]);
            expect_truth(&c, NOW, words[not_table[and_table[a][b]]], text);
            for (int d = 0; d < 3; d++) {
                snprintf(text, sizeof text, "%s and (%s or %s)", names[a], names[b],
                         names[d]);
                expect_truth(&c, NOW, words[and_table[a][or_table[b][d]]], text);
                snprintf(text, sizeof text, "%s or %s and not %s", names[a], names[b],
                         names[d]);
                expect_truth(&c, NOW, words[or_table[a][and_table[b][not_table[d]]]],
                             text);
            }
        }
    }
    facts_end(&c);
}
END_TEST

START_TEST(test_logic__what_is_unknown)
{
    static const struct {
        const char *segment, *want;
    } cases[] = {
        {"nil = 5",                           "unknown"},
        {"nil != 5",                          "unknown"},
        {"not nil = 5",                       "unknown"},
        {"nil is missing",                    "true"   },
        {"not nil is missing",                "false"  },
        {"nil is known",                      "false"  },
        {"gone is missing",                   "true"   }, /* null is no value */
        {"n is known",                        "true"   },
        {"o is known",                        "true"   },
        {"o.a.b = 1",                         "true"   },
        {"o.a.c = 1",                         "unknown"},
        {"n.a = 1",                           "unknown"},
        {"o = 1",                             "unknown"},
        {"n = 5",                             "true"   },
        {"n = 5.0",                           "true"   },
        {"n = \"5\"",                         "unknown"}, /* another type */
        {"n != \"5\"",                        "unknown"},
        {"t > 3",                             "unknown"},
        {"t > 2025-01-01",                    "unknown"},
        {"n > 2 EUR",                         "unknown"},
        {"n between 5 and 5",                 "true"   },
        {"n between 6 and 9",                 "false"  },
        {"nil between 1 and 2",               "unknown"},
        {"t between 1 and 2",                 "unknown"},
        {"n in (1, 5)",                       "true"   },
        {"n in (1, 2)",                       "false"  },
        {"n in (\"a\", 5)",                   "true"   },
        {"n in (\"a\", 4)",                   "unknown"},
        {"nil in (1, 2)",                     "unknown"},
        {"n not in (1, 2)",                   "true"   },
        {"nil not in (1, 2)",                 "unknown"},
        {"n contains \"5\"",                  "unknown"},
        {"t contains \"ex\"",                 "true"   },
        {"n / 0 = 1",                         "unknown"},
        {"n / 0 is missing",                  "true"   },
        {"nil + 1 = 2",                       "unknown"},
        {"t + 1 is missing",                  "true"   },
        {"count(nothing) = 0",                "true"   },
        {"sum(value, nothing) = 0 EUR",       "true"   },
        {"sum(quantity, nothing) = 0",        "true"   },
        {"distinct(product, nothing) = 0",    "true"   },
        {"revenue() = 0 EUR",                 "true"   },
        {"avg(value, nothing) = 0 EUR",       "unknown"},
        {"average_order() is missing",        "true"   },
        {"share(a of nothing) is missing",    "true"   },
        {"median_days_between(a) is missing", "true"   },
        {"first(nothing) is missing",         "true"   },
        {"overdue(nothing, 2)",               "unknown"},
        {"first_time(nothing, today)",        "false"  },
        {"consent(\"email\", \"news\")",      "unknown"},
        {"not consent(\"email\", \"news\")",  "unknown"},
    };
    facts_case c;

    given(&c);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_truth(&c, NOW, cases[i].want, cases[i].segment);
    facts_end(&c);
}
END_TEST

/* A field that an event lacks is unknown, and an event matches when its filter is true.
 */
START_TEST(test_logic__filters)
{
    facts_case c;

    facts_begin(&c, "UTC");
    facts_events(&c, "2025-01-01 view product=A\n"
                     "2025-01-02 view\n"
                     "2025-01-03 view product=B\n");
    expect_value(&c, NOW, "1", "count(view where product = \"A\") = 0");
    expect_value(&c, NOW, "1", "count(view where product != \"A\") = 0");
    expect_value(&c, NOW, "1", "count(view where not product = \"A\") = 0");
    expect_value(&c, NOW, "1", "count(view where product is missing) = 0");
    expect_value(&c, NOW, "2", "count(view where product is known) = 0");
    expect_value(&c, NOW, "2",
                 "count(view where product in (\"A\", \"B\", \"C\")) = 0");
    expect_value(&c, NOW, "2",
                 "count(view where product = \"A\" or product is missing) = 0");
    expect_value(&c, NOW, "1",
                 "count(view where product = \"A\" or channel = \"x\") = 0");
    expect_value(&c, NOW, "0",
                 "count(view where not (product = \"A\" or channel = \"x\")) = 0");
    expect_value(&c, NOW, "3",
                 "count(view where not (product = \"A\" and product = \"B\") "
                 "or product is missing) = 0");
    facts_end(&c);
}
END_TEST

/* The next change of a false `and` is that of the part that stays false longest; of a
 * true one the first of any part. */
START_TEST(test_logic__how_long_a_part_settles)
{
    facts_case c;

    facts_begin(&c, "UTC");
    facts_events(&c, "2025-05-30T12:00 a\n"
                     "2025-05-20T12:00 b\n");
    expect_until(&c, NOW, "2025-06-06T12:00:00.001Z", "count(a, last 7 days) = 1");
    expect_until(&c, NOW, "2025-06-19T12:00:00.001Z",
                 "count(a, last 7 days) = 0 and count(b, last 30 days) = 0");
    expect_until(&c, NOW, "2025-06-06T12:00:00.001Z",
                 "count(a, last 7 days) = 1 and count(b, last 30 days) = 1");
    expect_until(&c, NOW, "2025-06-06T12:00:00.001Z",
                 "count(a, last 7 days) = 0 or count(b, last 30 days) = 0");
    expect_until(&c, NOW, "2025-06-19T12:00:00.001Z",
                 "count(a, last 7 days) = 1 or count(b, last 30 days) = 1");
    expect_until(&c, NOW, "never", "count(a, last 7 days) = 0 and n = 5");
    /* not false is true, not unknown is not */
    expect_until(&c, NOW, "2025-06-06T12:00:00.001Z",
                 "not (count(a, last 7 days) = 0 and n = 5)");
    facts_end(&c);
}
END_TEST

HARNESS_MAIN("segment_logic", test_logic__kleene_tables, test_logic__what_is_unknown,
             test_logic__filters, test_logic__how_long_a_part_settles)
