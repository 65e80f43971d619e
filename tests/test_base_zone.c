/* Zones against Python's zoneinfo, which reads the same files; fixed expectations for
 * what shops meet each year; files from strangers. */
#include "base_memory.h"

#include "base/time.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static cj__ctx cx;

static cj__zone *zone_of(const char *name)
{
    cj__zone *zone = NULL;

    cj__ctx_init(&cx, NULL, NULL, NULL, NULL, NULL, NULL);
    ck_assert_msg(cj__zone_open(&cx.allocator, name, &zone) == CJ_OK, "%s: %s", name,
                  cj__error_text());
    return zone;
}

/* ---- zones ---------------------------------------------------------------------- */

/* zoneinfo answers for both directions: 'u' instant offset, 'w' wall instant; around
 * every change of the offset, and at odd times of 250 years.  fold is 0, as ours. */
static const char zone_oracle[] =
    "import sys, random, datetime as D, zoneinfo as Z\n"
    "E = D.datetime(1970, 1, 1); U = D.timezone.utc; S = D.timedelta(seconds=1)\n"
    "z = Z.ZoneInfo(sys.argv[1]); r = random.Random(1)\n"
    "def off(t): return (E + t * S).replace(tzinfo=U).astimezone(z).utcoffset() // S\n"
    "def wall(t): return (E + t * S).replace(tzinfo=z).astimezone(U)\n"
    "lo, hi = -4260211200, 4765132800\n"
    "ts = [r.randrange(lo, hi) for _ in range(3000)]\n"
    "t = lo; a = off(t)\n"
    "while t < hi:\n"
    "    n = t + 5 * 86400; b = off(n)\n"
    "    if a != b:\n"
    "        p, q = t, n\n"
    "        while q - p > 1:\n"
    "            m = (p + q) // 2\n"
    "            if off(m) == a: p = m\n"
    "            else: q = m\n"
    "        for d in (-90000, -7200, -3601, -1800, -1, 0, 1, 1800, 3600, 7201, "
    "90000):\n"
    "            ts.append(q + d)\n"
    "    t, a = n, b\n"
    "for t in ts:\n"
    "    print('u', t, off(t))\n"
    "    for o in (0, a, off(t)):\n"
    "        w = t + o\n"
    "        print('w', w, (wall(w).replace(tzinfo=None) - E) // S)\n";

static void write_file(const char *path, const void *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");

    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(bytes, 1, n, f), n);
    ck_assert_int_eq(fclose(f), 0);
}

static int64_t compare_with_oracle(const char *name, const char *script)
{
    cj__zone *zone = zone_of(name);
    char command[512], kind;
    int64_t at, expected, lines = 0;
    FILE *pipe;

    snprintf(command, sizeof command, "/usr/bin/python3 -I %s %s", script, name);
    pipe = popen(command, "r");
    ck_assert_ptr_nonnull(pipe);
    while (fscanf(pipe, " %c %" SCNd64 " %" SCNd64, &kind, &at, &expected) == 3) {
        int64_t got = kind == 'u' ? cj__zone_offset_ms(zone, at * 1000)
                                  : cj__zone_to_utc(zone, at * 1000);

        ck_assert_msg(got == expected * 1000,
                      "%s %c %" PRId64 ": %" PRId64 ", not %" PRId64, name, kind, at,
                      got / 1000, expected);
        lines++;
    }
    ck_assert_int_eq(pclose(pipe), 0);
    cj__zone_end(zone);
    return lines;
}

START_TEST(test_zone__agrees_with_zoneinfo)
{
    static const char *const names[] = {
        "Europe/London",       "Europe/Berlin",     "America/New_York",
        "Asia/Kolkata",        "Pacific/Apia",      "Europe/Dublin",
        "Australia/Lord_Howe", "Africa/Casablanca", "America/Sao_Paulo",
        "America/Havana",      "Asia/Tehran",       "Pacific/Chatham",
        "America/Nuuk",        "America/Toronto",   "EST5EDT",
        "Etc/GMT+5",
    };
    char script[] = "/tmp/cj_zone_oracle_XXXXXX";
    int fd;

    if (access("/usr/bin/python3", X_OK) != 0)
        return; /* the fixed expectations below remain */
    fd = mkstemp(script);
    ck_assert_int_ge(fd, 0);
    close(fd);
    write_file(script, zone_oracle, sizeof zone_oracle - 1);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        ck_assert_int_gt(compare_with_oracle(names[i], script), 10000);
    unlink(script);
}
END_TEST

static int64_t instant(const char *text)
{
    cj__zone *utc = zone_of("UTC");
    int64_t ms = -1;

    ck_assert_msg(cj__time_parse(text, strlen(text), utc, &ms) == 0, "%s", text);
    cj__zone_end(utc);
    return ms;
}

