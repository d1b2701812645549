/* The real-time half of jackprobe: one JACK client that plays known signals
 * and records what it hears. It links with jackd2's libjack and runs with
 * PipeWire's as well. */
#ifndef ARCHIBALD_JACKPROBE_H
#define ARCHIBALD_JACKPROBE_H

#include <stdint.h>

enum { probe_max_ports = 64 };

/* What one output plays. */
enum probe_signal {
    probe_tone,      /* sine: hz, amplitude */
    probe_noise_l24, /* pseudo-random multiples of 2^-23, peak 0.5: seed */
    probe_noise_f32, /* pseudo-random 32-bit floats, peak 0.5: seed */
};

struct probe_output {
    enum probe_signal signal;
    double hz;        /* 0 to half the rate */
    double amplitude; /* peak, 1.0 is full scale */
    uint64_t seed;
};

struct probe_cycle {
    int64_t monotonic_ns;
    uint32_t frame_time, frames, lost_frames, reserved;
};

struct probe;

/* Opens the client and registers out_1.. and in_1.. ; NULL on failure. server
 * may be NULL: the default one. Recording space is for seconds of sound. */
struct probe *probe_open(const char *name, const char *server, const struct probe_output *outputs,
                         int output_count, int input_count, double seconds);

/* Why the last probe_open failed: one line. */
const char *probe_error(void);

int probe_rate(const struct probe *probe);
int probe_activate(struct probe *probe); /* 0 is success */

/* 1: both ports are connected now; 0: not possible yet. */
int probe_connect(struct probe *probe, const char *from, const char *to);

void probe_record(struct probe *probe);             /* from the next cycle on */
uint64_t probe_recorded(const struct probe *probe); /* frames, so far */
int probe_server_lost(const struct probe *probe);
uint32_t probe_xruns(const struct probe *probe);

/* After probe_deactivate nothing is recorded any more. */
void probe_deactivate(struct probe *probe);
const float *probe_input(const struct probe *probe, int index);
const struct probe_cycle *probe_cycles(const struct probe *probe, uint64_t *count);
void probe_close(struct probe *probe);

#endif
