/* Every function and relation of the language on facts small enough to check by hand,
 * and those over the order of events against slow second implementations on random
 * ones. */
#include "harness.h"
#include "identity/identity.h"
#include "segment/program.h"
#include "segment_facts.h"

#include <stdio.h>
#include <string.h>

#define NOW "2025-07-01T12:00"

static void expect_values(facts_case *c, const char *now, const char *const cases[][2],
                          size_t n)
{
    char text[300];

    for (size_t i = 0; i < n; i++) {
        snprintf(text, sizeof text, "%s is missing", cases[i][0]);
        expect_value(c, now, cases[i][1], text);
    }
}

#define EXPECT_VALUES(c, now, cases)                                                   \
    expect_values(c, now, cases, sizeof(cases) / sizeof(cases)[0])

START_TEST(test_eval__every_function_has_an_evaluator)
{
    for (int32_t i = 0; i < cj__seg_n_functions; i++)
        ck_assert_msg(cj__call_named(cj__seg_functions[i].name) != NULL,
                      "%s has no evaluator", cj__seg_functions[i].name);
}
END_TEST

START_TEST(test_eval__events)
{
    static const char *const cases[][2] = {
        {"count(view)",                                 "4"                       },
        {"count(any)",                                  "6"                       },
        {"count(view, last 30 days)",                   "2"                       },
        {"count(view where channel = \"web\")",         "2"                       },
        {"count(nothing)",                              "0"                       },
        {"sum(quantity, view)",                         "6"                       },
        {"sum(value, view)",                            "12.55"                   },
        {"sum(properties.score, view)",                 "4.75"                    },
        {"avg(value, view)",                            "6.28"                    }, /* 627.5 cents: half to even */
        {"avg(quantity, view)",                         "2"                       },
        {"avg(properties.score, view)",                 "2.375"                   },
        {"min(value, view)",                            "2.55"                    },
        {"max(value, view)",                            "10.00"                   },
        {"min(quantity, view)",                         "1"                       },
        {"max(properties.score, view)",                 "4.5"                     },
        {"max(properties.name, view)",                  "missing"                 },
        {"distinct(product, view)",                     "2"                       },
        {"distinct(channel, any)",                      "2"                       },
        {"distinct(session, any)",                      "2"                       },
        {"distinct(properties.score, any)",             "3"                       }, /* 4.5, 0.25 and "high" */
        {"share(view of any)",                          "0.6666666666666666"      },
        {"share(view where channel = \"web\" of view)", "0.5"                     },
        {"first(view)",                                 "2025-05-01T00:00:00.000Z"},
        {"last(view)",                                  "2025-06-20T00:00:00.000Z"},
        {"first(view, last 30 days)",                   "2025-06-10T00:00:00.000Z"},
        {"first_value(product, view)",                  "\"A\""                   },
        {"last_value(product, view)",                   "\"B\""                   },
        {"first_value(value, view)",                    "10.00"                   },
        {"last_value(value, view)",                     "2.55"                    },
        {"first_value(properties.name, any)",           "\"caf\xc3\xa9\""         },
        {"last_value(properties.score, any)",           "\"high\""                },
        {"first_value(campaign, any)",                  "missing"                 },
        {"last_value(properties.tags, any)",            "[1,2]"                   },
    };
    facts_case c;

    facts_begin(&c, "UTC");
    facts_events(&c,
                 "2025-05-01 view product=A value=10 quantity=1 session=1 "
                 "{\"score\":4.5,\"name\":\"caf\\u00e9\"}\n"
                 "2025-05-02 view channel=web quantity=2 session=1\n"
                 "2025-06-10 view channel=web product=B value=2.55 {\"score\":0.25}\n"
                 "2025-06-20 view quantity=3 session=x-2\n"
                 "2025-06-21 click channel=app {\"tags\":[1,2]}\n"
                 "2025-06-23 click {\"score\":\"high\"}\n"
                 "2025-08-01 view product=C value=99 quantity=9\n");
    EXPECT_VALUES(&c, NOW, cases);
    facts_end(&c);
}
END_TEST

START_TEST(test_eval__orders)
{
    static const char *const cases[][2] = {
        {"orders()",                                    "3"               },
        {"count(orders)",                               "3"               },
        {"count(\"orders\")",                           "0"               },
        {"count(refunds)",                              "2"               },
        {"count(order)",                                "5"               },
        {"items()",                                     "6"               },
        {"revenue()",                                   "85.01"           },
        {"gross()",                                     "100.01"          },
        {"revenue(last 30 days)",                       "45.01"           },
        {"average_order()",                             "33.34"           },
        {"largest_order()",                             "50.01"           },
        {"refund_share()",                              "0.14998500149985"},
        {"bought(\"A\")",                               "true"            },
        {"bought(\"A\", last 30 days)",                 "false"           },
        {"bought((\"X\", \"C\"))",                      "true"            },
        {"bought(\"D\")",                               "false"           },
        {"bought(i\"a\")",                              "true"            },
        {"bought(where quantity >= 3)",                 "true"            },
        {"bought(where quantity >= 4)",                 "false"           },
        {"bought_together(\"A\", \"B\")",               "true"            },
        {"bought_together(\"A\", \"C\")",               "false"           },
        {"bought_together(\"A\", \"B\", last 30 days)", "false"           },
        {"stage(purchase)",                             "true"            },
        {"stage(retention)",                            "true"            },
        {"stage(awareness)",                            "false"           },
        {"stage(consideration)",                        "true"            },
        {"stage(advocacy)",                             "false"           },
    };
    facts_case c;

    facts_begin(&c, "UTC");
    facts_events(&c, "2025-05-01 order value=20 order=1\n"
                     "2025-05-01 order_item product=A quantity=1 order=1\n"
                     "2025-05-01 order_item product=B quantity=2 order=1\n"
                     "2025-05-10 order value=30 order=2\n"
                     "2025-05-10 order_item product=C quantity=3 order=2\n"
                     "2025-05-11 refund value=-10 order=2\n"
                     "2025-06-10 order value=0\n"
                     "2025-06-20 order value=50.01\n"
                     "2025-06-21 order value=-5\n"
                     "2025-06-22 cart_add product=D\n");
    EXPECT_VALUES(&c, NOW, cases);
    expect_truth(&c, NOW, "true",
                 "revenue() / orders() between 28.33 EUR and 28.34 EUR");
    expect_truth(&c, NOW, "true", "gross() * 0.5 = 50.00 EUR"); /* 5000.5: to even */
    expect_truth(&c, NOW, "true", "gross() - revenue() = 15 EUR");
    expect_truth(&c, NOW, "true", "gross() / revenue() > 1.17");
    facts_end(&c);
}
END_TEST

