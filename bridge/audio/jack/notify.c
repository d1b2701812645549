/* What the server tells the clients, on libjack's notification threads. Each
 * callback stores an atomic and writes one record to the pipe Go reads. */
#include <string.h>
#include <unistd.h>

#include "state.h"

/* A record is the name of a port that appeared, or empty: look at the atomics.
 * A full pipe already makes Go look. */
static int tell(archibald_jack *end, const char *port) {
    char record[archibald_jack_record_bytes] = {0};
    strncpy(record, port, sizeof record - 1);
    return write(end->events, record, sizeof record) == sizeof record;
}

static void on_shutdown(jack_status_t code, const char *reason, void *arg) {
    (void)code, (void)reason;
    archibald_jack *end = arg;
    atomic_store_explicit(&end->lost, 1, memory_order_relaxed);
    tell(end, "");
}

void archibald_jack_notice_deletion(archibald_jack *end) {
    if (!archibald_jack_intact(end) && !archibald_jack_lost(end)) on_shutdown(0, NULL, end);
}

static int on_xrun(void *arg) {
    archibald_jack *end = arg;
    atomic_fetch_add_explicit(&end->xruns, 1, memory_order_relaxed);
    return 0;
}

/* libjack also calls the next two with the values we know, when they are
 * installed and when the process thread starts. */

static int on_buffer_size(jack_nframes_t frames, void *arg) {
    archibald_jack *end = arg;
    if (atomic_exchange_explicit(&end->period_frames, frames, memory_order_relaxed) != frames)
        tell(end, "");
    return 0;
}

static int on_sample_rate(jack_nframes_t rate, void *arg) {
    archibald_jack *end = arg;
    if (atomic_exchange_explicit(&end->rate_hz, rate, memory_order_relaxed) != rate) tell(end, "");
    return 0;
}

static void on_freewheel(int starting, void *arg) {
    archibald_jack *end = arg;
    atomic_store_explicit(&end->freewheels, starting != 0, memory_order_relaxed);
    tell(end, "");
}

static void on_port(jack_port_id_t id, int appeared, void *arg) {
    archibald_jack *end = arg;
    if (!appeared) return;
    jack_port_t *port = jack_port_by_id(end->playout.client, id);
    if (!port || !tell(end, jack_port_name(port)))
        atomic_store_explicit(&end->ports_missed, 1, memory_order_relaxed);
}

static void publish(struct node *node, jack_latency_callback_mode_t mode) {
    uint32_t frames = atomic_load_explicit(&node->latency_frames, memory_order_relaxed);
    jack_latency_range_t range = {.min = frames, .max = frames};
    for (uint32_t c = 0; c < node->channels; c++)
        jack_port_set_latency_range(node->ports[c], mode, &range);
}

static void on_playout_latency(jack_latency_callback_mode_t mode, void *arg) {
    archibald_jack *end = arg;
    if (mode == JackCaptureLatency) publish(&end->playout, mode);
}

static void on_capture_latency(jack_latency_callback_mode_t mode, void *arg) {
    archibald_jack *end = arg;
    if (mode == JackPlaybackLatency) publish(&end->capture, mode);
}

void archibald_jack_watch(archibald_jack *end) {
    jack_client_t *playout = end->playout.client, *capture = end->capture.client;

    /* No jack_set_thread_init_callback: the threads inherit a blocked signal
     * mask (call.go), and libjack2's loses a wake-up and hangs forever when
     * it is called a second time before its message thread sleeps again. */
    jack_on_info_shutdown(playout, on_shutdown, end);
    jack_on_info_shutdown(capture, on_shutdown, end);
    jack_set_latency_callback(playout, on_playout_latency, end);
    jack_set_latency_callback(capture, on_capture_latency, end);

    /* Both clients would hear the same: one listens. */
    jack_set_xrun_callback(playout, on_xrun, end);
    jack_set_buffer_size_callback(playout, on_buffer_size, end);
    jack_set_sample_rate_callback(playout, on_sample_rate, end);
    jack_set_freewheel_callback(playout, on_freewheel, end);
    jack_set_port_registration_callback(playout, on_port, end);
}
