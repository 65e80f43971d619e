/* Small symmetric matrices (a few dozen rows), row by row in one array of n * n. */
#ifndef CJ__BASE_LINEAR_H
#define CJ__BASE_LINEAR_H

#include <stdint.h>

/* Eigenvalues in ascending order and orthonormal eigenvectors: column j of `vectors` is
 * that of values[j].  Destroys a.  Relative error about 1e-15 of the largest. */
void cj__eigen(int32_t n, double *a, double *values, double *vectors);

#endif