START_TEST(test_eval__sequence)
{
    static const char *const cases[][2] = {
        {"sequence(view -> cart -> order)",                                  "true" },
        {"sequence(order -> view)",                                          "false"},
        {"sequence(view -> order within 2 days)",                            "false"},
        {"sequence(view -> order within 3 days)",                            "true" }, /* 3 days exactly */
        {"sequence(view -> cart within 1 day -> order within 2 days)",       "true" },
        {"sequence(view -> cart within 1 day -> order within 1 day)",        "false"},
        {"sequence(view -> view)",                                           "true" },
        {"sequence(view -> view -> view)",                                   "false"},
        {"sequence(view -> cart, same product)",                             "true" },
        {"sequence(view where product = \"B\" -> cart, same product)",       "false"},
        {"sequence(view -> cart, same session)",                             "true" },
        {"sequence(view -> order, same session)",                            "false"}, /* the order has none */
        {"sequence(view -> cart, last 30 days)",                             "true" },
        {"sequence(cart -> order, last 27 days)",                            "false"},
        {"sequence(tie -> tock)",                                            "true" }, /* of one moment: in profile order */
        {"sequence(tock -> tie)",                                            "false"},
        {"sequence(view where product = \"B\" -> order)",                    "true" },
        {"not_followed(cart by order within 2 days)",                        "false"},
        {"not_followed(cart by order within 1 day)",                         "true" },
        {"not_followed(view by cart within 1 day)",                          "true" },
        {"not_followed(view where product = \"B\" by cart within 1 day)",    "false"},
        {"not_followed(view where product = \"B\" by cart within 23 hours)", "true" },
        {"not_followed(order by view within 10 days)",                       "true" },
        {"not_followed(order by view within 40 days)",                       "false"}, /* not over yet */
        {"not_followed(view by cart within 1 hour, last 29 days)",           "true" },
        {"not_followed(view by cart within 1 hour, last 1 day)",             "false"},
        {"not_followed(nothing by order within 1 day)",                      "false"},
        {"without(view -> order, cart)",                                     "false"},
        {"without(view -> cart, order)",                                     "true" },
        {"without(view -> order, refund)",                                   "true" },
        {"without(cart -> order, cart)",                                     "true" }, /* strictly between */
        {"without(view -> order, cart, last 1 day)",                         "false"},
    };
    facts_case c;

    facts_begin(&c, "UTC");
    facts_events(&c, "2025-06-01 view product=A session=1\n"
                     "2025-06-03 view product=B session=2\n"
                     "2025-06-04 cart product=A session=2\n"
                     "2025-06-06 order value=5 product=A\n"
                     "2025-06-07 tie\n"
                     "2025-06-07 tock\n");
    EXPECT_VALUES(&c, NOW, cases);
    facts_end(&c);
}
END_TEST

START_TEST(test_eval__sessions_and_channels)
{
    static const char *const cases[][2] = {
        {"sessions()",                      "3"       },
        {"sessions(last 1 day)",            "1"       },
        {"session_minutes()",               "5"       }, /* 10, 5 and 0 */
        {"session_minutes(last 1 day)",     "0"       },
        {"session_minutes(today)",          "missing" },
        {"pages_per_session()",             "1"       },
        {"pages_per_session(today)",        "missing" },
        {"channels()",                      "3"       },
        {"channel_share(web)",              "0.4"     },
        {"channel_share(mail)",             "0.4"     },
        {"channel_share(none)",             "0"       },
        {"channel_share(web, today)",       "missing" },
        {"first_channel()",                 "\"web\"" },
        {"last_channel()",                  "\"app\"" },
        {"top_channel()",                   "\"mail\""}, /* as often as web: the smaller text */
        {"top_channel(last 2 days)",        "\"app\"" },
        {"touched(\"spring\")",             "true"    },
        {"touched(\"spring\", last 1 day)", "false"   },
        {"touched(\"autumn\")",             "false"   },
        {"touched(i\"SPRING\")",            "true"    },
        {"seen(\"banner\")",                "true"    },
        {"seen(\"other\")",                 "false"   },
        {"responded(\"spring\", 1 day)",    "false"   },
        {"responded(\"spring\", 2 days)",   "true"    },
        {"responded(\"autumn\", 2 days)",   "false"   },
        {"stage(awareness)",                "true"    },
        {"stage(advocacy)",                 "true"    },
        {"stage(retention)",                "false"   },
    };
    facts_case c;

    facts_begin(&c, "UTC");
    facts_events(&c,
                 "2025-06-01T10:00 page_view channel=web session=a\n"
                 "2025-06-01T10:04 page_view channel=web session=a content=banner\n"
                 "2025-06-01T10:10 click session=a\n"
                 "2025-06-01T10:10 page_view session=b channel=mail\n"
                 "2025-06-01T10:15 email_open channel=mail session=b campaign=spring\n"
                 "2025-06-03T10:15 order value=1\n"
                 "2025-06-04T10:15 page_view\n"
                 "2025-06-30T14:00 review channel=app session=c\n");
    EXPECT_VALUES(&c, NOW, cases);
    facts_end(&c);
}
END_TEST

