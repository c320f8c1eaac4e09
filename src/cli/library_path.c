/* SPDX-License-Identifier: MIT */
#include "cli/library_path.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output/failure.h"
#include "process/glob_text.h"

static const char library_name[] = "libtracemalloc.so";

/* Relative to this program's directory, in order of preference. */
static const char *const locations[] = {
    "/libtracemalloc.so",
    "/../preload/libtracemalloc.so", /* in the build directory */
    "/../lib/libtracemalloc.so",
    "/../lib*/libtracemalloc.so",
    "/../lib*/*/libtracemalloc.so",
};

static int own_directory(char *directory, size_t size) {
    ssize_t length = readlink("/proc/self/exe", directory, size - 1);
    if (length < 0)
        return -errno;
    directory[length] = '\0';
    *strrchr(directory, '/') = '\0';
    return 0;
}

static bool accept(const char *found, char *path, size_t size) {
    char absolute[PATH_MAX];
    if (realpath(found, absolute) == NULL || access(absolute, R_OK) != 0 ||
        strlen(absolute) >= size)
        return false;
    strcpy(path, absolute);
    return true;
}

static bool find_in(const char *directory, const char *location, char *path,
                    size_t size) {
    char text[2 * PATH_MAX] = "";
    glob_t names;
    glob_text_append(text, sizeof text, directory);
    size_t length = strlen(text);
    snprintf(text + length, sizeof text - length, "%s", location);
    if (glob(text, 0, NULL, &names) != 0)
        return false;
    bool found = accept(names.gl_pathv[0], path, size);
    globfree(&names);
    return found;
}

int library_path_find(char *path, size_t size) {
    char directory[PATH_MAX];
    int status = own_directory(directory, sizeof directory);
    for (size_t i = 0; status == 0 && i < sizeof locations / sizeof *locations; i++)
        if (find_in(directory, locations[i], path, size))
            return 0;
    if (accept(TRACEMALLOC_LIBDIR "/libtracemalloc.so", path, size))
        return 0;
    return failure_print("cannot find libtracemalloc.so beside this program or in %s",
                         TRACEMALLOC_LIBDIR);
}

static bool is_library(const char *name, size_t length) {
    const char *slash = memrchr(name, '/', length);
    size_t skipped = slash != NULL ? (size_t)(slash + 1 - name) : 0;
    return length - skipped == sizeof library_name - 1 &&
           memcmp(name + skipped, library_name, length - skipped) == 0;
}

static bool names_library(const char *preload) {
    while (*preload != '\0') {
        size_t length = strcspn(preload, " :");
        if (is_library(preload, length))
            return true;
        preload += length + strspn(preload + length, " :");
    }
    return false;
}

int library_path_preload(const char *path) {
    const char *present = getenv("LD_PRELOAD");
    char *text;
    if (present != NULL && names_library(present))
        return 0;
    if (strpbrk(path, " :") != NULL)
        return -EINVAL;
    if (present == NULL || *present == '\0')
        return setenv("LD_PRELOAD", path, 1) == 0 ? 0 : -ENOMEM;
    if (asprintf(&text, "%s:%s", path, present) < 0)
        return -ENOMEM;
    int error = setenv("LD_PRELOAD", text, 1) == 0 ? 0 : -ENOMEM;
    free(text);
    return error;
}
