/* Opening and closing the probe. Called from Go, one call at a time. */
#include "probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "errors.h"
#include "state.h"

static int on_xrun(void *arg) {
    struct archibald_jack_probe *probe = arg;
    atomic_fetch_add_explicit(&probe->xruns, 1, memory_order_relaxed);
    return 0;
}

static void on_freewheel(int starting, void *arg) {
    struct archibald_jack_probe *probe = arg;
    if (starting) atomic_store_explicit(&probe->freewheeled, 1, memory_order_relaxed);
}

static void on_lost(void *arg) {
    struct archibald_jack_probe *probe = arg;
    atomic_store_explicit(&probe->lost, 1, memory_order_relaxed);
}

static int furnish(struct archibald_jack_probe *probe, const char *server, const char *name,
                   struct archibald_jack_error *error) {
    probe->client = archibald_jack_join(server, name, error);
    if (!probe->client) return -1;
    archibald_jack_forget_error();
    probe->out =
        jack_port_register(probe->client, "out", JACK_DEFAULT_AUDIO_TYPE, JackPortIsOutput, 0);
    probe->in =
        jack_port_register(probe->client, "in", JACK_DEFAULT_AUDIO_TYPE, JackPortIsInput, 0);
    if (!probe->out || !probe->in) {
        archibald_jack_fail(error, archibald_jack_refused, name);
        return -1;
    }
    jack_set_xrun_callback(probe->client, on_xrun, probe);
    jack_set_freewheel_callback(probe->client, on_freewheel, probe);
    jack_on_shutdown(probe->client, on_lost, probe);
    jack_set_process_callback(probe->client, archibald_jack_probe_cycle, probe);
    return 0;
}

struct archibald_jack_probe *archibald_jack_probe_open(const char *server, const char *name,
                                                       struct archibald_jack_error *error) {
    archibald_jack_silence();
    struct archibald_jack_probe *probe = calloc(1, sizeof *probe);
    if (!probe) {
        error->failure = archibald_jack_refused;
        snprintf(error->message, sizeof error->message, "out of memory");
        return NULL;
    }
    sigset_t before;
    archibald_jack_block_signals(&before); /* libjack's threads inherit it; see call.go */
    int failed = furnish(probe, server, name, error);
    archibald_jack_restore_signals(&before);
    if (failed) {
        archibald_jack_probe_close(probe);
        return NULL;
    }
    return probe;
}

int archibald_jack_probe_start(struct archibald_jack_probe *probe, const float *sound,
                               uint64_t sound_frames, uint64_t capacity_frames,
                               struct archibald_jack_error *error) {
    size_t bytes = (capacity_frames + sound_frames) * sizeof *sound;
    float *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED) {
        error->failure = archibald_jack_refused;
        snprintf(error->message, sizeof error->message, "no %zu bytes of memory to record into",
                 bytes);
        return -1;
    }
    /* Without the right to lock it is still there, unless memory runs short. */
    (void)mlock(memory, bytes);
    memcpy(memory + capacity_frames, sound, sound_frames * sizeof *sound);
    probe->heard = memory;
    probe->capacity_frames = capacity_frames;
    probe->sound = memory + capacity_frames;
    probe->sound_frames = sound_frames;
    probe->memory_bytes = bytes;

    sigset_t before;
    archibald_jack_forget_error();
    archibald_jack_block_signals(&before);
    int failed = jack_activate(probe->client);
    archibald_jack_restore_signals(&before);
    if (failed)
        archibald_jack_fail(error, archibald_jack_refused, jack_get_client_name(probe->client));
    return failed ? -1 : 0;
}

uint64_t archibald_jack_probe_heard_frames(struct archibald_jack_probe *probe) {
    return atomic_load_explicit(&probe->heard_frames, memory_order_acquire);
}

uint64_t archibald_jack_probe_xruns(struct archibald_jack_probe *probe) {
    return atomic_load_explicit(&probe->xruns, memory_order_relaxed);
}

int64_t archibald_jack_probe_behind_ns(struct archibald_jack_probe *probe) {
    const uint64_t rate_hz = jack_get_sample_rate(probe->client);
    uint64_t heard, after = archibald_jack_probe_heard_frames(probe);
    int64_t newest_ns;

    do {
        heard = after;
        newest_ns = atomic_load_explicit(&probe->newest_ns, memory_order_relaxed);
        after = archibald_jack_probe_heard_frames(probe);
    } while (heard != after); /* a cycle came in between: the next is a period away */
    if (heard == 0) return 0;
    const uint64_t before =
        heard - jack_get_buffer_size(probe->client); /* the newest cycle's own */
    return newest_ns - probe->first_ns - (int64_t)(before * 1000000000 / rate_hz);
}

int archibald_jack_probe_freewheeled(struct archibald_jack_probe *probe) {
    return atomic_load_explicit(&probe->freewheeled, memory_order_relaxed) != 0;
}

int archibald_jack_probe_lost(struct archibald_jack_probe *probe) {
    return atomic_load_explicit(&probe->lost, memory_order_relaxed) != 0;
}

void archibald_jack_probe_close(struct archibald_jack_probe *probe) {
    sigset_t before;
    archibald_jack_block_signals(&before); /* libjack would leave some blocked */
    if (probe->client) jack_client_close(probe->client);
    archibald_jack_restore_signals(&before);
    if (probe->heard) munmap(probe->heard, probe->memory_bytes);
    free(probe);
}
