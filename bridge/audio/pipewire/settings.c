/* What the server is set to run at: by its configuration, and by pw-metadata(1) at
 * any time. On the main loop, its lock held. */
#define _GNU_SOURCE
#include "shim.h"
#include "state.h"

#include <spa/utils/json.h>

#include <pipewire/extensions/metadata.h>

static void read_number(const char *value, uint32_t *number) {
    if (value == NULL || !spa_atou32(value, number, 10)) *number = 0;
}

/* value is an array such as "[ 44100, 48000 ]". */
static void read_rates(const char *value, struct archibald_pipewire_settings *settings) {
    struct spa_json text, array;
    char item[16];
    settings->n_rates = 0;
    if (value == NULL) return;
    spa_json_init(&text, value, strlen(value));
    if (spa_json_enter_array(&text, &array) <= 0) spa_json_init(&array, value, strlen(value));
    while (settings->n_rates < SPA_N_ELEMENTS(settings->rates) &&
           spa_json_get_string(&array, item, sizeof item) > 0)
        if (spa_atou32(item, &settings->rates[settings->n_rates], 10)) settings->n_rates++;
}

void archibald_pipewire_read_setting(struct archibald_pipewire_settings *settings, const char *key,
                                     const char *value) {
    if (spa_streq(key, "clock.rate"))
        read_number(value, &settings->rate_hz);
    else if (spa_streq(key, "clock.quantum"))
        read_number(value, &settings->quantum_frames);
    else if (spa_streq(key, "clock.min-quantum"))
        read_number(value, &settings->least_frames);
    else if (spa_streq(key, "clock.max-quantum"))
        read_number(value, &settings->most_frames);
    else if (spa_streq(key, "clock.force-rate"))
        read_number(value, &settings->forced_rate_hz);
    else if (spa_streq(key, "clock.force-quantum"))
        read_number(value, &settings->forced_frames);
    else if (spa_streq(key, "clock.allowed-rates"))
        read_rates(value, settings);
}

void archibald_pipewire_read_configuration(struct archibald_pipewire_settings *settings,
                                           const struct spa_dict *properties) {
    static const char prefix[] = "default.";
    const struct spa_dict_item *item;
    spa_dict_for_each(item, properties) if (spa_strstartswith(item->key, prefix))
        archibald_pipewire_read_setting(settings, item->key + sizeof prefix - 1, item->value);
    const char *value = spa_dict_lookup(properties, "clock.power-of-two-quantum");
    settings->powers_of_two = value == NULL || spa_atob(value);
    settings->in_vm = spa_dict_lookup(properties, "cpu.vm.name") != NULL;
}

static int on_property(void *data, uint32_t subject, const char *key, const char *type,
                       const char *value) {
    archibald_pipewire *shim = data;
    (void)type;
    if (subject == PW_ID_CORE && key != NULL)
        archibald_pipewire_read_setting(&shim->settings, key, value);
    return 0;
}

static const struct pw_metadata_events metadata_events = {
    .version = PW_VERSION_METADATA_EVENTS,
    .property = on_property,
};

void archibald_pipewire_read_settings(archibald_pipewire *shim, uint32_t id) {
    archibald_pipewire_forget_settings(shim);
    shim->metadata =
        pw_registry_bind(shim->registry, id, PW_TYPE_INTERFACE_Metadata, PW_VERSION_METADATA, 0);
    if (shim->metadata == NULL) return;
    pw_metadata_add_listener((struct pw_metadata *)shim->metadata, &shim->metadata_listener,
                             &metadata_events, shim);
    /* Answered when all of them have come. */
    shim->settings_sync = pw_core_sync(shim->core, PW_ID_CORE, 0);
}

void archibald_pipewire_forget_settings(archibald_pipewire *shim) {
    if (shim->metadata == NULL) return;
    spa_hook_remove(&shim->metadata_listener);
    archibald_pw.pw_proxy_destroy(shim->metadata);
    shim->metadata = NULL;
}

struct archibald_pipewire_settings archibald_pipewire_settings(const archibald_pipewire *shim) {
    archibald_pw.pw_thread_loop_lock(shim->loop);
    const struct archibald_pipewire_settings settings = shim->settings;
    archibald_pw.pw_thread_loop_unlock(shim->loop);
    return settings;
}
