/* The test's program: waits 0.3 s in one way and prints by how much the clock
 * that it waited by went on meanwhile, and the true time, in seconds. */
#define _GNU_SOURCE
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timespec t) { return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec; }

static double shown(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return seconds(t);
}

static double true_now(void) /* past libc, so past the preloaded library */
{
    struct timespec t;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
    return seconds(t);
}

static struct timespec soon(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += 300000000;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

static void wait_as(const char *way) {
    struct timespec until = soon(), length = {.tv_nsec = 300000000};
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
    sem_t semaphore;
    if (!strcmp(way, "nanosleep")) {
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    } else if (!strcmp(way, "timerfd")) {
        struct itimerspec at = {.it_value = until};
        uint64_t expired;
        int fd = timerfd_create(CLOCK_MONOTONIC, 0);
        timerfd_settime(fd, TFD_TIMER_ABSTIME, &at, NULL);
        if (read(fd, &expired, sizeof expired) != sizeof expired) perror("timerfd");
    } else if (!strcmp(way, "condition")) {
        pthread_mutex_lock(&mutex);
        while (pthread_cond_clockwait(&condition, &mutex, CLOCK_MONOTONIC, &until) == 0)
            ;
    } else if (!strcmp(way, "semaphore")) {
        sem_init(&semaphore, 0, 0);
        sem_clockwait(&semaphore, CLOCK_MONOTONIC, &until);
    } else { /* read, raw, wall, relative */
        clock_nanosleep(CLOCK_MONOTONIC, 0, &length, NULL);
    }
}

int main(int count, char **arguments) {
    const char *way = count > 1 ? arguments[1] : "";
    clockid_t clock = !strcmp(way, "raw")    ? CLOCK_MONOTONIC_RAW
                      : !strcmp(way, "wall") ? CLOCK_REALTIME
                                             : CLOCK_MONOTONIC;
    if (!strcmp(way, "now")) {
        printf("%lld %lld\n", (long long)(1e9 * shown(CLOCK_MONOTONIC)),
               (long long)(1e9 * true_now()));
        return 0;
    }
    if (!strcmp(way, "disarm")) {
        struct itimerspec at = {.it_value = soon()}, zero = {0}, left;
        int fd = timerfd_create(CLOCK_MONOTONIC, 0);
        timerfd_settime(fd, TFD_TIMER_ABSTIME, &at, NULL);
        timerfd_settime(fd, TFD_TIMER_ABSTIME, &zero, NULL);
        timerfd_gettime(fd, &left);
        puts(left.it_value.tv_sec || left.it_value.tv_nsec ? "armed" : "disarmed");
        return 0;
    }
    double shown_before = shown(clock), true_before = true_now();
    wait_as(way);
    double shown_after = shown(clock), true_after = true_now();
    if (!strcmp(way, "relative")) /* what was asked for, not what the clock shows */
        shown_after = shown_before + 0.3;
    printf("%.9f %.9f\n", shown_after - shown_before, true_after - true_before);
    return 0;
}
