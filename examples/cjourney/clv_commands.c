/* The table of the clv commands: a row each, with its examples and options.  A new one
 * is a row here and a function in clv.h. */
#include "clv.h"

/* clang-format off */
#define PERIOD \
    {"period", 0, "PERIOD", "day|week|any", "orders of one are one purchase", "day"}, \
    {"refunds", 0, "POLICY", "net|drop|ignore", \
     "lower the purchase before them; also drop it when nothing is left; or not seen", \
     "net"}
#define GUESTS_AND_THREADS \
    {"guests", 0, NULL, NULL, "also people known only by a guest order", NULL}, \
    {"threads", 0, "N", NULL, "threads to compute with", "1"}
#define STORE_CUSTOMERS \
    {"as-of", 0, "TIME", NULL, "the moment of the question; later orders are not seen", \
     "now"}, \
    {"from", 0, "TIME", NULL, "only orders since", "the first"}, \
    PERIOD, \
    {"segment", 0, "SEGMENT", NULL, "only customers in it: a name or an expression", \
     "all"}, \
    GUESTS_AND_THREADS
#define CUSTOMERS \
    {"summary", 0, "FILE", NULL, \
     "customers from a CSV file instead of the store; - is standard input", NULL}, \
    STORE_CUSTOMERS
#define TIME_UNIT {"time-unit", 0, "UNIT", "day|week|month|year|second", \
     "of the parameters", "day"}
#define SHOW_IDENTIFIER {"identifier", 0, "KIND", NULL, "the identifier to show", \
     "user_id"}
#define SPEND {"spend", 0, "MODEL", NULL, "a model of spend: money, and not only purchases", \
     NULL}
#define HOLDOUT \
    {"holdout", 0, "TIME", NULL, "where learning ends; compared until --as-of", NULL}, \
    {"holdout-days", 0, "DAYS", NULL, "with --summary: how long x_star was counted", NULL}
#define A_MODEL "MODEL is the name of a saved model, or @FILE with its JSON."

static const char summary_details[] =
    "A summary file has a first line of names and a line per customer: x (repeat "
    "purchases), tx_days (from the first purchase to the last), T_days (and to the end of "
    "what is known), and where they are known zbar (mean value of a repeat purchase) and "
    "weight (how many such customers).  For bgbb T counts opportunities; for sbg and bdw "
    "x is 1 for who left in period T and 0 for who is still there.";

static const example fit_examples[] = {
    {"how customers come back, from the store", "cjourney -d shop.db clv fit --save buying"},
    {"how much they spend", "cjourney -d shop.db clv fit --model gammagamma --save spending"},
    {"from a file, without a store",
     "cjourney clv fit --model bgnbd --summary cdnow.csv --time-unit week --format json"},
    {"what you know beforehand, when there are few customers",
     "cjourney -d shop.db clv fit --prior r=0.5:1,alpha=30:1"},
    END_EXAMPLES,
};
static const option fit_options[] = {
    {"model", 0, "MODEL", NULL, "one of cjourney clv models", "bgnbd"},
    CUSTOMERS, TIME_UNIT,
    {"k", 0, "K", NULL, "regularity of bgcnbd and mbgcnbd, 1 to 12", "the likeliest"},
    {"prior", 0, "NAME=MEDIAN:SPREAD,...", NULL,
     "what is known of parameters: SPREAD is the deviation of the logarithm", "nothing"},
    {"save", 0, "NAME", NULL, "keep it in the store", NULL},
    {"out", 0, "FILE", NULL, "write its JSON there", NULL},
    END_OPTIONS,
};

static const example predict_examples[] = {
    {"the twenty customers worth most in the next year, at 10 % a year",
     "cjourney -d shop.db clv predict buying --spend spending --rate 10 --top 20"},
    {"everybody, with how sure it is, for a spreadsheet",
     "cjourney -d shop.db clv predict buying --intervals --format csv"},
    {"without a store", "cjourney clv predict @buying.json --summary cdnow.csv --horizon 273"},
    END_EXAMPLES,
};
static const option predict_options[] = {
    SPEND,
    {"horizon", 0, "DAYS", NULL, "purchases until then", "365.2425"},
    {"from-day", 0, "DAYS", NULL, "and not before", "0"},
    {"period-days", 0, "DAYS", NULL, "of bgbb, sbg, bdw: how long a period is", NULL},
    {"rate", 0, "PERCENT", NULL, "discount per year", "0"},
    {"margin", 0, "PERCENT", NULL, "earned of each amount", "100"},
    {"intervals", 0, NULL, NULL, "how far the numbers can be off", NULL},
    {"next", 0, NULL, NULL, "days to the next purchase", NULL},
    {"residual", 0, NULL, NULL, "also without an end; needs --rate", NULL},
    {"all", 0, NULL, NULL, "every column there is", NULL},
    {"top", 0, "N", NULL, "only the N with the most value, best first", "all"},
    SHOW_IDENTIFIER, CUSTOMERS, END_OPTIONS,
};

