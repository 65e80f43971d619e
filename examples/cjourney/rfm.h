/* What the files of the rfm commands share.  Private to rfm*.c. */
#ifndef CJOURNEY_RFM_H
#define CJOURNEY_RFM_H

#include "program.h"

enum { RFM_LIMITS = 32 };

typedef struct rfm_question {
    cj_rfm_options o;
    int64_t limits[3][RFM_LIMITS];
} rfm_question;

/* By the options of the command; DONE, or a code. */
int rfm_question_read(program *p, rfm_question *q);

int run_rfm_migrate(program *p);
int run_rfm_distribution(program *p);
int run_rfm_concentration(program *p);

#endif
