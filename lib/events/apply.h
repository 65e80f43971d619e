/* Between the group commit and one message.  Private to room events. */
#ifndef CJ__EVENTS_APPLY_H
#define CJ__EVENTS_APPLY_H

#include "events/events.h"

/* Do one validated message in the open transaction; its event goes to the batch. */
int32_t cj__message_apply(cj_db *db, cj__message *m, int64_t now_ms, cj__batch *batch);

#endif