/* Wall times that shops meet once a year, and one that Samoa met once. */
START_TEST(test_zone_to_utc__gaps_and_overlaps)
{
    static const struct {
        const char *zone, *wall, *utc;
    } rows[] = {
        {"UTC",                 "2024-03-31T01:30:00", "2024-03-31T01:30:00"},
        {"Europe/London",       "2011-12-09T12:50:00", "2011-12-09T12:50:00"},
        {"Europe/London",       "2011-07-01T12:00:00", "2011-07-01T11:00:00"},
        {"Europe/London",       "2011-03-27T01:30:00", "2011-03-27T01:30:00"}, /* gap */
        {"Europe/London",       "2011-10-30T01:30:00", "2011-10-30T00:30:00"}, /* overlap */
        {"Europe/Berlin",       "2024-03-31T02:00:00", "2024-03-31T01:00:00"},
        {"Europe/Berlin",       "2024-10-27T02:59:59", "2024-10-27T00:59:59"},
        {"Europe/Berlin",       "2024-10-27T03:00:00", "2024-10-27T02:00:00"},
        {"America/New_York",    "2007-03-11T02:30:00", "2007-03-11T07:30:00"},
        {"America/New_York",    "2007-11-04T01:30:00", "2007-11-04T05:30:00"},
        {"Asia/Kolkata",        "2020-01-01T00:00:00", "2019-12-31T18:30:00"},
        {"Pacific/Apia",        "2011-12-30T12:00:00", "2011-12-30T22:00:00"},
        {"Pacific/Apia",        "2011-12-31T00:00:00", "2011-12-30T10:00:00"},
        {"Australia/Lord_Howe", "2020-10-04T02:15:00", "2020-10-03T15:45:00"},
        {"Australia/Lord_Howe", "2020-04-05T01:45:00", "2020-04-04T14:45:00"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cj__zone *zone = zone_of(rows[i].zone);
        char got[25], expected[25];

        cj__time_format(cj__zone_to_utc(zone, instant(rows[i].wall)), got);
        cj__time_format(instant(rows[i].utc), expected);
        ck_assert_str_eq(got, expected);
        cj__zone_end(zone);
    }
}
END_TEST

/* The first instant of a date, from the definition: the date before it is another one.
 */
START_TEST(test_zone_day_start__is_the_first_instant_of_the_date)
{
    static const struct {
        const char *zone;
        int64_t year;
        int64_t skipped; /* a date that never was */
    } rows[] = {
        {"Europe/London",       2011, 0    },
        {"America/New_York",    2024, 0    },
        {"America/Havana",      2010, 0    },
        {"America/Sao_Paulo",   2017, 0    },
        {"Asia/Beirut",         2019, 0    },
        {"Australia/Lord_Howe", 2030, 0    },
        {"America/Toronto",     1919, 0    },
        {"Pacific/Apia",        2011, 15338},
        {"Asia/Kolkata",        2050, 0    },
        {"America/Asuncion",    2015, 0    },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cj__zone *zone = zone_of(rows[i].zone);
        int64_t first = cj__civil_to_day(rows[i].year, 1, 1);

        for (int64_t day = first; day < first + 366; day++) {
            int64_t start = cj__zone_day_start(zone, day);

            if (day == rows[i].skipped) {
                ck_assert_int_eq(start, cj__zone_day_start(zone, day + 1));
                continue;
            }
            ck_assert_msg(cj__zone_day(zone, start) == day, "%s %" PRId64, rows[i].zone,
                          day);
            ck_assert_msg(cj__zone_day(zone, start - 1) < day, "%s %" PRId64,
                          rows[i].zone, day);
        }
        cj__zone_end(zone);
    }
}
END_TEST

START_TEST(test_zone_day__before_1970_and_far_ahead)
{
    cj__zone *utc = zone_of("UTC"), *apia = zone_of("Pacific/Apia");

    ck_assert_int_eq(cj__zone_day(utc, 0), 0);
    ck_assert_int_eq(cj__zone_day(utc, -1), -1);
    ck_assert_int_eq(cj__zone_day(utc, 86399999), 0);
    ck_assert_int_eq(cj__zone_day(utc, 86400000), 1);
    ck_assert_int_eq(cj__zone_day(apia, 0), -1);
    cj__zone_end(utc);
    cj__zone_end(apia);
}
END_TEST

START_TEST(test_zone_open__refuses_other_names)
{
    static const char *const names[] = {
        "",
        "/etc/passwd",
        "../etc/passwd",
        "Europe/../../etc/passwd",
        "Nowhere",
        "Europe",
        "Europe/Berlin\n",
        "Europe Berlin",
        "zone.tab",
        "right/Europe/London",
        ".",
    };

    cj__ctx_init(&cx, NULL, NULL, NULL, NULL, NULL, NULL);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        cj__zone *zone = (cj__zone *)&cx;

        ck_assert_msg(cj__zone_open(&cx.allocator, names[i], &zone) == CJ_EINVAL, "%s",
                      names[i]);
        ck_assert_ptr_null(zone);
    }
    cj__zone_end(NULL);
}
END_TEST

