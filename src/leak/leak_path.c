/* SPDX-License-Identifier: MIT */
#include "leak/leak_path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool contains(struct dump_text text, const char *part) {
    return memmem(text.bytes, text.length, part, strlen(part)) != NULL;
}

bool leak_path_is_own(struct dump_text filename) {
    static const char *const parts[] = {"/lib/python3", "/lib64/python3",
                                        "/site-packages/", "/dist-packages/"};
    if (filename.length == 0 || filename.bytes[0] == '<')
        return false;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (contains(filename, parts[i]))
            return false;
    return true;
}

/* The ids start at 1: an entry of zeros is 0. */
static int open_maps(struct leak_paths *paths) {
    const struct id_pair none = {0, 0};
    if (id_map_add(&paths->frames, none) < 0 || id_map_add(&paths->nodes, none) < 0)
        return -ENOMEM;
    return 0;
}

static bool *find_own(const struct profile *profile) {
    bool *own = calloc(profile->names->count, sizeof *own);
    for (size_t i = 0; own != NULL && i < profile->names->count; i++)
        own[i] = leak_path_is_own(profile->names->texts[i]);
    return own;
}

static bool is_python(const struct profile *profile, uint32_t stack) {
    uint32_t code = profile->reader->stacks[stack].code;
    return stack > TRACEMALLOC_DUMP_OVERFLOW_STACK &&
           (code & TRACEMALLOC_DUMP_NATIVE) == 0 && code != 0;
}

static int64_t add_path(struct leak_paths *paths, uint32_t caller, uint32_t stack) {
    struct frame frame = profile_frame(paths->profile, stack);
    int64_t id = id_map_add(&paths->frames, (struct id_pair){frame.name, frame.line});
    return id < 0 ? id
                  : id_map_add(&paths->nodes, (struct id_pair){caller, (uint64_t)id});
}

/* Callers come before their callees. `foreign`: by stack, whether its path is that of a
 * frame that is not the program's own. */
static int walk(struct leak_paths *paths, const bool *own, bool *foreign) {
    const struct profile *profile = paths->profile;
    for (uint32_t id = 1; id < profile->reader->stack_count; id++) {
        uint32_t caller = profile->reader->stacks[id].parent;
        bool none = paths->stacks[caller] == 0 || foreign[caller];
        paths->stacks[id] = paths->stacks[caller];
        foreign[id] = foreign[caller];
        if (!is_python(profile, id))
            continue;
        bool is_own = own[profile_frame(profile, id).name];
        if (!is_own && !none)
            continue;
        int64_t path = add_path(paths, none ? 0 : paths->stacks[caller], id);
        if (path < 0)
            return (int)path;
        paths->stacks[id] = (uint32_t)path;
        foreign[id] = !is_own;
    }
    return 0;
}

/* A stack for each frame, of which the name of its function is taken. */
static int find_functions(struct leak_paths *paths) {
    const struct profile *profile = paths->profile;
    paths->functions = calloc(paths->frames.count, sizeof *paths->functions);
    if (paths->functions == NULL)
        return -ENOMEM;
    for (uint32_t id = 1; id < profile->reader->stack_count; id++) {
        struct frame frame = profile_frame(profile, id);
        int64_t known =
            id_map_find(&paths->frames, (struct id_pair){frame.name, frame.line});
        if (known > 0)
            paths->functions[known] = id;
    }
    return 0;
}

int leak_paths_open(struct leak_paths *paths, const struct profile *profile) {
    size_t stacks = profile->reader->stack_count;
    *paths = (struct leak_paths){.profile = profile,
                                 .stacks = calloc(stacks, sizeof *paths->stacks)};
    bool *own = find_own(profile), *foreign = calloc(stacks, sizeof *foreign);
    int error = -ENOMEM;
    if (paths->stacks != NULL && own != NULL && foreign != NULL)
        error = open_maps(paths);
    if (error == 0)
        error = walk(paths, own, foreign);
    if (error == 0)
        error = find_functions(paths);
    free(own);
    free(foreign);
    return error;
}

void leak_paths_close(struct leak_paths *paths) {
    id_map_clear(&paths->frames);
    id_map_clear(&paths->nodes);
    free(paths->stacks);
    free(paths->functions);
    *paths = (struct leak_paths){0};
}
