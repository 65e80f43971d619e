/* What is wrong with a segment is said with its byte, what was expected there, and what
 * was probably meant.  "^" marks the byte. */
#include "base/nearest.h"
#include "harness.h"
#include "segment_front.h"

#include <string.h>

typedef struct mistake {
    const char *segment, *message;
} mistake;

static void expect_mistakes(const mistake *m, size_t n)
{
    front_case c;

    front_begin(&c, "Europe/Berlin", "EUR", 2);
    for (size_t i = 0; i < n; i++) {
        ck_assert_msg(strlen(m[i].message) <= 100, "%s", m[i].message);
        expect_error(&c, m[i].segment, CJ_EINVAL, m[i].message);
    }
    front_end(&c);
}

#define EXPECT_MISTAKES(m) expect_mistakes(m, sizeof(m) / sizeof(m)[0])

START_TEST(test_error__characters)
{
    static const mistake m[] = {
        {"a = ^'x'",                       "unexpected ': write `\"`"                   },
        {"a = ^\xe2\x80\x9cx\xe2\x80\x9d", "unexpected \xe2\x80\x9c: write `\"`"        },
        {"a ^== 1",                        "unexpected ==: write `=`"                   },
        {"a ^<> 1",                        "unexpected <>: write `!=`"                  },
        {"a ^=> 1",                        "unexpected =>: write `>=`"                  },
        {"a = 1 ^&& b = 1",                "unexpected &&: write `and`"                 },
        {"a = 1 ^|| b = 1",                "unexpected ||: write `or`"                  },
        {"^!a",                            "unexpected !: write `not`"                  },
        {"a ^\xe2\x89\xa5 1",              "unexpected \xe2\x89\xa5: write `>=`"        },
        {"revenue() > 5^\xe2\x82\xac",     "unexpected \xe2\x82\xac: write `200 EUR`"   },
        {"^\xc3\xa4ge = 1",
         "unexpected character: texts and names of your own stand in \"quotes\""        },
        {"a = 1^;",
         "unexpected character: texts and names of your own stand in \"quotes\""        },
        {"a = ^\xff",                      "this is not UTF-8"                          },
        {"a = \"\xc3\xa9^\xc3\"",          "this is not UTF-8"                          },
        {"a = 5^km",                       "a blank belongs between a number and a word"},
        {"orders(last 90^days) = 0",       "a blank belongs between a number and a word"},
        {"a = 2025-03-01^x",               "a blank belongs between a date and a word"  },
        {"a = ^2025-3-1",                  "a date is written as 2025-03-01"            },
        {"a = ^2025-03-1",                 "a date is written as 2025-03-01"            },
    };

    EXPECT_MISTAKES(m);
}
END_TEST

START_TEST(test_error__texts)
{
    static const mistake m[] = {
        {"a = ^\"x",                "this text has no closing quote"                  },
        {"a = ^\"x\ny\"",           "this text has no closing quote"                  },
        {"a = ^\"x\\\"",            "this text has no closing quote"                  },
        {"a = \"x^\ty\"",           "a control character in a text is written \\u0009"},
        {"a = \"x^\\q\"",
         "no such escape: only quote, backslash, n, t, and u with four digits"        },
        {"a = \"x^\\u12g4\"",       "\\u needs four hexadecimal digits"               },
        {"a = \"x^\\u12\"",         "\\u needs four hexadecimal digits"               },
        {"a = \"x^\\u0000\"",       "\\u0000 is not accepted in a text"               },
        {"a = \"^\\ud800x\"",       "half of a surrogate pair"                        },
        {"a = \"^\\ud800\\u0041\"", "half of a surrogate pair"                        },
        {"a = \"^\\udc00\\ud800\"", "half of a surrogate pair"                        },
    };

    EXPECT_MISTAKES(m);
}
END_TEST

