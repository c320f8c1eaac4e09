/* SPDX-License-Identifier: MIT */
#include "export/thread_names.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct thread_search {
    const struct profile *profile;
    struct frame_names *names;
    uint32_t main;
    uint32_t starting; /* of stacks whose frames are all in threading.py */
};

static bool equals(struct dump_text text, const char *word) {
    return text.length == strlen(word) && memcmp(text.bytes, word, text.length) == 0;
}

static bool begins(struct dump_text text, const char *word) {
    return text.length >= strlen(word) && memcmp(text.bytes, word, strlen(word)) == 0;
}

static bool ends(struct dump_text text, const char *word) {
    size_t length = strlen(word);
    return text.length >= length &&
           memcmp(text.bytes + text.length - length, word, length) == 0;
}

static struct dump_text filename_at(const struct thread_search *search,
                                    uint32_t stack) {
    return profile_filename(search->profile, profile_frame(search->profile, stack));
}

/* Python 3.10 and older do not have qualified names of functions. */
static bool starts_thread(const struct thread_search *search, uint32_t stack) {
    struct dump_text function = profile_function(search->profile, stack);
    return ends(filename_at(search, stack), "threading.py") &&
           (equals(function, "Thread._bootstrap") || equals(function, "_bootstrap"));
}

static bool starts_program(const struct thread_search *search, uint32_t stack) {
    struct dump_text function = profile_function(search->profile, stack);
    return equals(function, "<module>") || equals(function, "_run_module_as_main") ||
           begins(filename_at(search, stack), "<frozen ");
}

static int64_t name_function(const struct thread_search *search, uint32_t stack) {
    struct dump_text function = profile_function(search->profile, stack);
    bool native = profile_native(search->profile, stack) != NULL;
    return native || function.length == 0 ? FRAME_NAMES_UNKNOWN
                                          : frame_names_add(search->names, function);
}

static int64_t name_thread(const struct thread_search *search, const uint32_t *threads,
                           uint32_t stack) {
    uint32_t parent = search->profile->reader->stacks[stack].parent;
    /* Native frames may be outside the outermost Python frame. */
    bool oldest = threads[parent] == FRAME_NAMES_UNKNOWN;
    if (oldest && starts_thread(search, stack))
        return search->starting;
    if (oldest && starts_program(search, stack))
        return search->main;
    bool leaves_start = threads[parent] == search->starting &&
                        !ends(filename_at(search, stack), "threading.py");
    if (oldest || leaves_start)
        return name_function(search, stack);
    return threads[parent];
}

static int name_all(struct thread_search *search, uint32_t *threads) {
    const struct dump_reader *reader = search->profile->reader;
    static const struct dump_text main_text = {"main", 4}, starting = {"Thread", 6};
    int64_t main_name = frame_names_add(search->names, main_text);
    int64_t start_name = frame_names_add(search->names, starting);
    if (main_name < 0 || start_name < 0)
        return -ENOMEM;
    search->main = (uint32_t)main_name;
    search->starting = (uint32_t)start_name;
    threads[TRACEMALLOC_DUMP_EMPTY_STACK] = FRAME_NAMES_UNKNOWN;
    for (uint32_t id = 1; id < reader->stack_count; id++) {
        int64_t name = name_thread(search, threads, id);
        if (name < 0)
            return (int)name;
        threads[id] = (uint32_t)name;
    }
    return 0;
}

int thread_names_find(uint32_t **threads, const struct profile *profile,
                      struct frame_names *names) {
    struct thread_search search = {.profile = profile, .names = names};
    *threads = calloc(profile->reader->stack_count, sizeof **threads);
    int error = *threads == NULL ? -ENOMEM : name_all(&search, *threads);
    if (error < 0) {
        free(*threads);
        *threads = NULL;
    }
    return error;
}
