/* A sum that forgets nothing small: what rounding takes away is kept beside it
 * (Neumaier 1974).  The same terms in the same order give the same bits. */
#ifndef CJ__BASE_SUM_H
#define CJ__BASE_SUM_H

typedef struct cj__sum {
    double high, low;
} cj__sum;

void cj__sum_add(cj__sum *s, double term);
double cj__sum_of(const cj__sum *s);

#endif
