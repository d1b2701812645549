/* Opening and closing the two clients. Called from Go, one call at a time. */
#define _GNU_SOURCE /* SCHED_RESET_ON_FORK */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jack/jack.h>
#include <jack/thread.h>

#include "errors.h"
#include "state.h"

void archibald_jack_block_signals(sigset_t *before) {
    /* pthread_sigmask leaves glibc's own signals open; a raw system call would
     * block SIGCANCEL, and libjack could never end its threads. */
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, before);
}

void archibald_jack_restore_signals(const sigset_t *before) {
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

/* Drops handles that libjack has freed by itself. */
static void forget_freed(archibald_jack *end) {
    uint32_t cleanups = archibald_jack_cleanups();
    if (cleanups == end->cleanups) return;
    end->cleanups = cleanups;
    end->playout.client = NULL;
    end->capture.client = NULL;
}

int archibald_jack_intact(archibald_jack *end) {
    forget_freed(end);
    return end->playout.client && end->capture.client;
}

void archibald_jack_close(archibald_jack *end) {
    forget_freed(end);
    if (end->capture.client) jack_client_close(end->capture.client);
    if (end->playout.client) jack_client_close(end->playout.client);
    free(end);
}

void archibald_jack_fail(struct archibald_jack_error *error, enum archibald_jack_failure failure,
                         const char *client) {
    error->failure = failure;
    snprintf(error->client, sizeof error->client, "%s", client);
    archibald_jack_first_error(error->message, sizeof error->message);
}

jack_client_t *archibald_jack_join(const char *server, const char *name,
                                   struct archibald_jack_error *error) {
    jack_status_t status = 0;

    archibald_jack_forget_error();
    jack_client_t *client = jack_client_open(
        name, JackUseExactName | JackNoStartServer | JackServerName, &status, server);
    if (client) return client;

    archibald_jack_fail(error, archibald_jack_refused, name);
    if (status & JackServerFailed) error->failure = archibald_jack_absent;
    /* libjack2 overwrites JackNameNotUnique before it returns; only the
     * message tells ("conflits", sic). It comes first only when it is true: a
     * server that drops the connection gives it as a consequence. */
    else if (strstr(error->message, "confli"))
        error->failure = archibald_jack_taken;
    return NULL;
}

static int open_client(archibald_jack *end, struct node *node, const char *server, const char *name,
                       struct archibald_jack_error *error) {
    jack_client_t *client = archibald_jack_join(server, name, error);
    forget_freed(end);
    node->client = client;
    return client ? 0 : -1;
}

static int register_ports(struct node *node, const char *prefix, uint32_t channels,
                          unsigned long direction) {
    for (uint32_t c = 0; c < channels; c++) {
        char name[16];
        snprintf(name, sizeof name, "%s_%u", prefix, c + 1);
        node->ports[c] =
            jack_port_register(node->client, name, JACK_DEFAULT_AUDIO_TYPE, direction, 0);
        if (!node->ports[c]) return -1;
    }
    node->channels = channels;
    return 0;
}

/* Both ends of the bridge are terminals of JACK's graph: sound comes from and
 * goes to somewhere outside. */
static int furnish(archibald_jack *end, const struct archibald_jack_request *request,
                   struct archibald_jack_error *error) {
    archibald_jack_forget_error();
    if (register_ports(&end->playout, "out", request->playout_channels,
                       JackPortIsOutput | JackPortIsTerminal)) {
        archibald_jack_fail(error, archibald_jack_refused, request->playout_client);
        return -1;
    }
    if (register_ports(&end->capture, "in", request->capture_channels,
                       JackPortIsInput | JackPortIsTerminal)) {
        archibald_jack_fail(error, archibald_jack_refused, request->capture_client);
        return -1;
    }
    atomic_store(&end->period_frames, jack_get_buffer_size(end->playout.client));
    atomic_store(&end->rate_hz, jack_get_sample_rate(end->playout.client));
    atomic_store(&end->graph_frame, jack_last_frame_time(end->playout.client));
    end->client_priority = jack_client_real_time_priority(end->playout.client);
    archibald_jack_watch(end);
    jack_set_process_callback(end->playout.client, archibald_jack_process_playout, end);
    jack_set_process_callback(end->capture.client, archibald_jack_process_capture, end);
    return 0;
}

archibald_jack *archibald_jack_open(const struct archibald_jack_request *request,
                                    struct archibald_jack_error *error) {
    archibald_jack_silence();
    archibald_jack *end = calloc(1, sizeof *end);
    if (!end) {
        snprintf(error->message, sizeof error->message, "out of memory");
        error->failure = archibald_jack_refused;
        return NULL;
    }
    end->engine = request->engine;
    end->core_playout = (archibald_playout_fn)request->playout;
    end->core_capture = (archibald_capture_fn)request->capture;
    end->captured = request->captured;
    end->captured_arg = request->captured_arg;
    end->events = request->events;
    end->cleanups = archibald_jack_cleanups();
    archibald_jack_set_latency(end, request->send_latency_frames, request->receive_latency_frames);

    if (open_client(end, &end->playout, request->server, request->playout_client, error) ||
        open_client(end, &end->capture, request->server, request->capture_client, error))
        goto undo;
    if (!archibald_jack_intact(end)) {
        archibald_jack_fail(error, archibald_jack_refused, request->playout_client);
        snprintf(error->message, sizeof error->message, "the server was restarted meanwhile");
        goto undo;
    }
    if (furnish(end, request, error)) goto undo;
    return end;

undo:
    archibald_jack_close(end);
    return NULL;
}

int archibald_jack_activate(archibald_jack *end, struct archibald_jack_error *error) {
    archibald_jack_forget_error();
    struct node *nodes[] = {&end->playout, &end->capture};
    for (int i = 0; i < 2; i++) {
        if (jack_activate(nodes[i]->client)) {
            archibald_jack_fail(error, archibald_jack_refused,
                                jack_get_client_name(nodes[i]->client));
            return -1;
        }
    }
    return 0;
}

void archibald_jack_set_latency(archibald_jack *end, uint32_t send_frames,
                                uint32_t receive_frames) {
    atomic_store_explicit(&end->capture.latency_frames, send_frames, memory_order_relaxed);
    atomic_store_explicit(&end->playout.latency_frames, receive_frames, memory_order_relaxed);
}

void archibald_jack_recompute_latencies(archibald_jack *end) {
    if (archibald_jack_intact(end)) jack_recompute_total_latencies(end->playout.client);
}

uint32_t archibald_jack_period_frames(archibald_jack *end) {
    return atomic_load_explicit(&end->period_frames, memory_order_relaxed);
}

uint32_t archibald_jack_rate_hz(archibald_jack *end) {
    return atomic_load_explicit(&end->rate_hz, memory_order_relaxed);
}

uint64_t archibald_jack_xruns(archibald_jack *end) {
    return atomic_load_explicit(&end->xruns, memory_order_relaxed);
}

int archibald_jack_lost(archibald_jack *end) {
    return atomic_load_explicit(&end->lost, memory_order_relaxed);
}

int archibald_jack_freewheels(archibald_jack *end) {
    return atomic_load_explicit(&end->freewheels, memory_order_relaxed);
}

const void *archibald_jack_freewheels_flag(archibald_jack *end) { return &end->freewheels; }

int archibald_jack_take_ports_missed(archibald_jack *end) {
    return atomic_exchange_explicit(&end->ports_missed, 0, memory_order_relaxed);
}

int archibald_jack_scheduling(archibald_jack *end, int *policy, int *priority) {
    struct node *nodes[] = {&end->playout, &end->capture};
    for (int i = 0; i < 2; i++) {
        int thread = atomic_load_explicit(&nodes[i]->thread_id, memory_order_relaxed);
        struct sched_param param;
        /* 0 would be the calling thread */
        int p = thread ? sched_getscheduler(thread) : -1;
        if (p < 0 || sched_getparam(thread, &param)) return -1;
        if (i == 0 || param.sched_priority < *priority) {
            *policy = p & ~SCHED_RESET_ON_FORK;
            *priority = param.sched_priority;
        }
    }
    return 0;
}

void archibald_jack_threads(archibald_jack *end, int threads[2], int *priority) {
    threads[0] = atomic_load_explicit(&end->playout.thread_id, memory_order_relaxed);
    threads[1] = atomic_load_explicit(&end->capture.thread_id, memory_order_relaxed);
    *priority = end->client_priority;
}
