/* The language read: every production as canonical text, precedence and shape of trees,
 * values of literals. */
#include "harness.h"
#include "segment/word.h"
#include "segment_front.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

typedef struct pair {
    const char *segment, *canonical; /* NULL: it is canonical */
} pair;

static void expect_pairs(const pair *pairs, size_t n)
{
    front_case c;

    front_begin(&c, "Europe/Berlin", "EUR", 2);
    for (size_t i = 0; i < n; i++)
        expect_canonical(&c, pairs[i].segment,
                         pairs[i].canonical != NULL ? pairs[i].canonical
                                                    : pairs[i].segment);
    front_end(&c);
}

#define EXPECT_PAIRS(pairs) expect_pairs(pairs, sizeof(pairs) / sizeof(pairs)[0])

START_TEST(test_parse__the_examples)
{
    static const pair pairs[] = {
        {"orders(last 90 days) = 0 and orders() >= 2 and revenue(last 365 days) > 200 "
         "EUR "
         "and country in (\"DE\", \"AT\", \"CH\") and consent(\"email\", "
         "\"newsletter\")",                                                NULL                                                       },
        {"count(product_view where product = \"SKU-1\", last 7 days) >= 1\n"
         "and not sequence(product_view where product = \"SKU-1\" -> order within 7 "
         "days)",                                                          "count(product_view where product = \"SKU-1\", last 7 days) >= 1 and not "
         "sequence(product_view where product = \"SKU-1\" -> order within 7 days)"                                   },
        {"days_since(last order) > 2 * median_days_between(orders)  -- their own "
         "rhythm",                                                         "days_since(last(order)) > 2 * median_days_between(orders)"},
        {"channel_share(store, last 365 days) > 50 % and birthday in next 14 days",
         "channel_share(store, last 365 days) > 50 % and birthday anniversary in next "
         "14 "
         "days"                                                                                                                                },
        {"country in (\"Germany\", \"France\") and orders(since 2011-01-01) >= 3 and "
         "orders(last 60 days) = 0 and revenue() > 500 EUR",               NULL                                                       },
    };

    EXPECT_PAIRS(pairs);
}
END_TEST

START_TEST(test_parse__blanks_comments_and_case)
{
    static const pair pairs[] = {
        {"a=1",                                       "a = 1"                              },
        {"  a\t=\r\n1  ",                             "a = 1"                              },
        {"a -- one\n= -- two -- three\n1 -- the end", "a = 1"                              },
        {"--\n--\na = 1",                             "a = 1"                              },
        {"a=1 AND NOT b=2 Or c IS Missing",           "a = 1 and not b = 2 or c is missing"},
        {"A = TRUE and a = False",                    "A = true and a = false"             },
        {"Count(order, LAST 3 Days) > 1",             "count(order, last 3 days) > 1"      },
        {"HAS(EMail) and Stage(PURCHASE)",            "has(email) and stage(purchase)"     },
        {"count(any WHERE Channel = \"x\") = 1",
         "count(any where channel = \"x\") = 1"                                            },
        {"count(Orders) = count(orders)",             NULL                                 }, /* names of events are exact */
        {"a > 5 AND b < 5 or c = 5",                  "a > 5 and b < 5 or c = 5"           }, /* no currency AND */
    };

    EXPECT_PAIRS(pairs);
}
END_TEST

