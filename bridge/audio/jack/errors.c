#include "errors.h"

#include <jack/jack.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* Each thread writes and reads only its own: libjack reports to the thread
 * that called it, and the messages of its other threads are not wanted. */
static _Thread_local char first_error[256];

/* Written by the thread inside jack_client_open, read by Go's calls; relaxed:
 * both are serialised by the Go side. */
static _Atomic uint32_t cleanups;

/* Messages on their way to Go. libjack writes on whatever thread has something to say, an
 * audio thread included: without a lock, and without waiting for a reader. */
enum { FREE, TAKEN, READY };

static struct {
    /* A writer takes a FREE slot (acquire) and makes it READY (release); Go reads a READY
     * one (acquire) and makes it FREE (release). */
    _Atomic int state;
    char text[256]; /* the writer's while TAKEN, Go's while READY */
} slots[32];

enum { N_SLOTS = sizeof slots / sizeof *slots };

static _Atomic uint32_t written; /* writers count, relaxed: only says which slot is next */
static uint32_t taken;           /* Go's calls only, one at a time: likewise */

static void keep(const char *message) {
    const uint32_t next = atomic_fetch_add_explicit(&written, 1, memory_order_relaxed) % N_SLOTS;
    int expected = FREE, cancel;
    /* libjack may end this thread anywhere (see process.c): a slot would stay TAKEN. */
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    if (atomic_compare_exchange_strong_explicit(&slots[next].state, &expected, TAKEN,
                                                memory_order_acquire, memory_order_relaxed)) {
        snprintf(slots[next].text, sizeof slots[next].text, "%s", message);
        atomic_store_explicit(&slots[next].state, READY, memory_order_release);
    } /* else Go is that far behind */
    pthread_setcancelstate(cancel, NULL);
}

int archibald_jack_take_message(char *message, size_t size) {
    for (uint32_t i = 0; i < N_SLOTS; i++) {
        const uint32_t next = (taken + i) % N_SLOTS;
        if (atomic_load_explicit(&slots[next].state, memory_order_acquire) != READY) continue;
        snprintf(message, size, "%s", slots[next].text);
        atomic_store_explicit(&slots[next].state, FREE, memory_order_release);
        taken = next + 1;
        return 1;
    }
    return 0;
}

static void on_error(const char *message) {
    keep(message);
    /* The only trace libjack2 leaves of the deletion (JackLibGlobals.h). */
    if (strstr(message, "clients are still allocated"))
        atomic_fetch_add_explicit(&cleanups, 1, memory_order_relaxed);
    if (!first_error[0]) snprintf(first_error, sizeof first_error, "%s", message);
}

static void on_info(const char *message) { keep(message); }

static void install(void) {
    jack_set_error_function(on_error);
    jack_set_info_function(on_info);
}

void archibald_jack_silence(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install);
}

void archibald_jack_forget_error(void) { first_error[0] = 0; }

void archibald_jack_first_error(char *message, size_t size) {
    snprintf(message, size, "%s", first_error);
}

uint32_t archibald_jack_cleanups(void) {
    return atomic_load_explicit(&cleanups, memory_order_relaxed);
}