/* ---- zone files from strangers -------------------------------------------------- */

static char zone_dir[] = "/tmp/cj_zone_dir_XXXXXX";

static int32_t open_bytes(const void *bytes, size_t n, cj__zone **out)
{
    char path[64];

    snprintf(path, sizeof path, "%s/Test", zone_dir);
    write_file(path, bytes, n);
    return cj__zone_open(&cx.allocator, "Test", out);
}

static void zone_dir_begin(void)
{
    cj__ctx_init(&cx, NULL, NULL, NULL, NULL, NULL, NULL);
    ck_assert_ptr_nonnull(mkdtemp(zone_dir));
    ck_assert_int_eq(setenv("TZDIR", zone_dir, 1), 0);
}

static void zone_dir_end(void)
{
    char path[64];

    snprintf(path, sizeof path, "%s/Test", zone_dir);
    unlink(path);
    rmdir(zone_dir);
    unsetenv("TZDIR");
    strcpy(zone_dir, "/tmp/cj_zone_dir_XXXXXX");
}

static void ask_everything(const cj__zone *zone)
{
    static const int64_t times[] = {-4260211200000, -1, 0, 1700000000000, 4102444800000,
                                    99999999999000};

    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        (void)cj__zone_offset_ms(zone, times[i]);
        (void)cj__zone_to_utc(zone, times[i]);
        (void)cj__zone_day_start(zone, cj__zone_day(zone, times[i]));
    }
}

/* Cut and flip a real file: an answer or a refusal, never a fault (under sanitizers).
 */
START_TEST(test_zone_open__survives_damaged_files)
{
    unsigned char good[8192], bad[8192];
    FILE *f = fopen("/usr/share/zoneinfo/Europe/London", "rb");
    size_t n;

    ck_assert_ptr_nonnull(f);
    n = fread(good, 1, sizeof good, f);
    fclose(f);
    zone_dir_begin();
    for (size_t i = 0; i < 2 * n; i++) {
        cj__zone *zone = NULL;
        size_t at = i * 7919 % n, length = i % 2 == 0 ? n : at;
        int32_t rc;

        memcpy(bad, good, n);
        if (length == n) /* the headers are the interesting part */
            bad[i % 4 == 0 ? at % 44 : at] ^= (unsigned char)(1u << (i / 4 % 8));
        rc = open_bytes(bad, length, &zone);
        ck_assert(rc == CJ_OK || rc == CJ_EINVAL);
        ck_assert((rc == CJ_OK) == (zone != NULL));
        if (zone != NULL)
            ask_everything(zone);
        cj__zone_end(zone);
    }
    zone_dir_end();
}
END_TEST

/* A file of version 2 with no change, one type of the given offset and a footer. */
static size_t footer_file(unsigned char *to, const char *footer)
{
    static const unsigned char header[44] = {'T', 'Z',      'i',     'f',
                                             '2', [39] = 1, [43] = 4};
    static const unsigned char type[10] = {0, 0, 0, 0, 0, 0, 'A', 'B', 'C', 0};
    size_t n = 0;

    for (int block = 0; block < 2; block++) {
        memcpy(to + n, header, sizeof header);
        memcpy(to + n + sizeof header, type, sizeof type);
        n += sizeof header + sizeof type;
    }
    return n + (size_t)sprintf((char *)to + n, "\n%s\n", footer);
}

