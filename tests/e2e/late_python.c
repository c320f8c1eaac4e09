/* SPDX-License-Identifier: MIT */
/* Brings a libpython in as an embedding program may, for itself alone, and says what
 * python_runtime_find() makes of the process before and after. */
#include <dlfcn.h>
#include <stdio.h>

#include "stack/python/python_runtime.h"

int main(int argc, char **argv) {
    struct python_runtime runtime;
    int before = python_runtime_find(&runtime), after;
    int nothing = runtime.implementation;

    if (argc != 2 || !dlopen(argv[1], RTLD_NOW | RTLD_LOCAL))
        return 2;
    after = python_runtime_find(&runtime);
    printf("%d %d %d %d %x\n", before, nothing, after, runtime.implementation,
           runtime.version);
    return 0;
}
