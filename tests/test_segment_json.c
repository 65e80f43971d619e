/* Trees as JSON: what each part looks like, that JSON gives the same tree back, and
 * errors with their byte. */
#include "harness.h"
#include "segment_front.h"

#include "segment/json.h"

#include <stdlib.h>
#include <string.h>

typedef struct pair {
    const char *segment, *json;
} pair;

/* Quotes of JSON are written ' here. */
static const char *quoted(const char *json, char to[1000])
{
    ck_assert_uint_lt(strlen(json), 1000);
    strcpy(to, json);
    for (char *at = to; *at != '\0'; at++)
        *at = *at == '\'' ? '"' : *at;
    return to;
}

START_TEST(test_json__shapes)
{
    /* clang-format off */
    static const pair pairs[] = {
        {"revenue(last 365 days) > 200 EUR",
         "{'op':'>','left':{'call':'revenue','window':{'last':'365 days'}},'right':"
         "{'money':'200 EUR'}}"                                                                                             },
        {"a and (b or not c)",
         "{'and':[{'trait':'a'},{'or':[{'trait':'b'},{'not':{'trait':"
         "'c'}}]}]}"                                                                                                        },
        {"a.b = 1 and trait(\"a.b\") = \"x\"",
         "{'and':[{'op':'=','left':{'trait':['a','b']},'right':1},{'op':'=','left':"
         "{'trait':'a.b'},'right':'x'}]}"                                                                                   },
        {"a = i\"x\"",
         "{'op':'=','left':{'trait':'a'},'right':{'text':'x','any_case':true}}"                                             },
        {"a between -1.5 and 50 %",
         "{'op':'between','left':{'trait':'a'},'low':-1.5,'high':{'percent':50}}"                                           },
        {"a not in (1, true, 2025-03-01, 2025-03-01T10:30Z)",
         "{'not':{'op':'in','left':{'trait':'a'},'list':[1,true,{'date':'2025-03-01'},"
         "{'time':'2025-03-01T10:30Z'}]}}"                                                                                  },
        {"a is not empty",                                       "{'not':{'op':'is empty','left':{'trait':'a'}}}"           },
        {"a has any of (\"x\")",
         "{'op':'has any of','left':{'trait':'a'},'list':['x']}"                                                            },
        {"a within last 36 hours",
         "{'op':'within last','left':{'trait':'a'},'right':{'duration':'36 hours'}}"                                        },
        {"a anniversary in today",
         "{'op':'anniversary in next','left':{'trait':'a'},'right':{'duration':'0 "
         "days'}}"                                                                                                          },
        {"a within 5 km of (1, -2)",
         "{'op':'within km "
         "of','left':{'trait':'a'},'km':5,'latitude':1,'longitude':-2}"                                                     },
        {"-(a + 1) * 2 > b",                                     "{'op':'>','left':{'op':'*','left':{'negate':{'op':'+','"
         "left':{'trait':'a'},'right'"
                             ":1}},'right':2},'right':{'trait':'b'}}"                                                                                                },
        {"count(any where properties.a[].b = 1 and channel is known) = 1",
         "{'op':'=','left':{'call':'count','args':[{'event':'any','where':{'and':[{'op'"
         ":'=',"
         "'left':{'property':'a[].b'},'right':1},{'op':'is "
         "known','left':{'field':'channel'}"
         "}]}}]},'right':1}"},
        {"count(orders) = count(\"orders\")",
         "{'op':'=','left':{'call':'count','args':[{'event':'orders'}]},'right':{'call'"
         ":"
         "'count','args':[{'event':'orders','quoted':true}]}}"                                                                                                                             },
        {"sum(value, x) > 1 EUR",          "{'op':'>','left':{'call':'sum','args':[{'field':'"
         "value'},{'event':'x'}]},'right':"
                                  "{'money':'1 EUR'}}"},
        {"share(a of b) > 5 %",
         "{'op':'>','left':{'call':'share','args':[{'part':{'event':"
         "'a'},'whole':{'event':'b'}}]},'right':{'percent':5}}"                                                                                                       },
        {"sequence(a -> \"b c\" within 2 days, same product, today)",
         "{'call':'sequence','args':[{'steps':[{'event':'a'},{'event':'b "
         "c','within':'2 days'"
         "}],'same':'product'}],'window':'today'}"},
        {"not_followed(a by b within 1 day)",
         "{'call':'not_followed','args':[{'first':{'event':'a'},'second':{'event':'b'},"
         "'within':'1 day'}]}"                                                                                                                    },
        {"without(a -> b, c, this week)",                     "{'call':'without','args':[{'steps':[{'event'"
         ":'a'},{'event':'b'}]},{'event':'c'}],"
                                          "'window':'this week'}"},
        {"regularly(a, 3 of last 6 months)",
         "{'call':'regularly','args':[{'event':'a'},{'at_least':3,'of_last':6,'unit':"
         "'months'}]}"                                                           },
        {"stopped(a, 5 days)",
         "{'call':'stopped','args':[{'event':'a'},{'duration':'5 days'}]}"                                                                                                      },
        {"overdue(a, 2)",                                                      "{'call':'overdue','args':[{'event':'a'},2]}"                                                  },
        {"bought(where quantity > 1)",                                                      "{'call':'bought','args':[{'where':{'op':'>','"
         "left':{'field':'quantity'},'right':1}"
                                       "}]}"},
        {"bought((\"x\", \"y\"))",                                                       "{'call':'bought','args':[['x','y']]}"                                                                                      },
        {"has(email) and stage(purchase)",                                    "{'and':[{'call':'has','args':['email']},{'"
         "call':'stage','args':['purchase']}]}"                                                                                         },
        {"channel_share(web) > 5 %",            "{'op':'>','left':{'call':'channel_share','args':["
         "'web']},'right':{'percent':5}}"},
        {"source(a) = \"x\"",
         "{'op':'=','left':{'call':'source','args':[{'trait':'a'}]},'right':'x'}"},
        {"sample(10 %, \"s\")",                         "{'call':'sample','args':[{'percent':10},'s']}"                                                                                   },
        {"orders(between 9 days and 2 days ago) = 1",
         "{'op':'=','left':{'call':'orders','window':{'between':['9 days','2 days']}},"
         "'right':1}"                                           },
        {"orders(since 2025-03-01T10:30) = 1",
         "{'op':'=','left':{'call':'orders','window':{'since':'2025-03-01T10:30'}},'"
         "right':1"
         "}"                     },
        {"orders(since last x) = 1",                                                      "{'op':'=','left':{'call':'orders','window':"
                                     "{'since_last':{'event':'x'}}},'right':1}"                                                                                                       },
        {"orders(until 2025-03-01) = 1",                                                                "{'op':'=','left':{'call':'orders','window':{'"
         "until':'2025-03-01'}},'right':1}"                                                                                                                },
        {"orders(from 2025-03-01 to 2025-04-01) = 1",
         "{'op':'=','left':{'call':'orders','window':{'from':'2025-03-01','to':'2025-"
         "04-01'}"
         "},'right':1}"         },
        {"a = \"\\\"\\n\\u0001\"",
         "{'op':'=','left':{'trait':'a'},'right':'\\\"\\n\\u0001'}"                                                                                    },
    };
    /* clang-format on */
    front_case c;
    char json[1000];

    front_begin(&c, "UTC", "EUR", 2);
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        ck_assert_str_eq(front_json(&c, cj__text_of(pairs[i].segment)),
                         quoted(pairs[i].json, json));
        expect_canonical(&c, pairs[i].segment, pairs[i].segment);
    }
    front_end(&c);
}
END_TEST