START_TEST(test_zone_rule__forms_of_the_footer)
{
    static const struct {
        const char *footer, *utc;
        int64_t offset_minutes;
    } rows[] = {
        {"UTC0",                            "2024-07-01T00:00:00", 0   },
        {"<+0330>-3:30",                    "2024-07-01T00:00:00", 210 },
        {"<-03>+3",                         "2024-07-01T00:00:00", -180},
        {"CET-1CEST,M3.5.0,M10.5.0/3",      "2024-03-31T00:59:59", 60  },
        {"CET-1CEST,M3.5.0,M10.5.0/3",      "2024-03-31T01:00:00", 120 },
        {"CET-1CEST,M3.5.0,M10.5.0/3",      "2150-10-25T00:59:59", 120 },
        {"CET-1CEST,M3.5.0,M10.5.0/3",      "2150-10-25T01:00:00", 60  },
        {"AAA5BBB4:30,J60/0,J300/12:30:30", "2023-03-01T04:59:59", -300},
        {"AAA5BBB4:30,J60/0,J300/12:30:30", "2024-03-01T05:00:00", -270},
        {"AAA5BBB4:30,J60/0,J300/12:30:30", "2024-10-27T17:00:30", -300},
        {"AAA5BBB4:30,J60/0,J300/12:30:30", "2024-10-27T17:00:29", -270},
        {"AAA5BBB,59/0,300",                "2024-02-29T05:00:00", -240}, /* n counts the leap day */
        {"AAA5BBB,59/0,300",                "2023-03-01T05:00:00", -240},
        {"XXX3EDT4,0/0,J365/23",            "2024-01-01T02:00:00",
         -240                                                          }, /* always daylight time */
        {"XXX3EDT4,0/0,J365/23",            "2024-12-31T23:59:59", -240},
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2024-03-31T00:59:59", -120},
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2024-03-31T01:00:00", -60 },
        {"IST-1GMT0,M10.5.0,M3.5.0/1",      "2024-07-01T00:00:00",
         60                                                            }, /* winter is daylight */
        {"IST-1GMT0,M10.5.0,M3.5.0/1",      "2024-12-01T00:00:00", 0   },
        {"AEST-10AEDT,M10.1.0,M4.1.0/3",    "2024-01-01T00:00:00", 660 }, /* the south */
        {"AEST-10AEDT,M10.1.0,M4.1.0/3",    "2120-06-01T00:00:00", 600 },
        {"EET-2EEST,M3.4.4/50,M10.4.4/50",  "2024-03-29T22:00:00", 120 },
        {"EET-2EEST,M3.4.4/50,M10.4.4/50",  "2024-03-30T00:00:00", 180 },
    };
    unsigned char bytes[512];

    zone_dir_begin();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cj__zone *zone = NULL;

        ck_assert_msg(open_bytes(bytes, footer_file(bytes, rows[i].footer), &zone) ==
                          CJ_OK,
                      "%s", rows[i].footer);
        ck_assert_msg(cj__zone_offset_ms(zone, instant(rows[i].utc)) ==
                          rows[i].offset_minutes * 60000,
                      "%s at %s", rows[i].footer, rows[i].utc);
        cj__zone_end(zone);
    }
    zone_dir_end();
}
END_TEST

START_TEST(test_zone_rule__refuses_other_footers)
{
    static const char *const footers[] = {
        "U",
        "UTC",
        "UTC25",
        "UTC0x",
        "<+03-3",
        "<>3",
        "A1B2",
        "CET-1CEST",
        "CET-1CEST,",
        "CET-1CEST,M3.5.0",
        "CET-1CEST,M13.5.0,M10.5.0",
        "CET-1CEST,M3.6.0,M10.5.0",
        "CET-1CEST,M3.5.7,M10.5.0",
        "CET-1CEST,J0,J300",
        "CET-1CEST,J366,J300",
        "CET-1CEST,366,300",
        "CET-1CEST,M3.5.0/168,M10.5.0",
        "CET-1CEST,M3.5.0,M10.5.0/3,",
        "CET-1:60",
        "CET-1CEST,M3.5,M10.5.0",
        "CET-99999999999999999999",
    };
    unsigned char bytes[512];

    zone_dir_begin();
    for (size_t i = 0; i < sizeof footers / sizeof footers[0]; i++) {
        cj__zone *zone = NULL;

        ck_assert_msg(open_bytes(bytes, footer_file(bytes, footers[i]), &zone) ==
                          CJ_EINVAL,
                      "%s", footers[i]);
        ck_assert_ptr_null(zone);
    }
    zone_dir_end();
}
END_TEST

/* ---- memory --------------------------------------------------------------------- */

static int32_t open_berlin(const cj__allocator *a)
{
    cj__zone *zone = (cj__zone *)&cx;
    int32_t rc = cj__zone_open(a, "Europe/Berlin", &zone);

    ck_assert((rc == CJ_OK) == (zone != NULL));
    cj__zone_end(zone);
    return rc;
}

START_TEST(test_zone_open__out_of_memory)
{
    base_memory_faults(open_berlin);
}
END_TEST

HARNESS_MAIN("base_zone", test_zone__agrees_with_zoneinfo,
             test_zone_to_utc__gaps_and_overlaps,
             test_zone_day_start__is_the_first_instant_of_the_date,
             test_zone_day__before_1970_and_far_ahead,
             test_zone_open__refuses_other_names,
             test_zone_open__survives_damaged_files,
             test_zone_rule__forms_of_the_footer, test_zone_rule__refuses_other_footers,
             test_zone_open__out_of_memory)
