/* SPDX-License-Identifier: MIT */
/* The library's beginning in a process that already runs: what `tracemalloc attach`
 * calls once it has loaded the library there. */
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "stack/python/python_api.h"
#include "tracing/late_start.h"

void tracemalloc_attach(const char *options, int64_t *status);

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
