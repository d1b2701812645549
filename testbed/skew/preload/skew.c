/* Preloaded into every process of one pretended machine (ld.so(8), LD_PRELOAD):
 * its monotonic clocks run SKEW_PPM fast, counted from SKEW_EPOCH_NS of the true
 * CLOCK_MONOTONIC. Waits for a moment of such a clock end when that clock gets
 * there; how long a relative wait lasts is wrong by a few millionths, which
 * nobody can tell. CLOCK_REALTIME stays true: the kernel stamps packets with it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>

enum { max_descriptors = 4096 };

static double skew; /* parts of one */
static int64_t epoch_ns;
/* Which timers run by a skewed clock. Written where a timer is made, read where
 * it is set: the same thread, or later. */
static unsigned char is_skewed_timer[max_descriptors];

static int (*real_gettime)(clockid_t, struct timespec *);
static int (*real_nanosleep)(clockid_t, int, const struct timespec *, struct timespec *);
static int (*real_timer_create)(int, int);
static int (*real_timer_set)(int, int, const struct itimerspec *, struct itimerspec *);
static int (*real_condition_wait)(pthread_cond_t *, pthread_mutex_t *, clockid_t,
                                  const struct timespec *);
static int (*real_semaphore_wait)(sem_t *, clockid_t, const struct timespec *);

__attribute__((constructor)) static void start(void) {
    const char *ppm = getenv("SKEW_PPM"), *epoch = getenv("SKEW_EPOCH_NS");
    real_gettime = dlsym(RTLD_NEXT, "clock_gettime");
    real_nanosleep = dlsym(RTLD_NEXT, "clock_nanosleep");
    real_timer_create = dlsym(RTLD_NEXT, "timerfd_create");
    real_timer_set = dlsym(RTLD_NEXT, "timerfd_settime");
    real_condition_wait = dlsym(RTLD_NEXT, "pthread_cond_clockwait");
    real_semaphore_wait = dlsym(RTLD_NEXT, "sem_clockwait");
    skew = ppm ? atof(ppm) * 1e-6 : 0;
    epoch_ns = epoch ? atoll(epoch) : 0;
}

static int is_skewed(clockid_t clock) {
    return clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_RAW ||
           clock == CLOCK_MONOTONIC_COARSE;
}

static int64_t ns_of(const struct timespec *t) {
    return t->tv_sec * INT64_C(1000000000) + t->tv_nsec;
}

static struct timespec timespec_of(int64_t ns) {
    return (struct timespec){.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
}

/* The true moment at which the skewed clock shows t. Zero, which disarms a
 * timer, stays zero. */
static struct timespec true_time(const struct timespec *t) {
    int64_t ns = ns_of(t);
    if (ns == 0) return *t;
    int64_t moment_ns = ns - (int64_t)((double)(ns - epoch_ns) * (skew / (1 + skew)));
    return timespec_of(moment_ns > 0 ? moment_ns : 1);
}

int clock_gettime(clockid_t clock, struct timespec *t) {
    if (!real_gettime) start(); /* another library's constructor came first */
    int result = real_gettime(clock, t);
    if (result == 0 && is_skewed(clock)) {
        int64_t ns = ns_of(t);
        *t = timespec_of(ns + (int64_t)((double)(ns - epoch_ns) * skew));
    }
    return result;
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *t, struct timespec *rest) {
    if (!(flags & TIMER_ABSTIME) || !is_skewed(clock)) return real_nanosleep(clock, flags, t, rest);
    struct timespec moment = true_time(t);
    return real_nanosleep(clock, flags, &moment, rest);
}

int timerfd_create(int clock, int flags) {
    int fd = real_timer_create(clock, flags);
    if (fd >= 0 && fd < max_descriptors) is_skewed_timer[fd] = (unsigned char)is_skewed(clock);
    return fd;
}

int timerfd_settime(int fd, int flags, const struct itimerspec *new, struct itimerspec *old) {
    if (!(flags & TFD_TIMER_ABSTIME) || fd < 0 || fd >= max_descriptors || !is_skewed_timer[fd])
        return real_timer_set(fd, flags, new, old);
    struct itimerspec moment = {.it_interval = new->it_interval,
                                .it_value = true_time(&new->it_value)};
    return real_timer_set(fd, flags, &moment, old);
}

int pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t clock,
                           const struct timespec *t) {
    if (!is_skewed(clock)) return real_condition_wait(condition, mutex, clock, t);
    struct timespec moment = true_time(t);
    return real_condition_wait(condition, mutex, clock, &moment);
}

int sem_clockwait(sem_t *semaphore, clockid_t clock, const struct timespec *t) {
    if (!is_skewed(clock)) return real_semaphore_wait(semaphore, clock, t);
    struct timespec moment = true_time(t);
    return real_semaphore_wait(semaphore, clock, &moment);
}
