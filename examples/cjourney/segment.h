/* What the files of the segment commands share.  Private to segment*.c. */
#ifndef CJOURNEY_SEGMENT_H
#define CJOURNEY_SEGMENT_H

#include "program.h"

/* An expression as it was typed, or read from "-" or "@FILE".  `typed` is what errors
 * point into; `text` is what the library is asked: the same, or the text of its JSON.
 */
typedef struct expression {
    char *typed, *text;
} expression;

int expression_read(program *p, const char *word, expression *e); /* DONE, or a code */
void expression_end(expression *e);
/* Tell the library's last error, with the line of the source and a caret under the byte
 * where it is; returns the exit code. */
int expression_complain(const program *p, int32_t rc, const expression *e);

/* Options of a question: --as-of, --identifier, --threads, --deadline, --all. */
int segment_options(program *p, cj_segment_options *o);
/* A column of people's words for a moment at which an answer ends, or of its ms. */
void segment_until_column(const program *p, grid *g, const char *title);
void segment_until(program *p, grid *g, const cj_table *t, int64_t row);
/* true, false, unknown; people read yes, no, unknown. */
void segment_truth(const program *p, grid *g, int64_t truth);
/* A name as a shell takes it; to free. */
char *segment_quoted(const char *name);

int run_segment_eval(program *p);
int run_segment_define(program *p);
int run_segment_list(program *p);
int run_segment_show(program *p);
int run_segment_members(program *p);
int run_segment_count(program *p);
int run_segment_of(program *p);
int run_segment_format(program *p);
int run_segment_drop(program *p);

/* segment_questions.c */
int run_segment_explain(program *p);
int run_segment_why(program *p);
int run_segment_overlap(program *p);
int run_segment_sizes(program *p);
int run_segment_compare(program *p);

/* segment_live.c */
int run_segment_feed(program *p);
int run_segment_advance(program *p);

#endif
