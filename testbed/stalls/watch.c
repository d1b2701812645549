#define _GNU_SOURCE /* pthread_setaffinity_np */
#include "watch.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

static int64_t monotonic_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* 0, or errno. */
static int settle_on(int processor, int priority) {
    struct sched_param param = {.sched_priority = priority};
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    int refused = pthread_setaffinity_np(pthread_self(), sizeof set, &set);
    return refused ? refused : pthread_setschedparam(pthread_self(), SCHED_FIFO, &param);
}

static void *watch_processor(void *arg) {
    struct stalls_watch *watch = arg;
    watch->failed = settle_on(watch->processor, watch->priority);
    __atomic_store_n(&watch->ready, 1, __ATOMIC_RELEASE);
    int64_t due_ns = monotonic_ns();
    while (!watch->failed && !__atomic_load_n(&watch->stop, __ATOMIC_RELAXED)) {
        due_ns += stalls_period_ns;
        struct timespec due = {.tv_sec = due_ns / 1000000000, .tv_nsec = due_ns % 1000000000};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
        int64_t now_ns = monotonic_ns(), late_ns = now_ns - due_ns;
        if (late_ns < stalls_least_ns) continue;
        if (watch->count < stalls_most)
            watch->found[watch->count++] = (struct stall){now_ns, late_ns};
        else
            watch->dropped++;
        due_ns = now_ns;
    }
    return NULL;
}

struct stalls_watch *stalls_start(int processor, int priority) {
    struct stalls_watch *watch = calloc(1, sizeof *watch);
    if (!watch) return NULL;
    watch->processor = processor;
    watch->priority = priority;
    if (pthread_create(&watch->thread, NULL, watch_processor, watch)) {
        free(watch);
        return NULL;
    }
    return watch;
}

int stalls_ready(struct stalls_watch *watch) {
    return __atomic_load_n(&watch->ready, __ATOMIC_ACQUIRE);
}

void stalls_stop(struct stalls_watch *watch) {
    __atomic_store_n(&watch->stop, 1, __ATOMIC_RELAXED);
    pthread_join(watch->thread, NULL);
}

struct occupied {
    int processor, priority, failed;
    int64_t ns;
};

static void *occupy(void *arg) {
    struct occupied *busy = arg;
    busy->failed = settle_on(busy->processor, busy->priority);
    for (int64_t end_ns = monotonic_ns() + busy->ns; !busy->failed && monotonic_ns() < end_ns;) {}
    return NULL;
}

int stalls_occupy(int processor, int priority, int64_t ns) {
    struct occupied busy = {.processor = processor, .priority = priority, .ns = ns};
    pthread_t thread;
    int refused = pthread_create(&thread, NULL, occupy, &busy);
    if (refused) return refused;
    pthread_join(thread, NULL);
    return busy.failed;
}
