/* SPDX-License-Identifier: MIT */
#include "output/library_functions.h"

#include <dlfcn.h>
#include <string.h>

bool library_functions_find(void *handle, const struct library_function *functions,
                            size_t count, void *pointers) {
    for (size_t i = 0; i < count; i++) {
        void *function = dlsym(handle, functions[i].name);
        if (function == NULL)
            return false;
        memcpy((char *)pointers + functions[i].offset, &function, sizeof function);
    }
    return true;
}