/* Other spellings that a form may send: blanks, order, what could be left out. */
START_TEST(test_json__read_otherwise)
{
    char json[1000];
    /* clang-format off */
    static const pair pairs[] = {
        {"a = 1",                                    " { 'right' : 1.0 , 'left' : { 'trait' : ['a'] } , 'op':'=' } "},
        {"a",                                        "{'and':[{'trait':'a'}]}"                                      },
        {"a and b and c",
         "{'and':[{'trait':'a'},{'and':[{'trait':'b'},{'trait':'c'}]}]}"                                            },
        {"a = \"x\"",
         "{'op':'=','left':{'trait':'a'},'right':{'text':'x','any_case':false}}"                                    },
        {"a = -5",                                   "{'op':'=','left':{'trait':'a'},'right':{'negate':5}}"         },
        {"orders() = 1",
         "{'op':'=','left':{'call':'orders','args':[],'window':'ever'},'right':1}"                                  },
        {"a within last 14 days",
         "{'op':'within last','left':{'trait':'a'},'right':{'duration':'2 weeks'}}"                                 },
        {"a anniversary in today",
         "{'op':'anniversary in last','left':{'trait':'a'},'right':{'duration':'0 "
         "days'}}"                                                                                                  },
        {"count(\"a b\") = 1",
         "{'op':'=','left':{'call':'COUNT','args':[{'event':'a b'}]},'right':1}"                                    },
        {"count(\"last\") = 1",
         "{'op':'=','left':{'call':'count','args':[{'event':'last','quoted':true}]"
         "},'right':1}"                                                                                             },
        {"count(\"Any\") = 1",
         "{'op':'=','left':{'call':'count','args':[{'event':'Any'}]},'right':1}"                                    },
        {"trait(\"or 1 = 1\") = \"\\\") or (\\\"\"",
         "{'op':'=','left':{'trait':'or 1 = 1'},'right':'\\') or (\\''}"                                            },
        {"a = \"\xc3\xa9\xf0\x9f\x98\x80\"",
         "{'op':'=','left':{'trait':'\\u0061'},'right':'\\u00e9\\uD83D\\ude00'}"                                    },
    };
    /* clang-format on */
    front_case c;

    front_begin(&c, "UTC", "EUR", 2);
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        const char *got = front_from_json(&c, cj__text_of(quoted(pairs[i].json, json)));

        ck_assert_msg(got != NULL, "%s: %s", pairs[i].json, cj__error_text());
        ck_assert_str_eq(got, pairs[i].segment);
    }
    front_end(&c);
}
END_TEST

