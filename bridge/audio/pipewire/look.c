/* A look at the drivers that run. Our nodes have no driver while they are idle, so
 * what another program has made of the graph's rate shows nowhere else than in the
 * server's profiler (as in pw-top). It reports every cycle, so each look ends with the
 * first message that tells of ours; where nothing plays, none comes, and where ours
 * stands still while another driver runs, the look goes on: one message a second in
 * PipeWire 0.3, one a cycle in later ones. On the main loop and the caller's thread,
 * the loop's lock held. */
#define _GNU_SOURCE
#include "shim.h"
#include "state.h"

#include <pipewire/extensions/profiler.h>
#include <spa/param/profiler.h>
#include <spa/pod/iter.h>
#include <spa/pod/parser.h>

/* A driver whose latest cycle is older does not run: messages come at once, or once a
 * second (PipeWire 0.3). */
static const int64_t stopped_ns = 1400 * SPA_NSEC_PER_MSEC;

/* Whether our sound is to go, or comes from, that node. Without a link it goes to
 * whatever runs. */
static bool is_peer(const archibald_pipewire *shim, uint32_t id) {
    const struct node *node = &shim->nodes[archibald_pipewire_playout];
    for (uint32_t l = 0; l < node->n_links; l++)
        if (node->links[l].peer == id) return true;
    return node->n_links == 0;
}

/* Takes one driver's cycle, when it is the one that our nodes would be with. */
static bool take_report(archibald_pipewire *shim, const struct spa_pod *report) {
    const struct spa_pod_prop *prop;
    struct spa_fraction rate = {0};
    int64_t nsec = 0;
    bool ours = false;
    if (!spa_pod_is_object_type(report, SPA_TYPE_OBJECT_Profiler)) return false;
    SPA_POD_OBJECT_FOREACH((const struct spa_pod_object *)report, prop) {
        int32_t id = -1, flags;
        const char *name;
        switch (prop->key) {
        case SPA_PROFILER_clock:
            spa_pod_parse_struct(&prop->value, SPA_POD_Int(&flags), SPA_POD_Int(&id),
                                 SPA_POD_String(&name), SPA_POD_Long(&nsec),
                                 SPA_POD_Fraction(&rate));
            break;
        case SPA_PROFILER_driverBlock:
        case SPA_PROFILER_followerBlock:
            spa_pod_parse_struct(&prop->value, SPA_POD_Int(&id));
            ours |= is_peer(shim, (uint32_t)id);
        }
    }
    if (!ours || rate.denom == 0) return false;
    shim->look.rate_hz = rate.denom;
    shim->look.cycle_ns = nsec;
    return true;
}

static void on_profile(void *data, const struct spa_pod *reports) {
    archibald_pipewire *shim = data;
    const struct spa_pod *report;
    if (shim->look.profiler == NULL || !spa_pod_is_struct(reports)) return;
    bool seen = false;
    SPA_POD_STRUCT_FOREACH(reports, report) /* the latest comes last */
    seen |= take_report(shim, report);
    if (!seen) return;
    archibald_pipewire_end_look(shim);
    archibald_pw.pw_thread_loop_signal(shim->loop, false);
}

static const struct pw_profiler_events profiler_events = {
    .version = PW_VERSION_PROFILER_EVENTS,
    .profile = on_profile,
};

void archibald_pipewire_begin_look(archibald_pipewire *shim) {
    struct look *look = &shim->look;
    if (look->profiler != NULL || look->profiler_id == SPA_ID_INVALID) return;
    look->profiler = pw_registry_bind(shim->registry, look->profiler_id, PW_TYPE_INTERFACE_Profiler,
                                      PW_VERSION_PROFILER, 0);
    if (look->profiler != NULL)
        pw_profiler_add_listener((struct pw_profiler *)look->profiler, &look->listener,
                                 &profiler_events, shim);
}

void archibald_pipewire_end_look(archibald_pipewire *shim) {
    if (shim->look.profiler == NULL) return;
    spa_hook_remove(&shim->look.listener);
    archibald_pw.pw_proxy_destroy(shim->look.profiler);
    shim->look.profiler = NULL;
}

uint32_t archibald_pipewire_look(archibald_pipewire *shim) {
    archibald_pipewire_begin_look(shim);
    return archibald_pipewire_now_ns() - shim->look.cycle_ns < stopped_ns ? shim->look.rate_hz : 0;
}
