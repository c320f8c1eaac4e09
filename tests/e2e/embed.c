/* SPDX-License-Identifier: MIT */
/* embed LIBPYTHON PROGRAM [HOW [HOME]]: a program that loads a Python long after its
 * start. HOW has letters: l to load it for itself alone, e to ignore the environment,
 * c to initialize it from an isolated PyConfig. */
#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

/* PyStatus; and room for a PyConfig of any version. */
struct status {
    int type;
    const char *function, *message;
    int exit_code;
};
static union {
    char bytes[8192];
    max_align_t aligned;
} config;

static void *library;

static void *find(const char *name) {
    void *found = dlsym(library, name);
    if (!found) {
        fprintf(stderr, "embed: %s\n", dlerror());
        exit(3);
    }
    return found;
}

static void initialize_isolated(void) {
    void (*fill)(void *) = (void (*)(void *))find("PyConfig_InitIsolatedConfig");
    struct status (*initialize)(const void *) =
        (struct status(*)(const void *))find("Py_InitializeFromConfig");
    fill(&config);
    struct status status = initialize(&config);
    if (status.type != 0) {
        fprintf(stderr, "embed: %s\n", status.message);
        exit(4);
    }
}

static void initialize(const char *how, const char *home) {
    static wchar_t wide[4096];
    if (home && mbstowcs(wide, home, 4095) > 0)
        ((void (*)(const wchar_t *))find("Py_SetPythonHome"))(wide);
    if (strchr(how, 'c')) {
        initialize_isolated();
        return;
    }
    if (strchr(how, 'e'))
        *(int *)find("Py_IgnoreEnvironmentFlag") = 1;
    ((void (*)(void))find("Py_Initialize"))();
}

int main(int argc, char **argv) {
    void *before = malloc(3000017);
    const char *how = argc > 3 ? argv[3] : "";
    int scope = strchr(how, 'l') ? RTLD_LOCAL : RTLD_GLOBAL;
    library = argc >= 3 ? dlopen(argv[1], RTLD_NOW | scope) : NULL;
    if (!library) {
        fprintf(stderr, "embed: %s\n", argc >= 3 ? dlerror() : "two arguments");
        return 2;
    }
    initialize(how, argc > 4 ? argv[4] : NULL);
    int status = ((int (*)(const char *))find("PyRun_SimpleString"))(argv[2]);
    status |= ((int (*)(void))find("Py_FinalizeEx"))();
    free(before);
    return status ? 1 : 0;
}