START_TEST(test_error__what_was_expected)
{
    static const mistake m[] = {
        {"^",                        "expected a condition or value, found the end"                 },
        {"  -- nothing^",            "expected a condition or value, found the end"                 },
        {"a = ^",                    "expected a condition or value, found the end"                 },
        {"a and ^",                  "expected a condition or value, found the end"                 },
        {"^and a",                   "expected a condition or value, found `and`"                   },
        {"a and ^or b",              "expected a condition or value, found `or`"                    },
        {"a = ^)",                   "expected a condition or value, found `)`"                     },
        {"^in (1)",                  "expected a value, found `in`"                                 },
        {"(a = 1^",                  "expected `)`, found the end"                                  },
        {"(a = 1 ^b = 2)",           "expected `)`, found `b`"                                      },
        {"a = 1^)",                  "expected a comparison, `and`, `or` or the end, found `)`"     },
        {"a ^b",                     "expected a comparison, `and`, `or` or the end, found `b`"     },
        {"a = 1 ^= 1",               "expected a comparison, `and`, `or` or the end, found `=`"     },
        {"a = 1 ^\"x\"",             "expected a comparison, `and`, `or` or the end, found a text"  },
        {"a = 1 ^5.25",              "expected a comparison, `and`, `or` or the end, found `5.25`"  },
        {"a not ^= 1",
         "expected `between`, `in`, `contains`, `starts`, `ends` or `like`, found `=`"              },
        {"a between 1 ^or 2",        "expected `and`, found `or`"                                   },
        {"a in ^1",                  "expected a list such as (\"DE\", \"AT\"), found `1`"          },
        {"a in (^)",                 "expected a value such as 5, \"text\" or 2025-03-01, found `)`"},
        {"a in (1 ^2)",              "expected `,` or `)`, found `2`"                               },
        {"a in (^b)",                "expected a value such as 5, \"text\" or 2025-03-01, found `b`"},
        {"a in (-^\"x\")",           "expected a number, found a text"                              },
        {"a contains ^5",            "expected a text in \"quotes\", found `5`"                     },
        {"a starts ^\"x\"",          "expected `with`, found a text"                                },
        {"a like ^b",                "expected a text in \"quotes\", found `b`"                     },
        {"a has ^(1)",               "expected `any of`, `all of` or `none of`, found `(`"          },
        {"a has any ^(1)",           "expected `of`, found `(`"                                     },
        {"a is ^5",
         "expected missing, known, true, false or empty (else write `=`), found "
         "`5`"                                                                                      },
        {"a on ^\"2025-03-01\"",     "expected a date such as 2025-03-01, found a text"             },
        {"a on ^2025-03-01T10:30",   "expected a date such as 2025-03-01, found "
                                   "`2025-03-01T10:30`"           },
        {"a within ^b",
         "expected `last`, `next` or a distance such as `5 km`, found `b`"                          },
        {"a within last ^b",         "expected a duration such as `90 days`, found `b`"             },
        {"a within 5 ^of (1, 2)",    "expected `km`, found `of`"                                    },
        {"a within 5 km of ^1, 2",   "expected `(`, found `1`"                                      },
        {"a within 5 km of (1 ^2)",  "expected `,`, found `2`"                                      },
        {"a within 5 km of (1, ^x)", "expected a number, found `x`"                                 },
        {"a anniversary ^today",     "expected `in`, found `today`"                                 },
        {"a anniversary in ^5 days", "expected `today`, `next` or `last`, found `5`"                },
        {"a in ^last 7 days",        "write `within last` or `anniversary in last`"                 },
        {"(1^, 2) = 1",              "a list stands behind `in` or `has any of`"                    },
        {"a.^1 = 2",                 "expected a name behind the dot, found `1`"                    },
        {"a^ .b = 2",                "a path has no blanks in it"                                   },
        {"a.^ b = 2",                "a path has no blanks in it"                                   },
        {"trait(^x) = 1",            "expected the trait's name in \"quotes\", found `x`"           },
        {"trait(^i\"x\") = 1",       "expected the trait's name in \"quotes\", found a text"        },
        {"^trait(\"\") = 1",         "a trait has a name"                                           },
    };

    EXPECT_MISTAKES(m);
}
END_TEST