static const example validate_examples[] = {
    {"learn until July, compare with what came since",
     "cjourney -d shop.db clv validate --holdout 2025-07-01"},
    {"from a file with what came later in x_star",
     "cjourney clv validate --summary cdnow.csv --holdout-days 273 --time-unit week"},
    END_EXAMPLES,
};
static const option validate_options[] = {
    {"model", 0, "MODEL", NULL, "one of cjourney clv models", "bgnbd"},
    HOLDOUT,
    {"bins", 0, NULL, NULL, "groups of customers instead of sums", NULL},
    CUSTOMERS, TIME_UNIT, END_OPTIONS,
};
static const example compare_examples[] = {
    {"which model foretells best?",
     "cjourney -d shop.db clv compare --holdout 2025-07-01"},
    {"two of them, by likelihood alone", "cjourney -d shop.db clv compare bgnbd paretonbd"},
    END_EXAMPLES,
};
static const option compare_options[] = {
    {"by", 0, "CRITERION",
     "mae|rmse|msle|bias|gini|calibration|bic|aic|loglik",
     "what puts a model first", "mae of the holdout, else bic"},
    HOLDOUT, CUSTOMERS, TIME_UNIT, END_OPTIONS,
};
static const example track_examples[] = {
    {"week by week, what happened beside what the model expects",
     "cjourney -d shop.db clv track buying"},
    {"of the customers of 2024, by months of 30 days, half a year beyond today",
     "cjourney -d shop.db clv track buying --from 2024-01-01 --acquired-until 2025-01-01 "
     "--period-days 30 --ahead 6"},
    END_EXAMPLES,
};
static const option track_options[] = {
    {"period-days", 0, "DAYS", NULL, "length of a period", "7"},
    {"periods", 0, "N", NULL, "how many, from the first purchase of all", "until --as-of"},
    {"ahead", 0, "N", NULL, "so many more", "0"},
    {"acquired-until", 0, "TIME", NULL, "only customers who first bought before", "all"},
    STORE_CUSTOMERS, END_OPTIONS,
};
static const char track_details[] =
    "MODEL is the name of a saved model, or @FILE with its JSON.  Repeat purchases of all "
    "customers together: what happened, and what the model says of anybody who was won "
    "when these were.  A period that --as-of cuts short has what was known by then; one "
    "after it has no actual purchases.";
static const example history_examples[] = {
    {"is this customer still one?", "cjourney -d shop.db clv history buying user_id=ann"},
    {"by the week", "cjourney -d shop.db clv history buying user_id=ann --step-days 7"},
    END_EXAMPLES,
};
static const option history_options[] = {
    {"step-days", 0, "DAYS", NULL, "between two rows", "1"},
    STORE_CUSTOMERS, END_OPTIONS,
};

static const example refresh_examples[] = {
    {"every night: how alive, how many orders and how much money to expect",
     "cjourney -d shop.db clv refresh buying --spend spending --rate 10"},
    {"and who was worth much and seems to be gone?",
     "cjourney -d shop.db segment eval 'clv_12m > 200 and p_alive < 0.5'"},
    END_EXAMPLES,
};
static const option refresh_options[] = {
    SPEND,
    {"months", 0, "N", NULL, "horizon", "12"},
    {"rate", 0, "PERCENT", NULL, "discount per year", "0"},
    {"everybody", 0, NULL, NULL, "also those of whom nothing new is known", NULL},
    {"as-of", 0, "TIME", NULL, "the moment of the scores", "now"},
    PERIOD, GUESTS_AND_THREADS, END_OPTIONS,
};
static const char refresh_details[] =
    "MODEL is the name of a saved model.  Scores are traits of source clv: p_alive, "
    "expected_12m (purchases) and, with --spend, clv_12m (money); segments read them.  "
    "Only who has ordered since the last time is scored anew; P(alive) of the others falls "
    "meanwhile, so score everybody now and then.";

