/* The tables of the cjourney program: every command and option, once.  Parsing, --help,
 * the man page and the shell completion read them; nothing about a command is said
 * anywhere else.  Commands of a family, such as "segment eval", have a table beside
 * their code. */
#include "program.h"

#include <string.h>

/* clang-format off */
const option common_options[] = {
    {"db", 'd', "FILE", NULL, "the libcjourney file", "$CJOURNEY_DB"},
    {"format", 0, "FORMAT", "table|csv|json|jsonl", "how results are written",
     "table on a terminal, else jsonl"},
    {"tz", 0, "ZONE", NULL,
     "zone of the times you type and read, such as Europe/Berlin", "the store's"},
    {"wait", 0, "SECONDS", NULL, "how long to wait while another program writes", "5"},
    {"quiet", 'q', NULL, NULL, "no notes and no progress on stderr", NULL},
    {"help", 'h', NULL, NULL, "show this help", NULL},
    END_OPTIONS,
};

const option no_options[] = {END_OPTIONS};

static const example import_examples[] = {
    {"a year of events, one JSON object per line",
     "cjourney -d shop.db import year.ndjson"},
    {"a shop's orders, one per line: say which column is what",
     "cjourney -d shop.db import orders.csv --currency EUR --map "
     "time=Date,order=Number,email=Customer,value=Total"},
    {"one line per product, times of London, and orders without a customer",
     "cjourney -d shop.db import lines.csv --time-zone Europe/London --guest Invoice "
     "--map time=Date,order=Invoice,product=SKU,quantity=Qty,unit_price=Price"},
    {"what Segment sent, from a pipe",
     "zcat segment.ndjson.gz | cjourney -d shop.db import --format segment -"},
    {"keep the lines that could not be read",
     "cjourney -d shop.db import orders.csv --rejects rejects.csv"},
    END_EXAMPLES,
};
static const option import_options[] = {
    {"format", 0, "FORMAT", "json|segment|csv", "of the file",
     "by the ending: .json .jsonl .ndjson .csv"},
    {"map", 0, "MAP", NULL, "our name=column of the file, comma between", NULL},
    {"guest", 0, "COLUMN", NULL, "a row without identifier is known by this column",
     NULL},
    {"time-zone", 0, "ZONE", NULL,
     "of times without offset; a new file is made with it",
     "the store's; a new file: UTC"},
    {"currency", 0, "CODE", NULL, "of the money; a new file is made with it",
     "the store's; a new file: EUR"},
    {"name", 0, "NAME", NULL, "event name of rows without one",
     "order, when there is an order id"},
    {"channel", 0, "CHANNEL", NULL, "channel of rows without one", NULL},
    {"source", 0, "SOURCE", NULL, "where traits come from", "import"},
    {"rejects", 0, "FILE", NULL, "write rejected lines there, with number and reason",
     NULL},
    END_OPTIONS,
};

static const example record_examples[] = {
    {"an order, as it happens",
     "cjourney -d shop.db record order --id user_id=ann --channel web --order A-1 "
     "--value 49.90"},
    {"JSON: one message, an array, or one per line",
     "cjourney -d shop.db record - < messages.ndjson"},
    {"recorded once, however often it is sent",
     "cjourney -d shop.db record store_visit --id loyalty_card=4711 --message-id "
     "till7-881"},
    END_EXAMPLES,
};
static const option record_options[] = {
    {"id", 0, "KIND=VALUE", NULL, "who: an identifier; may be repeated", NULL},
    {"time", 0, "TIME", NULL, "when", "now"},
    {"channel", 0, "CHANNEL", NULL, "web, app, store, email, ...", NULL},
    {"order", 0, "ID", NULL, "order number", NULL},
    {"product", 0, "SKU", NULL, "product", NULL},
    {"quantity", 0, "N", NULL, "how many", NULL},
    {"value", 0, "MONEY", NULL, "such as 49.90; refunds are negative", NULL},
    {"currency", 0, "CODE", NULL, "of the value", "the store's"},
    {"session", 0, "ID", NULL, "visit", NULL},
    {"campaign", 0, "NAME", NULL, "campaign", NULL},
    {"content", 0, "NAME", NULL, "creative, subject line, page", NULL},
    {"properties", 0, "JSON", NULL, "an object, kept as it is", NULL},
    {"message-id", 0, "ID", NULL, "the same one is recorded once", NULL},
    {"segment", 0, NULL, NULL, "the JSON is Segment's, not our own form", NULL},
    END_OPTIONS,
};