START_TEST(test_parse__logic)
{
    static const pair pairs[] = {
        {"a",                               NULL                         },
        {"not a",                           NULL                         },
        {"not not a",                       NULL                         },
        {"a and b and c",                   NULL                         },
        {"a or b and c or d",               NULL                         },
        {"(a or b) and (c or d)",           NULL                         },
        {"a or (b and c)",                  "a or b and c"               },
        {"(a and b) and (c and (d and e))", "a and b and c and d and e"  },
        {"(a or (b or c)) or d",            "a or b or c or d"           },
        {"a and (b or (c and (d or e)))",   "a and (b or c and (d or e))"},
        {"not (a and b)",                   NULL                         },
        {"not (a)",                         "not a"                      },
        {"not a and b",                     NULL                         },
        {"not (a or b) or c",               NULL                         },
        {"((((a))))",                       "a"                          },
        {"not a = 1",                       NULL                         },
        {"not (a = 1)",                     "not a = 1"                  },
        {"(not a) = true",                  NULL                         },
        {"(a and b) = true",                NULL                         },
        {"(a = 1) = (b = 2)",               NULL                         },
        {"(a = 1) is known",                NULL                         },
        {"(a or b) is missing",             NULL                         },
    };

    EXPECT_PAIRS(pairs);
}
END_TEST

START_TEST(test_parse__relations)
{
    static const pair pairs[] = {
        {"a = 1 and a != 1 and a < 1 and a <= 1 and a > 1 and a >= 1",            NULL                           },
        {"a between 1 and 2 and b",                                               NULL                           },
        {"a not between 1 and 2",                                                 NULL                           },
        {"not a between 1 and 2",                                                 "a not between 1 and 2"        },
        {"not a not between 1 and 2",                                             "not a not between 1 and 2"    },
        {"a between b + 1 and c * 2",                                             NULL                           },
        {"a in (1)",                                                              NULL                           },
        {"a in (1, -2.5, \"x\", i\"X\", true, false, 50 %, 5 EUR, 2025-03-01, "
         "2025-03-01T10:30Z)",                                           NULL                           },
        {"a not in (\"x\", \"y\")",                                               NULL                           },
        {"not a in (\"x\")",                                                      "a not in (\"x\")"             },
        {"a contains \"x\" and a not contains \"x\"",                             NULL                           },
        {"a starts with \"x\" and a not starts with i\"x\"",                      NULL                           },
        {"a ends with \"x\" and a not ends with \"x\"",                           NULL                           },
        {"a like \"x*?\" and a not like \"*\"",                                   NULL                           },
        {"a has any of (1, \"x\") and a has all of (1) and a has none of (true)", NULL                           },
        {"a is missing and a is known",                                           NULL                           },
        {"a is not missing and a is not known",                                   "a is known and a is missing"  },
        {"a is true and a is false and a is empty",                               NULL                           },
        {"a is not true and a is not false and a is not empty",                   NULL                           },
        {"not a is true",                                                         "a is not true"                },
        {"not a is missing",                                                      "not a is missing"             },
        {"a before 2025-03-01 and a after 2025-03-01T10:30",                      NULL                           },
        {"a before last(order) and first(order) after a",                         NULL                           },
        {"a on 2025-03-01",                                                       NULL                           },
        {"a within last 30 days and a within next 0 days",                        NULL                           },
        {"a anniversary in today",                                                NULL                           },
        {"a anniversary in next 0 days",                                          "a anniversary in today"       },
        {"a anniversary in last 0 weeks",                                         "a anniversary in today"       },
        {"a anniversary in next 2 weeks and a anniversary in last 3 days",
         "a anniversary in next 14 days and a anniversary in last 3 days"                                        },
        {"a in next 7 days",                                                      "a anniversary in next 7 days" },
        {"a within 5 km of (52.52, -13.405)",                                     NULL                           },
        {"a within 0.50 km of (-90, 180)",                                        "a within 0.5 km of (-90, 180)"},
    };

    EXPECT_PAIRS(pairs);
}
END_TEST