START_TEST(test_eval__behaviour_in_time)
{
    static const char *const cases[][2] = {
        {"days_since(last(a))",                  "5"      },
        {"hours_since(last(a))",                 "132"    },
        {"days_since(last(b))",                  "missing"},
        {"days_since(born)",                     "13330"  },
        {"hours_since(name)",                    "missing"},
        {"days_since(coming)",                   "-32"    }, /* floor(-31.5) */
        {"last(a) - first(a)",                   "51"     },
        {"first_time(a, last 30 days)",          "false"  },
        {"first_time(a, last 61 days)",          "true"   },
        {"first_time(c, last 2 days)",           "true"   },
        {"stopped(a, 5 days)",                   "true"   },
        {"stopped(a, 6 days)",                   "false"  },
        {"stopped(a, 2 days)",                   "false"  },
        {"restarted(a, 30 days)",                "false"  },
        {"restarted(a, 10 days)",                "true"   },
        {"restarted(c, 20 days)",                "false"  },
        {"more(a, 10 days)",                     "true"   },
        {"more(a, 20 days)",                     "false"  },
        {"more(a, 28 days)",                     "true"   },
        {"less(a, 5 days)",                      "true"   },
        {"less(a, 35 days)",                     "false"  },
        {"trend(a, 35 days)",                    "2"      },
        {"trend(a, 20 days)",                    "1"      },
        {"trend(a, 5 days)",                     "0"      },
        {"trend(a, 10 days)",                    "missing"},
        {"median_days_between(a)",               "25.5"   }, /* of 28.5 and 22.5 */
        {"median_days_between(a, last 40 days)", "22.5"   },
        {"median_days_between(any)",             "22.5"   }, /* 28.5, 22.5, 4 */
        {"median_days_between(c)",               "missing"},
        {"overdue(a, 0.1)",                      "true"   },
        {"overdue(a, 1)",                        "false"  },
        {"overdue(c, 0.1)",                      "missing"},
        {"regularly(a, 1 of last 1 months)",     "true"   },
        {"regularly(a, 2 of last 2 months)",     "true"   },
        {"regularly(a, 3 of last 3 months)",     "false"  },
        {"regularly(a, 1 of last 1 weeks)",      "true"   },
        {"regularly(a, 2 of last 4 weeks)",      "true"   },
        {"regularly(a, 2 of last 3 weeks)",      "false"  },
        {"regularly(a, 1 of last 5 days)",       "true"   },
        {"regularly(a, 1 of last 4 days)",       "false"  },
        {"regularly(c, 1 of last 1 days)",       "true"   },
    };
    facts_case c;

    facts_begin(&c, "UTC");
    facts_events(&c, "2025-05-06T00:00 a\n"
                     "2025-06-03T12:00 a\n"
                     "2025-06-26T00:00 a\n"
                     "2025-06-30T00:00 c\n");
    facts_traits(&c, "2025-01-01 born \"1989-01-01\"\n"
                     "2025-01-01 name \"Ann\"\n"
                     "2025-01-01 coming \"2025-08-02\"\n");
    EXPECT_VALUES(&c, NOW, cases);
    facts_end(&c);
}
END_TEST

/* Calendar periods of a zone whose clock changes: 2025-03-30 has 23 hours in Berlin. */
START_TEST(test_eval__regularly_counts_local_days)
{
    facts_case c;

    facts_begin(&c, "Europe/Berlin");
    facts_events(&c, "2025-03-28T23:30 a\n"
                     "2025-03-29T00:00 a\n"
                     "2025-03-30T23:59:59.999 a\n"
                     "2025-03-31T00:00 a\n");
    expect_truth(&c, "2025-04-01", "true", "regularly(a, 4 of last 4 days)");
    expect_truth(&c, "2025-03-31T23:59:59.999", "true",
                 "regularly(a, 3 of last 3 days)");
    expect_truth(&c, "2025-03-31T23:59:59.999", "false",
                 "regularly(a, 4 of last 4 days)");
    expect_until(&c, "2025-03-31T12:00", "2025-03-31T22:00:00.000Z",
                 "not regularly(a, 4 of last 4 days)");
    expect_truth(&c, "2025-03-31", "true", "regularly(a, 1 of last 1 weeks)");
    expect_truth(&c, "2025-03-30", "false", "regularly(a, 1 of last 1 weeks)");
    facts_end(&c);
}
END_TEST

typedef struct truth_case {
    const char *segment, *want;
} truth_case;

static void expect_truths(facts_case *c, const char *now, const truth_case *cases,
                          size_t n)
{
    for (size_t i = 0; i < n; i++)
        expect_truth(c, now, cases[i].want, cases[i].segment);
}

#define EXPECT_TRUTHS(c, now, cases)                                                   \
    expect_truths(c, now, cases, sizeof(cases) / sizeof(cases)[0])

START_TEST(test_eval__texts_and_lists)
{
    static const truth_case cases[] = {
        {"name = \"Anna Berg\"",            "true"   },
        {"name = \"anna berg\"",            "false"  },
        {"name = i\"anna BERG\"",           "true"   },
        {"name != i\"anna BERG\"",          "false"  },
        {"name < \"Anna C\"",               "true"   },
        {"name in (\"x\", i\"ANNA BERG\")", "true"   },
        {"name contains \"a B\"",           "true"   },
        {"name contains \"a b\"",           "false"  },
        {"name contains i\"A b\"",          "true"   },
        {"name contains \"\"",              "true"   },
        {"name starts with \"Ann\"",        "true"   },
        {"name starts with i\"aNN\"",       "true"   },
        {"name starts with \"Anna Berg!\"", "false"  },
        {"name ends with \"erg\"",          "true"   },
        {"name ends with \"Erg\"",          "false"  },
        {"name not ends with \"Erg\"",      "true"   },
        {"name like \"Anna*\"",             "true"   },
        {"name like \"*a*r*g\"",            "true"   },
        {"name like \"anna*\"",             "false"  },
        {"name like i\"anna*\"",            "true"   },
        {"name like \"Ann? Berg\"",         "true"   },
        {"name like \"?\"",                 "false"  },
        {"name like \"*\"",                 "true"   },
        {"city like \"K?ln\"",              "true"   }, /* one character, two bytes */
        {"city like \"K??ln\"",             "false"  },
        {"city is empty",                   "false"  },
        {"nothing is empty",                "true"   },
        {"tags has any of (\"a\", \"z\")",  "true"   },
        {"tags has any of (\"y\", \"z\")",  "false"  },
        {"tags has all of (\"a\", \"b\")",  "true"   },
        {"tags has all of (\"a\", \"z\")",  "false"  },
        {"tags has none of (\"y\", \"z\")", "true"   },
        {"tags has none of (\"b\")",        "false"  },
        {"tags has any of (i\"A\")",        "true"   },
        {"tags has any of (3)",             "true"   },
        {"tags has any of (\"3\")",         "false"  },
        {"tags contains \"b\"",             "true"   },
        {"tags contains \"z\"",             "false"  },
        {"tags is empty",                   "false"  },
        {"none is empty",                   "true"   },
        {"name has any of (\"Anna Berg\")", "true"   }, /* a list of one */
        {"age has all of (40)",             "true"   },
        {"nil has none of (\"a\")",         "unknown"},
        {"tags = \"a\"",                    "unknown"},
        {"address.city = \"Ulm\"",          "true"   },
        {"trait(\"odd name\") = 1",         "unknown"},
        {"trait(\"a.b\") = 2",              "true"   },
        {"vip",                             "true"   },
        {"vip is true",                     "true"   },
        {"vip is false",                    "false"  },
        {"vip = true",                      "true"   },
        {"vip = false",                     "false"  },
        {"name is true",                    "unknown"},
        {"age - 2 * 5 = 30",                "true"   },
        {"-age < -39",                      "true"   },
        {"age / 3 > 13.3",                  "true"   },
        {"age * 50 % = 20",                 "true"   },
    };
    facts_case c;

    facts_begin(&c, "UTC");
    facts_traits(&c, "2025-01-01 tags [\"a\",\"\\u0062\",3]\n"
                     "2025-01-01 city \"K\xc3\xb6ln\"\n"
                     "2025-01-01 nothing \"\"\n"
                     "2025-01-01 none []\n"
                     "2025-01-01 age 4e1\n"
                     "2025-01-01 vip true\n"
                     "2025-01-01 a.b 2\n"
                     "2025-01-01 address {\"zip\":1,\"city\":\"Ulm\"}\n"
                     "2025-01-01 name \"Anna\\u0020Berg\"\n");
    EXPECT_TRUTHS(&c, NOW, cases);
    facts_end(&c);
}
END_TEST

