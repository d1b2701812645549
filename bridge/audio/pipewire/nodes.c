/* The nodes: what each is, and when it runs. On PipeWire's main loop and the
 * caller's thread. */
#define _GNU_SOURCE
#include "shim.h"
#include "state.h"

#include <errno.h>

#include <spa/debug/types.h>
#include <spa/param/audio/format-utils.h>
#include <spa/param/audio/type-info.h>
#include <spa/param/latency-utils.h>

struct pw_loop *archibald_pipewire_data_loop(const struct node *node) {
    if (archibald_pw.pw_stream_get_data_loop != NULL)
        return archibald_pw.pw_stream_get_data_loop(node->stream);
    return archibald_pw.pw_data_loop_get_loop(
        archibald_pw.pw_context_get_data_loop(node->shim->context));
}

/* On the data thread. */
static int reconsider(struct spa_loop *loop, bool async, uint32_t seq, const void *data,
                      size_t size, void *user_data) {
    (void)loop, (void)async, (void)seq, (void)data, (void)size;
    archibald_pipewire_reconsider(user_data);
    return 0;
}

/* ---- events, on the main loop, its lock held ---- */

static void on_state(void *data, enum pw_stream_state old, enum pw_stream_state state,
                     const char *error) {
    struct node *node = data;
    archibald_pipewire *shim = node->shim;
    (void)old, (void)state, (void)error;
    /* Not the event's own word: an ERROR that leaves the stream's state alone
     * is a note from the session manager, such as "no target to link to". */
    const enum pw_stream_state now = archibald_pw.pw_stream_get_state(node->stream, NULL);
    atomic_store_explicit(&node->streaming, now == PW_STREAM_STATE_STREAMING, memory_order_relaxed);
    struct pw_loop *loop = archibald_pipewire_data_loop(node);
    if (loop != NULL) pw_loop_invoke(loop, reconsider, 0, NULL, 0, false, shim);
    switch (now) {
    case PW_STREAM_STATE_ERROR:
    case PW_STREAM_STATE_UNCONNECTED: archibald_pipewire_lost(shim); break;
    case PW_STREAM_STATE_STREAMING:
        atomic_store_explicit(&shim->restarted, true, memory_order_relaxed);
        break;
    default: archibald_pw.pw_thread_loop_signal(shim->loop, false);
    }
}

static void on_io(void *data, uint32_t id, void *area, uint32_t size) {
    struct node *node = data;
    if (id != SPA_IO_Position) return;
    if (size < sizeof(struct spa_io_position)) area = NULL;
    atomic_store_explicit(&node->position, area, memory_order_release);
    /* The old area is unmapped once we return: wait for the end of the cycle that the data
     * thread may be in. */
    pw_loop_invoke(archibald_pipewire_data_loop(node), reconsider, 0, NULL, 0, true, node->shim);
}

/* A driver gets a buffer back when the whole graph is done with the cycle, which may be
 * after the next one has begun. */
static void ask_for_buffers(const struct node *node) {
    uint8_t space[128];
    struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(space, sizeof space);
    const struct spa_pod *param = spa_pod_builder_add_object(
        &builder, SPA_TYPE_OBJECT_ParamBuffers, SPA_PARAM_Buffers, SPA_PARAM_BUFFERS_buffers,
        SPA_POD_CHOICE_RANGE_Int(8, 8, 16));
    archibald_pw.pw_stream_update_params(node->stream, &param, 1);
}

static void on_param(void *data, uint32_t id, const struct spa_pod *param) {
    struct node *node = data;
    struct spa_audio_info_raw raw = {0};
    if (id != SPA_PARAM_Format) return;
    if (param != NULL && node == &node->shim->nodes[archibald_pipewire_playout])
        ask_for_buffers(node);
    if (param == NULL || spa_format_audio_raw_parse(param, &raw) < 0) raw.rate = 0;
    atomic_store_explicit(&node->format_rate_hz, raw.rate, memory_order_relaxed);
    atomic_store_explicit(&node->format_stale, false, memory_order_relaxed);
}

static const struct pw_stream_events stream_events[] = {
    [archibald_pipewire_capture] = {.version = PW_VERSION_STREAM_EVENTS,
                                    .state_changed = on_state,
                                    .io_changed = on_io,
                                    .param_changed = on_param,
                                    .process = archibald_pipewire_process_capture},
    [archibald_pipewire_playout] = {.version = PW_VERSION_STREAM_EVENTS,
                                    .state_changed = on_state,
                                    .io_changed = on_io,
                                    .param_changed = on_param,
                                    .process = archibald_pipewire_process_playout},
};

/* ---- changes, on the caller's thread ---- */

uint32_t archibald_pipewire_position(const char *name) {
    for (const struct spa_type_info *info = spa_type_audio_channel; info->name != NULL; info++)
        if (spa_streq(spa_debug_type_short_name(info->name), name)) return info->type;
    return SPA_AUDIO_CHANNEL_UNKNOWN;
}

/* No rate: PipeWire then negotiates the graph's own, and does so again when
 * the graph changes it, so no resampler ever runs here. */
static const struct spa_pod *build_format(struct spa_pod_builder *builder,
                                          const struct node *node) {
    struct spa_audio_info_raw raw = {.format = SPA_AUDIO_FORMAT_F32P, .channels = node->channels};
    memcpy(raw.position, node->positions, node->channels * sizeof *raw.position);
    return spa_format_audio_raw_build(builder, SPA_PARAM_EnumFormat, &raw);
}

