/* Every exported call that allocates, as one function each: for test_api_faults.c. */
#ifndef CJ_TESTS_FAULTS_H
#define CJ_TESTS_FAULTS_H

#include "api.h"

typedef struct fault {
    api_file file;
    api_heap heap;
    cj_db *db;
    cj_table *table; /* a result that is read outside of any handle's calls */
    const char *csv, *ndjson, *segment; /* paths */
} fault;

void *fault_garbage(void); /* what a call must overwrite */

typedef struct fault_call {
    const char *name;
    int32_t (*run)(fault *f);
    int32_t again; /* what the call says when it is done once more */
    int lenient;   /* may succeed although an allocation failed */
} fault_call;

extern const fault_call fault_calls[];
extern const size_t fault_n_calls;

#endif