START_TEST(test_error__what_was_meant)
{
    static const mistake m[] = {
        {"^oders() > 1",                         "unknown function `oders`, did you mean `orders`?"      },
        {"^revenu(today) > 1 EUR",
         "unknown function `revenu`, did you mean `revenue`?"                                            },
        {"^frobnicate() > 1",                    "unknown function `frobnicate`"                         },
        {"^_x() > 1",                            "unknown function ..."                                  },
        {"a = 1 ^adn b = 2",                     "unknown word `adn`, did you mean `and`?"               },
        {"a ^contians \"x\"",                    "unknown word `contians`, did you mean `contains`?"     },
        {"a ^betwen 1 and 2",                    "unknown word `betwen`, did you mean `between`?"        },
        {"a is ^mising",                         "unknown word `mising`, did you mean `missing`?"        },
        {"a starts ^wiht \"x\"",                 "unknown word `wiht`, did you mean `with`?"             },
        {"orders(^lst 90 days) = 0",             "unknown word `lst`, did you mean `last`?"              },
        {"orders(^yesterdy) = 0",                "unknown word `yesterdy`, did you mean `yesterday`?"    },
        {"orders(last 90 ^dyas) = 0",            "unknown unit `dyas`, did you mean `days`?"             },
        {"orders(last 90 ^d) = 0",               "unknown unit `d`"                                      },
        {"orders(last 3 ^months) = 0",
         "months, quarters and years differ in length: write days"                                       },
        {"count(a where ^chanel = \"web\") = 1",
         "unknown field `chanel`, did you mean `channel`?"                                               },
        {"count(a where ^size = \"M\") = 1",     "unknown field `size`"                                  },
        {"sum(^valu, a) > 1 EUR",                "unknown field `valu`, did you mean `value`?"           },
        {"has(^emial)",                          "unknown identifier kind `emial`, did you mean `email`?"},
        {"has(^device)",                         "unknown identifier kind `device`"                      },
        {"stage(^purchse)",                      "unknown stage `purchse`, did you mean `purchase`?"     },
        {"sequence(a -> b, same ^prodct)",
         "unknown field to stay the same `prodct`, did you mean `product`?"                              },
        {"regularly(a, 1 of last 2 ^wekks)",
         "unknown period `wekks`, did you mean `weeks`?"                                                 },
    };

    EXPECT_MISTAKES(m);
}
END_TEST

START_TEST(test_error__units)
{
    static const mistake m[] = {
        {"revenue() > ^200",                      "revenue is money: write `200 EUR`"                       },
        {"^200 < revenue()",                      "revenue is money: write `200 EUR`"                       },
        {"revenue() between 1 EUR and ^5",        "revenue is money: write `5 EUR`"                         },
        {"revenue() in (1 EUR, ^-2.50)",          "revenue is money: write `-2.5 EUR`"                      },
        {"revenue() > ^\"x\"",                    "revenue is money and does not compare with a text"       },
        {"revenue() > ^orders()",
         "revenue is money and does not compare with a number"                                              },
        {"count(a where value > ^5) = 1",         "value is money: write `5 EUR`"                           },
        {"count(a where quantity > ^5 EUR) = 1",  "quantity is a number: write `5`"                         },
        {"count(a where channel = ^5) = 1",       "channel is a text: write `\"5\"`"                        },
        {"count(a where weekend = ^1) = 1",
         "weekend is true or false and does not compare with a number"                                      },
        {"orders() > ^5 EUR",                     "orders is a number: write `5`"                           },
        {"orders() > ^5.50 EUR",                  "orders is a number and does not compare with money"      },
        {"orders() = ^\"5\"",                     "orders is a number and does not compare with a text"     },
        {"days_since(last order) > ^30 days",     "days_since is a number: write `30`"                      },
        {"days_since(last order) > ^36 hours",
         "days_since is a number and does not compare with a duration"                                      },
        {"hours_since(last order) > ^2 days",     "hours_since is a number: write `48`"                     },
        {"orders() > ^30 days",
         "orders is a number and does not compare with a duration"                                          },
        {"last(order) > ^\"2025-03-01\"",         "last is a time: write `2025-03-01` without "
                                          "quotes"                 },
        {"last(order) > ^30 days",                "last is a time: write `within last 30 days`"             },
        {"last(order) > ^5",                      "last is a time and does not compare with a number"       },
        {"a > ^30 days",                          "a duration compares with nothing: `within last 30 days`?"},
        {"^30 days < a",                          "a duration compares with nothing: `within last 30 days`?"},
        {"channel_share(web) > ^50",              "50 is not a share: write `50 %`"                         },
        {"channel_share(web) between 0 and ^5",   "5 is not a share: write `5 %`"                           },
        {"sample(^10, \"x\")",                    "10 is not a share: write `10 %`"                         },
        {"sample(^x, \"x\")",                     "expected a share such as `10 %`, found `x`"              },
        {"revenue() > 200 ^eur",                  "currencies are written in capitals: `200 EUR`"           },
        {"revenue() > ^200.555 EUR",              "EUR has 2 digits behind the point"                       },
        {"revenue() > ^99999999999999999999 EUR",
         "this is more money than can be counted"                                                           },
        {"bought(\"x\") = ^1",
         "bought is true or false and does not compare with a number"                                       },
        {"bought(\"x\") > ^true",                 "true and false have no order"                            },
        {"(a = 1) < (^b = 1)",                    "true and false have no order"                            },
    };
    front_case c;

    EXPECT_MISTAKES(m);
    front_begin(&c, "UTC", "EUR", 2);
    expect_error(&c, "revenue() > ^200 USD", CJ_ECURRENCY,
                 "this is USD, and the store counts in EUR");
    expect_error(&c, "a in (1, ^5 GBP)", CJ_ECURRENCY,
                 "this is GBP, and the store counts in EUR");
    front_end(&c);
}
END_TEST