static enum spa_direction spa_direction_of(enum archibald_pipewire_direction direction) {
    return direction == archibald_pipewire_capture ? SPA_DIRECTION_INPUT : SPA_DIRECTION_OUTPUT;
}

static int add_node(archibald_pipewire *shim, enum archibald_pipewire_direction direction,
                    struct pw_properties *properties, uint32_t channels, const uint32_t *positions,
                    bool autoconnect) {
    struct node *node = &shim->nodes[direction];
    uint8_t space[1024];
    struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(space, sizeof space);
    enum pw_stream_flags flags =
        PW_STREAM_FLAG_RT_PROCESS | PW_STREAM_FLAG_MAP_BUFFERS | PW_STREAM_FLAG_INACTIVE;
    if (autoconnect) flags |= PW_STREAM_FLAG_AUTOCONNECT;

    node->channels = channels;
    memcpy(node->positions, positions, channels * sizeof *positions);
    const struct spa_pod *format = build_format(&builder, node);
    node->stream = archibald_pw.pw_stream_new(shim->core, "Archibald", properties);
    if (node->stream == NULL) return -errno;
    archibald_pw.pw_stream_add_listener(node->stream, &node->listener, &stream_events[direction],
                                        node);
    return archibald_pw.pw_stream_connect(node->stream, spa_direction_of(direction), PW_ID_ANY,
                                          flags, &format, 1);
}

int archibald_pipewire_add(archibald_pipewire *shim, enum archibald_pipewire_direction direction,
                           const char *properties, uint32_t channels, const uint32_t *positions,
                           bool autoconnect) {
    struct pw_properties *parsed = archibald_pw.pw_properties_new_string(properties);
    if (parsed == NULL) return -errno;
    archibald_pw.pw_thread_loop_lock(shim->loop);
    const int result = add_node(shim, direction, parsed, channels, positions, autoconnect);
    archibald_pw.pw_thread_loop_unlock(shim->loop);
    return result;
}

static bool bound(const archibald_pipewire *shim) {
    if (shim->settings_sync != 0) return false;
    for (int i = 0; i < 2; i++) {
        struct pw_stream *stream = shim->nodes[i].stream;
        if (stream != NULL &&
            archibald_pw.pw_stream_get_state(stream, NULL) < PW_STREAM_STATE_PAUSED)
            return false;
    }
    return true;
}

static bool looked(const archibald_pipewire *shim) { return shim->look.profiler == NULL; }

int archibald_pipewire_wait(archibald_pipewire *shim, int64_t timeout_ns) {
    archibald_pw.pw_thread_loop_lock(shim->loop);
    const int result = archibald_pipewire_wait_for(shim, bound, timeout_ns);
    if (result == 0) /* most drivers report soon, if any runs */
        archibald_pipewire_wait_for(shim, looked, 100 * SPA_NSEC_PER_MSEC);
    archibald_pw.pw_thread_loop_unlock(shim->loop);
    return result;
}

void archibald_pipewire_set_session(archibald_pipewire *shim, bool up) {
    atomic_store_explicit(&shim->session_up, up, memory_order_relaxed);
}

void archibald_pipewire_schedule(archibald_pipewire *shim,
                                 enum archibald_pipewire_direction direction,
                                 const char *properties, bool scheduled) {
    struct node *node = &shim->nodes[direction];
    struct pw_properties *parsed = archibald_pw.pw_properties_new_string(properties);
    if (node->stream != NULL && parsed != NULL) {
        archibald_pw.pw_thread_loop_lock(shim->loop);
        archibald_pw.pw_stream_update_properties(node->stream, &parsed->dict);
        archibald_pw.pw_stream_set_active(node->stream, scheduled);
        node->scheduled = scheduled;
        archibald_pw.pw_thread_loop_unlock(shim->loop);
    }
    if (parsed != NULL) archibald_pw.pw_properties_free(parsed);
}

void archibald_pipewire_follow_rate(archibald_pipewire *shim) {
    archibald_pw.pw_thread_loop_lock(shim->loop);
    for (int i = 0; i < 2; i++) {
        struct node *node = &shim->nodes[i];
        if (node->stream == NULL || !node->scheduled ||
            !atomic_load_explicit(&node->format_stale, memory_order_relaxed))
            continue;
        uint8_t space[1024];
        struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(space, sizeof space);
        const struct spa_pod *format = build_format(&builder, node);
        archibald_pw.pw_stream_set_active(node->stream, false);
        archibald_pw.pw_stream_update_params(node->stream, &format, 1);
        archibald_pw.pw_stream_set_active(node->stream, true);
    }
    archibald_pw.pw_thread_loop_unlock(shim->loop);
}

void archibald_pipewire_set_latency(archibald_pipewire *shim,
                                    enum archibald_pipewire_direction direction, uint32_t frames) {
    struct node *node = &shim->nodes[direction];
    uint8_t space[256];
    struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(space, sizeof space);
    const struct spa_latency_info info =
        SPA_LATENCY_INFO(spa_direction_of(direction), .min_rate = frames, .max_rate = frames);
    const struct spa_pod *param = spa_latency_build(&builder, SPA_PARAM_Latency, &info);
    if (node->stream == NULL) return;
    archibald_pw.pw_thread_loop_lock(shim->loop);
    archibald_pw.pw_stream_update_params(node->stream, &param, 1);
    archibald_pw.pw_thread_loop_unlock(shim->loop);
}