static const example identify_examples[] = {
    {"the web shop's user is the holder of this card",
     "cjourney -d shop.db identify user_id=ann loyalty_card=4711"},
    {"what is known of her",
     "cjourney -d shop.db identify user_id=ann --trait city=Berlin --trait children=2 "
     "--source crm"},
    END_EXAMPLES,
};
static const option identify_options[] = {
    {"trait", 0, "NAME=VALUE", NULL, "a trait; JSON, else text; may be repeated", NULL},
    {"source", 0, "SOURCE", NULL, "who says so: crm, web, ...", "host"},
    {"time", 0, "TIME", NULL, "since when", "now"},
    END_OPTIONS,
};

static const example profile_examples[] = {
    {"who is she, and how did she get here", "cjourney -d shop.db profile user_id=ann"},
    {"by e-mail address, the last 50 steps",
     "cjourney -d shop.db profile ann@example.org --last 50"},
    {"everything, for a program", "cjourney -d shop.db profile 42 --format json"},
    END_EXAMPLES,
};
static const option profile_options[] = {
    {"last", 0, "N", NULL, "how many of the latest events to tell", "20"},
    {"as-of", 0, "TIME", NULL, "as it was known then", "now"},
    END_OPTIONS,
};

static const example rfm_examples[] = {
    {"who is worth what: customers, revenue and share of each class",
     "cjourney -d shop.db rfm --summary"},
    {"one class, with e-mail addresses, for a mailing",
     "cjourney -d shop.db rfm --class 'At Risk' --identifier email --format csv"},
    {"the ten best customers", "cjourney -d shop.db rfm --top 10"},
    {"every customer at the end of a year, without refunds",
     "cjourney -d shop.db rfm --as-of 2026-01-01 --monetary gross --format csv"},
    {"what the classes mean", "cjourney rfm --classes"},
    END_EXAMPLES,
};
static const option rfm_options[] = {
    {"as-of", 0, "TIME", NULL, "the moment of the question; later events are not seen",
     "now"},
    {"from", 0, "TIME", NULL, "only events since", "the first"},
    {"recency", 0, "UNIT", "days|hours", "since the last order", "days"},
    {"frequency", 0, "COUNT", "orders|repeat-days",
     "orders, or days with an order after the first", "orders"},
    {"monetary", 0, "WHAT", "net|gross", "orders less refunds, or orders alone", "net"},
    {"of", 0, "WHAT", "total|mean", "money in all, or per order", "total"},
    {"bins", 0, "N", NULL, "scores from 1 to N, 2 to 10", "5"},
    {"r-limits", 0, "N,N,...", NULL, "fixed limits of recency, ascending", "quantiles"},
    {"f-limits", 0, "N,N,...", NULL, "fixed limits of frequency", "quantiles"},
    {"m-limits", 0, "N,N,...", NULL, "fixed limits of money, such as 50,100.50",
     "quantiles"},
    {"identifier", 0, "KIND", NULL, "the identifier to show", "user_id"},
    {"guests", 0, NULL, NULL, "also people known only by a guest order", NULL},
    {"class", 0, "NAME", NULL, "only customers of this class", "all"},
    {"top", 0, "N", NULL, "only the N with the most money, best first", "all"},
    {"summary", 0, NULL, NULL, "one row per class instead of one per customer", NULL},
    {"classes", 0, NULL, NULL, "show the table of classes", NULL},
    {"threads", 0, "N", NULL, "threads to compute with", "1"},
    END_OPTIONS,
};

