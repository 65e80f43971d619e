/* Read-only analyses of what customers are worth.  The door of room metrics. */
#ifndef CJ__METRICS_METRICS_H
#define CJ__METRICS_METRICS_H

#include "scan/scan.h"

/* opts->as_of_ms is set (api.c resolves 0 to now). */
int32_t cj__rfm(cj_db *db, const cj_rfm_options *opts, cj_table **out);
int32_t cj__rfm_classes(const cj__allocator *a, cj_table **out);

#endif
