/* The connection: opening, closing, and what the server says of itself. */
#define _GNU_SOURCE
#include "shim.h"
#include "state.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <pipewire/extensions/profiler.h>

static void on_core_info(void *data, const struct pw_core_info *info) {
    archibald_pipewire *shim = data;
    /* Later ones are ignored: settings have changed since. */
    if (info->props != NULL && !shim->greeted)
        archibald_pipewire_read_configuration(&shim->settings, info->props);
    unsigned patch;
    shim->settings.corrects_drivers = info->version != NULL &&
                                      sscanf(info->version, "0.3.%u", &patch) == 1 && patch < 70;
    shim->greeted = true;
    archibald_pw.pw_thread_loop_signal(shim->loop, false);
}

static void on_core_done(void *data, uint32_t id, int seq) {
    archibald_pipewire *shim = data;
    if (id != PW_ID_CORE || seq != shim->settings_sync) return;
    shim->settings_sync = 0;
    archibald_pw.pw_thread_loop_signal(shim->loop, false);
}

void archibald_pipewire_lost(archibald_pipewire *shim) {
    archibald_pipewire_notify(shim, &shim->lost);
    archibald_pw.pw_thread_loop_signal(shim->loop, false);
}

static void on_core_error(void *data, uint32_t id, int seq, int res, const char *message) {
    (void)seq, (void)message;
    if (id == PW_ID_CORE && res == -EPIPE) archibald_pipewire_lost(data);
}

static const struct pw_core_events core_events = {
    .version = PW_VERSION_CORE_EVENTS,
    .info = on_core_info,
    .done = on_core_done,
    .error = on_core_error,
};

/* Threads inherit the signal mask of their maker; Go's signal handlers must
 * never run on PipeWire's. PipeWire's real-time module also gives the thread
 * that loads it a nice level of its own, and this one is Go's. */
struct caller {
    sigset_t signals;
    int nice;
};

static struct caller shield_caller(void) {
    struct caller caller;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &caller.signals);
    caller.nice = getpriority(PRIO_PROCESS, (id_t)gettid());
    return caller;
}

static void restore_caller(const struct caller *caller) {
    setpriority(PRIO_PROCESS, (id_t)gettid(), caller->nice);
    pthread_sigmask(SIG_SETMASK, &caller->signals, NULL);
}

int archibald_pipewire_wait_for(archibald_pipewire *shim,
                                bool (*condition)(const archibald_pipewire *), int64_t timeout_ns) {
    struct timespec deadline;
    archibald_pw.pw_thread_loop_get_time(shim->loop, &deadline, timeout_ns);
    while (!condition(shim)) {
        if (atomic_load(&shim->lost)) return -EPIPE;
        const int result = archibald_pw.pw_thread_loop_timed_wait_full(shim->loop, &deadline);
        if (result < 0) return result;
    }
    return 0;
}

static bool greeted(const archibald_pipewire *shim) { return shim->greeted; }

/* PipeWire's default client.conf leaves the data thread an ordinary one up to
 * 1.2; client-rt.conf loads the real-time module. Later versions have only
 * client.conf, which does. */
static struct pw_properties *context_properties(void) {
    struct pw_properties *properties = archibald_pw.pw_properties_new(NULL, NULL);
    struct pw_properties *found = archibald_pw.pw_properties_new(NULL, NULL);
    if (properties != NULL && found != NULL &&
        archibald_pw.pw_conf_load_conf(NULL, "client-rt.conf", found) == 0)
        archibald_pw.pw_properties_set(properties, PW_KEY_CONFIG_NAME, "client-rt.conf");
    if (found != NULL) archibald_pw.pw_properties_free(found);
    return properties;
}

static int open_shim(archibald_pipewire *shim, int64_t timeout_ns) {
    shim->loop = archibald_pw.pw_thread_loop_new("archibald-pw", NULL);
    if (shim->loop == NULL) return -errno;
    shim->context = archibald_pw.pw_context_new(archibald_pw.pw_thread_loop_get_loop(shim->loop),
                                                context_properties(), 0);
    if (shim->context == NULL) return -errno;
    /* For look.c; without it there is none. */
    archibald_pw.pw_context_load_module(shim->context, PW_EXTENSION_MODULE_PROFILER, NULL, NULL);
    shim->core = archibald_pw.pw_context_connect(shim->context, NULL, 0);
    if (shim->core == NULL) return -errno;
    pw_core_add_listener(shim->core, &shim->core_listener, &core_events, shim);
    int result = archibald_pipewire_watch_registry(shim);
    if (result != 0) return result;

    archibald_pw.pw_thread_loop_lock(shim->loop);
    result = archibald_pw.pw_thread_loop_start(shim->loop);
    if (result == 0) result = archibald_pipewire_wait_for(shim, greeted, timeout_ns);
    archibald_pw.pw_thread_loop_unlock(shim->loop);
    return result;
}

archibald_pipewire *archibald_pipewire_open(archibald_engine *engine, archibald_playout_fn playout,
                                            archibald_capture_fn capture,
                                            archibald_follow_fn follow, int socket, int event_fd,
                                            int64_t timeout_ns, int *error) {
    archibald_pipewire *shim = calloc(1, sizeof *shim);
    if (shim == NULL) {
        *error = ENOMEM;
        return NULL;
    }
    shim->engine = engine;
    shim->core_playout = playout;
    shim->core_capture = capture;
    shim->core_follow = follow;
    shim->socket = socket;
    shim->event_fd = event_fd;
    shim->nodes[archibald_pipewire_capture].shim = shim;
    shim->nodes[archibald_pipewire_playout].shim = shim;

    const struct caller caller = shield_caller();
    *error = -open_shim(shim, timeout_ns);
    restore_caller(&caller);
    if (*error == 0) return shim;
    archibald_pipewire_close(shim);
    return NULL;
}

void archibald_pipewire_close(archibald_pipewire *shim) {
    if (shim->loop != NULL) archibald_pw.pw_thread_loop_stop(shim->loop);
    archibald_pipewire_end_follow(shim);
    for (int i = 0; i < 2; i++) {
        struct node *node = &shim->nodes[i];
        if (node->stream == NULL) continue;
        spa_hook_remove(&node->listener);
        archibald_pw.pw_stream_destroy(node->stream);
    }
    archibald_pipewire_unwatch_registry(shim);
    if (shim->core != NULL) {
        spa_hook_remove(&shim->core_listener);
        archibald_pw.pw_core_disconnect(shim->core);
    }
    if (shim->context != NULL) archibald_pw.pw_context_destroy(shim->context);
    if (shim->loop != NULL) archibald_pw.pw_thread_loop_destroy(shim->loop);
    free(shim);
}

struct archibald_pipewire_events archibald_pipewire_take_events(archibald_pipewire *shim) {
    return (struct archibald_pipewire_events){atomic_exchange(&shim->lost, false),
                                              atomic_exchange(&shim->changed, false),
                                              atomic_exchange(&shim->runs, false)};
}

uint64_t archibald_pipewire_xruns(const archibald_pipewire *shim) {
    return atomic_load_explicit(&shim->xruns, memory_order_relaxed);
}

int archibald_pipewire_data_thread(const archibald_pipewire *shim) {
    return atomic_load_explicit(&shim->data_thread, memory_order_relaxed);
}