START_TEST(test_parse__arithmetic)
{
    static const pair pairs[] = {
        {"a + b - c > 1",                              NULL                                },
        {"a + (b - c) > 1",                            NULL                                },
        {"(a + b) - c > 1",                            "a + b - c > 1"                     },
        {"a - (b - c) > 1",                            NULL                                },
        {"a * b / c > 1",                              NULL                                },
        {"a / (b * c) > 1",                            NULL                                },
        {"a / (b / c) > 1",                            NULL                                },
        {"a + b * c > 1",                              NULL                                },
        {"(a + b) * c > 1",                            NULL                                },
        {"a * (b + c) / d > 1",                        NULL                                },
        {"-a > -1",                                    NULL                                },
        {"- a > 1",                                    "-a > 1"                            },
        {"- -a > 1",                                   NULL                                },
        {"-(-a) > 1",                                  "- -a > 1"                          },
        {"- - 5 < a",                                  "5 < a"                             },
        {"-(5) < a",                                   "-5 < a"                            },
        {"-(-(5)) < a",                                "5 < a"                             },
        {"-0 < a and -0.0 < a",                        "0 < a and 0 < a"                   },
        {"-5 % < a and -5.10 EUR < revenue()",         "-5 % < a and -5.10 EUR < revenue()"},
        {"a - -5 > 1",                                 NULL                                },
        {"a-5 > 1",                                    "a - 5 > 1"                         },
        {"a - -b > 1",                                 NULL                                },
        {"a * -b > 1",                                 NULL                                },
        {"-a * b > 1",                                 NULL                                },
        {"-(a * b) > 1",                               NULL                                },
        {"(a + b) > (c - d)",                          "a + b > c - d"                     },
        {"gross() - revenue() > 15 EUR",               NULL                                },
        {"gross() * 50 % / 2 >= revenue() / orders()", NULL                                },
        {"gross() / revenue() > 1.5",                  NULL                                },
        {"last(order) - first(order) > 30",            NULL                                },
    };

    EXPECT_PAIRS(pairs);
}
END_TEST

