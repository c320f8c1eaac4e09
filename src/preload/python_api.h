/* SPDX-License-Identifier: MIT */
/* The few functions of CPython's stable API that the module _tracemalloc needs, found by name at run time: the library is
 * one for all versions and built without any Python. For callers that hold the GIL, outside of hooks. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct python_api {
    void *none;
    void *module_def_type; /* PyModuleDef_Type */
    void *(*module_get_def)(void *module);
    void *(*long_from_size)(size_t number);
    long (*long_as_long)(void *number);
    void *(*bool_from_long)(long truth);
    void *(*tuple_new)(ptrdiff_t length);
    int (*tuple_set)(void *tuple, ptrdiff_t at, void *item);
    void *(*list_new)(ptrdiff_t length);
    int (*list_set)(void *list, ptrdiff_t at, void *item);
    void *(*string_decode)(const char *bytes, ptrdiff_t length, const char *errors);
    void *(*float_from_double)(double number);
    void *(*dict_new)(void);
    void *(*dict_set_default)(void *dict, void *key, void *value); /* borrowed */
    void *(*no_memory)(void);
    void (*increase)(void *object);
    void (*decrease)(void *object);
    int (*add_pending_call)(int (*function)(void *argument), void *argument);
};

extern struct python_api python_api;

/* 0, or -ENXIO when one is missing: then the module stays the interpreter's own. */
must_check int python_api_find(void);
