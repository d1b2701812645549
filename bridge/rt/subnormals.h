/* How the processor treats subnormal floats, those below 1.2e-38. Arithmetic on them takes
 * many times as long as on others, and sound that fades away ends in them. */
#ifndef ARCHIBALD_SUBNORMALS_H
#define ARCHIBALD_SUBNORMALS_H

#include <stdint.h>

#ifdef __SSE__
#include <xmmintrin.h>
#endif

/* From now on this thread takes subnormal floats for 0, as operands and as results.
 * Returns what subnormals_restore needs. Calls of functions in other files must lie between
 * the two: the compiler may move plain arithmetic across. */
static inline uint64_t subnormals_flush(void) {
#if defined(__SSE__)
    const uint32_t before = _mm_getcsr();
    _mm_setcsr(before | 0x8000 | 0x0040); /* flush to zero, denormals are zero */
    return before;
#elif defined(__aarch64__)
    uint64_t before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    __asm__ volatile("msr fpcr, %0" : : "r"(before | 1 << 24)); /* FZ: both */
    return before;
#else
    return 0;
#endif
}

static inline void subnormals_restore(uint64_t before) {
#if defined(__SSE__)
    _mm_setcsr((uint32_t)before);
#elif defined(__aarch64__)
    __asm__ volatile("msr fpcr, %0" : : "r"(before));
#else
    (void)before;
#endif
}

#endif
