/* SPDX-License-Identifier: MIT */
/* The few functions of CPython's stable API that the module _tracemalloc needs, found
 * by name at run time: the library is one for all versions and built without any
 * Python. For callers that hold the GIL, outside of hooks. */
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
    void *(*tuple_get)(void *tuple, ptrdiff_t at); /* borrowed */
    int (*tuple_set)(void *tuple, ptrdiff_t at, void *item);
    void (*untrack)(void *object); /* by the garbage collector */
    void *(*list_new)(ptrdiff_t length);
    int (*list_set)(void *list, ptrdiff_t at, void *item);
    void *(*string_decode)(const char *bytes, ptrdiff_t length, const char *errors);
    void *(*float_from_double)(double number);
    void *(*dict_new)(void);
    void *(*no_memory)(void);
    void (*increase)(void *object);
    void (*decrease)(void *object);
    int (*add_pending_call)(int (*function)(void *argument), void *argument);
};

extern internal struct python_api python_api;

/* 0, or -ENXIO when one is missing: then the module stays the interpreter's own. */
must_check int python_api_find(void *handle);

/* Takes the reference to an item of a new tuple. Not for NULL, which says that the item
 * could not be made: then an exception is set. */
must_check bool python_api_put(void *tuple, ptrdiff_t at, void *item);
