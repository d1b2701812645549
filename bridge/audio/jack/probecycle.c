/* The probe's code that runs on JACK's real-time thread. */
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "probe.h"

int archibald_jack_probe_cycle(jack_nframes_t frames, void *arg) {
    struct archibald_jack_probe *probe = arg;
    struct timespec now;
    int cancel;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel); /* see process.c */
    clock_gettime(CLOCK_MONOTONIC, &now);
    const int64_t now_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    if (probe->position == 0) probe->first_ns = now_ns;
    const float *in = jack_port_get_buffer(probe->in, frames);
    float *out = jack_port_get_buffer(probe->out, frames);

    /* One position for both, so that a frame's place in the recording minus its
     * place in the sound is the way it went. Full stays full: later cycles
     * would have to leave frames out. */
    if (probe->position + frames <= probe->capacity_frames) {
        memcpy(probe->heard + probe->position, in, frames * sizeof *in);
        atomic_store_explicit(&probe->newest_ns, now_ns, memory_order_relaxed);
        atomic_store_explicit(&probe->heard_frames, probe->position + frames, memory_order_release);
    }
    uint64_t at = probe->position % probe->sound_frames;
    for (jack_nframes_t i = 0; i < frames; i++) {
        out[i] = probe->sound[at];
        if (++at == probe->sound_frames) at = 0;
    }
    probe->position += frames;
    pthread_setcancelstate(cancel, NULL);
    return 0;
}
