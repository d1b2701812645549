/* libpipewire-0.3, found at run time: the program starts without it. */
#ifndef ARCHIBALD_PIPEWIRE_LIBRARY_H
#define ARCHIBALD_PIPEWIRE_LIBRARY_H

#include <pipewire/impl.h>
#include <pipewire/pipewire.h>

/* Every function of the library that is used. Everything else comes from
 * PipeWire's headers (spa_* and pw_core_* are inline). All of them exist since
 * 0.3.50; Debian 12 has 0.3.65. */
#define ARCHIBALD_PIPEWIRE_SYMBOLS(X) \
    X(pw_init)                        \
    X(pw_conf_load_conf)              \
    X(pw_properties_new)              \
    X(pw_properties_new_string)       \
    X(pw_properties_set)              \
    X(pw_properties_free)             \
    X(pw_thread_loop_new)             \
    X(pw_thread_loop_destroy)         \
    X(pw_thread_loop_get_loop)        \
    X(pw_thread_loop_start)           \
    X(pw_thread_loop_stop)            \
    X(pw_thread_loop_lock)            \
    X(pw_thread_loop_unlock)          \
    X(pw_thread_loop_get_time)        \
    X(pw_thread_loop_timed_wait_full) \
    X(pw_thread_loop_signal)          \
    X(pw_context_new)                 \
    X(pw_context_destroy)             \
    X(pw_context_load_module)         \
    X(pw_context_connect)             \
    X(pw_context_get_data_loop)       \
    X(pw_data_loop_get_loop)          \
    X(pw_core_disconnect)             \
    X(pw_proxy_destroy)               \
    X(pw_stream_new)                  \
    X(pw_stream_destroy)              \
    X(pw_stream_add_listener)         \
    X(pw_stream_connect)              \
    X(pw_stream_get_node_id)          \
    X(pw_stream_get_state)            \
    X(pw_stream_set_active)           \
    X(pw_stream_update_properties)    \
    X(pw_stream_update_params)        \
    X(pw_stream_dequeue_buffer)       \
    X(pw_stream_queue_buffer)         \
    X(pw_stream_is_driving)           \
    X(pw_stream_trigger_process)

struct archibald_pipewire_library {
    /* Since 1.2, else NULL: there a stream may run on another loop than its context's. */
    struct pw_loop *(*pw_stream_get_data_loop)(struct pw_stream *stream);
#define ARCHIBALD_DECLARE(name) __typeof__(name) *name;
    ARCHIBALD_PIPEWIRE_SYMBOLS(ARCHIBALD_DECLARE)
#undef ARCHIBALD_DECLARE
};

/* Filled by archibald_pipewire_load, constant from then on. */
extern struct archibald_pipewire_library archibald_pw;

#endif
