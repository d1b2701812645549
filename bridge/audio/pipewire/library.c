#include "library.h"
#include "shim.h"

#include <dlfcn.h>

struct archibald_pipewire_library lib;

const char *archibald_pipewire_load(void)
{
    void *handle = dlopen("libpipewire-0.3.so.0", RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL)
        return dlerror();
#define ARCHIBALD_FIND(name)                                                   \
    if ((lib.name = (__typeof__(lib.name))dlsym(handle, #name)) == NULL)       \
        return dlerror();
    ARCHIBALD_PIPEWIRE_SYMBOLS(ARCHIBALD_FIND)
#undef ARCHIBALD_FIND
    lib.pw_init(NULL, NULL);
    return NULL;
}