START_TEST(test_json__errors_of_conditions)
{
    char json[1000];
    /* clang-format off */
    static const pair m[] = {
        {"^",
         "JSON: a value was expected"},
        {"{'and':[^}",
         "JSON: a value was expected"},
        {"{} ^x",
         "JSON: something follows the value"},
        {"^{}",
         "expected a value such as 5, \"text\" or {\"money\": \"200 EUR\"}"},
        {"^null",
         "expected a value such as 5, \"text\" or {\"money\": \"200 EUR\"}"},
        {"^[]",
         "expected a value such as 5, \"text\" or {\"money\": \"200 EUR\"}"},
        {"^5",
         "this is a number, not a condition: compare it, as in `> 3`"},
        {"{'and':^[]}",
         "expected a list of at least one condition"},
        {"{'or':^{}}",
         "expected a list of at least one condition"},
        {"{'and':[{'trait':'a'},^5]}",
         "this is a number, not a condition: compare it, as in `> 3`"},
        {"{'and':[{'trait':'a'}],^'or':[]}",
         "unknown key `or` beside \"and\""},
        {"{'not':{'trait':'a'},^'not':1}",
         "\"not\" stands twice"},
        {"{'op':^'==','left':{'trait':'a'},'right':1}",
         "unknown op ..., did you mean `=`?"},
        {"{'op':^'contians','left':{'trait':'a'},'right':'x'}",
         "unknown op `contians`, did you mean `contains`?"},
        {"{'op':^5,'left':{'trait':'a'},'right':1}",
         "expected a text such as \"=\""},
        {"^{'op':'=','left':{'trait':'a'}}",
         "\"right\" is missing"},
        {"^{'op':'=','right':1}",
         "\"left\" is missing"},
        {"{'op':'=','left':{'trait':'a'},'right':1,^'low':1}",
         "unknown key `low` beside \"op\""},
        {"^{'op':'between','left':{'trait':'a'},'low':1}",
         "\"high\" is missing"},
        {"{'op':'in','left':{'trait':'a'},'list':^[]}",
         "expected a list of at least one value"},
        {"{'op':'in','left':{'trait':'a'},'list':^'x'}",
         "expected a list of at least one value"},
        {"{'op':'in','left':{'trait':'a'},'list':[^{'trait':'b'}]}",
         "expected a value such as 5, \"text\" or {\"money\": \"200 EUR\"}"},
        {"{'op':'like','left':{'trait':'a'},'right':^5}",
         "expected a text in quotes"},
        {"{'op':'on','left':{'trait':'a'},'right':^{'time':'2025-03-01T10:30'}}",
         "expected {\"date\": \"2025-03-01\"}"},
        {"{'op':'within last','left':{'trait':'a'},'right':^5}",
         "expected {\"duration\": \"90 days\"}"},
        {"{'op':'within km of','left':{'trait':'a'},'km':^'5','latitude':1,'longit"
         "ude':2}",
         "expected a number"},
        {"{'op':'within km of','left':{'trait':'a'},'km':5,'latitude':^91,'longitu"
         "de':2}",
         "a latitude is from -90 to 90"},
        {"{'op':'>','left':{'call':'revenue'},'right':^5}",
         "revenue is money: write `5 EUR`"},
        {"{'op':'+','left':{'trait':'a'},'right':^'x'}",
         "only numbers, money and two times can be reckoned with"},
        {"{'negate':^'x'}",
         "only numbers and money have a minus"},
        {"{'op':'=','left':^{'field':'channel'},'right':1}",
         "expected a value such as 5, \"text\" or {\"money\": \"200 EUR\"}"},
        {"{'trait':^5}",
         "expected a trait's name, or its path as a list"},
        {"{'trait':^[]}",
         "expected a trait's name, or its path as a list"},
        {"{'trait':['a',^'b c']}",
         "expected a part of a path: letters, digits and _"},
        {"{'trait':[^'last','b']}",
         "expected a part of a path: letters, digits and _"},
        {"^{'trait':''}",
         "a trait has a name"},
    };
    /* clang-format on */
    front_case c;

    front_begin(&c, "UTC", "EUR", 2);
    for (size_t i = 0; i < sizeof m / sizeof m[0]; i++)
        expect_json_error(&c, quoted(m[i].segment, json), CJ_EINVAL, m[i].json);
    front_end(&c);
}
END_TEST

