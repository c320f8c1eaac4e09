/* SPDX-License-Identifier: MIT */
#include "output/duckdb_library.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include "output/library_functions.h"

#define FUNCTION(name)                                                                 \
    { offsetof(struct duckdb_library, name), "duckdb_" #name }

static const struct library_function functions[] = {
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

const struct duckdb_library *duckdb_library_load(const char **reason) {
    static struct duckdb_library library;
    const char *path = getenv("TRACEMALLOC_DUCKDB");
    bool is_named = path != NULL && path[0] != '\0';
    void *handle = dlopen(is_named ? path : "libduckdb.so", RTLD_NOW | RTLD_LOCAL);
    if (handle != NULL &&
        library_functions_find(handle, functions, sizeof functions / sizeof *functions,
                               &library))
        return &library;
    *reason = dlerror();
    return NULL;
}