START_TEST(test_parse__literals)
{
    static const pair pairs[] = {
        {"a = 12.50",                                                           "a = 12.5"                     },
        {"a = 007",                                                             "a = 7"                        },
        {"a = 0.0 and a = 000 and a = 0.10",                                    "a = 0 and a = 0 and a = 0.1"  },
        {"a = 100000000000000000000000000000000000000",                         NULL                           },
        {"a = 50%",                                                             "a = 50 %"                     },
        {"a = 012.50 %",                                                        "a = 12.5 %"                   },
        {"revenue() > 200 EUR",                                                 NULL                           },
        {"revenue() > 200.00 EUR",                                              "revenue() > 200 EUR"          },
        {"revenue() > 19.9 EUR",                                                "revenue() > 19.90 EUR"        },
        {"revenue() > 19.990 EUR",                                              "revenue() > 19.99 EUR"        },
        {"revenue() > 0.05 EUR",                                                NULL                           },
        {"a = \"\"",                                                            NULL                           },
        {"a = \"a\\\"b\\\\c\\nd\\te\"",                                         NULL                           },
        {"a = \"\\u0041\\u00e9\\u20AC\\ud83d\\ude00\"",
         "a = \"A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""                                                       },
        {"a = \"\\u0001\\u001f\\u007F\"",                                       "a = \"\\u0001\\u001f\\u007f\""},
        {"a = \"\\u000a\\u0009\\u0022\\u005C\"",                                "a = \"\\n\\t\\\"\\\\\""       },
        {"a = \"-- no comment\"",                                               NULL                           },
        {"a = i\"De\"",                                                         NULL                           },
        {"i = i\"i\"",                                                          NULL                           },
        {"a = true and b != false",                                             NULL                           },
        {"a = 2025-03-01 and a = 2025-03-01T10:30 and a = 2025-03-01T10:30:15", NULL                           },
        {"a = 2025-03-01T10:30Z and a = 2025-03-01T10:30:15+01:00",             NULL                           },
        {"a = 2025-03-01T10:30:15.250-05:30",                                   NULL                           },
    };

    EXPECT_PAIRS(pairs);
}
END_TEST

START_TEST(test_parse__durations)
{
    static const pair pairs[] = {
        {"orders(last 1 second) = orders(last 2 seconds)",    NULL                     },
        {"orders(last 60 seconds) = orders(last 61 seconds)",
         "orders(last 1 minute) = orders(last 61 seconds)"                             },
        {"orders(last 60 minutes) = orders(last 90 minutes)",
         "orders(last 1 hour) = orders(last 90 minutes)"                               },
        {"orders(last 24 hours) = orders(last 36 hour)",
         "orders(last 1 day) = orders(last 36 hours)"                                  },
        {"orders(last 1 week) = orders(last 2 weeks)",
         "orders(last 7 days) = orders(last 14 days)"                                  },
        {"orders(last 0 weeks) = 0",                          "orders(last 0 days) = 0"},
    };

    EXPECT_PAIRS(pairs);
}
END_TEST

START_TEST(test_parse__windows)
{
    static const pair pairs[] = {
        {"orders() = 0",                                                                 NULL          },
        {"orders(ever) = 0",                                                             "orders() = 0"},
        {"count(a, ever) = 0",                                                           "count(a) = 0"},
        {"orders(last 90 days) = 0",                                                     NULL          },
        {"orders(between 90 days and 30 days ago) = 0",                                  NULL          },
        {"orders(between 90 and 30 days ago) = 0",
         "orders(between 90 days and 30 days ago) = 0"                                                 },
        {"orders(between 2 and 1 weeks ago) = 0",
         "orders(between 14 days and 7 days ago) = 0"                                                  },
        {"orders(between 1 week and 36 hours ago) = 0",
         "orders(between 7 days and 36 hours ago) = 0"                                                 },
        {"orders(today) = orders(yesterday)",                                            NULL          },
        {"orders(this week) = orders(this month) and orders(this year) = 1",             NULL          },
        {"orders(previous week) = orders(previous month) and orders(previous year) = 1",
         NULL                                                                                          },
        {"orders(since 2025-01-01) = orders(since 2025-01-01T10:30Z)",                   NULL          },
        {"orders(since last email_open) = 1",                                            NULL          },
        {"orders(since last any) = orders(since last orders)",                           NULL          },
        {"orders(since last \"odd name\") = orders(since last \"orders\")",              NULL          },
        {"orders(until 2025-01-01) = 1",                                                 NULL          },
        {"orders(from 2025-01-01 to 2025-02-01T00:00) = 1",                              NULL          },
    };

    EXPECT_PAIRS(pairs);
}
END_TEST

START_TEST(test_parse__names)
{
    static const pair pairs[] = {
        {"country",                                                           NULL                         },
        {"address.last.in.not = 1",                                           NULL                         }, /* any word behind a dot */
        {"trait(\"odd name\") = 1",                                           NULL                         },
        {"trait(\"a.b\") = 1",                                                NULL                         },
        {"trait(\"last\") = 1 and trait(\"Where\") = 1",                      NULL                         },
        {"trait(\"country\") = 1",                                            "country = 1"                },
        {"Trait (\"x\") = 1",                                                 "x = 1"                      },
        {"trait = 1 and first = 1 and all = 1 and none = 1 and missing = 1",  NULL                         },
        {"i = 1 and km = 1 and day = 1 and EUR = 1 and channel = \"x\"",      NULL                         },
        {"count(order) = count(\"order\")",                                   "count(order) = count(order)"},
        {"count(\"orders\") = count(\"refunds\") and count(\"any\") = 1",     NULL                         },
        {"count(\"last\") = count(\"odd name\") and count(\"\xc3\xbc\") = 1", NULL                         },
        {"count(any) = count(Any)",                                           "count(any) = count(any)"    },
        {"last order > first order",                                          "last(order) > first(order)" },
        {"last any > first orders",                                           "last(any) > first(orders)"  },
        {"first is missing",                                                  NULL                         },
        {"channel_share(web) = channel_share(\"web\")",
         "channel_share(web) = channel_share(web)"                                                         },
        {"channel_share(\"e-mail\") > 1 % and channel_share(i\"web\") > 1 %", NULL                         },
        {"channel_share(last) > 1 % and channel_share(not) > 1 %",            NULL                         },
        {"source(country) = \"crm\" and source(a.b) = \"x\"",                 NULL                         },
        {"source(trait(\"a.b\")) is missing",                                 NULL                         },
    };

    EXPECT_PAIRS(pairs);
}
END_TEST

START_TEST(test_parse__filters)
{
    static const pair pairs[] = {
        {"count(a where channel = \"web\") = 1",                                        NULL                                },
        {"count(a where channel = \"w\" or campaign != \"c\" and content < \"x\") = 1",
         NULL                                                                                                               },
        {"count(a where (channel = \"w\" or campaign = \"c\") and not product = \"p\") "
         "= 1",                                                                NULL                                },
        {"count(a where not (product like \"p*\" and product is known)) = 1",           NULL                                },
        {"count(a where (product = \"p\")) = 1",                                        "count(a where product = \"p\") = 1"},
        {"count(a where session = \"1\" and order != \"2\" and order in (\"1\", \"2\") "
         "and "
         "session not in (\"1\") and session is missing) = 1",                 NULL                                },
        {"count(a where quantity >= 2 and quantity between 1 and 5 and value > 5 EUR "
         "and "
         "value not between 0 EUR and -1 EUR) = 1",                            NULL                                },
        {"count(a where currency = i\"eur\" and hour < 12 and weekday in (6, 7)) = 1",
         NULL                                                                                                               },
        {"count(a where weekend) = 1",                                                  "count(a where weekend = true) = 1" },
        {"count(a where not weekend or weekend is not false) = 1",
         "count(a where not weekend = true or weekend is not false) = 1"                                                    },
        {"count(a where properties.size = \"M\" and properties.a.b[].c > 2) = 1",       NULL                                },
        {"count(a where properties.tags[] not contains \"x\" and properties.x[][].y is "
         "true "
         "and properties.where is missing) = 1",                               NULL                                },
        {"count(a where product starts with \"S\" and product not ends with i\"x\", "
         "last 7 "
         "days) = 1",                                                          NULL                                },
    };

    EXPECT_PAIRS(pairs);
}
END_TEST

START_TEST(test_parse__arguments)
{
    static const pair pairs[] = {
        {"share(a where channel = \"x\" of b where weekend or hour = 1, today) > 50 %",
         "share(a where channel = \"x\" of b where weekend = true or hour = 1, today) "
         "> 50 "
         "%"                                                                                                            },
        {"sequence(a -> b)",                                                            NULL                            },
        {"sequence(a -> b within 2 days -> c -> d within 1 hour, same Product, last 9 "
         "days)",                                                              "sequence(a -> b within 2 days -> c -> d within 1 hour, same product, last 9 "
         "days)"                                                                              },
        {"sequence(a where weekend -> b where weekend within 2 days, same session)",
         "sequence(a where weekend = true -> b where weekend = true within 2 days, "
         "same "
         "session)"                                                                                                     },
        {"sequence(a -> \"same\", same order)",                                         NULL                            },
        {"sequence(a -> b, same campaign)",                                             NULL                            },
        {"not_followed(a where product = \"p\" by b where weekend within 24 hours)",
         "not_followed(a where product = \"p\" by b where weekend = true within 1 "
         "day)"                                                                                                         },
        {"without(a -> b, c where hour = 1, today)",                                    NULL                            },
        {"regularly(a, 1 of last 1 day)",                                               "regularly(a, 1 of last 1 days)"},
        {"regularly(a, 3 of last 6 months) or regularly(a, 2 of last 1000000 weeks)",
         NULL                                                                                                           },
        {"bought(\"x\") and bought(i\"x\", today) and bought((\"x\", i\"y\"), today)",
         NULL                                                                                                           },
        {"bought(where value > 5 EUR or quantity = 2, today)",                          NULL                            },
        {"identifiers() = 1 and identifiers(user_id) = 1",                              NULL                            },
        {"overdue(a, 2) and overdue(a, 0.50) and overdue(a, -1)",
         "overdue(a, 2) and overdue(a, 0.5) and overdue(a, -1)"                                                         },
        {"sample(0.1 %, \"\")",                                                         NULL                            },
        {"days_since(a) > 1 and days_since(2025-01-01) > 1 and hours_since(last order) "
         "> 1",                                                                "days_since(a) > 1 and days_since(2025-01-01) > 1 and "
         "hours_since(last(order)) > "
         "1"                                                                                    },
        {"sum(properties.a.b, x) > 1 and first_value(properties.p, x) = \"v\"",         NULL                            },
        {"min(value, x) > 1 EUR and max(Quantity, x) = 3 and avg(value, x) = 1 EUR",
         "min(value, x) > 1 EUR and max(quantity, x) = 3 and avg(value, x) = 1 EUR"                                     },
        {"last_value(hour, x) > 3 and last_value(weekend, x) and first_value(value, x) "
         "> 1 "
         "EUR",                                                                NULL                            },
    };

    EXPECT_PAIRS(pairs);
}
END_TEST

/* Every function: its example says it, and is canonical. */
START_TEST(test_parse__the_example_of_every_function)
{
    front_case c;

    ck_assert_int_ge(cj__seg_n_functions, 50);
    front_begin(&c, "UTC", "EUR", 2);
    for (int32_t i = 0; i < cj__seg_n_functions; i++) {
        const cj__seg_function *f = &cj__seg_functions[i];
        char call[64];

        snprintf(call, sizeof call, "%s(", f->name);
        ck_assert_msg(strstr(f->example, call) != NULL, "%s has no example", f->name);
        ck_assert_uint_gt(strlen(f->meaning), 10);
        expect_canonical(&c, f->example, f->example);
        ck_assert_int_eq(cj__seg_function_named(cj__text_of(f->name)), i);
    }
    ck_assert_int_eq(cj__seg_function_named(cj__text_of("coun")), -1);
    front_end(&c);
}
END_TEST

/* ---- trees
 * ---------------------------------------------------------------------------- */

static cj__segment_tree *tree_of(front_case *c, const char *segment)
{
    cj__segment_tree *tree = NULL;

    if (cj__segment_parse(&c->db, cj__text_of(segment), &tree) != CJ_OK)
        ck_abort_msg("%s: %s", segment, cj__error_text());
    return tree;
}

START_TEST(test_parse__shape_and_places)
{
    static const char text[] = " a = 1 and not (b + 2) * -c > 3";
    const cj__seg_node *equal, *not, *greater, *product;
    cj__segment_tree *tree;
    front_case c;

    front_begin(&c, "UTC", "EUR", 2);
    tree = tree_of(&c, text);
    ck_assert_int_eq(tree->root->op, CJ__SEG_AND);
    ck_assert_int_eq(tree->root->type, CJ__TYPE_BOOLEAN);
    ck_assert_uint_eq(tree->root->n_kids, 2);
    ck_assert_uint_eq(tree->n_nodes, 13);
    equal = tree->root->kids[0];
    ck_assert_int_eq(equal->op, CJ__SEG_EQ);
    ck_assert_uint_eq(equal->begin, 1);
    ck_assert_uint_eq(equal->end, 6);
    ck_assert_int_eq(equal->kids[0]->type, CJ__TYPE_DYNAMIC);
    ck_assert_int_eq(equal->kids[1]->type, CJ__TYPE_NUMBER);
    not = tree->root->kids[1];
    ck_assert_int_eq(not ->op, CJ__SEG_NOT);
    ck_assert_uint_eq(not ->begin, 11);
    ck_assert_uint_eq(not ->end, strlen(text));
    greater = not ->kids[0];
    ck_assert_int_eq(greater->op, CJ__SEG_GT);
    product = greater->kids[0];
    ck_assert_int_eq(product->op, CJ__SEG_MULTIPLY);
    ck_assert_int_eq(product->type, CJ__TYPE_NUMBER);
    ck_assert_int_eq(product->kids[0]->op, CJ__SEG_ADD);
    ck_assert_int_eq(product->kids[1]->op, CJ__SEG_NEGATE);
    cj__segment_free(&c.db, tree);
    front_end(&c);
}
END_TEST

static const cj__seg_node *right_of(const cj__segment_tree *tree)
{
    return tree->root->kids[1];
}

START_TEST(test_parse__values_of_literals)
{
    static const struct {
        const char *segment;
        int32_t op;
        int64_t i;
        double d;
    } cases[] = {
        {"a = 12.50",                  CJ__SEG_NUMBER,   0,                   12.5 },
        {"a = -0.1",                   CJ__SEG_NUMBER,   0,                   -0.1 },
        {"a = 50 %",                   CJ__SEG_PERCENT,  0,                   0.5  },
        {"a = 0.1 %",                  CJ__SEG_PERCENT,  0,                   0.001},
        {"a = -33.3 %",                CJ__SEG_PERCENT,  0,                   -.333},
        {"a = 19.9 EUR",               CJ__SEG_MONEY,    1990,                0    },
        {"a = -0.05 EUR",              CJ__SEG_MONEY,    -5,                  0    },
        {"a = 92233720368547758 EUR",  CJ__SEG_MONEY,    9223372036854775800, 0    },
        {"a = 2025-03-01",             CJ__SEG_DATE,     1740783600000,       0    },
        {"a = 2025-07-01",             CJ__SEG_DATE,     1751320800000,       0    },
        {"a = 2025-03-01T10:30",       CJ__SEG_TIME,     1740821400000,       0    },
        {"a = 2025-03-01T10:30Z",      CJ__SEG_TIME,     1740825000000,       0    },
        {"a = 2025-03-01T10:30-01:00", CJ__SEG_TIME,     1740828600000,       0    },
        {"a = \"x\"",                  CJ__SEG_TEXT,     0,                   0    },
        {"a = i\"x\"",                 CJ__SEG_TEXT,     1,                   0    },
        {"a within last 36 hours",     CJ__SEG_DURATION, 129600000,           0    },
    };
    front_case c;

    front_begin(&c, "Europe/Berlin", "EUR", 2);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cj__segment_tree *tree = tree_of(&c, cases[i].segment);
        const cj__seg_node *node = right_of(tree);

        ck_assert_int_eq(node->op, cases[i].op);
        ck_assert_msg(node->i == cases[i].i, "%s: %lld", cases[i].segment,
                      (long long)node->i);
        ck_assert_double_eq(node->d, cases[i].d);
        cj__segment_free(&c.db, tree);
    }
    front_end(&c);
}
END_TEST

