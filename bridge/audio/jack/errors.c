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

static void on_error(const char *message) {
    /* The only trace libjack2 leaves of the deletion (JackLibGlobals.h). */
    if (strstr(message, "clients are still allocated"))
        atomic_fetch_add_explicit(&cleanups, 1, memory_order_relaxed);
    if (!first_error[0]) snprintf(first_error, sizeof first_error, "%s", message);
}

static void on_info(const char *message) { (void)message; }

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