static const example cohorts_examples[] = {
    {"customers by the month of their first order", "cjourney -d shop.db clv cohorts"},
    {"by where they came from, at a margin of 35 %",
     "cjourney -d shop.db clv cohorts --by channel,campaign --margin 35"},
    {"did they pay off?  costs.csv: month,channel,cost, then 2025-03,ads,1200",
     "cjourney -d shop.db clv cohorts --by month,channel --costs costs.csv --margin 35"},
    {"and what they are still to bring, by saved models: CLV:CAC",
     "cjourney -d shop.db clv cohorts --costs costs.csv --model buying --spend spending"},
    END_EXAMPLES,
};
static const char cohorts_details[] =
    "A file of costs has a first line of names: cost, and those that cohorts are by.  An "
    "empty channel or campaign is that of customers without one; costs of one cohort add "
    "up.  cac is the cost per customer, clv_cost_ratio (CLV:CAC) what they have brought "
    "and, with models, are still to bring, by the cost; payback_months after how many "
    "months the mean customer had brought it.";
static const option cohorts_options[] = {
    {"by", 0, "WHAT,...", NULL, "month, channel, campaign", "month"},
    {"costs", 0, "FILE", NULL, "what it cost to win them, as CSV; - is standard input",
     NULL},
    {"margin", 0, "PERCENT", NULL, "earned of each amount", "100"},
    {"model", 0, "MODEL", NULL, "a model of purchases: what is still to come", NULL},
    SPEND,
    {"horizon", 0, "DAYS", NULL, "with a model: until then", "365.2425"},
    {"rate", 0, "PERCENT", NULL, "with a model: discount per year", "0"},
    PERIOD,
    {"as-of", 0, "TIME", NULL, "the moment of the question; later orders are not seen",
     "now"},
    {"segment", 0, "SEGMENT", NULL, "only customers in it: a name or an expression",
     "all"},
    GUESTS_AND_THREADS, END_OPTIONS,
};

static const example models_examples[] = {
    {"which models there are, and which one when", "cjourney clv models"},
    END_EXAMPLES,
};
static const example saved_examples[] = {
    {"what was learned", "cjourney -d shop.db clv saved"},
    END_EXAMPLES,
};
static const example show_examples[] = {
    {"its parameters", "cjourney -d shop.db clv show buying"},
    {"as JSON", "cjourney -d shop.db clv show buying --format json"},
    END_EXAMPLES,
};
static const example drop_examples[] = {
    {"forget it", "cjourney -d shop.db clv drop buying"},
    END_EXAMPLES,
};

const command clv_commands[] = {
    {"clv fit", "", "learn how customers buy, or how much they spend",
     "Value", fit_examples, fit_options, summary_details,
     0, 0, NEEDS_FILE | WRITES, run_clv_fit, NULL},
    {"clv predict", "MODEL", "tell what each customer is worth",
     "Value", predict_examples, predict_options, A_MODEL,
     1, 1, NEEDS_FILE, run_clv_predict, NULL},
    {"clv validate", "", "would it have been right?",
     "Value", validate_examples, validate_options, summary_details,
     0, 0, NEEDS_FILE, run_clv_validate, NULL},
    {"clv compare", "[MODEL...]", "choose among models",
     "Value", compare_examples, compare_options, summary_details,
     0, 16, NEEDS_FILE, run_clv_compare, NULL},
    {"clv track", "MODEL", "compare what happened with what was to be expected",
     "Value", track_examples, track_options, track_details,
     1, 1, NEEDS_FILE, run_clv_track, NULL},
    {"clv history", "MODEL PERSON", "tell how sure it was that one is still a customer",
     "Value", history_examples, history_options, A_MODEL "  " PERSON,
     2, 2, NEEDS_FILE, run_clv_history, NULL},
    {"clv refresh", "MODEL", "keep scores where segments read them",
     "Value", refresh_examples, refresh_options, refresh_details,
     1, 1, NEEDS_FILE | WRITES, run_clv_refresh, NULL},
    {"clv cohorts", "", "tell what customers won together have brought",
     "Value", cohorts_examples, cohorts_options, cohorts_details,
     0, 0, NEEDS_FILE, run_clv_cohorts, NULL},
    {"clv models", "", "list the models there are",
     "Value", models_examples, no_options, NULL,
     0, 0, 0, run_clv_models, NULL},
    {"clv saved", "", "list the models that are kept",
     "Kept", saved_examples, no_options, NULL,
     0, 0, NEEDS_FILE, run_clv_saved, NULL},
    {"clv show", "MODEL", "show the parameters of one",
     "Kept", show_examples, no_options, A_MODEL,
     1, 1, NEEDS_FILE, run_clv_show, NULL},
    {"clv drop", "NAME", "forget one",
     "Kept", drop_examples, no_options, NULL,
     1, 1, NEEDS_FILE | WRITES, run_clv_drop, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL},
};
/* clang-format on */