START_TEST(test_json__errors_of_literals)
{
    char json[1000];
    /* clang-format off */
    static const pair m[] = {
        {"{'op':'=','left':{'trait':'a'},'right':^1e3}",
         "expected a number without an exponent"},
        {"{'op':'=','left':{'trait':'a'},'right':{'money':^200}}",
         "expected a text in quotes"},
        {"{'op':'=','left':{'trait':'a'},'right':{'money':^'200'}}",
         "expected money such as \"200 EUR\""},
        {"{'op':'=','left':{'trait':'a'},'right':{'money':^'5 EUR or b'}}",
         "expected one value, found `or`"},
        {"{'op':'=','left':{'trait':'a'},'right':{'money':^'5.001 EUR'}}",
         "EUR has 2 digits behind the point"},
        {"{'op':'=','left':{'trait':'a'},'right':{'money':^''}}",
         "expected a value such as 5, \"text\" or 2025-03-01, found the end"},
        {"{'op':'=','left':{'trait':'a'},'right':{'percent':^'5'}}",
         "expected a number"},
        {"{'op':'=','left':{'trait':'a'},'right':{'date':^'2025-02-30'}}",
         "there is no such date"},
        {"{'op':'=','left':{'trait':'a'},'right':{'date':^'2025-02-01T10:30'}}",
         "expected a date such as \"2025-03-01\""},
        {"{'op':'=','left':{'trait':'a'},'right':{'time':^'2025-02-01'}}",
         "expected a time such as \"2025-03-01T10:30\""},
        {"{'op':'=','left':{'trait':'a'},'right':{'money':'5 EUR',^'date':1}}",
         "unknown key `date` beside \"money\""},
        {"{'op':'=','left':{'trait':'a'},'right':{'text':^5}}",
         "expected a text in quotes"},
        {"{'op':'=','left':{'trait':'a'},'right':{'text':'x','any_case':^1}}",
         "expected true or false"},
        {"{'op':'=','left':{'trait':'a'},'right':{'duration':^'5 days'}}",
         "a duration compares with nothing: `within last 5 days`?"},
    };
    /* clang-format on */
    front_case c;

    front_begin(&c, "UTC", "EUR", 2);
    for (size_t i = 0; i < sizeof m / sizeof m[0]; i++)
        expect_json_error(&c, quoted(m[i].segment, json), CJ_EINVAL, m[i].json);
    expect_json_error(&c, "{\"money\":^\"5 USD\"}", CJ_ECURRENCY,
                      "this is USD, and the store counts in EUR");
    front_end(&c);
}
END_TEST