START_TEST(test_error__types)
{
    static const mistake m[] = {
        {"^orders()",                           "orders is a number, not a condition: compare it, as in `> 3`"   },
        {"^revenue() and a",
         "revenue is money, not a condition: compare it, as in `> 200 EUR`"                                      },
        {"a or ^last(order)",
         "last is a time, not a condition: compare it, as in `within last 30 days`"                              },
        {"not ^top_channel()",
         "top_channel is a text, not a condition: compare it, as in `= \"text\"`"                                },
        {"^\"x\"",                              "this is a text, not a condition: compare it, as in `= \"text\"`"},
        {"^5 + a",                              "this is a number, not a condition: compare it, as in `> 3`"     },
        {"^orders() contains \"x\"",            "`contains` needs a text, and orders is a number"                },
        {"^orders() like \"x\"",                "`like` needs a text, and orders is a number"                    },
        {"^orders() is true",                   "`is true` needs true or false, and orders is a number"          },
        {"^orders() is empty",
         "`is empty` needs a text or list, and orders is a number"                                               },
        {"^5 days is missing",                  "`is missing` needs a value, and this is a duration"             },
        {"^orders() before 2025-01-01",
         "`before` needs a time, and orders is a number"                                                         },
        {"a before ^5",                         "`before` needs a time such as 2025-03-01"                       },
        {"a after ^\"2025-01-01\"",             "`after` needs a time such as 2025-03-01"                        },
        {"^orders() within last 5 days",        "`within last` needs a time, and orders is a "
                                         "number"                        },
        {"^revenue() on 2025-01-01",            "`on` needs a time, and revenue is money"                        },
        {"^top_channel() anniversary in today",
         "`anniversary in next` needs a time, and top_channel is a text"                                         },
        {"a anniversary in next ^36 hours",
         "anniversaries are whole days: write days or weeks"                                                     },
        {"^orders() within 5 km of (1, 2)",
         "`within km of` needs a place, and orders is a number"                                                  },
        {"a within ^-1 km of (1, 2)",
         "expected `last`, `next` or a distance such as `5 "
         "km`, found `-`"                                                                                        },
        {"a within ^21001 km of (1, 2)",        "a distance is from 0 to 21000 km"                               },
        {"a within 5 km of (^90.5, 2)",         "a latitude is from -90 to 90"                                   },
        {"a within 5 km of (1, ^-180.5)",       "a longitude is from -180 to 180"                                },
        {"^\"x\" + 1 > 1",                      "only numbers, money and two times can be reckoned with"         },
        {"^last(a) + last(b) > 1",
         "only numbers, money and two times can be reckoned with"                                                },
        {"a - ^true > 1",                       "only numbers, money and two times can be reckoned with"         },
        {"revenue() + ^5 > 1 EUR",
         "money and a number do not add up: give it a currency"                                                  },
        {"revenue() * ^revenue() > 1",          "money times money is nothing"                                   },
        {"5 / ^revenue() > 1",                  "a number cannot be divided by money"                            },
        {"^last(a) * 2 > 1",                    "only numbers and money can be multiplied and divided"           },
        {"-^\"x\" = a",                         "only numbers and money have a minus"                            },
        {"a = ^-5 days",                        "a duration has no minus"                                        },
        {"a in (^-5 days)",                     "a duration has no minus"                                        },
        {"a in (^5 days)",                      "a duration compares with nothing: `within last 5 days`?"        },
        {"days_since(^5) > 1",                  "days_since needs a time, such as last(order)"                   },
        {"days_since(^orders()) > 1",           "days_since needs a time, such as last(order)"                   },
        {"a = ^2025-02-30",                     "there is no such date"                                          },
        {"a = ^2025-03-01T25:00",
         "no such time: write 2025-03-01T10:30, +01:00 if not local"                                             },
        {"a = ^2025-03-01T",
         "no such time: write 2025-03-01T10:30, +01:00 if not local"                                             },
    };

    EXPECT_MISTAKES(m);
}
END_TEST

