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
    {"tell who enters and leaves from now on: segment feed",
     "cjourney -d shop.db segment define asleep 'orders(last 90 days) = 0 and orders() "
     ">= 1' --live"},
    END_EXAMPLES,
};
static const option define_options[] = {
    {"list", 0, "FILE", NULL,
     "a fixed list instead: a PERSON per line; - is standard input", NULL},
    {"live", 0, NULL, NULL, "keep who is in it from now on: segment feed", NULL},
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

static const example feed_examples[] = {
    {"what has happened", "cjourney -d shop.db segment feed"},
    {"and since a change that was dealt with",
     "cjourney -d shop.db segment feed --after 1024 --format jsonl"},
    END_EXAMPLES,
};
static const option feed_options[] = {
    {"after", 0, "CHANGE", NULL, "only what came after that one", "0"},
    {"limit", 0, "N", NULL, "rows at most", "10000"},
    END_OPTIONS,
};
static const char feed_details[] =
    "A row for each one who entered or left a live segment, in order; it is written once, "
    "whatever crashes.  Because of an event (anything recorded), the clock (segment "
    "advance), a definition, or an identity (profiles merged or taken apart).";
static const example advance_examples[] = {
    {"once a minute, by cron", "cjourney -d shop.db segment advance"},
    END_EXAMPLES,
};
static const option advance_options[] = {
    {"to", 0, "TIME", NULL, "let time pass until then", "now"},
    END_OPTIONS,
};
static const char advance_details[] =
    "Who is due by the clock enters or leaves, at the very moment at which a window passed "
    "or a birthday came; the feed tells.  It can be stopped, and goes on where it was.";

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

#define SEGMENT "SEGMENT is a name, or else an EXPRESSION.  "

static const example explain_examples[] = {
    {"where does it lose them?", "cjourney -d shop.db segment explain vip"},
    {"before it has a name",
     "cjourney -d shop.db segment explain 'country = \"DE\" and orders(last 90 days) = 0'"},
    END_EXAMPLES,
};
static const char explain_details[] =
    SEGMENT "A row for the whole and for each clause, brackets opened: how many pass it, "
    "of how many it is unknown, and how many are left after it and all before it in its "
    "bracket (of an \"or\": how many have been let in).\n"
    "\n"
    "Programs also get cost_ns, declared for a usual profile, and the slices of events "
    "that it reads: from_ms, until_ms, blocks.";
static const example why_examples[] = {
    {"why is she in it, or not?", "cjourney -d shop.db segment why user_id=ann vip"},
    {"and a year ago?",
     "cjourney -d shop.db segment why ann@example.org vip --as-of 2025-01-01"},
    END_EXAMPLES,
};
static const option why_options[] = {AS_OF, END_OPTIONS};
static const char why_details[] =
    PERSON "\n\n" SEGMENT "A row for the whole and for each clause: whether it holds, the "
    "facts behind it, and until when if nothing new happens.";
static const example overlap_examples[] = {
    {"who is in several?", "cjourney -d shop.db segment overlap vip asleep newsletter"},
    END_EXAMPLES,
};
static const char overlap_details[] =
    "A row for each combination that somebody is in, the largest first; those who are in "
    "none too, so that the rows add up to all.  At most 16 names.";
static const example sizes_examples[] = {
    {"has it grown?", "cjourney -d shop.db segment sizes vip --since 2025-01-01 --step 7"},
    END_EXAMPLES,
};
static const option sizes_options[] = {
    {"since", 0, "TIME", NULL, "the first midnight to look at", NULL},
    {"step", 0, "DAYS", NULL, "days from one to the next", "1"},
    AS_OF, THREADS, DEADLINE, END_OPTIONS,
};
static const char sizes_details[] =
    SEGMENT "The members at every midnight of the store's time zone, and who came and went "
    "since the one before.";
static const example compare_examples[] = {
    {"what do the best have that others have not?",
     "cjourney -d shop.db segment compare vip 'not in_segment(\"vip\") and orders() >= 1'"},
    END_EXAMPLES,
};
static const option compare_options[] = {
    AS_OF, {"limit", 0, "N", NULL, "rows at most", "50"}, THREADS, DEADLINE, END_OPTIONS,
};
static const char compare_details[] =
    SEGMENT "Channels, campaigns, products bought, traits and KPIs that a larger or smaller "
    "share of the first has than of the second: so many times, and between what bounds "
    "that lies with 95 % confidence.  The surest and largest differences come first.";

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
    {"segment explain", "SEGMENT", "tell what each clause lets pass, and reads",
     "Segments", explain_examples, count_options, explain_details,
     1, 1, NEEDS_FILE, run_segment_explain, NULL},
    {"segment why", "PERSON SEGMENT", "tell why somebody is in one, or is not",
     "Segments", why_examples, why_options, why_details,
     2, 2, NEEDS_FILE, run_segment_why, NULL},
    {"segment overlap", "NAME...", "count who is in several",
     "Segments", overlap_examples, count_options, overlap_details,
     1, 16, NEEDS_FILE, run_segment_overlap, NULL},
    {"segment sizes", "SEGMENT", "tell how one grew and shrank",
     "Segments", sizes_examples, sizes_options, sizes_details,
     1, 1, NEEDS_FILE, run_segment_sizes, NULL},
    {"segment compare", "SEGMENT SEGMENT", "find what sets two apart",
     "Segments", compare_examples, compare_options, compare_details,
     2, 2, NEEDS_FILE, run_segment_compare, NULL},
    {"segment feed", "", "tell who entered and left live segments",
     "Segments", feed_examples, feed_options, feed_details,
     0, 0, NEEDS_FILE, run_segment_feed, NULL},
    {"segment advance", "", "let time pass for live segments",
     "Segments", advance_examples, advance_options, advance_details,
     0, 0, NEEDS_FILE | WRITES, run_segment_advance, NULL},
    {"segment format", "EXPRESSION", "check an expression, and write it properly",
     "Segments", format_examples, form_options, expression_details,
     1, 1, NEEDS_FILE, run_segment_format, NULL},
    {"segment drop", "NAME...", "forget segments or lists",
     "Segments", drop_examples, no_options, NULL,
     1, -1, NEEDS_FILE | WRITES, run_segment_drop, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL},
};
/* clang-format on */
