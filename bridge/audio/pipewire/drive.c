/* Making the peer's packets drive the graph, or no longer. On the caller's thread; what
 * follow.c uses is changed on the data thread, between two cycles. */
#define _GNU_SOURCE
#include "shim.h"
#include "state.h"

#include <errno.h>

struct change {
    struct pw_loop *loop;
    struct archibald_pipewire_graph graph;
};

/* Leaves a rate in our clock that is nobody's, and no time: PipeWire 0.3 negotiates no formats
 * for a driver that finds the rate there with which it drove before. */
static void leave_clock(archibald_pipewire *shim) {
    struct spa_io_position *position = atomic_load_explicit(
        &shim->nodes[archibald_pipewire_playout].position, memory_order_acquire);
    if (position == NULL) return;
    position->clock.rate.denom = shim->follow.graph.rate_hz + 1;
    position->clock.nsec = 0;
}

/* Adds the sources, or changes what they drive. Returns 1 when playout's node is the driver
 * already. */
static int change(struct spa_loop *loop, bool async, uint32_t seq, const void *data, size_t size,
                  void *user_data) {
    archibald_pipewire *shim = user_data;
    struct follow *follow = &shim->follow;
    const struct change *change = data;
    (void)loop, (void)async, (void)seq, (void)size;
    if (follow->loop == NULL) {
        follow->loop = change->loop;
        follow->readable = pw_loop_add_io(follow->loop, shim->socket, 0, false,
                                          archibald_pipewire_on_readable, shim);
        follow->timer = pw_loop_add_timer(follow->loop, archibald_pipewire_on_timer, shim);
        follow->next = pw_loop_add_event(follow->loop, archibald_pipewire_on_next, shim);
    }
    if (follow->readable == NULL || follow->timer == NULL || follow->next == NULL) return -ENOMEM;
    if (follow->drives && change->graph.quantum_frames == 0) leave_clock(shim);
    follow->graph = change->graph;
    archibald_pipewire_reconsider(shim);
    follow->ran[archibald_pipewire_capture] = follow->ran[archibald_pipewire_playout] = false;
    follow->awaits = !follow->drives && follow->graph.quantum_frames != 0;
    return follow->drives;
}

void archibald_pipewire_begin_to_drive(archibald_pipewire *shim) {
    archibald_pw.pw_thread_loop_lock(shim->loop);
    if (shim->driver_properties != NULL) {
        archibald_pw.pw_stream_update_properties(shim->nodes[archibald_pipewire_playout].stream,
                                                 &shim->driver_properties->dict);
        archibald_pw.pw_properties_free(shim->driver_properties);
    }
    shim->driver_properties = NULL;
    archibald_pw.pw_thread_loop_unlock(shim->loop);
}

int archibald_pipewire_follow(archibald_pipewire *shim, struct archibald_pipewire_graph graph,
                              const char *properties) {
    const struct change to = {
        archibald_pipewire_data_loop(&shim->nodes[archibald_pipewire_playout]), graph};
    struct pw_properties *parsed =
        properties == NULL ? NULL : archibald_pw.pw_properties_new_string(properties);
    archibald_pw.pw_thread_loop_lock(shim->loop);
    shim->led = graph;
    if (shim->driver_properties != NULL) archibald_pw.pw_properties_free(shim->driver_properties);
    shim->driver_properties = parsed;
    archibald_pw.pw_thread_loop_unlock(shim->loop);
    const int result = pw_loop_invoke(to.loop, change, 0, &to, sizeof to, true, shim);
    if (result > 0) archibald_pipewire_begin_to_drive(shim);
    return SPA_MIN(result, 0);
}

static int remove_sources(struct spa_loop *loop, bool async, uint32_t seq, const void *data,
                          size_t size, void *user_data) {
    archibald_pipewire *shim = user_data;
    struct follow *follow = &shim->follow;
    struct spa_source *const sources[] = {follow->readable, follow->timer, follow->next};
    (void)loop, (void)async, (void)seq, (void)data, (void)size;
    for (size_t i = 0; i < SPA_N_ELEMENTS(sources); i++)
        if (sources[i] != NULL) pw_loop_destroy_source(follow->loop, sources[i]);
    follow->loop = NULL;
    return 0;
}

void archibald_pipewire_end_follow(archibald_pipewire *shim) {
    struct pw_loop *loop = shim->follow.loop;
    if (loop != NULL) pw_loop_invoke(loop, remove_sources, 0, NULL, 0, true, shim);
    if (shim->driver_properties != NULL) archibald_pw.pw_properties_free(shim->driver_properties);
}