static const example segment_examples[] = {
    {"who has not ordered for three months, and had been worth something?",
     "cjourney -d shop.db segment eval 'orders(last 90 days) = 0 and revenue() > 200 "
     "EUR'"},
    {"give it a name", "cjourney -d shop.db segment define asleep @asleep.segment"},
    {"how many are in each", "cjourney -d shop.db segment count"},
    END_EXAMPLES,
};

static const example clv_examples[] = {
    {"how customers come back", "cjourney -d shop.db clv fit --save buying"},
    {"how much they spend",
     "cjourney -d shop.db clv fit --model gammagamma --save spending"},
    {"the twenty worth most in the next year, at 10 % a year",
     "cjourney -d shop.db clv predict buying --spend spending --rate 10 --top 20"},
    END_EXAMPLES,
};

static const example events_examples[] = {
    {"what happened on one day",
     "cjourney -d shop.db events --from 2025-11-28 --until 2025-11-29"},
    {"every order of one person",
     "cjourney -d shop.db events --of user_id=ann --name order"},
    END_EXAMPLES,
};
static const option events_options[] = {
    {"of", 0, "PERSON", NULL, "only events of this person", "everybody"},
    {"from", 0, "TIME", NULL, "since", "the first"},
    {"until", 0, "TIME", NULL, "before", "the last"},
    {"name", 0, "NAME", NULL, "only events of this name", "all"},
    {"limit", 0, "N", NULL, "rows at most", "100 on a terminal, else 1,000,000"},
    END_OPTIONS,
};

static const example edges_examples[] = {
    {"why two identifiers are one person", "cjourney -d shop.db edges user_id=ann"},
    {"what was refused, and why", "cjourney -d shop.db edges --state refused"},
    END_EXAMPLES,
};
static const option edges_options[] = {
    {"state", 0, "STATE", "joined|refused|removed", "only edges in this state", "all"},
    END_OPTIONS,
};

static const example merge_examples[] = {
    {"two profiles, one person",
     "cjourney -d shop.db merge user_id=ann user_id=ann-old"},
    {"it was a mistake: undo it by the edge it printed",
     "cjourney -d shop.db unmerge 17"},
    END_EXAMPLES,
};
static const example unmerge_examples[] = {
    {"find the edge that joins too much", "cjourney -d shop.db edges user_id=ann"},
    {"remove it: everything is as if it had never been",
     "cjourney -d shop.db unmerge 17"},
    END_EXAMPLES,
};
static const example block_examples[] = {
    {"the till types its own address: it is nobody's",
     "cjourney -d shop.db block email=till@shop.example"},
    END_EXAMPLES,
};

static const example failed_examples[] = {
    {"what was rejected, by reason", "cjourney -d shop.db failed --summary"},
    {"with the bytes, for a program", "cjourney -d shop.db failed --format jsonl"},
    {"try again, after the cause is gone", "cjourney -d shop.db failed --retry"},
    END_EXAMPLES,
};
static const option failed_options[] = {
    {"summary", 0, NULL, NULL, "count by source and reason", NULL},
    {"retry", 0, NULL, NULL, "try them again; what succeeds leaves the list", NULL},
    END_OPTIONS,
};

static const example export_examples[] = {
    {"everything, as JSON lines that import reads",
     "cjourney -d shop.db export > shop.ndjson"},
    {"one month as a spreadsheet",
     "cjourney -d shop.db export --format csv --from 2025-11-01 --until 2025-12-01"},
    END_EXAMPLES,
};
static const option export_options[] = {
    {"format", 0, "FORMAT", "jsonl|csv", "how events are written", "jsonl"},
    {"from", 0, "TIME", NULL, "since", "the first"},
    {"until", 0, "TIME", NULL, "before", "the last"},
    {"name", 0, "NAME", NULL, "only events of this name", "all"},
    END_OPTIONS,
};