START_TEST(test_error__filters)
{
    static const mistake m[] = {
        {"count(a where ^) = 1",
         "expected a field such as channel or properties.size, found `)`"                           },
        {"count(a where ^last = 1) = 1",
         "expected a field such as channel or properties.size, found `last`"                        },
        {"count(a where channel^) = 1",
         "expected a comparison such as `= \"text\"`, found `)`"                                    },
        {"count(a where properties.x^) = 1",
         "expected a comparison such as `= \"text\"`, found `)`"                                    },
        {"count(a where ^properties = 1) = 1",                  "name the property: properties.size"},
        {"count(a where properties.x[^1] = 1) = 1",             "expected `]`, found `1`"           },
        {"count(a where properties.x[^ ] = 1) = 1",             "a path has no blanks in it"        },
        {"count(a where properties.x^ [] = 1) = 1",             "a path has no blanks in it"        },
        {"count(a where properties.^-- x\nx = 1) = 1",          "a path has no blanks in it"        },
        {"count(a where channel = ^b) = 1",
         "expected a value such as 5, \"text\" or 2025-03-01, found `b`"                            },
        {"count(a where quantity > ^(1)) = 1",
         "expected a value such as 5, \"text\" or 2025-03-01, found `(`"                            },
        {"count(a where properties.x ^before 2025-01-01) = 1",
         "`before` is not for the fields of events"                                                 },
        {"count(a where properties.x ^has any of (1)) = 1",
         "`has any of` is not for the fields of events"                                             },
        {"count(a where properties.x ^is empty) = 1",
         "`is empty` is not for the fields of events"                                               },
        {"count(a where properties.x ^within last 5 days) = 1",
         "expected a comparison such as `= \"text\"`, found `within`"                               },
        {"count(a where ^session < \"x\") = 1",
         "session is kept as a key: it is only =, !=, in, missing or known"                         },
        {"count(a where ^order like \"x\") = 1",
         "order is kept as a key: it is only =, !=, in, missing or known"                           },
        {"count(a where session = ^i\"x\") = 1",
         "session is kept as a key: write it without i"                                             },
        {"count(a where order in (\"x\", ^i\"y\")) = 1",
         "order is kept as a key: write it without i"                                               },
        {"count(a where (channel = \"x\" ^= 1",                 "expected `)`, found `=`"           },
    };

    EXPECT_MISTAKES(m);
}
END_TEST

