/* How far apart two names are, so that an error can name the one that was meant. */
#ifndef CJ__BASE_NEAREST_H
#define CJ__BASE_NEAREST_H

#include "base/str.h"

/* Letters to insert, delete or replace to make a into b, ignoring ASCII case; only the
 * first 64 bytes of each count. */
size_t cj__name_distance(cj__text a, cj__text b);

/* 1 when they differ by ASCII case at most, whatever the process's locale. */
int cj__name_same(const char *a, const char *b);

/* 1 when a name from outside may appear in a message: short, letters, digits, "_-.$ ",
 * and it begins with a letter; anything else may be a customer's. */
int cj__name_sayable(cj__text name);

#endif
