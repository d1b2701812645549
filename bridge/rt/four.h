/* Four floats at once, with every compiler and at every optimisation: the language's own
 * vectors (GNU C), which become the processor's. What compilers make of a plain loop depends
 * on their options: GCC 12 doubles the resampler's time from -O2 to -O3. */
#ifndef ARCHIBALD_FOUR_H
#define ARCHIBALD_FOUR_H

#include <string.h>

typedef float four __attribute__((vector_size(16)));

static inline four load(const float *from) {
    four x;
    memcpy(&x, from, sizeof x);
    return x;
}

static inline void store(float *to, four x) { memcpy(to, &x, sizeof x); }

#endif
