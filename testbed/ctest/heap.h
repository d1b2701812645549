/* Included in front of lifetime.c in the sanitizers' builds: the core's mapped
 * blocks come from the heap, where AddressSanitizer sees every byte beyond one. */
#ifndef ARCHIBALD_CTEST_HEAP_H
#define ARCHIBALD_CTEST_HEAP_H

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static inline void *heap_map(size_t bytes) {
    void *block = NULL;
    if (posix_memalign(&block, 64, bytes) != 0) return MAP_FAILED;
    return memset(block, 0, bytes);
}

#define mmap(address, bytes, protection, flags, fd, offset) heap_map(bytes)
#define munmap(block, bytes) free(block)
#define mlock(block, bytes) 0

#endif
