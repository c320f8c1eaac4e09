/* SPDX-License-Identifier: MIT */
/* DuckDB's C library, loaded when it is asked for: it is large, few need it, and
 * distributions lack it. Only what has been in its interface since 1.1 is
 * declared. For offline code; one thread. */
#pragma once

#include <stdint.h>

/* The results of most functions. */
enum { DUCKDB_LIBRARY_SUCCESS = 0 };

typedef struct duckdb_library_database *duckdb_library_database;
typedef struct duckdb_library_connection *duckdb_library_connection;
typedef struct duckdb_library_config *duckdb_library_config;
typedef struct duckdb_library_appender *duckdb_library_appender;

/* Filled and freed by the library. */
struct duckdb_library_result {
    uint64_t numbers[3];
    void *pointers[3];
};

struct duckdb_library {
    int (*create_config)(duckdb_library_config *config);
    int (*set_config)(duckdb_library_config config, const char *name,
                      const char *option);
    void (*destroy_config)(duckdb_library_config *config);
    int (*open_ext)(const char *path, duckdb_library_database *database,
                    duckdb_library_config config, char **error);
    void (*close)(duckdb_library_database *database);
    int (*connect)(duckdb_library_database database,
                   duckdb_library_connection *connection);
    void (*disconnect)(duckdb_library_connection *connection);
    int (*query)(duckdb_library_connection connection, const char *query,
                 struct duckdb_library_result *result);
    const char *(*result_error)(struct duckdb_library_result *result);
    void (*destroy_result)(struct duckdb_library_result *result);
    int (*appender_create)(duckdb_library_connection connection, const char *schema,
                           const char *table, duckdb_library_appender *appender);
    const char *(*appender_error)(duckdb_library_appender appender);
    int (*appender_flush)(duckdb_library_appender appender);
    int (*appender_destroy)(duckdb_library_appender *appender);
    int (*appender_end_row)(duckdb_library_appender appender);
    int (*append_int64)(duckdb_library_appender appender, int64_t value);
    int (*append_double)(duckdb_library_appender appender, double value);
    int (*append_varchar_length)(duckdb_library_appender appender, const char *text,
                                 uint64_t length);
    int (*append_null)(duckdb_library_appender appender);
    void (*free)(void *memory);
};

/* The library that TRACEMALLOC_DUCKDB names, or else libduckdb.so of the loader's path.
 * It stays loaded. NULL if it cannot be loaded: *reason, which is valid until the next
 * call of dlopen(3), says why. */
const struct duckdb_library *duckdb_library_load(const char **reason);