START_TEST(test_json__errors_of_calls)
{
    char json[1000];
    /* clang-format off */
    static const pair m[] = {
        {"{'call':^'oders'}",
         "unknown function `oders`, did you mean `orders`?"},
        {"{'call':^5}",
         "expected a function's name"},
        {"{'call':'orders',^'arg':[]}",
         "unknown key `arg` beside \"call\""},
        {"{'call':'orders','args':^{}}",
         "expected a list of arguments"},
        {"{'call':'orders','args':[^1]}",
         "orders takes no more arguments"},
        {"^{'call':'count'}",
         "count needs more \"args\""},
        {"{'call':'sum','args':^[{'field':'value'}]}",
         "sum needs more \"args\""},
        {"{'call':'count','args':[^5]}",
         "\"event\" is missing"},
        {"{'call':'count','args':[{'event':^5}]}",
         "expected an event's name"},
        {"{'call':'count','args':[^{'event':''}]}",
         "an event has a name"},
        {"{'call':'count','args':[{'event':'a',^'name':1}]}",
         "unknown key `name` beside \"event\""},
        {"{'call':'count','args':[{'event':'a',^'within':'1 day'}]}",
         "unknown key `within` beside \"event\""},
        {"{'call':'count','args':[{'event':'a','quoted':^1}]}",
         "expected true or false"},
        {"{'call':'count','args':[{'event':'a','where':^{'trait':'b'}}]}",
         "expected a condition of an event: {\"op\": ...}"},
        {"{'call':'count','args':[{'event':'a','where':{'op':'=','left':^{'trait':"
         "'b'},'right':1}}]}",
         "expected {\"field\": ...} or {\"property\": ...}"},
        {"{'call':'count','args':[{'event':'a','where':{'op':'=','left':{'field':^"
         "'chanel'},'right':1}}]}",
         "unknown field `chanel`, did you mean `channel`?"},
        {"{'call':'count','args':[{'event':'a','where':{'op':'=','left':{'property"
         "':^'a..b'},'right':1}}]}",
         "expected a path such as \"cart.total\" or \"items[].sku\""},
        {"{'call':'count','args':[{'event':'a','where':{'op':'=','left':{'property"
         "':^'a[0]'},'right':1}}]}",
         "expected a path such as \"cart.total\" or \"items[].sku\""},
        {"{'call':'count','args':[{'event':'a','where':^{'op':'before','left':{'pr"
         "operty':'a'},'right':1}}]}",
         "`before` is not for the fields of events"},
        {"{'call':'count','args':[{'event':'a','where':{'op':^'+','left':{'propert"
         "y':'a'},'right':1}}]}",
         "unknown op ..., did you mean `=`?"},
        {"{'call':'sequence','args':[{'steps':^[{'event':'a'}]}]}",
         "expected a list of at least two events"},
        {"{'call':'sequence','args':[{'steps':[{'event':'a','within':^'1 day'},{'e"
         "vent':'b'}]}]}",
         "this step has no time"},
        {"{'call':'sequence','args':[{'steps':[{'event':'a'},{'event':'b','within'"
         ":^'0 days'}]}]}",
         "`within` needs some time"},
        {"{'call':'sequence','args':[{'steps':[{'event':'a'},{'event':'b'}],'same'"
         ":^'value'}]}",
         "expected product, order, session or campaign"},
        {"{'call':'without','args':[{'steps':[{'event':'a'},{'event':'b','within':"
         "^'1 day'}]},{'event':'c'}]}",
         "this step has no time"},
        {"{'call':'regularly','args':[{'event':'a'},{'at_least':^0,'of_last':1,'un"
         "it':'days'}]}",
         "a whole number from 1 to 1000000"},
        {"{'call':'regularly','args':[{'event':'a'},^{'at_least':2,'of_last':1,'un"
         "it':'days'}]}",
         "more periods than there are"},
        {"{'call':'regularly','args':[{'event':'a'},{'at_least':1,'of_last':1,'uni"
         "t':^'hours'}]}",
         "expected days, weeks or months"},
        {"{'call':'stopped','args':[{'event':'a'},^{'duration':'0 days'}]}",
         "this needs some time"},
        {"{'call':'stopped','args':[{'event':'a'},{'duration':'1 day'}],'window':^"
         "'today'}",
         "stopped has no window"},
        {"{'call':'has','args':[^'emial']}",
         "unknown identifier kind `emial`, did you mean `email`?"},
        {"{'call':'in_segment','args':[^{'text':'x','any_case':true}]}",
         "expected a text in quotes"},
        {"{'call':'sample','args':[^10,'x']}",
         "expected {\"percent\": 10}"},
        {"{'call':'bought','args':[['x',^5]]}",
         "products are texts in \"quotes\""},
        {"{'call':'bought','args':[^5]}",
         "expected a product, a list or \"where\""},
        {"{'call':'orders','window':^'tody'}",
         "expected a window such as {\"last\": \"90 days\"}"},
        {"{'call':'orders','window':{'last':^90}}",
         "expected a text in quotes"},
        {"{'call':'orders','window':{'last':^'90'}}",
         "expected a duration such as \"90 days\""},
        {"{'call':'orders','window':{'between':^['9 days']}}",
         "expected two durations, the longer first"},
        {"{'call':'orders','window':^{'from':'2025-01-01'}}",
         "\"to\" is missing"},
        {"{'call':'orders','window':{'since':^'x'}}",
         "expected a value such as 5, \"text\" or 2025-03-01, found `x`"},
        {"{'call':'orders','window':{'since_last':^{'event':'a','where':{'op':'is "
         "known','left':{'field':'hour'}}}}}",
         "expected an event without \"where\""},
    };
    /* clang-format on */
    front_case c;

    front_begin(&c, "UTC", "EUR", 2);
    for (size_t i = 0; i < sizeof m / sizeof m[0]; i++)
        expect_json_error(&c, quoted(m[i].segment, json), CJ_EINVAL, m[i].json);
    front_end(&c);
}
END_TEST