/* Money without digits behind the point, and with three. */
START_TEST(test_parse__other_currencies)
{
    front_case c;

    front_begin(&c, "UTC", "JPY", 0);
    expect_canonical(&c, "revenue() > 0200 JPY", "revenue() > 200 JPY");
    expect_canonical(&c, "revenue() > 200.0 JPY", "revenue() > 200 JPY");
    expect_error(&c, "revenue() > ^200.5 JPY", CJ_EINVAL,
                 "JPY has 0 digits behind the point");
    front_end(&c);
    front_begin(&c, "UTC", "KWD", 3);
    expect_canonical(&c, "revenue() > 0.5 KWD and revenue() > 1.234 KWD",
                     "revenue() > 0.500 KWD and revenue() > 1.234 KWD");
    front_end(&c);
}
END_TEST

/* A date is the moment at which the local day begins, where the clock changes at
 * midnight too; and as a text of that form it is the same moment. */
START_TEST(test_parse__a_date_is_its_local_midnight)
{
    static const char *const zones[] = {"UTC",
                                        "Europe/Berlin",
                                        "Asia/Beirut",
                                        "America/Havana",
                                        "America/Sao_Paulo",
                                        "Africa/Cairo",
                                        "Australia/Lord_Howe"};

    for (size_t z = 0; z < sizeof zones / sizeof zones[0]; z++) {
        front_case c;

        front_begin(&c, zones[z], "EUR", 2);
        for (int64_t day = 13000; day < 20500; day += 1) {
            char text[40];
            cj__segment_tree *tree;
            int64_t year, ms;
            int month, date;

            cj__day_to_civil(day, &year, &month, &date);
            snprintf(text, sizeof text, "a = %04d-%02d-%02d", (int)year, month, date);
            tree = tree_of(&c, text);
            ck_assert_int_eq(cj__time_parse(text + 4, 10, c.db.zone, &ms), 0);
            ck_assert_int_eq(right_of(tree)->i, cj__zone_day_start(c.db.zone, day));
            ck_assert_msg(right_of(tree)->i == ms, "%s in %s", text, zones[z]);
            cj__segment_free(&c.db, tree);
        }
        front_end(&c);
    }
}
END_TEST

