/* A sum that forgets nothing small: what rounding takes away is kept beside it
 * (Neumaier 1974).  The same terms in the same order give the same bits. */
#ifndef CJ__BASE_SUM_H
#define CJ__BASE_SUM_H

#include <stdint.h>

typedef struct cj__sum {
    double high, low;
} cj__sum;

void cj__sum_add(cj__sum *s, double term);
double cj__sum_of(const cj__sum *s);

/* Quick sums of a few hundred terms, in four lanes: of a, and of a * b. */
double cj__lanes(const double *a, int64_t n);
double cj__lanes_product(const double *a, const double *b, int64_t n);
/* The same of any number: in chunks, those compensated. */
double cj__sum_column(const double *a, int64_t n);
double cj__sum_product(const double *a, const double *b, int64_t n);

#endif
