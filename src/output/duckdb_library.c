/* SPDX-License-Identifier: MIT */
#include "output/duckdb_library.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define FUNCTION(name)                                                                 \
    { offsetof(struct duckdb_library, name), "duckdb_" #name }

static const struct function {
    size_t offset;
    const char *name;
} functions[] = {
    FUNCTION(create_config),
    FUNCTION(set_config),
    FUNCTION(destroy_config),
    FUNCTION(open_ext),
    FUNCTION(close),
    FUNCTION(connect),
    FUNCTION(disconnect),
    FUNCTION(query),
    FUNCTION(result_error),
    FUNCTION(destroy_result),
    FUNCTION(appender_create),
    FUNCTION(appender_error),
    FUNCTION(appender_flush),
    FUNCTION(appender_destroy),
    FUNCTION(appender_end_row),
    FUNCTION(append_int64),
    FUNCTION(append_double),
    FUNCTION(append_varchar_length),
    FUNCTION(append_null),
    FUNCTION(free),
};

static bool find_functions(struct duckdb_library *library, void *handle) {
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        void *function = dlsym(handle, functions[i].name);
        if (function == NULL)
            return false;
        memcpy((char *)library + functions[i].offset, &function, sizeof function);
    }
    return true;
}

const struct duckdb_library *duckdb_library_load(const char **reason) {
    static struct duckdb_library library;
    const char *path = getenv("TRACEMALLOC_DUCKDB");
    bool is_named = path != NULL && path[0] != '\0';
    void *handle = dlopen(is_named ? path : "libduckdb.so", RTLD_NOW | RTLD_LOCAL);
    if (handle != NULL && find_functions(&library, handle))
        return &library;
    *reason = dlerror();
    return NULL;
}