START_TEST(test_eval__moments_and_places)
{
    static const truth_case cases[] = {
        {"signup = 2025-03-01",                      "true"   }, /* a date is its local midnight */
        {"signup < 2025-03-02",                      "true"   },
        {"signup between 2025-02-28 and 2025-03-01", "true"   },
        {"signup before 2025-03-01",                 "false"  },
        {"signup before 2025-03-02",                 "true"   },
        {"signup after 2025-02-28",                  "true"   },
        {"signup after 2025-03-01",                  "false"  },
        {"late on 2025-03-01",                       "true"   }, /* 23:30 UTC of the day before */
        {"late on 2025-02-28",                       "false"  },
        {"late on 2025-03-02",                       "false"  },
        {"last(a) on 2025-06-30",                    "true"   },
        {"last(a) after first(a)",                   "true"   },
        {"first(a) before signup",                   "false"  },
        {"name before 2025-01-01",                   "unknown"},
        {"nil before 2025-01-01",                    "unknown"},
        {"age before 2025-01-01",                    "unknown"},
        {"last(a) within last 1 day",                "true"   },
        {"last(a) within last 12 hours",             "false"  },
        {"renewal within next 30 days",              "true"   },
        {"renewal within next 29 days",              "false"  }, /* + 0 h: 30 days at 12:00 */
        {"renewal within last 30 days",              "false"  },
        {"signup within next 300 days",              "false"  },
        {"birthday anniversary in next 14 days",     "true"   },
        {"birthday anniversary in next 13 days",     "false"  },
        {"birthday anniversary in last 350 days",    "false"  },
        {"birthday anniversary in last 351 days",    "true"   },
        {"birthday anniversary in today",            "false"  },
        {"today_born anniversary in today",          "true"   },
        {"today_born anniversary in next 1 day",     "true"   },
        {"today_born anniversary in last 1 day",     "true"   },
        {"home within 5 km of (52.52, 13.405)",      "true"   },
        {"home within 500 km of (48.137, 11.575)",   "false"  }, /* Munich: 504 km */
        {"home within 510 km of (48.137, 11.575)",   "true"   },
        {"name within 5 km of (52.52, 13.405)",      "unknown"},
        {"bad within 5 km of (52.52, 13.405)",       "unknown"},
    };
    facts_case c;

    facts_begin(&c, "Europe/Berlin");
    facts_events(&c, "2025-06-01 a\n2025-06-30T13:00 a\n");
    facts_traits(&c, "2025-01-01 signup \"2025-03-01\"\n"
                     "2025-01-01 late \"2025-02-28T23:30:00Z\"\n"
                     "2025-01-01 renewal \"2025-07-31T12:00\"\n"
                     "2025-01-01 birthday \"1980-07-15\"\n"
                     "2025-01-01 today_born \"1999-07-01\"\n"
                     "2025-01-01 home [52.50,13.40]\n"
                     "2025-01-01 bad [95,13.40]\n"
                     "2025-01-01 age 41\n"
                     "2025-01-01 name \"Ann\"\n");
    EXPECT_TRUTHS(&c, NOW, cases);
    facts_end(&c);
}
END_TEST

/* 29 February is kept on 28 February where there is none. */
START_TEST(test_eval__leap_day)
{
    facts_case c;

    facts_begin(&c, "UTC");
    facts_traits(&c, "2000-01-01 born \"1996-02-29\"\n");
    expect_truth(&c, "2025-02-28T12:00", "true", "born anniversary in today");
    expect_truth(&c, "2025-03-01T12:00", "false", "born anniversary in today");
    expect_truth(&c, "2024-02-28T12:00", "false", "born anniversary in today");
    expect_truth(&c, "2024-02-29T12:00", "true", "born anniversary in today");
    expect_until(&c, "2025-02-28T12:00", "2025-03-01T00:00:00.000Z",
                 "born anniversary in today");
    expect_until(&c, "2023-03-01", "2024-02-29T00:00:00.000Z",
                 "born anniversary in today");
    facts_end(&c);
}
END_TEST

START_TEST(test_eval__traits_are_the_newest)
{
    facts_case c;

    facts_begin(&c, "UTC");
    facts_traits(&c, "2025-01-01 plan \"free\" crm\n"
                     "2025-02-01 plan \"pro\" web\n"
                     "2025-03-01 plan null import\n"
                     "2025-03-01 plans 1\n");
    expect_truth(&c, "2024-12-31", "unknown", "plan = \"free\"");
    expect_truth(&c, "2025-01-01", "true", "plan = \"free\""); /* time <= now */
    expect_truth(&c, "2025-01-31T23:59:59.999", "true", "plan = \"free\"");
    expect_truth(&c, "2025-02-01", "true", "plan = \"pro\"");
    expect_truth(&c, "2025-03-01", "true", "plan is missing");
    expect_truth(&c, "2025-02-01", "true", "source(plan) = \"web\"");
    expect_truth(&c, "2024-12-31", "true", "source(plan) is missing");
    expect_until(&c, "2024-06-01", "2025-01-01T00:00:00.000Z", "plan is missing");
    expect_until(&c, "2025-01-10", "2025-02-01T00:00:00.000Z", "plan = \"free\"");
    facts_end(&c);
}
END_TEST