/* ---- identity
 * ---------------------------------------------------------------------------- */

static void expect_same(const cj__seg_node *a, const cj__seg_node *b)
{
    ck_assert_int_eq(a->op, b->op);
    ck_assert_int_eq(a->type, b->type);
    ck_assert_int_eq(a->i, b->i);
    ck_assert_int_eq(a->i2, b->i2);
    ck_assert(memcmp(&a->d, &b->d, sizeof a->d) == 0);
    ck_assert(cj__text_equal(a->text, b->text));
    ck_assert_uint_eq(a->n_kids, b->n_kids);
    for (uint32_t k = 0; k < a->n_kids; k++)
        expect_same(a->kids[k], b->kids[k]);
}

static void put_both(const cj__segment_tree *tree, cj__str *text, cj__str *json)
{
    cj__str_clear(text);
    cj__str_clear(json);
    cj__segment_put(text, tree->root);
    cj__segment_put_json(json, tree->root);
    ck_assert_int_eq(cj__str_status(text), CJ_OK);
    ck_assert_int_eq(cj__str_status(json), CJ_OK);
}

/* text -> tree -> text and text -> tree -> JSON -> tree -> text, trees the same to the
 * last bit, on random segments in any spelling. */
START_TEST(test_json__random_trees_come_back)
{
    cj__str source, text, json;
    uint64_t state = 2025;
    front_case c;

    front_begin(&c, "Europe/Berlin", "EUR", 2);
    cj__str_init(&source, &c.db.cx.allocator, 1 << 20);
    cj__str_init(&text, &c.db.cx.allocator, 1 << 20);
    cj__str_init(&json, &c.db.cx.allocator, 1 << 20);
    for (int round = 0; round < 5000; round++) {
        cj__segment_tree *first, *again, *through;

        cj__str_clear(&source);
        random_segment(&source, &state, 1 + round % 12);
        if (cj__segment_parse(&c.db, (cj__text){source.data, source.n}, &first) !=
            CJ_OK)
            ck_abort_msg("%s: %s", source.data, cj__error_text());
        put_both(first, &text, &json);
        if (cj__segment_parse(&c.db, (cj__text){text.data, text.n}, &again) != CJ_OK)
            ck_abort_msg("%s: %s", text.data, cj__error_text());
        if (cj__segment_from_json(&c.db, (cj__text){json.data, json.n}, &through) !=
            CJ_OK)
            ck_abort_msg("%s: %s", json.data, cj__error_text());
        expect_same(first->root, again->root);
        expect_same(first->root, through->root);
        ck_assert(cj__text_equal(again->source, through->source));
        ck_assert_uint_eq(first->n_nodes, again->n_nodes);
        cj__segment_free(&c.db, first);
        cj__segment_free(&c.db, again);
        cj__segment_free(&c.db, through);
    }
    cj__str_end(&source);
    cj__str_end(&text);
    cj__str_end(&json);
    front_end(&c);
}
END_TEST

