/* The table of the segment commands: a row each, with its examples and options.  A new
 * one is a row here and a function in segment.h. */
#include "segment.h"

/* clang-format off */
#define AS_OF {"as-of", 0, "TIME", NULL, \
     "the moment of the question; later events are not seen", "now"}
#define SHOW_IDENTIFIER {"identifier", 0, "KIND", NULL, "the identifier to show", \
     "user_id"}
#define THREADS {"threads", 0, "N", NULL, "threads to compute with", "1"}
#define DEADLINE {"deadline", 0, "SECONDS", NULL, "give up after so long", "never"}

static const char expression_details[] =
    "EXPRESSION is written as docs/SEGMENTS.md tells, in the shell between single "
    "quotes; \"-\" reads it from standard input, @FILE from a file.  It may also be the "
    "JSON form, which begins with {.";

static const example eval_examples[] = {
    {"customers to win back, as a file for a mailing",
     "cjourney -d shop.db segment eval 'orders(last 90 days) = 0 and orders() >= 2 and "
     "consent(\"email\", \"newsletter\")' --identifier email --format csv"},
    {"as it was at the end of a year",
     "cjourney -d shop.db segment eval 'revenue(last 365 days) > 200 EUR' --as-of "
     "2026-01-01"},
    {"everybody, with what is unknown, and until when it holds",
     "cjourney -d shop.db segment eval 'country = \"DE\"' --all"},
    END_EXAMPLES,
};
static const option eval_options[] = {
    AS_OF, SHOW_IDENTIFIER,
    {"all", 0, NULL, NULL, "also who is not in it, with the answer and when it ends",
     NULL},
    THREADS, DEADLINE, END_OPTIONS,
};
static const char eval_details[] =
    "EXPRESSION is written as docs/SEGMENTS.md tells, in the shell between single "
    "quotes; \"-\" reads it from standard input, @FILE from a file.  It may also be the "
    "JSON form, which begins with {.\n"
    "\n"
    "Columns: profile, and the identifier.  With --all also truth (true, false, or "
    "unknown: something it needs is missing) and valid_until_ms, the moment at which "
    "somebody leaves or enters although nothing new happens; without one the answer "
    "stays until something does.  In order of profiles.";

static const example define_examples[] = {
    {"a segment with a name",
     "cjourney -d shop.db segment define vip 'revenue(last 365 days) > 1000 EUR'"},
    {"one that uses it, from a file",
     "cjourney -d shop.db segment define vip-asleep @vip-asleep.segment"},
    {"a fixed list: one person per line",
     "cjourney -d shop.db segment define employees --list employees.txt"},
    {"keep who is in it now",
     "cjourney -d shop.db segment members vip --format csv | cjourney -d shop.db "
     "segment define vip-2025 --list -"},
    END_EXAMPLES,
};
static const option define_options[] = {
    {"list", 0, "FILE", NULL,
     "a fixed list instead: a PERSON per line; - is standard input", NULL},
    END_OPTIONS,
};
static const char define_details[] =
    "One of the same name is replaced.  EXPRESSION is written as docs/SEGMENTS.md tells; "
    "\"-\" reads it from standard input, @FILE from a file.  Other segments use it as "
    "in_segment(\"NAME\"), or in_list(\"NAME\").\n"
    "\n"
    PERSON "  Of a list's lines only what is before the first comma counts, and a first "
    "line that is \"profile\" or a KIND says what the others are: CSV of other commands "
    "is a list.";

static const example list_examples[] = {
    {"all segments and lists", "cjourney -d shop.db segment list"},
    END_EXAMPLES,
};
static const example show_examples[] = {
    {"what it says", "cjourney -d shop.db segment show vip"},
    {"its tree, for a form in a browser",
     "cjourney -d shop.db segment show vip --form json"},
    END_EXAMPLES,
};
static const option form_options[] = {
    {"form", 0, "FORM", "text|json", "how it is written", "text"},
    END_OPTIONS,
};
static const example format_examples[] = {
    {"is it right, and how is it written?",
     "cjourney -d shop.db segment format 'ORDERS( ) >= 2 AND has (email)'"},
    {"as a tree",
     "cjourney -d shop.db segment format 'orders() >= 2' --form json"},
    END_EXAMPLES,
};
static const example members_examples[] = {
    {"who is in it", "cjourney -d shop.db segment members vip"},
    {"their addresses, at the end of a year",
     "cjourney -d shop.db segment members vip --identifier email --as-of 2026-01-01 "
     "--format csv"},
    END_EXAMPLES,
};
static const option members_options[] = {
    AS_OF, SHOW_IDENTIFIER, THREADS, DEADLINE, END_OPTIONS,
};
static const example count_examples[] = {
    {"how many are in each", "cjourney -d shop.db segment count"},
    {"in two of them, a year ago",
     "cjourney -d shop.db segment count vip asleep --as-of 2025-01-01"},
    END_EXAMPLES,
};
static const option count_options[] = {AS_OF, THREADS, DEADLINE, END_OPTIONS};
static const example of_examples[] = {
    {"which segments is she in, and until when?",
     "cjourney -d shop.db segment of user_id=ann"},
    {"what each of them says of her",
     "cjourney -d shop.db segment of ann@example.org --all"},
    END_EXAMPLES,
};
static const option of_options[] = {
    AS_OF,
    {"all", 0, NULL, NULL, "also segments that the person is not in", NULL},
    END_OPTIONS,
};
static const char of_details[] =
    PERSON "\n"
    "\n"
    "\"until\" is the moment at which the person leaves (or enters) although nothing new "
    "happens; \"something is new\": time alone changes nothing.";
static const example drop_examples[] = {
    {"forget it", "cjourney -d shop.db segment drop vip-2025"},
    END_EXAMPLES,
};

const command segment_commands[] = {
    {"segment eval", "EXPRESSION", "find who is in it",
     "Segments", eval_examples, eval_options, eval_details,
     1, 1, NEEDS_FILE, run_segment_eval, NULL},
    {"segment define", "NAME [EXPRESSION]", "keep a segment, or a list, under a name",
     "Segments", define_examples, define_options, define_details,
     1, 2, NEEDS_FILE | WRITES, run_segment_define, NULL},
    {"segment list", "", "show all that have a name",
     "Segments", list_examples, no_options, NULL,
     0, 0, NEEDS_FILE, run_segment_list, NULL},
    {"segment show", "NAME", "write the expression of one",
     "Segments", show_examples, form_options, NULL,
     1, 1, NEEDS_FILE, run_segment_show, NULL},
    {"segment members", "NAME", "find who is in one, or on a list",
     "Segments", members_examples, members_options, NULL,
     1, 1, NEEDS_FILE, run_segment_members, NULL},
    {"segment count", "[NAME...]", "count the members of some, or of all",
     "Segments", count_examples, count_options, NULL,
     0, -1, NEEDS_FILE, run_segment_count, NULL},
    {"segment of", "PERSON", "tell which ones somebody is in, and until when",
     "Segments", of_examples, of_options, of_details,
     1, 1, NEEDS_FILE, run_segment_of, NULL},
    {"segment format", "EXPRESSION", "check an expression, and write it properly",
     "Segments", format_examples, form_options, expression_details,
     1, 1, NEEDS_FILE, run_segment_format, NULL},
    {"segment drop", "NAME...", "forget segments or lists",
     "Segments", drop_examples, no_options, NULL,
     1, -1, NEEDS_FILE | WRITES, run_segment_drop, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL},
};
/* clang-format on */
