//go:build portaudio

#define _GNU_SOURCE
#include "shim.h"

#ifdef __linux__
#include <dlfcn.h>
#include <stddef.h>

static void no_jack_message(const char *message) { (void)message; }

static void no_alsa_message(const char *file, int line, const char *function, int error,
                            const char *format, ...) {
    (void)file, (void)line, (void)function, (void)error, (void)format;
}

/* Found by name: which of the two libraries libportaudio brings along is up to
 * whoever built it. */
void archibald_portaudio_silence(void) {
    void (*jack)(void (*)(const char *)) =
        (void (*)(void (*)(const char *)))dlsym(RTLD_DEFAULT, "jack_set_error_function");
    if (jack != NULL) jack(no_jack_message);
    int (*alsa)(void (*)(const char *, int, const char *, int, const char *, ...)) =
        (int (*)(void (*)(const char *, int, const char *, int, const char *, ...)))dlsym(
            RTLD_DEFAULT, "snd_lib_error_set_handler");
    if (alsa != NULL) alsa(no_alsa_message);
}
#else
void archibald_portaudio_silence(void) {}
#endif
