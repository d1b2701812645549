#include "library.h"
#include "shim.h"

#include <dlfcn.h>

struct archibald_pipewire_library archibald_pw;

const char *archibald_pipewire_load(void) {
    void *handle = dlopen("libpipewire-0.3.so.0", RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) return dlerror();
#define ARCHIBALD_FIND(name)                                                               \
    if ((archibald_pw.name = (__typeof__(archibald_pw.name))dlsym(handle, #name)) == NULL) \
        return dlerror();
    ARCHIBALD_PIPEWIRE_SYMBOLS(ARCHIBALD_FIND)
#undef ARCHIBALD_FIND
    archibald_pw.pw_stream_get_data_loop =
        (struct pw_loop * (*)(struct pw_stream *)) dlsym(handle, "pw_stream_get_data_loop");
    archibald_pw.pw_init(NULL, NULL);
    return NULL;
}