START_TEST(test_error__arguments)
{
    static const mistake m[] = {
        {"count(^) > 1",                           "expected an event's name or `any`, found `)`"       },
        {"count(^last 5 days) > 1",                "expected an event's name or `any`, found `last`"    },
        {"count(^5) > 1",                          "expected an event's name or `any`, found `5`"       },
        {"count(^i\"a\") > 1",                     "names of events are exact: write it without i"      },
        {"count(^\"\") > 1",                       "an event has a name"                                },
        {"count(a ^b) > 1",                        "expected `,` or `)`, found `b`"                     },
        {"count(a, ^b) > 1",                       "expected a window such as `last 90 days`, found `b`"},
        {"count(a, ^90 days) > 1",
         "expected a window such as `last 90 days`, found `90`"                                         },
        {"count(a, today^, today) > 1",            "expected `)`, found `,`"                            },
        {"count(a^",                               "expected `,` or `)`, found the end"                 },
        {"sum(value^) > 1 EUR",                    "expected `,` and more, found `)`"                   },
        {"sum(^a, b) > 1",                         "unknown field `a`"                                  },
        {"sum(^channel, a) > 1",
         "sum does not take channel: value, quantity or a property"                                     },
        {"distinct(^value, a) > 1",
         "distinct does not take value: channel, product, ... or a property"                            },
        {"first_value(^order, a) = \"x\"",
         "first_value does not take order: all but session and order"                                   },
        {"sum(^properties.x[], a) > 1",            "a path with [] is for filters only"                 },
        {"share(a^, b) > 1",                       "expected `of`, found `,`"                           },
        {"sequence(a^)",                           "expected `->` and the next event, found `)`"        },
        {"sequence(a ^within 5 days -> b)",
         "expected `->` and the next event, found `within`"                                             },
        {"sequence(a -> b within ^0 days)",        "`within` needs some time"                           },
        {"sequence(a -> b, same ^5)",
         "expected product, order, session or campaign, found "
         "`5`"                                                                                          },
        {"not_followed(a ^-> b)",                  "expected `by`, found `->`"                          },
        {"not_followed(a by b^)",                  "expected `within`, found `)`"                       },
        {"without(a -> b^)",                       "expected `,` and more, found `)`"                   },
        {"without(a -> b ^within 5 days, c)",      "expected `,` or `)`, found `within`"                },
        {"without(a -> b ^-> c, d)",               "expected `,` or `)`, found `->`"                    },
        {"regularly(a, ^x)",
         "expected a whole number: `3 of last 6 months`, found `x`"                                     },
        {"regularly(a, ^0 of last 3 days)",        "a whole number from 1 to 1000000"                   },
        {"regularly(a, ^1.5 of last 3 days)",      "a whole number from 1 to 1000000"                   },
        {"regularly(a, 1 of last ^1000001 days)",  "a whole number from 1 to 1000000"                   },
        {"regularly(a, ^3 of last 2 days)",        "more periods than there are"                        },
        {"regularly(a, 1 of ^2 days)",             "expected `last`, found `2`"                         },
        {"stopped(a, ^0 days)",                    "this needs some time"                               },
        {"stopped(a, 5^)",
         "expected seconds, minutes, hours, days or weeks, found `)`"                                   },
        {"stopped(a, 5 days^, today)",             "expected `)`, found `,`"                            },
        {"overdue(a, ^b)",                         "expected a number, found `b`"                       },
        {"bought(^x)",
         "expected a product in \"quotes\", a list or `where`, found `x`"                               },
        {"bought((\"x\", ^5))",                    "products are texts in \"quotes\""                   },
        {"bought(\"x\", ^\"y\")",
         "expected a window such as `last 90 days`, found a text"                                       },
        {"in_segment(^i\"x\")",                    "this name is exact: write it without i"             },
        {"in_segment(^x)",                         "expected a text in \"quotes\", found `x`"           },
        {"score(^x) > 1",                          "expected a text in \"quotes\", found `x`"           },
        {"channel_share(^5) > 1 %",                "expected a channel, found `5`"                      },
        {"has(^\"email\")",                        "expected identifier kind, found a text"             },
        {"source(^\"x\") = \"y\"",                 "expected a trait's name, found a text"              },
        {"source(^orders()) = \"y\"",              "this must be a trait's name"                        },
        {"orders(this ^day) = 1",                  "expected `week`, `month` or `year`, found `day`"    },
        {"orders(since ^x) = 1",                   "expected a date such as 2025-03-01, found `x`"      },
        {"orders(since last ^5) = 1",              "expected an event's name or `any`, found `5`"       },
        {"orders(from 2025-01-01^) = 1",           "expected `to`, found `)`"                           },
        {"orders(between 5 days and 2 days^) = 1", "expected `ago`, found `)`"                          },
        {"orders(between 5 ^and 2 ago) = 1",
         "expected seconds, minutes, hours, days or weeks, found `and`"                                 },
        {"orders(last ^1.5 days) = 1",             "a duration is a whole number"                       },
        {"shared_device(^today)",                  "expected `)`, found `today`"                        },
    };

    EXPECT_MISTAKES(m);
}
END_TEST

/* Names of customers do not get into a message. */
START_TEST(test_error__says_nothing_private)
{
    static const mistake m[] = {
        {"a = 1 "
         "^ann_miller_has_a_very_long_name_that_is_no_word_of_the_language_at_all", "expected a comparison, `and`, `or` or the end, found ..."},
        {"a = 1 ^\"ann@example.org\"",
         "expected a comparison, `and`, `or` or the end, found a text"                                                                                 },
        {"a = 1 ^49170123456789012345678901234567890",
         "expected a comparison, `and`, `or` or the end, found "
         "`491701234567890123456789012345`"                                                                                                            },
    };

    EXPECT_MISTAKES(m);
}
END_TEST

HARNESS_MAIN("segment_error", test_error__characters, test_error__texts,
             test_error__what_was_expected, test_error__what_was_meant,
             test_error__units, test_error__types, test_error__filters,
             test_error__arguments, test_error__says_nothing_private)