static const example stats_examples[] = {
    {"what is in the file", "cjourney -d shop.db stats"},
    END_EXAMPLES,
};
static const example check_examples[] = {
    {"is the file sound? (exit code 6: no)", "cjourney -d shop.db check"},
    END_EXAMPLES,
};
static const example compact_examples[] = {
    {"smaller and faster to read, at night", "cjourney -d shop.db compact"},
    END_EXAMPLES,
};
static const example completion_examples[] = {
    {"complete commands and options in this shell",
     "source <(cjourney completion bash)"},
    {"and in every new one",
     "cjourney completion bash > ~/.local/share/bash-completion/completions/cjourney"},
    END_EXAMPLES,
};
static const example help_examples[] = {
    {"all commands", "cjourney help"},
    {"one of them", "cjourney help rfm"},
    {"read the man page", "cjourney help --man | man -l -"},
    END_EXAMPLES,
};
static const option help_options[] = {
    {"man", 0, NULL, NULL, "write the man page (roff)", NULL},
    END_OPTIONS,
};
static const example version_examples[] = {
    {"of the program and of the library it runs with", "cjourney version"},
    END_EXAMPLES,
};

/* clang-format on */

static const char import_details[] =
    "Importing the same file again changes nothing, so an interrupted import is "
    "resumed by\n"
    "running it again.  FILE \"-\" is standard input.  Lines that cannot be used are "
    "kept with\n"
    "their reason (cjourney failed) and make the exit code 3.\n"
    "\n"
    "MAP names the columns of a CSV file: time, name, channel, order, product, "
    "quantity,\n"
    "value (of the line), unit_price, currency, session, campaign, content, "
    "message_id, the\n"
    "kinds of identifiers (" KINDS "),\n"
    "and trait.NAME.  Lines with the same order become one order with items.";
static const char record_details[] =
    "Give the event's NAME and options, or JSON as argument, or \"-\" for JSON on "
    "standard\n"
    "input.  When it returns, what it recorded is durable.";
static const char rfm_details[] = "Three questions about every customer: how long "
                                  "since the last order (recency), how many\n"
                                  "orders (frequency), how much money (monetary)?  "
                                  "Each answer becomes a score from 1 to 5\n"
                                  "by comparing the customers with each other: 5 is "
                                  "the best fifth, 1 the worst; equal\n"
                                  "answers get equal scores.  The three scores "
                                  "together name a class, from Champions\n"
                                  "(bought lately, often, much) to Lost; \"cjourney "
                                  "rfm --classes\" shows the rules.\n"
                                  "\n"
                                  "Recency is in whole calendar days of the store's "
                                  "time zone before the as-of date.\n"
                                  "Columns that end in _minor are minor units (cents).";
static const char segment_details[] =
    "A segment is a condition over a customer, such as:\n"
    "orders(last 90 days) = 0 and country in (\"DE\", \"AT\") and has(email).\n"
    "It is answered for any moment (--as-of), from the events before it and from what "
    "was known then.  The language is told in docs/SEGMENTS.md.";
static const char clv_details[] =
    "A value model learns from when customers bought how often they come back and when "
    "they stop, and tells for each one how likely they still are a customer, how many "
    "purchases to expect and what those will be worth.  Which model when, and what the "
    "numbers do not say, is told in docs/VALUE.md.";
static const char export_details[] = "An order and its items are one line.  Import it "
                                     "into a new file: events do not carry the\n"
                                     "message id they came with, so in this file they "
                                     "would be counted again.  Identifiers\n"
                                     "that belong to one person are written as "
                                     "identify lines, with the person's traits.";
static const char check_details[] = "Verifies every checksum and invariant.  No row, "
                                    "exit code 0: the file is sound.  Each\n"
                                    "problem is a row, and the exit code is 6.";

