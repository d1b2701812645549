/* The life of a drive. Called from Go, one call at a time. */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "drive.h"

/* One block: the drive, and from the next page on the stack of its thread, on which the core
 * reads packets. */
enum { DRIVE_BYTES = 4096, STACK_BYTES = 256 * 1024, BLOCK_BYTES = DRIVE_BYTES + STACK_BYTES };

_Static_assert(sizeof(struct archibald_netone_drive) <= DRIVE_BYTES, "a drive fits its page");

struct archibald_netone_drive *archibald_netone_new(void) {
    void *block = mmap(NULL, BLOCK_BYTES, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (block == MAP_FAILED) return NULL;
    /* Without the right to lock, it is still there unless memory runs short. */
    (void)mlock(block, BLOCK_BYTES);
    return block;
}

void archibald_netone_free(struct archibald_netone_drive *drive) { munmap(drive, BLOCK_BYTES); }

int archibald_netone_start(struct archibald_netone_drive *drive) {
    pthread_attr_t attributes;
    sigset_t all, before;

    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, (char *)drive + DRIVE_BYTES, STACK_BYTES);
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    const int failed =
        pthread_create(&drive->thread, &attributes, archibald_netone_thread, drive);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (failed) return failed;
    drive->started = 1;
    /* Without the right to it, the thread is promoted later, with the other audio threads. */
    const struct sched_param fifo = {.sched_priority = drive->priority};
    if (drive->priority) (void)pthread_setschedparam(drive->thread, SCHED_FIFO, &fifo);
    return 0;
}

void archibald_netone_stop(struct archibald_netone_drive *drive) {
    const uint64_t once = 1;
    if (!drive->started) return;
    atomic_store_explicit(&drive->quit, 1, memory_order_relaxed);
    /* It fails only where the count is full, and the thread awake. */
    if (write(drive->wake, &once, sizeof once) < 0) sched_yield();
    pthread_join(drive->thread, NULL);
    drive->started = 0;
}

uint64_t archibald_netone_answers(struct archibald_netone_drive *drive) {
    return atomic_load_explicit(&drive->answers, memory_order_relaxed);
}

int archibald_netone_thread_id(struct archibald_netone_drive *drive) {
    return atomic_load_explicit(&drive->thread_id, memory_order_relaxed);
}
