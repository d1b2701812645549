#define _GNU_SOURCE
#include "probe.h"
#include "grid.h"

#include <jack/jack.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

struct probe {
    jack_client_t *client;
    double rate;
    int output_count, input_count;
    struct probe_output outputs[probe_max_ports];
    jack_port_t *out[probe_max_ports], *in[probe_max_ports];

    /* One locked block of memory: the cycles, then one run of frames per input.
     * Written by the callback, read by the control thread after deactivation. */
    void *memory;
    size_t memory_size;
    struct probe_cycle *cycles;
    uint64_t cycle_capacity;
    float *inputs;
    uint64_t frame_capacity;

    /* The callback's own. */
    struct grid grid;
    uint32_t last_frame_time;
    uint64_t position; /* frames since the first cycle, lost time included */
    int started;

    atomic_int recording;             /* control writes, callback reads; release, acquire */
    atomic_uint_fast64_t recorded;    /* frames; callback writes, control reads; release, acquire */
    atomic_uint_fast64_t cycle_count; /* callback writes, control reads; release, acquire */
    atomic_uint_fast32_t xruns; /* libjack's thread writes, control reads; relaxed: a count only */
    atomic_int server_lost;     /* libjack's thread writes, control reads; release, acquire */
};

static char error_text[256];

const char *probe_error(void) { return error_text; }

static int64_t monotonic_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* splitmix64's output function (Steele, Lea, Flood 2014) on seed and index, so
 * that any frame of the noise can be had without those before it. The Go twin
 * is signal.Noise. */
static uint32_t random_bits(uint64_t seed, uint64_t index) {
    uint64_t z = seed + (index + 1) * UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (uint32_t)((z ^ (z >> 31)) >> 32);
}

static void play(const struct probe_output *output, double rate, uint64_t position, float *to,
                 uint32_t frames) {
    double cycles_per_frame = output->hz / rate;
    for (uint32_t i = 0; i < frames; i++) {
        switch (output->signal) {
        case probe_tone: {
            double turns = fmod(cycles_per_frame * (double)(position + i), 1.0);
            to[i] = (float)(output->amplitude * sin(2 * M_PI * turns));
            break;
        }
        case probe_noise_l24:
            to[i] = (float)((int32_t)random_bits(output->seed, position + i) >> 9) / 8388608.0f;
            break;
        case probe_noise_f32:
            to[i] = (float)(int32_t)random_bits(output->seed, position + i) / 4294967296.0f;
            break;
        }
    }
}

static void record(struct probe *p, const struct probe_cycle *cycle) {
    uint64_t at = atomic_load_explicit(&p->recorded, memory_order_relaxed);
    uint64_t count = atomic_load_explicit(&p->cycle_count, memory_order_relaxed);
    if (at + cycle->frames > p->frame_capacity || count == p->cycle_capacity) return;
    for (int i = 0; i < p->input_count; i++) {
        const float *from = jack_port_get_buffer(p->in[i], cycle->frames);
        float *to = p->inputs + (size_t)i * p->frame_capacity + at;
        if (from) memcpy(to, from, cycle->frames * sizeof *to);
    }
    p->cycles[count] = *cycle;
    atomic_store_explicit(&p->cycle_count, count + 1, memory_order_release);
    atomic_store_explicit(&p->recorded, at + cycle->frames, memory_order_release);
}

static int process(jack_nframes_t frames, void *arg) {
    struct probe *p = arg;
    struct probe_cycle cycle = {
        .monotonic_ns = monotonic_ns(),
        .frame_time = jack_last_frame_time(p->client),
        .frames = frames,
    };
    cycle.lost_frames = grid_lost(&p->grid, cycle.frame_time, frames, cycle.monotonic_ns, p->rate);
    if (p->started) p->position += (uint32_t)(cycle.frame_time - p->last_frame_time);
    p->position += cycle.lost_frames;
    p->last_frame_time = cycle.frame_time;
    p->started = 1;
    for (int i = 0; i < p->output_count; i++) {
        float *to = jack_port_get_buffer(p->out[i], frames);
        if (to) play(&p->outputs[i], p->rate, p->position, to, frames);
    }
    if (atomic_load_explicit(&p->recording, memory_order_acquire)) record(p, &cycle);
    return 0;
}

static int xrun(void *arg) {
    struct probe *p = arg;
    if (atomic_load_explicit(&p->recording, memory_order_acquire))
        atomic_fetch_add_explicit(&p->xruns, 1, memory_order_relaxed);
    return 0;
}

static void lost(void *arg) {
    struct probe *p = arg;
    atomic_store_explicit(&p->server_lost, 1, memory_order_release);
}

/* libjack's threads inherit the mask of the thread that creates them: with all
 * signals blocked, Go's signal handlers never run there. */
static void block_signals(sigset_t *before) {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, before);
}

static void restore_signals(const sigset_t *before) { pthread_sigmask(SIG_SETMASK, before, NULL); }

static jack_client_t *open_client(const char *name, const char *server) {
    sigset_t before;
    jack_client_t *client;
    block_signals(&before);
    if (server)
        client = jack_client_open(name, JackNoStartServer | JackUseExactName | JackServerName, NULL,
                                  server);
    else
        client = jack_client_open(name, JackNoStartServer | JackUseExactName, NULL);
    restore_signals(&before);
    return client;
}

