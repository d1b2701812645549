/* What the graph runs at, or would if our nodes ran. The data thread sees it in every
 * cycle, but has none while no session is up, or while nobody drives our nodes. On the
 * caller's thread. */
#define _GNU_SOURCE
#include "shim.h"
#include "state.h"

/* Past two cycles and this, a driver does not run. */
static const int64_t stopped_ns = 250 * SPA_NSEC_PER_MSEC;

/* The rate of the driver of our nodes, playout's first. 0 when there is no driver or it
 * does not run: its clock is then out of date. The server writes the clock into memory
 * that it shares with us. */
static uint32_t driver_rate(const archibald_pipewire *shim, int64_t now_ns) {
    for (int i = 1; i >= 0; i--) { /* playout is with what the user hears */
        const struct spa_io_position *position =
            atomic_load_explicit(&shim->nodes[i].position, memory_order_acquire);
        if (position == NULL) continue;
        const volatile struct spa_io_clock *clock = &position->clock;
        const uint32_t rate = clock->rate.denom;
        const uint64_t duration = clock->duration;
        const int64_t age_ns = now_ns - (int64_t)clock->nsec;
        if (rate != 0 && rate == clock->rate.denom &&
            age_ns < stopped_ns + (int64_t)(2 * duration * SPA_NSEC_PER_SEC / rate))
            return rate;
    }
    return 0;
}

/* What a driver that begins to run for our nodes chooses (PipeWire's
 * pw_context_recalc_graph): the rate asked for where it is allowed. */
static uint32_t chosen_rate(const struct archibald_pipewire_settings *settings, uint32_t asked) {
    if (settings->forced_rate_hz != 0) return settings->forced_rate_hz;
    for (uint32_t i = 0; i < settings->n_rates; i++)
        if (settings->rates[i] == asked) return asked;
    return settings->rate_hz != 0 ? settings->rate_hz : asked;
}

/* The quantum that the server makes of what was asked for, if nobody asks for less.
 * Settings are in frames of the rate that is set. */
static uint32_t chosen_quantum(const struct archibald_pipewire_settings *settings, uint32_t rate,
                               uint32_t asked, uint32_t asked_rate) {
    if (settings->forced_frames != 0) return settings->forced_frames;
    uint64_t frames = asked, least = settings->least_frames, most = settings->most_frames;
    if (asked_rate != 0) frames = frames * rate / asked_rate;
    if (settings->rate_hz != 0) {
        least = least * rate / settings->rate_hz;
        most = most * rate / settings->rate_hz;
    }
    if (most != 0 && frames > most) frames = most;
    if (frames < least) frames = least;
    if (settings->powers_of_two)
        while ((frames & (frames - 1)) != 0) frames &= frames - 1;
    return (uint32_t)frames;
}

/* What nodes that have no cycles would run at. */
static struct archibald_pipewire_graph expected(archibald_pipewire *shim, int64_t now_ns) {
    const struct archibald_pipewire_graph asked = shim->asked;
    uint32_t rate = driver_rate(shim, now_ns);
    if (rate == 0 && shim->settings.forced_rate_hz == 0) rate = archibald_pipewire_look(shim);
    if (rate == 0) rate = chosen_rate(&shim->settings, asked.rate_hz);
    return (struct archibald_pipewire_graph){
        rate, chosen_quantum(&shim->settings, rate, asked.quantum_frames, asked.rate_hz)};
}

struct archibald_pipewire_graph archibald_pipewire_graph(archibald_pipewire *shim) {
    const int64_t now_ns = archibald_pipewire_now_ns();
    struct archibald_pipewire_graph seen = {
        atomic_load_explicit(&shim->rate_hz, memory_order_relaxed),
        atomic_load_explicit(&shim->quantum_frames, memory_order_relaxed),
    };
    const int64_t since_ns = now_ns - atomic_load_explicit(&shim->seen_ns, memory_order_relaxed);
    if (seen.rate_hz != 0 && since_ns < stopped_ns + (int64_t)(2 * SPA_NSEC_PER_SEC *
                                                               seen.quantum_frames / seen.rate_hz))
        return seen;

    archibald_pw.pw_thread_loop_lock(shim->loop); /* no position is unmapped meanwhile */
    const struct archibald_pipewire_graph graph =
        shim->led.quantum_frames != 0 ? shim->led : expected(shim, now_ns);
    archibald_pw.pw_thread_loop_unlock(shim->loop);
    atomic_store_explicit(&shim->rate_hz, graph.rate_hz, memory_order_relaxed);
    atomic_store_explicit(&shim->quantum_frames, graph.quantum_frames, memory_order_relaxed);
    return graph;
}

void archibald_pipewire_ask(archibald_pipewire *shim, struct archibald_pipewire_graph asked) {
    archibald_pw.pw_thread_loop_lock(shim->loop);
    shim->asked = asked;
    archibald_pw.pw_thread_loop_unlock(shim->loop);
}
