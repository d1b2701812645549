#include "fake.h"

#include <jack/jack.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

archibald_engine *jacktest_new(void) {
    static archibald_engine *newest;
    archibald_engine *engine = calloc(1, sizeof *engine);
    engine->older = newest;
    newest = engine;
    return engine;
}

static struct jacktest_cycle *slot(struct jacktest_log *log) {
    return &log->cycles[log->count % jacktest_cycles];
}

static void publish(struct jacktest_log *log) {
    __atomic_store_n(&log->count, log->count + 1, __ATOMIC_RELEASE);
}

uint64_t jacktest_count(struct jacktest_log *log) {
    return __atomic_load_n(&log->count, __ATOMIC_ACQUIRE);
}

void jacktest_stall(archibald_engine *engine, int64_t ns) {
    __atomic_store_n(&engine->stall_ns, ns, __ATOMIC_RELAXED);
}

static void pause_ns(int64_t ns) {
    struct timespec pause = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
    if (ns) nanosleep(&pause, NULL);
}

/* Sample n of channel c is 65536 c + n mod 65536: exact in a float. */
static void playout(archibald_engine *engine, float *const *out, uint32_t channels, uint32_t frames,
                    uint64_t graph_frame, int64_t cycle_ns, int64_t now_ns) {
    pause_ns(__atomic_exchange_n(&engine->stall_ns, 0, __ATOMIC_RELAXED));
    struct jacktest_cycle *cycle = slot(&engine->playout);
    cycle->graph_frame = graph_frame;
    cycle->cycle_ns = cycle_ns;
    cycle->now_ns = now_ns;
    cycle->frames = frames;
    cycle->channels = channels;
    for (uint32_t c = 0; c < channels; c++) {
        for (uint32_t i = 0; i < frames; i++)
            out[c][i] = (float)(65536 * c + (engine->played + i) % 65536);
        cycle->first[c] = out[c][0];
        cycle->last[c] = out[c][frames - 1];
    }
    engine->played += frames;
    publish(&engine->playout);
}

static void capture(archibald_engine *engine, const float *const *in, uint32_t channels,
                    uint32_t frames, uint64_t graph_frame, int64_t now_ns) {
    struct jacktest_cycle *cycle = slot(&engine->capture);
    cycle->graph_frame = graph_frame;
    cycle->cycle_ns = cycle->now_ns = now_ns;
    cycle->frames = frames;
    cycle->channels = channels;
    for (uint32_t c = 0; c < channels; c++) {
        cycle->first[c] = in[c] ? in[c][0] : 0;
        cycle->last[c] = in[c] ? in[c][frames - 1] : 0;
    }
    publish(&engine->capture);
}

enum { lost_after_periods = 3, most_waiting = 8 };

static void count(uint64_t *counter) { __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED); }

static int begin(struct jacktest_follower *f, uint64_t *counter, int64_t now_ns, int64_t due_ns) {
    f->running = 1;
    f->began_ns = now_ns;
    f->due_ns = due_ns;
    count(counter);
    return 1;
}

static int follow(archibald_engine *engine, enum archibald_follow_why why, int64_t now_ns,
                  int64_t *wake_ns) {
    struct jacktest_follower *f = &engine->follower;
    const int64_t patience_ns = lost_after_periods * f->period_ns;
    char packet[2048];
    int starts = 0;

    if (why == archibald_follow_done) {
        f->running = 0;
        count(&f->done);
    }
    if (f->running && now_ns - f->began_ns >= patience_ns) {
        f->running = 0;
        count(&f->given_up);
    }
    if (!f->running) {
        while (recv(f->socket, packet, sizeof packet, MSG_DONTWAIT) >= 0) {
            f->waiting++;
            count(&f->packets);
        }
        /* After a standstill it goes on with the newest, as the core does. */
        if (f->waiting > most_waiting) f->waiting = 1;
        if (f->waiting > 0) {
            f->waiting--;
            starts = begin(f, &f->by_packet, now_ns, now_ns + patience_ns);
        } else if (why == archibald_follow_timer && now_ns >= f->due_ns) {
            starts = begin(f, &f->by_timer, now_ns, f->due_ns + f->period_ns);
        }
    }
    *wake_ns = f->running && f->began_ns + patience_ns > f->due_ns ? f->began_ns + patience_ns
                                                                   : f->due_ns;
    if (*wake_ns <= now_ns) *wake_ns = now_ns + 1000;
    return starts;
}

void *jacktest_follow(void) { return (void *)follow; }

void *jacktest_playout(void) { return (void *)playout; }

void *jacktest_capture(void) { return (void *)capture; }

struct through {
    jack_client_t *client;
    jack_port_t *in, *out;
    float *line; /* what is delayed; NULL: nothing */
    uint32_t delay_frames, at;
    int64_t work_ns;              /* Go writes, the process thread reads; relaxed */
    float taken[jacktest_period]; /* process thread only */
};

static int copy(jack_nframes_t frames, void *arg) {
    struct through *t = arg;
    const float *in = jack_port_get_buffer(t->in, frames);
    float *out = jack_port_get_buffer(t->out, frames);
    int64_t work_ns = __atomic_load_n(&t->work_ns, __ATOMIC_RELAXED);

    if (work_ns) {
        memcpy(t->taken, in, frames * sizeof *in);
        in = t->taken;
        pause_ns(work_ns);
    }
    if (!t->line) memcpy(out, in, frames * sizeof *out);
    for (uint32_t i = 0; t->line && i < frames; i++) {
        float sample = in[i];
        out[i] = t->line[t->at];
        t->line[t->at] = sample;
        t->at = (t->at + 1) % t->delay_frames;
    }
    return 0;
}

static void *join(const char *server, const char *name, uint32_t delay_frames) {
    struct through *t = calloc(1, sizeof *t);
    t->delay_frames = delay_frames;
    if (delay_frames) t->line = calloc(delay_frames, sizeof *t->line);
    t->client =
        jack_client_open(name, JackUseExactName | JackNoStartServer | JackServerName, NULL, server);
    if (!t->client) {
        free(t->line);
        free(t);
        return NULL;
    }
    t->in = jack_port_register(t->client, "in", JACK_DEFAULT_AUDIO_TYPE, JackPortIsInput, 0);
    t->out = jack_port_register(t->client, "out", JACK_DEFAULT_AUDIO_TYPE, JackPortIsOutput, 0);
    jack_set_process_callback(t->client, copy, t);
    return t;
}

/* libjack leaves the calling thread with signals blocked. */

void *jacktest_through(const char *server, const char *name, uint32_t delay_frames) {
    sigset_t mask;
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    void *client = join(server, name, delay_frames);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    return client;
}

void jacktest_through_work(void *client, int64_t ns) {
    __atomic_store_n(&((struct through *)client)->work_ns, ns, __ATOMIC_RELAXED);
}

int jacktest_through_activate(void *client) {
    return jack_activate(((struct through *)client)->client);
}

void jacktest_through_close(void *client) {
    struct through *t = client;
    sigset_t mask;
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    jack_client_close(t->client);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    free(t->line);
    free(t);
}
