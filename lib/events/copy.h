/* A deep copy of messages, for recording that outlives its call.  Private to room
 * events. */
#ifndef CJ__EVENTS_COPY_H
#define CJ__EVENTS_COPY_H

#include "events/events.h"

typedef struct cj__copy cj__copy;

/* Copy n messages with all they point to, and keep extra_bytes for the caller. */
int32_t cj__copy_messages(const cj__allocator *a, const cj__message *messages,
                          int64_t n, size_t extra_bytes, cj__copy **out);
cj__message *cj__copy_list(cj__copy *copy);
void *cj__copy_extra(cj__copy *copy);
void cj__copy_free(cj__copy *copy);

#endif
