/* The session manager, such as WirePlumber: notices when it has died and come
 * back. On the main loop, its lock held. */
#define _GNU_SOURCE
#include "shim.h"
#include "state.h"

#include <errno.h>

#include <pipewire/extensions/metadata.h>

/* Every session manager owns the metadata that name the default devices; they
 * live and die with its connection. */
static bool names_defaults(const char *type, const struct spa_dict *properties)
{
    return spa_streq(type, PW_TYPE_INTERFACE_Metadata) && properties != NULL &&
           spa_streq(spa_dict_lookup(properties, PW_KEY_METADATA_NAME), "default");
}

/* WirePlumber 0.4 sets a node's ports and links nothing to it before ports
 * appear. On a node that has run, the setting changes nothing, so none do: the
 * new session manager needs new nodes. The first one finds nodes that never ran.
 * They come with a new connection: nodes made anew on an old one may be given
 * the clock of a driver that is gone (PipeWire 0.3.65). */
static void on_global(void *data, uint32_t id, uint32_t permissions, const char *type,
                      uint32_t version, const struct spa_dict *properties)
{
    archibald_pipewire *shim = data;
    (void)permissions, (void)version;
    if (!names_defaults(type, properties))
        return;
    if (shim->manager_left)
        archibald_lost(shim);
    shim->manager_metadata = id;
    shim->manager_left = false;
}

static void on_global_remove(void *data, uint32_t id)
{
    archibald_pipewire *shim = data;
    if (id != shim->manager_metadata)
        return;
    shim->manager_metadata = SPA_ID_INVALID;
    shim->manager_left = true;
}

static const struct pw_registry_events registry_events = {
    .version = PW_VERSION_REGISTRY_EVENTS,
    .global = on_global,
    .global_remove = on_global_remove,
};

int archibald_watch_manager(archibald_pipewire *shim)
{
    shim->manager_metadata = SPA_ID_INVALID;
    shim->registry = pw_core_get_registry(shim->core, PW_VERSION_REGISTRY, 0);
    if (shim->registry == NULL)
        return -errno;
    pw_registry_add_listener(shim->registry, &shim->registry_listener, &registry_events, shim);
    return 0;
}

void archibald_unwatch_manager(archibald_pipewire *shim)
{
    if (shim->registry == NULL)
        return;
    spa_hook_remove(&shim->registry_listener);
    lib.pw_proxy_destroy((struct pw_proxy *)shim->registry);
}
