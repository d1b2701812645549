/* What else is in the server: its settings, the session manager, our links. On the
 * main loop, its lock held. */
#define _GNU_SOURCE
#include "shim.h"
#include "state.h"

#include <errno.h>

#include <pipewire/extensions/metadata.h>
#include <pipewire/extensions/profiler.h>

static bool is_metadata(const char *type, const struct spa_dict *properties, const char *name) {
    return spa_streq(type, PW_TYPE_INTERFACE_Metadata) && properties != NULL &&
           spa_streq(spa_dict_lookup(properties, PW_KEY_METADATA_NAME), name);
}

/* WirePlumber 0.4 sets a node's ports and links nothing to it before ports
 * appear. On a node that has run, the setting changes nothing, so none do: the
 * new session manager needs new nodes. The first one finds nodes that never ran.
 * They come with a new connection: nodes made again on an old one may be given
 * the clock of a driver that is gone (PipeWire 0.3.65). */
static void manager_came(archibald_pipewire *shim, uint32_t id) {
    if (shim->manager_left) archibald_pipewire_lost(shim);
    shim->manager_metadata = id;
    shim->manager_left = false;
}

static void link_came(archibald_pipewire *shim, uint32_t id, const struct spa_dict *properties) {
    uint32_t output = SPA_ID_INVALID, input = SPA_ID_INVALID;
    const char *value;
    if ((value = spa_dict_lookup(properties, PW_KEY_LINK_OUTPUT_NODE)) != NULL)
        spa_atou32(value, &output, 10);
    if ((value = spa_dict_lookup(properties, PW_KEY_LINK_INPUT_NODE)) != NULL)
        spa_atou32(value, &input, 10);
    for (int i = 0; i < 2; i++) {
        struct node *node = &shim->nodes[i];
        const uint32_t end = i == archibald_pipewire_capture ? input : output;
        const uint32_t peer = i == archibald_pipewire_capture ? output : input;
        if (node->stream != NULL && end != SPA_ID_INVALID &&
            archibald_pw.pw_stream_get_node_id(node->stream) == end && node->n_links < max_links) {
            node->links[node->n_links].id = id;
            node->links[node->n_links++].peer = peer;
        }
    }
}

static void link_left(archibald_pipewire *shim, uint32_t id) {
    for (int i = 0; i < 2; i++) {
        struct node *node = &shim->nodes[i];
        for (uint32_t l = 0; l < node->n_links; l++)
            if (node->links[l].id == id) node->links[l] = node->links[--node->n_links];
    }
}

static void on_global(void *data, uint32_t id, uint32_t permissions, const char *type,
                      uint32_t version, const struct spa_dict *properties) {
    archibald_pipewire *shim = data;
    (void)permissions, (void)version;
    /* Every session manager owns the metadata that name the default devices; they
     * live and die with its connection. */
    if (is_metadata(type, properties, "default"))
        manager_came(shim, id);
    else if (is_metadata(type, properties, "settings"))
        archibald_pipewire_read_settings(shim, id);
    else if (spa_streq(type, PW_TYPE_INTERFACE_Link) && properties != NULL)
        link_came(shim, id, properties);
    else if (spa_streq(type, PW_TYPE_INTERFACE_Profiler)) {
        shim->look.profiler_id = id;
        archibald_pipewire_begin_look(shim);
    }
}

static void on_global_remove(void *data, uint32_t id) {
    archibald_pipewire *shim = data;
    link_left(shim, id);
    if (id != shim->manager_metadata) return;
    shim->manager_metadata = SPA_ID_INVALID;
    shim->manager_left = true;
}

static const struct pw_registry_events registry_events = {
    .version = PW_VERSION_REGISTRY_EVENTS,
    .global = on_global,
    .global_remove = on_global_remove,
};

int archibald_pipewire_watch_registry(archibald_pipewire *shim) {
    shim->manager_metadata = SPA_ID_INVALID;
    shim->look.profiler_id = SPA_ID_INVALID;
    shim->registry = pw_core_get_registry(shim->core, PW_VERSION_REGISTRY, 0);
    if (shim->registry == NULL) return -errno;
    pw_registry_add_listener(shim->registry, &shim->registry_listener, &registry_events, shim);
    return 0;
}

void archibald_pipewire_unwatch_registry(archibald_pipewire *shim) {
    archibald_pipewire_forget_settings(shim);
    archibald_pipewire_end_look(shim);
    if (shim->registry == NULL) return;
    spa_hook_remove(&shim->registry_listener);
    archibald_pw.pw_proxy_destroy((struct pw_proxy *)shim->registry);
}

struct archibald_pipewire_surroundings
archibald_pipewire_surroundings(const archibald_pipewire *shim) {
    struct archibald_pipewire_surroundings s;
    archibald_pw.pw_thread_loop_lock(shim->loop);
    s.manager = shim->manager_metadata != SPA_ID_INVALID;
    s.capture_linked = shim->nodes[archibald_pipewire_capture].n_links > 0;
    s.playout_linked = shim->nodes[archibald_pipewire_playout].n_links > 0;
    const struct node *playout = &shim->nodes[archibald_pipewire_playout];
    const struct spa_io_position *position =
        atomic_load_explicit(&playout->position, memory_order_acquire);
    s.driver = position == NULL ? 0 : position->clock.id;
    s.drives = playout->stream != NULL &&
               s.driver == archibald_pw.pw_stream_get_node_id(playout->stream);
    archibald_pw.pw_thread_loop_unlock(shim->loop);
    return s;
}
