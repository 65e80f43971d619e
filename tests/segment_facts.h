/* One profile's facts as text that a shop manager could check, and segments over them.
 * For tests of the evaluator: no file, no SQLite; terms live in an array here. */
#ifndef CJ_TESTS_SEGMENT_FACTS_H
#define CJ_TESTS_SEGMENT_FACTS_H

#include "segment/eval.h"
#include "store/store.h"

enum { FACTS_EVENTS = 512, FACTS_TRAITS = 64, FACTS_TERMS = 4096 };

typedef struct facts_case {
    struct cj_db db; /* only what the parser reads: allocator, zone, currency */
    cj__arena texts;
    int64_t n;
    struct cj__columns columns;
    cj__text properties[FACTS_EVENTS];
    const cj__text *property_rows[FACTS_EVENTS]; /* &properties[0], and so on */
    cj__fact_trait traits[FACTS_TRAITS];
    struct {
        int space;
        cj__text text;
    } terms[FACTS_TERMS]; /* id is the index + 1 */
    uint32_t n_terms;
    cj__facts facts;
    int8_t members[8];
    cj__eval_env env;
} facts_case;

void facts_begin(facts_case *c, const char *zone);
void facts_end(facts_case *c);
void facts_clear(facts_case *c); /* no events, no traits */

/* "2025-03-01T10:00 order value=12.50 order=A1 product=P channel=web session=s
 * campaign=c content=x quantity=2 {"size":"M"}"; a line each, in any order of time.
 * Equal times stay as written. */
void facts_events(facts_case *c, const char *lines);
/* "2025-03-01 country "DE" crm": time, name, JSON without blanks, source or nothing. */
void facts_traits(facts_case *c, const char *lines);
void facts_event_at(facts_case *c, int64_t time_ms, const char *rest);
void facts_trait_at(facts_case *c, int64_t time_ms, const char *rest);

int64_t facts_time(const facts_case *c, const char *text); /* local to the zone */

/* A program of a segment's text; fails the test when it does not parse. */
typedef struct facts_program {
    cj__segment_tree *tree;
    cj__program *program;
} facts_program;
facts_program facts_compile(facts_case *c, const char *segment);
void facts_drop(facts_case *c, facts_program *p);

cj__truth facts_run(facts_case *c, facts_program *p, int64_t now_ms, int64_t *next_out);
/* At a time: "true", "false" or "unknown". */
const char *facts_truth(facts_case *c, const char *segment, const char *now);
/* The time until which that holds, or "never"; in a static buffer. */
const char *facts_until(facts_case *c, const char *segment, const char *now);
/* What an expression's left side is, as explained: of "count(x) = 0" the number. */
const char *facts_value(facts_case *c, const char *expression, const char *now);

/* Expect "true", "false" or "unknown", saying which segment failed. */
void expect_truth(facts_case *c, const char *now, const char *want,
                  const char *segment);
void expect_value(facts_case *c, const char *now, const char *want,
                  const char *expression);
void expect_until(facts_case *c, const char *now, const char *want,
                  const char *segment);

#endif
