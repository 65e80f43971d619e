/* Read-only analyses of what customers are worth.  The door of room metrics. */
#ifndef CJ__METRICS_METRICS_H
#define CJ__METRICS_METRICS_H

#include "scan/scan.h"

struct cj__reader;

/* opts->as_of_ms is set (api.c resolves 0 to now). */
int32_t cj__rfm(cj_db *db, const cj_rfm_options *opts, cj_table **out);
int32_t cj__rfm_classes(const cj__allocator *a, cj_table **out);

/* Of those customers only who have a bit in profiles (NULL: everybody), in the
 * snapshot in which they were asked for.  opts->as_of_ms is set. */
int32_t cj__clv_summary(struct cj__reader *reader, const cj_clv_summary_options *opts,
                        const uint64_t *profiles, cj_table **out);

#endif