static int reserve(struct probe *p, double seconds) {
    /* No server here runs cycles shorter than 16 frames. */
    p->frame_capacity = (uint64_t)(seconds * p->rate) + 8192;
    p->cycle_capacity = p->frame_capacity / 16;
    size_t cycles = p->cycle_capacity * sizeof *p->cycles;
    p->memory_size = cycles + (size_t)p->input_count * p->frame_capacity * sizeof *p->inputs;
    p->memory = mmap(NULL, p->memory_size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (p->memory == MAP_FAILED) {
        p->memory = NULL;
        snprintf(error_text, sizeof error_text, "no %zu bytes of memory to record into",
                 p->memory_size);
        return -1;
    }
    if (mlock(p->memory, p->memory_size) != 0) {
        snprintf(error_text, sizeof error_text,
                 "cannot lock %zu bytes of memory: be root or raise the memlock limit",
                 p->memory_size);
        return -1;
    }
    p->cycles = p->memory;
    p->inputs = (float *)((char *)p->memory + cycles);
    return 0;
}

static int register_ports(struct probe *p) {
    char name[16];
    for (int i = 0; i < p->output_count; i++) {
        snprintf(name, sizeof name, "out_%d", i + 1);
        p->out[i] =
            jack_port_register(p->client, name, JACK_DEFAULT_AUDIO_TYPE, JackPortIsOutput, 0);
        if (!p->out[i]) return -1;
    }
    for (int i = 0; i < p->input_count; i++) {
        snprintf(name, sizeof name, "in_%d", i + 1);
        p->in[i] = jack_port_register(p->client, name, JACK_DEFAULT_AUDIO_TYPE, JackPortIsInput, 0);
        if (!p->in[i]) return -1;
    }
    return 0;
}

struct probe *probe_open(const char *name, const char *server, const struct probe_output *outputs,
                         int output_count, int input_count, double seconds) {
    struct probe *p = calloc(1, sizeof *p);
    if (!p) abort();
    memcpy(p->outputs, outputs, (size_t)output_count * sizeof *outputs);
    p->output_count = output_count;
    p->input_count = input_count;
    p->client = open_client(name, server);
    if (!p->client) {
        snprintf(error_text, sizeof error_text, "no client \"%s\" on JACK server \"%s\"", name,
                 server ? server : "default");
        probe_close(p);
        return NULL;
    }
    p->rate = jack_get_sample_rate(p->client);
    if (reserve(p, seconds) != 0) {
        probe_close(p);
        return NULL;
    }
    if (register_ports(p) != 0) {
        snprintf(error_text, sizeof error_text, "the JACK server refused a port");
        probe_close(p);
        return NULL;
    }
    jack_set_process_callback(p->client, process, p);
    jack_set_xrun_callback(p->client, xrun, p);
    jack_on_shutdown(p->client, lost, p);
    return p;
}

int probe_rate(const struct probe *p) { return (int)p->rate; }

int probe_activate(struct probe *p) {
    sigset_t before;
    int result;
    block_signals(&before);
    result = jack_activate(p->client);
    restore_signals(&before);
    return result;
}

int probe_connect(struct probe *p, const char *from, const char *to) {
    const jack_port_t *port = jack_port_by_name(p->client, from);
    int connected = 0;
    if (!port || !jack_port_by_name(p->client, to)) return 0;
    const char **peers = jack_port_get_all_connections(p->client, port);
    for (int i = 0; peers && peers[i]; i++) connected |= strcmp(peers[i], to) == 0;
    jack_free(peers);
    if (!connected)
        jack_connect(p->client, from,
                     to); /* PipeWire answers before it is done: look again next time */
    return connected;
}

void probe_record(struct probe *p) {
    atomic_store_explicit(&p->recording, 1, memory_order_release);
}

uint64_t probe_recorded(const struct probe *p) {
    return atomic_load_explicit(&((struct probe *)p)->recorded, memory_order_acquire);
}

int probe_server_lost(const struct probe *p) {
    return atomic_load_explicit(&((struct probe *)p)->server_lost, memory_order_acquire);
}

uint32_t probe_xruns(const struct probe *p) {
    return (uint32_t)atomic_load_explicit(&((struct probe *)p)->xruns, memory_order_relaxed);
}

void probe_deactivate(struct probe *p) {
    atomic_store_explicit(&p->recording, 0, memory_order_release);
    if (!probe_server_lost(p)) jack_deactivate(p->client);
}

const float *probe_input(const struct probe *p, int index) {
    return p->inputs + (size_t)index * p->frame_capacity;
}

const struct probe_cycle *probe_cycles(const struct probe *p, uint64_t *count) {
    *count = atomic_load_explicit(&((struct probe *)p)->cycle_count, memory_order_acquire);
    return p->cycles;
}

void probe_close(struct probe *p) {
    if (p->client) jack_client_close(p->client);
    if (p->memory) munmap(p->memory, p->memory_size);
    free(p);
}
