/* SPDX-License-Identifier: MIT */
/* The functions of a library that is loaded when it is first used. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

/* A pointer to it is at `offset` of a struct. */
struct library_function {
    size_t offset;
    const char *name;
};

/* Finds all functions in what dlopen returned, and sets the struct's pointers. False if
 * one is missing; dlerror() names it. */
must_check bool library_functions_find(void *handle,
                                       const struct library_function *functions,
                                       size_t count, void *pointers);
