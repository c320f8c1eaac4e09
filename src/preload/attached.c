/* SPDX-License-Identifier: MIT */
/* The library's beginning in a process that already runs: what `tracemalloc attach`
 * calls once it has loaded the library there. */
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "stack/python/python_api.h"
#include "tracing/late_start.h"

void tracemalloc_attach(const char *options, int64_t *status);
void *PyInit__tracemalloc_attach(void);

/* The interpreter's modules stay as they are; what clears its free lists is needed. */
static void install_module(const struct python_runtime *runtime,
                           const struct options *options) {
    (void)options;
    (void)!python_api_find(runtime->handle);
}

static void suppress_builtin(const struct python_runtime *runtime, long nframe) {
    (void)runtime;
    (void)nframe;
}

/* Lines of NAME=VALUE. `*status` becomes 0 or -errno: see late_start. */
exported void tracemalloc_attach(const char *options, int64_t *status) {
    static const struct traced_process_module module = {install_module,
                                                        suppress_builtin};
    *status = late_start(options, &module);
}

/* The initialization of a module that never comes to be: an interpreter that was asked
 * to load the library calls it, with the GIL. The options are in sys, as bytes. */
exported void *PyInit__tracemalloc_attach(void) {
    void *(*get_object)(const char *name) = NULL;
    char *(*get_bytes)(void *object) = NULL;
    void (*set_error)(void *type, const char *text) = NULL;
    *(void **)(void *)&get_object = dlsym(RTLD_DEFAULT, "PySys_GetObject");
    *(void **)(void *)&get_bytes = dlsym(RTLD_DEFAULT, "PyBytes_AsString");
    *(void **)(void *)&set_error = dlsym(RTLD_DEFAULT, "PyErr_SetString");
    void **type = dlsym(RTLD_DEFAULT, "PyExc_ImportError");
    if (get_object == NULL || get_bytes == NULL || set_error == NULL || type == NULL)
        return NULL;
    void *object = get_object("_tracemalloc_attach");
    const char *options = object != NULL ? get_bytes(object) : NULL;
    int64_t status;
    if (options != NULL)
        tracemalloc_attach(options, &status);
    set_error(*type, "not a module");
    return NULL;
}