START_TEST(test_eval__profile)
{
    static const truth_case cases[] = {
        {"has(email)",                   "true"   },
        {"has(phone)",                   "false"  },
        {"identifiers() = 3",            "true"   },
        {"identifiers(email) = 2",       "true"   },
        {"shared_device()",              "true"   },
        {"score(\"clv\") > 100",         "true"   },
        {"score(\"class\") > 100",       "unknown"},
        {"score(\"none\") > 100",        "unknown"},
        {"consent(\"email\", \"news\")", "true"   },
        {"consent(\"email\", \"ads\")",  "false"  },
        {"consent(\"sms\", \"ads\")",    "unknown"},
        {"in_segment(\"a\")",            "true"   },
        {"in_list(\"a\")",               "false"  },
        {"sample(0 %, \"x\")",           "false"  },
        {"sample(100 %, \"x\")",         "true"   },
    };
    const cj__kind *email = cj__kind_named("email");
    facts_case c;

    facts_begin(&c, "UTC");
    facts_traits(&c, "2025-01-01 clv 120.5\n"
                     "2025-01-01 class \"At Risk\"\n"
                     "2025-01-01 consent.email.news true\n"
                     "2025-01-01 consent.email.ads false\n");
    c.facts.n_identifiers[0] = 3;
    c.facts.n_identifiers[email->id] = 2;
    c.facts.shared_device = 1;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        c.members[0] = cases[i].segment[3] == 's';
        expect_truth(&c, NOW, cases[i].want, cases[i].segment);
    }
    facts_end(&c);
}
END_TEST

static int refers(const facts_program *p, int32_t i, const char *name)
{
    return cj__text_equal(cj__program_reference(p->program, i)->kids[0]->text,
                          cj__text_of(name));
}

START_TEST(test_eval__references_in_order)
{
    facts_case c;
    facts_program p;

    facts_begin(&c, "UTC");
    p = facts_compile(&c, "in_segment(\"b\") and not in_list(\"b\") and "
                          "(in_segment(\"a\") or in_segment(\"b\"))");
    ck_assert(refers(&p, 0, "b"));
    ck_assert_str_eq(cj__seg_functions[cj__program_reference(p.program, 1)->i].name,
                     "in_list");
    ck_assert(refers(&p, 2, "a"));
    ck_assert_ptr_null(cj__program_reference(p.program, 3));
    c.members[0] = 1;
    ck_assert_int_eq(facts_run(&c, &p, 0, NULL), CJ__TRUE);
    c.members[1] = 1;
    ck_assert_int_eq(facts_run(&c, &p, 0, NULL), CJ__FALSE);
    c.members[1] = 2;
    ck_assert_int_eq(facts_run(&c, &p, 0, NULL), CJ__UNKNOWN);
    facts_drop(&c, &p);
    facts_end(&c);
}
END_TEST

/* About the share that was asked for, the same for a larger share, another for another
 * seed; and the exact lot, computed elsewhere. */
START_TEST(test_eval__sample)
{
    facts_program ten, twenty, other;
    int n_ten = 0, n_other = 0, n_both = 0;
    facts_case c;

    facts_begin(&c, "UTC");
    ten = facts_compile(&c, "sample(10 %, \"seed\")");
    twenty = facts_compile(&c, "sample(20 %, \"seed\")");
    other = facts_compile(&c, "sample(10 %, \"Seed\")");
    for (c.facts.profile = 1; c.facts.profile <= 10000; c.facts.profile++) {
        const int in = facts_run(&c, &ten, 0, NULL) == CJ__TRUE;
        const int in_other = facts_run(&c, &other, 0, NULL) == CJ__TRUE;

        n_ten += in;
        n_other += in_other;
        n_both += in && in_other;
        if (in)
            ck_assert_int_eq(facts_run(&c, &twenty, 0, NULL), CJ__TRUE);
    }
    ck_assert_int_gt(n_ten, 900);
    ck_assert_int_lt(n_ten, 1100);
    ck_assert_int_gt(n_other, 900);
    ck_assert_int_lt(n_both, 200);
    facts_drop(&c, &ten);
    facts_drop(&c, &twenty);
    facts_drop(&c, &other);
    facts_end(&c);
}
END_TEST

START_TEST(test_eval__fields)
{
    static const char *const cases[][2] = {
        {"count(a where hour = 23)",                          "1"  },
        {"count(a where hour >= 9 and hour < 18)",            "2"  },
        {"count(a where weekday = 7)",                        "2"  },
        {"count(a where weekday = 1)",                        "1"  },
        {"count(a where weekend = true)",                     "2"  },
        {"count(a where weekend is false)",                   "1"  },
        {"count(a where session = \"s-1\")",                  "1"  },
        {"count(a where session in (\"17\", \"s-1\"))",       "2"  },
        {"count(a where session != \"17\")",                  "1"  },
        {"count(a where order is known)",                     "1"  },
        {"count(a where order = \"0017\")",                   "1"  },
        {"count(a where order = \"17\")",                     "0"  },
        {"count(a where value > 5 EUR)",                      "1"  },
        {"count(a where currency = \"EUR\")",                 "2"  },
        {"count(a where quantity between 2 and 3)",           "1"  },
        {"count(a where quantity is missing)",                "2"  },
        {"count(a where product like \"SKU-*\")",             "2"  },
        {"count(a where product like i\"sku-?\")",            "1"  },
        {"count(a where not product ends with \"2\")",        "1"  },
        {"count(a where properties.size = \"M\")",            "1"  },
        {"count(a where properties.size in (\"M\", \"L\"))",  "2"  },
        {"count(a where properties.size is missing)",         "1"  },
        {"count(a where properties.cart.total >= 9.5)",       "1"  },
        {"count(a where properties.items[].sku = \"x\")",     "2"  },
        {"count(a where properties.items[].sku = \"y\")",     "1"  },
        {"count(a where not properties.items[].sku = \"y\")", "1"  },
        {"count(a where properties.items[].n > 2)",           "1"  },
        {"count(a where properties.items is known)",          "2"  },
        {"count(a where properties.items[].sku is missing)",  "1"  },
        {"count(a where properties.tags contains \"new\")",   "1"  },
        {"count(a where properties.tags[] = \"new\")",        "1"  },
        {"count(a where properties.ok = true)",               "1"  },
        {"sum(properties.cart.total, a)",                     "9.5"},
    };
    facts_case c;

    facts_begin(&c, "Europe/Berlin");
    facts_events(
        &c, "2025-06-01T21:30Z a session=17 value=5 product=SKU-1 {\"size\":\"M\","
            "\"cart\":{\"total\":9.50},\"items\":[{\"sku\":\"x\",\"n\":1},{\"sku\":"
            "\"y\"}]}\n"
            "2025-06-08T09:00 a session=s-1 value=5.01 product=SKU-22 quantity=3 "
            "{\"items\":[{\"n\":3},{\"sku\":\"x\"}],\"tags\":[\"old\",\"new\"],"
            "\"size\":\"L\"}\n"
            "2025-06-02T17:59 a order=0017 { \"ok\" : true , \"items\" : null }\n");
    EXPECT_VALUES(&c, NOW, cases);
    facts_end(&c);
}
END_TEST