/* A host with a decimal comma reads the same numbers. */
START_TEST(test_parse__any_locale)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8"};
    front_case c;

    front_begin(&c, "UTC", "EUR", 2);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        cj__segment_tree *tree;

        setlocale(LC_ALL, names[i]); /* where there is none, nothing is shown */
        tree = tree_of(&c, "a = 12.5");
        ck_assert(right_of(tree)->d > 12.4 && right_of(tree)->d < 12.6);
        cj__segment_free(&c.db, tree);
        expect_canonical(&c, "a = 0.1 % and b > 1.50 EUR",
                         "a = 0.1 % and b > 1.50 EUR");
    }
    setlocale(LC_ALL, "C");
    front_end(&c);
}
END_TEST

/* The tables: what a word is called once, every part calls it so. */
START_TEST(test_parse__words)
{
    const char *word;

    for (size_t i = 0; (word = cj__seg_reserved(i)) != NULL; i++) {
        ck_assert(cj__seg_is_letters(cj__text_of(word)));
        ck_assert(!cj__seg_is_name(cj__text_of(word)));
    }
    ck_assert(cj__seg_is_reserved(cj__text_of("WHERE")));
    ck_assert(cj__seg_is_name(cj__text_of("_a1")));
    ck_assert(!cj__seg_is_name(cj__text_of("1a")));
    ck_assert(!cj__seg_is_name(cj__text_of("a-b")));
    ck_assert(!cj__seg_is_name(cj__text_of("")));
    for (const cj__seg_relation *r = cj__seg_relations; r->op != 0; r++)
        ck_assert_ptr_eq(cj__seg_relation_of(r->op), r);
    ck_assert_ptr_null(cj__seg_relation_of(CJ__SEG_ADD));
    ck_assert_int_eq(cj__seg_unit_ms(cj__text_of("Weeks")), 604800000);
    ck_assert_int_eq(cj__seg_unit_ms(cj__text_of("month")), 0);
    ck_assert_str_eq(cj__seg_period_named(cj__text_of("week")), "weeks");
    ck_assert_ptr_null(cj__seg_period_named(cj__text_of("eeks")));
    ck_assert_str_eq(cj__seg_nearest(cj__text_of("oders"), cj__seg_function_name),
                     "orders");
    ck_assert_ptr_null(cj__seg_nearest(cj__text_of("zzzzzz"), cj__seg_function_name));
}
END_TEST

HARNESS_MAIN("segment_parse", test_parse__the_examples,
             test_parse__blanks_comments_and_case, test_parse__logic,
             test_parse__relations, test_parse__arithmetic, test_parse__literals,
             test_parse__durations, test_parse__windows, test_parse__names,
             test_parse__filters, test_parse__arguments,
             test_parse__the_example_of_every_function, test_parse__shape_and_places,
             test_parse__values_of_literals, test_parse__other_currencies,
             test_parse__a_date_is_its_local_midnight, test_parse__any_locale,
             test_parse__words)
