/* Segments: conditions over profiles, right at every moment.  The door of room segment.
 *
 * The language is docs/SEGMENTS.md; tree.h is what it becomes, eval.h runs it over one
 * profile's facts.  `now` is always the caller's. */
#ifndef CJ__SEGMENT_SEGMENT_H
#define CJ__SEGMENT_SEGMENT_H

#include "store/store.h"

/* Every function: opts is complete, opts->as_of_ms is set. */

int32_t cj__segment_evaluate(cj_db *db, const char *expression,
                             const cj_segment_options *opts, cj_table **out);
int32_t cj__segment_members(cj_db *db, const char *name, const cj_segment_options *opts,
                            cj_table **out);
int32_t cj__segment_count(cj_db *db, const char *name, const cj_segment_options *opts,
                          int64_t *n_out);
int32_t cj__profile_segments(cj_db *db, int64_t profile, const cj_segment_options *opts,
                             cj_table **out);
/* Who is in it, for questions of other rooms about them: a bit for each profile, in the
 * arena, in the snapshot of a reader.  source: a definition's name, or an expression.
 */
struct cj__reader;
int32_t cj__segment_profiles(struct cj__reader *reader, const char *source,
                             const cj_segment_options *opts, cj__arena *arena,
                             uint64_t **bits_out);
/* source: a definition's name, or an expression. */
int32_t cj__segment_explain(cj_db *db, const char *source,
                            const cj_segment_options *opts, cj_table **out);
int32_t cj__segment_why(cj_db *db, int64_t profile, const char *source,
                        const cj_segment_options *opts, cj_table **out);
int32_t cj__segment_overlap(cj_db *db, const char *const *names, int64_t n,
                            const cj_segment_options *opts, cj_table **out);
int32_t cj__segment_sizes(cj_db *db, const char *source, int64_t from_ms,
                          int64_t step_days, const cj_segment_options *opts,
                          cj_table **out);
int32_t cj__segment_compare(cj_db *db, const char *const sources[2], int64_t limit,
                            const cj_segment_options *opts, cj_table **out);
/* Text to canonical text, or to JSON and back. */
int32_t cj__segment_format(cj_db *db, const char *source, const char *from,
                           const char *to, cj__str *out); /* puts into out */

/* Definitions (member.c). */
int32_t cj__segment_define(cj_db *db, const char *name, const char *expression,
                           int64_t flags, int64_t now_ms);
int32_t cj__segment_define_list(cj_db *db, const char *name, const int64_t *profiles,
                                int64_t n, int64_t now_ms);
int32_t cj__segment_drop(cj_db *db, const char *name, int64_t now_ms);
int32_t cj__segments(cj_db *db, cj_table **out);

/* Live segments: membership that is kept, and its changes (live.c, advance.c, feed.c).
 */
int32_t cj__live_open(cj_db *db); /* installs the observer */
void cj__live_close(cj_db *db);
int32_t cj__segment_advance(cj_db *db, int64_t now_ms, int64_t *n_changes_out);
int32_t cj__segment_feed(cj_db *db, int64_t after, int64_t limit, cj_table **out);
int32_t cj__live_check(cj_db *db, cj__conn *conn, cj_table *problems);

#endif