/* JSON with a byte changed: an error with a place, or a tree that comes back. */
START_TEST(test_json__damaged_json)
{
    static const char bytes[] = "{}[]\",:0-a.e \\n";
    uint64_t state = 7;
    front_case c;
    cj__str source;

    front_begin(&c, "UTC", "EUR", 2);
    cj__str_init(&source, &c.db.cx.allocator, 1 << 20);
    for (int round = 0; round < 3000; round++) {
        char *json;
        size_t n;

        cj__str_clear(&source);
        random_segment(&source, &state, 3);
        json = strdup(front_json(&c, (cj__text){source.data, source.n}));
        n = strlen(json);
        state = state * 6364136223846793005u + 1442695040888963407u;
        json[(state >> 20) % n] = bytes[(state >> 50) % (sizeof bytes - 1)];
        if (front_from_json(&c, (cj__text){json, n}) == NULL) {
            ck_assert_int_ge(cj__error_position(), 0);
            ck_assert_int_le(cj__error_position(), (int64_t)n);
        }
        free(json);
    }
    cj__str_end(&source);
    front_end(&c);
}
END_TEST

/* Values with their places, whatever the blanks. */
START_TEST(test_json__values)
{
    static const char text[] = " { \"a\" : [ 1 , true,null ] , \"b\\n\" : {} }";
    const cj__json_value *a, *b;
    cj__json_value *root;
    cj__arena arena;
    cj__ctx cx;

    cj__ctx_init(&cx, NULL, NULL, NULL, NULL, NULL, NULL);
    cj__arena_init(&arena, &cx.allocator);
    ck_assert_int_eq(cj__json_values(&arena, cj__text_of(text), &root), CJ_OK);
    ck_assert_int_eq(root->kind, CJ__JSON_OBJECT);
    ck_assert_uint_eq(root->begin, 1);
    ck_assert_uint_eq(root->n, 2);
    a = cj__json_get(root, "a");
    ck_assert_int_eq(a->kind, CJ__JSON_ARRAY);
    ck_assert_uint_eq(a->begin, 9);
    ck_assert_uint_eq(a->n, 3);
    ck_assert_int_eq(a->first->kind, CJ__JSON_NUMBER);
    ck_assert_int_eq(a->first->next->kind, CJ__JSON_TRUE);
    ck_assert_int_eq(a->first->next->next->kind, CJ__JSON_NULL);
    ck_assert_ptr_null(a->first->next->next->next);
    b = cj__json_get(root, "b\n");
    ck_assert_int_eq(b->kind, CJ__JSON_OBJECT);
    ck_assert_uint_eq(b->name_begin, 29);
    ck_assert_uint_eq(b->n, 0);
    ck_assert_ptr_null(cj__json_get(root, "c"));
    ck_assert_ptr_null(cj__json_get(a, "a"));
    cj__arena_end(&arena);
}
END_TEST

HARNESS_MAIN("segment_json", test_json__shapes, test_json__read_otherwise,
             test_json__errors_of_conditions, test_json__errors_of_literals,
             test_json__errors_of_calls, test_json__random_trees_come_back,
             test_json__damaged_json, test_json__values)