/* clang-format off */
const command commands[] = {
    {"import", "FILE...", "read a file of events or orders",
     "Recording", import_examples, import_options, import_details,
     1, -1, NEEDS_FILE | MAKES_FILE | WRITES, run_import, NULL},
    {"record", "[NAME | JSON... | -]", "record one event, or JSON messages",
     "Recording", record_examples, record_options, record_details,
     1, -1, NEEDS_FILE | MAKES_FILE | WRITES, run_record, NULL},
    {"identify", "KIND=VALUE...", "say what belongs to one person, and what is known",
     "Recording", identify_examples, identify_options, "KIND is " KINDS ".",
     1, -1, NEEDS_FILE | MAKES_FILE | WRITES, run_identify, NULL},
    {"failed", "", "list what was rejected, or try it again",
     "Recording", failed_examples, failed_options, NULL,
     0, 0, NEEDS_FILE | WRITES, run_failed, NULL},

    {"rfm", "", "score customers by recency, frequency and money",
     "Customers", rfm_examples, rfm_options, rfm_details,
     0, 0, NEEDS_FILE, run_rfm, rfm_commands},
    {"segment", "COMMAND", "say which customers you mean, and who they are",
     "Customers", segment_examples, no_options, segment_details,
     0, 0, 0, run_family, segment_commands},
    {"clv", "COMMAND", "learn how customers buy, and tell what each is worth",
     "Customers", clv_examples, no_options, clv_details,
     0, 0, 0, run_family, clv_commands},
    {"profile", "PERSON", "tell who somebody is, and their journey",
     "Customers", profile_examples, profile_options, PERSON,
     1, 1, NEEDS_FILE, run_profile, NULL},
    {"events", "", "read events back",
     "Customers", events_examples, events_options, PERSON,
     0, 0, NEEDS_FILE, run_events, NULL},

    {"edges", "[PERSON]", "show what joins identifiers, and what was refused",
     "Identity", edges_examples, edges_options, PERSON,
     0, 1, NEEDS_FILE, run_edges, NULL},
    {"merge", "PERSON PERSON", "make two profiles one",
     "Identity", merge_examples, no_options, PERSON,
     2, 2, NEEDS_FILE | WRITES, run_merge, NULL},
    {"unmerge", "EDGE", "undo a merge, exactly",
     "Identity", unmerge_examples, no_options, NULL,
     1, 1, NEEDS_FILE | WRITES, run_unmerge, NULL},
    {"block", "KIND=VALUE", "never take a value for a person",
     "Identity", block_examples, no_options, "It stays in events recorded earlier.",
     1, 1, NEEDS_FILE | WRITES, run_block, NULL},

    {"export", "", "write all events",
     "The file", export_examples, export_options, export_details,
     0, 0, NEEDS_FILE, run_export, NULL},
    {"stats", "", "show what is in the file",
     "The file", stats_examples, no_options, NULL,
     0, 0, NEEDS_FILE, run_stats, NULL},
    {"check", "", "verify that the file is sound",
     "The file", check_examples, no_options, check_details,
     0, 0, NEEDS_FILE, run_check, NULL},
    {"compact", "", "make the file smaller and faster",
     "The file", compact_examples, no_options, NULL,
     0, 0, NEEDS_FILE | WRITES, run_compact, NULL},

    {"completion", "[bash]", "write the shell's completion",
     "The program", completion_examples, no_options, NULL,
     0, 1, 0, run_completion, NULL},
    {"help", "[COMMAND]", "explain a command",
     "The program", help_examples, help_options, NULL,
     0, 2, 0, run_help, NULL},
    {"version", "", "tell the version",
     "The program", version_examples, no_options, NULL,
     0, 0, 0, run_version, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL},
};
/* clang-format on */

const char *command_word(const command *c)
{
    const char *blank = strrchr(c->name, ' ');

    return blank == NULL ? c->name : blank + 1;
}

const char *command_next_word(const void *list, size_t i)
{
    const command *c = (const command *)list + i;

    return c->name == NULL ? NULL : command_word(c);
}

const command *command_find(const command *list, const char *word)
{
    for (const command *c = list; c->name != NULL; c++)
        if (strcmp(command_word(c), word) == 0)
            return c;
    return NULL;
}

static const option *option_in(const option *options, const char *name)
{
    for (const option *o = options; o->name != NULL; o++)
        if (strcmp(o->name, name) == 0)
            return o;
    return NULL;
}

const option *option_find(const command *c, const char *name)
{
    const option *own = c == NULL ? NULL : option_in(c->options, name);

    return own != NULL ? own : option_in(common_options, name);
}
