/* SPDX-License-Identifier: MIT */
/* embed LIBPYTHON PROGRAM: a program that loads a Python long after its start. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    void *before = malloc(3000017);
    void *library = argc == 3 ? dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL) : NULL;
    if (!library) {
        fprintf(stderr, "embed: %s\n", argc == 3 ? dlerror() : "two arguments");
        return 2;
    }
    void (*initialize)(void) = (void (*)(void))dlsym(library, "Py_Initialize");
    int (*run)(const char *) =
        (int (*)(const char *))dlsym(library, "PyRun_SimpleString");
    int (*finalize)(void) = (int (*)(void))dlsym(library, "Py_FinalizeEx");
    initialize();
    int status = run(argv[2]);
    status |= finalize();
    free(before);
    return status ? 1 : 0;
}