/* ---- a slow second opinion
 * --------------------------------------------------------------- */

typedef struct lot {
    uint64_t state;
} lot;

static uint32_t below(lot *l, uint32_t n)
{
    l->state = l->state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(l->state >> 33) % n;
}

static int named(const facts_case *c, int64_t row, const char *name)
{
    return strcmp(c->terms[c->columns.name[row] - 1].text.data, name) == 0;
}

/* Try every way to go on. */
static int slow_sequence(const facts_case *c, const char *const *steps, int64_t after,
                         int64_t within, int64_t now)
{
    if (steps[0] == NULL)
        return 1;
    for (int64_t row = after + 1; row < c->facts.n; row++) {
        if (c->columns.time_ms[row] < now && named(c, row, steps[0]) &&
            (after < 0 ||
             c->columns.time_ms[row] - c->columns.time_ms[after] <= within) &&
            slow_sequence(c, steps + 1, row, within, now))
            return 1;
    }
    return 0;
}

static int slow_same(const facts_case *c, int64_t now)
{
    for (int64_t a = 0; a < c->facts.n; a++)
        for (int64_t b = a + 1; b < c->facts.n; b++)
            for (int64_t d = b + 1; d < c->facts.n; d++)
                if (named(c, a, "a") && named(c, b, "b") && named(c, d, "a") &&
                    c->columns.time_ms[d] < now && c->columns.product[a] != 0 &&
                    c->columns.product[a] == c->columns.product[b] &&
                    c->columns.product[b] == c->columns.product[d])
                    return 1;
    return 0;
}

static int slow_not_followed(const facts_case *c, int64_t within, int64_t now)
{
    for (int64_t a = 0; a < c->facts.n; a++) {
        int followed = 0;

        if (!named(c, a, "a") || c->columns.time_ms[a] >= now ||
            c->columns.time_ms[a] + within > now)
            continue;
        for (int64_t b = a + 1; b < c->facts.n; b++)
            followed |= named(c, b, "b") && c->columns.time_ms[b] < now &&
                        c->columns.time_ms[b] <= c->columns.time_ms[a] + within;
        if (!followed)
            return 1;
    }
    return 0;
}

static int slow_without(const facts_case *c, int64_t now)
{
    for (int64_t a = 0; a < c->facts.n; a++)
        for (int64_t b = a + 1; b < c->facts.n; b++) {
            int between = 0;

            if (!named(c, a, "a") || !named(c, b, "b") || c->columns.time_ms[b] >= now)
                continue;
            for (int64_t d = a + 1; d < b; d++)
                between |= named(c, d, "c");
            if (!between)
                return 1;
        }
    return 0;
}

/* Times of a few hours, so that many are equal and many are exactly apart. */
static void random_facts(facts_case *c, lot *l)
{
    static const char *const names[] = {
        "a", "b", "c", "a product=P", "b product=P", "a product=Q", "b product=Q"};
    const uint32_t n = below(l, 9);

    facts_clear(c);
    for (uint32_t i = 0; i < n; i++)
        facts_event_at(c, below(l, 12) * INT64_C(3600000), names[below(l, 7)]);
}

START_TEST(test_eval__order_against_trying_everything)
{
    static const char *const aba[] = {"a", "b", "a", NULL};
    const int64_t hour = 3600000;
    facts_program sequence, same, not_followed, without;
    lot l = {42};
    facts_case c;

    facts_begin(&c, "UTC");
    sequence = facts_compile(&c, "sequence(a -> b within 2 hours -> a within 2 hours)");
    same = facts_compile(&c, "sequence(a -> b -> a, same product)");
    not_followed = facts_compile(&c, "not_followed(a by b within 2 hours)");
    without = facts_compile(&c, "without(a -> b, c)");
    random_facts(&c, &l); /* so that names are known */
    for (int round = 0; round < 5000; round++) {
        const int64_t now = below(&l, 14) * hour + (int64_t)below(&l, 3) - 1;

        random_facts(&c, &l);
        cj__program_refresh(sequence.program);
        cj__program_refresh(same.program);
        cj__program_refresh(not_followed.program);
        cj__program_refresh(without.program);
        ck_assert_int_eq(facts_run(&c, &sequence, now, NULL) == CJ__TRUE,
                         slow_sequence(&c, aba, -1, 2 * hour, now));
        ck_assert_int_eq(facts_run(&c, &same, now, NULL) == CJ__TRUE,
                         slow_same(&c, now));
        ck_assert_int_eq(facts_run(&c, &not_followed, now, NULL) == CJ__TRUE,
                         slow_not_followed(&c, 2 * hour, now));
        ck_assert_int_eq(facts_run(&c, &without, now, NULL) == CJ__TRUE,
                         slow_without(&c, now));
    }
    facts_drop(&c, &sequence);
    facts_drop(&c, &same);
    facts_drop(&c, &not_followed);
    facts_drop(&c, &without);
    facts_end(&c);
}
END_TEST

static int by_size(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

START_TEST(test_eval__median_against_sorting)
{
    facts_program p;
    char want[64], got[64];
    lot l = {7};
    facts_case c;

    facts_begin(&c, "UTC");
    for (int round = 0; round < 500; round++) {
        int64_t gaps[64], n = 2 + below(&l, 60), median_2;
        cj__truth truth;
        cj__str s;

        facts_clear(&c);
        for (int64_t i = 0; i < n; i++)
            facts_event_at(&c, below(&l, round % 2 == 0 ? 1u << 30 : 20) * 1000, "a");
        for (int64_t i = 1; i < n; i++)
            gaps[i - 1] = c.columns.time_ms[i] - c.columns.time_ms[i - 1];
        n--;
        qsort(gaps, (size_t)n, sizeof gaps[0], by_size);
        median_2 = gaps[n / 2] + gaps[(n - 1) / 2];
        snprintf(want, sizeof want, "%.9f", (double)median_2 / 2 / 86400000.0);
        p = facts_compile(&c, "median_days_between(a) = 0");
        cj__str_init(&s, &c.db.cx.allocator, 1000);
        ck_assert_int_eq(cj__program_explain(p.program, p.tree->root->kids[0], &c.facts,
                                             INT64_C(1) << 45, &truth, &s),
                         CJ_OK);
        snprintf(got, sizeof got, "%.9f", strtod(s.data, NULL));
        ck_assert_str_eq(got, want);
        cj__str_end(&s);
        facts_drop(&c, &p);
    }
    facts_end(&c);
}
END_TEST

/* ---- the program
 * ------------------------------------------------------------------------------ */

/* Lists that are searched, with names that are not there yet, against one by one. */
START_TEST(test_eval__long_lists)
{
    static const char *const forms[][2] = {
        {"count(a where product in (", ")) = 1"},
        {"count(a where session in (", ")) = 1"},
        {"t in (",                     ")"     },
        {"bought((",                   "))"    }
    };
    char list[4000] = "", text[4200], event[100];
    facts_case c;
    lot l = {11};

    facts_begin(&c, "UTC");
    facts_event_at(&c, 0, "a product=P50");
    for (int i = 0; i < 200; i++) /* P0, P7, P14, ... in disorder */
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s\"P%d\"",
                 i == 0 ? "" : ", ", i * 67 % 200 * 7);
    for (size_t f = 0; f < 4; f++) {
        facts_program p;

        snprintf(text, sizeof text, "%s%s%s", forms[f][0], list, forms[f][1]);
        p = facts_compile(&c, text);
        for (int round = 0; round < 300; round++) {
            const int i = (int)below(&l, 1500);

            facts_clear(&c);
            snprintf(event, sizeof event, "%s product=P%d session=P%d",
                     f == 3 ? "order_item" : "a", i, i);
            facts_event_at(&c, 1, event);
            snprintf(event, sizeof event, "t \"P%d\"", i);
            facts_trait_at(&c, 1, event);
            cj__program_refresh(p.program);
            ck_assert_msg((facts_run(&c, &p, 5, NULL) == CJ__TRUE) ==
                              (i % 7 == 0 && i < 1400),
                          "%s: %d", forms[f][0], i);
        }
        facts_drop(&c, &p);
    }
    facts_end(&c);
}
END_TEST

START_TEST(test_eval__columns_that_are_read)
{
    static const struct {
        const char *segment;
        uint32_t columns;
        int32_t traits;
    } cases[] = {
        {"age > 3",                             0,                                              1},
        {"has(email)",                          0,                                              0},
        {"count(any) = 1",                      CJ__COL_TIME,                                   0},
        {"count(a) = 1",                        CJ__COL_TIME | CJ__COL_NAME,                    0},
        {"orders() = 1",                        CJ__COL_TIME | CJ__COL_NAME | CJ__COL_VALUE,    0},
        {"items() = 1",                         CJ__COL_TIME | CJ__COL_NAME | CJ__COL_QUANTITY, 0},
        {"count(a where properties.x = 1) = 1",
         CJ__COL_TIME | CJ__COL_NAME | CJ__COL_PROPERTIES,                                      0},
        {"sessions() = 1",                      CJ__COL_TIME | CJ__COL_SESSION,                 0},
        {"top_channel() = channel",             CJ__COL_TIME | CJ__COL_CHANNEL,                 1},
        {"bought(\"A\")",                       CJ__COL_TIME | CJ__COL_NAME | CJ__COL_PRODUCT,  0},
        {"bought_together(\"A\", \"B\")",
         CJ__COL_TIME | CJ__COL_NAME | CJ__COL_PRODUCT | CJ__COL_ORDER,                         0},
        {"sequence(a -> b, same campaign)",
         CJ__COL_TIME | CJ__COL_NAME | CJ__COL_CAMPAIGN,                                        0},
    };
    facts_case c;

    facts_begin(&c, "UTC");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        facts_program p = facts_compile(&c, cases[i].segment);

        ck_assert_msg(cj__program_columns(p.program) == cases[i].columns, "%s reads %x",
                      cases[i].segment, (unsigned)cj__program_columns(p.program));
        ck_assert_int_eq(cj__program_reads_traits(p.program), cases[i].traits);
        facts_drop(&c, &p);
    }
    facts_end(&c);
}
END_TEST

/* A profile without events, and names that no event had when the program was made. */
START_TEST(test_eval__nothing_and_refresh)
{
    facts_program p;
    facts_case c;

    facts_begin(&c, "UTC");
    p = facts_compile(&c, "count(a where channel = \"web\") = 1");
    c.facts.columns = NULL;
    ck_assert_int_eq(facts_run(&c, &p, 1000, NULL), CJ__FALSE);
    c.facts.columns = &c.columns;
    facts_event_at(&c, 10, "a channel=web");
    ck_assert_int_eq(facts_run(&c, &p, 1000, NULL), CJ__FALSE);
    ck_assert_int_eq(cj__program_refresh(p.program), CJ_OK);
    ck_assert_int_eq(facts_run(&c, &p, 1000, NULL), CJ__TRUE);
    facts_drop(&c, &p);
    facts_end(&c);
}
END_TEST

/* Nothing of one profile is left when the next one comes. */
START_TEST(test_eval__one_program_for_many_profiles)
{
    facts_program p;
    facts_case c;

    facts_begin(&c, "UTC");
    facts_events(&c, "2025-01-01 a value=1 channel=web {\"x\":\"\\u0061\"}\n");
    facts_traits(&c, "2024-01-01 t \"\\u0061\"\n");
    p = facts_compile(&c, "sum(value, a) = 1 EUR and top_channel() = \"web\" and "
                          "last_value(properties.x, a) = \"a\" and t = \"a\" and "
                          "count(a where properties.x = \"a\") = 1");
    for (int round = 0; round < 3; round++) {
        c.columns.value_minor[0] = 100;
        c.properties[0] = cj__text_of("{\"x\":\"\\u0061\"}");
        c.traits[0].value = cj__text_of("\"\\u0061\"");
        ck_assert_int_eq(facts_run(&c, &p, 1800000000000, NULL), CJ__TRUE);
        c.columns.value_minor[0] = 200;
        ck_assert_int_eq(facts_run(&c, &p, 1800000000000, NULL), CJ__FALSE);
        c.columns.value_minor[0] = 100;
        c.properties[0] = cj__text_of("{\"x\":\"b\"}");
        ck_assert_int_eq(facts_run(&c, &p, 1800000000000, NULL), CJ__FALSE);
        c.properties[0] = cj__text_of("{\"x\":\"a\"}");
        c.traits[0].value = cj__text_of("\"b\"");
        ck_assert_int_eq(facts_run(&c, &p, 1800000000000, NULL), CJ__FALSE);
    }
    facts_drop(&c, &p);
    facts_end(&c);
}
END_TEST

START_TEST(test_eval__explain)
{
    facts_program p;
    const cj__seg_node *count;
    cj__truth truth;
    cj__str s;
    facts_case c;

    facts_begin(&c, "UTC");
    facts_events(&c, "2025-01-01 a channel=web\n2025-01-02 a\n");
    p = facts_compile(&c,
                      "count(a where channel = \"web\", last 7 days) = 1 and n = 2");
    cj__str_init(&s, &c.db.cx.allocator, 1000);
    ck_assert_int_eq(cj__program_explain(p.program, p.tree->root, &c.facts,
                                         facts_time(&c, "2025-01-03"), &truth, &s),
                     CJ_OK);
    ck_assert_int_eq(truth, CJ__UNKNOWN);
    ck_assert_str_eq(s.data, "unknown");
    cj__str_clear(&s);
    count = p.tree->root->kids[0]->kids[0];
    cj__program_explain(p.program, p.tree->root->kids[0], &c.facts,
                        facts_time(&c, "2025-01-03"), &truth, &s);
    ck_assert_int_eq(truth, CJ__TRUE);
    ck_assert_str_eq(s.data, "true");
    cj__str_clear(&s);
    cj__program_explain(p.program, count->kids[0], &c.facts,
                        facts_time(&c, "2025-03-03"), &truth, &s);
    ck_assert_str_eq(s.data, "1"); /* the selector: at any time */
    cj__str_clear(&s);
    cj__program_explain(p.program, count->kids[0]->kids[0], &c.facts,
                        facts_time(&c, "2025-03-03"), &truth, &s);
    ck_assert_uint_eq(s.n, 0); /* a filter is about one event */
    cj__str_end(&s);
    facts_drop(&c, &p);
    facts_end(&c);
}
END_TEST

/* ---- without memory: the n-th allocation fails, and those behind it when all is 1
 * ---------- */

typedef struct scarce {
    int64_t left, n_live;
    int all;
} scarce;

static void *scarce_realloc(void *user, void *p, uint64_t old_bytes, uint64_t new_bytes)
{
    scarce *s = user;
    void *grown;

    (void)old_bytes;
    if (new_bytes == 0) {
        s->n_live -= p != NULL;
        free(p);
        return NULL;
    }
    if (s->left-- == 0 || (s->all && s->left < 0))
        return NULL;
    grown = realloc(p, new_bytes);
    s->n_live += p == NULL;
    return grown;
}

static int32_t run_scarce(facts_case *c, const cj__segment_tree *tree, scarce *s)
{
    const cj__allocator a = {scarce_realloc, s};
    cj__program *program = NULL;
    cj__truth truth;
    int64_t until;
    int32_t rc;

    rc = cj__program_new(&a, tree, &c->env, &program);
    if (rc == CJ_OK)
        rc = cj__program_valid(program, &c->facts, 1800000000000, &truth, &until);
    cj__program_end(program);
    return rc;
}

START_TEST(test_eval__out_of_memory)
{
    facts_program p;
    facts_case c;
    int64_t n = 0;

    facts_begin(&c, "UTC");
    facts_events(&c, "2025-01-01 a value=1 channel=web product=P {\"x\":\"\\u0061\"}\n"
                     "2025-01-02 b value=1 channel=web product=P session=1\n");
    facts_traits(&c, "2024-01-01 t \"\\u0061\"\n");
    p = facts_compile(&c,
                      "count(a where properties.x = \"a\" and channel like \"w*\") = 1 "
                      "and sequence(a -> b, same product) and sessions() = 1 and "
                      "median_days_between(any) = 1 and t = \"a\" and "
                      "not in_list(\"x\") and bought_together(\"P\", \"Q\") and "
                      "count(b where content = \"c\", last 9 days) < 9 and "
                      "distinct(product, a) < 9 and d.e is missing");
    for (int all = 0; all <= 1; all++) {
        for (n = 0;; n++) {
            scarce s = {.left = n, .all = all};
            const int32_t rc = run_scarce(&c, p.tree, &s);

            ck_assert_int_eq(s.n_live, 0);
            if (rc == CJ_OK)
                break;
            ck_assert_int_eq(rc, CJ_ENOMEM);
        }
        ck_assert_int_gt(n, 20);
    }
    facts_drop(&c, &p);
    facts_end(&c);
}
END_TEST

START_TEST(test_eval__too_much_work)
{
    static const char *const a_lot = "count(a where properties.t like \"*a*b\") = 0";
    static char text[200000];
    cj__truth truth;
    facts_program p;
    facts_case c;

    facts_begin(&c, "UTC");
    memset(text, 'a', sizeof text);
    memcpy(text, "a {\"t\":\"", 8);
    memcpy(text + sizeof text - 3, "\"}", 3);
    p = facts_compile(&c, a_lot);
    for (int i = 0; i < 512; i++) {
        facts_event_at(&c, i, "a");
        if (i == 0)
            facts_clear(&c), facts_event_at(&c, i, text);
        else
            c.properties[i] = c.properties[0];
    }
    cj__program_refresh(p.program);
    ck_assert_int_eq(cj__program_run(p.program, &c.facts, 1000, &truth, NULL), CJ_OK);
    facts_drop(&c, &p);
    p = facts_compile(&c, "count(a where properties.t like \"*aaaaaaaaaaaab*\") = 0");
    ck_assert_int_eq(cj__program_run(p.program, &c.facts, 1000, &truth, NULL),
                     CJ_ELIMIT);
    ck_assert_int_eq(cj__program_run(p.program, &c.facts, -1000, &truth, NULL),
                     CJ_ELIMIT);
    facts_drop(&c, &p);
    facts_end(&c);
}
END_TEST

HARNESS_MAIN("segment_eval", test_eval__every_function_has_an_evaluator,
             test_eval__events, test_eval__orders, test_eval__sequence,
             test_eval__sessions_and_channels, test_eval__behaviour_in_time,
             test_eval__regularly_counts_local_days, test_eval__texts_and_lists,
             test_eval__moments_and_places, test_eval__leap_day,
             test_eval__traits_are_the_newest, test_eval__profile,
             test_eval__references_in_order, test_eval__sample, test_eval__fields,
             test_eval__order_against_trying_everything,
             test_eval__median_against_sorting, test_eval__long_lists,
             test_eval__columns_that_are_read, test_eval__nothing_and_refresh,
             test_eval__one_program_for_many_profiles, test_eval__explain,
             test_eval__out_of_memory, test_eval__too_much_work)
