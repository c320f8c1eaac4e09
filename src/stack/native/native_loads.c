/* SPDX-License-Identifier: MIT */
#include "stack/native/native_loads.h"

#include <dlfcn.h>
#include <link.h>
#include <stddef.h>

enum { MAX_CANDIDATES = 64 };

struct native_loads native_loads;

/* Words of _rtld_global that may be the counter. */
static const uint64_t *candidates[MAX_CANDIDATES];
static size_t candidate_count;

/* The first words of _rtld_global: those of its first namespace. */
struct first_namespace {
    const struct link_map *loaded;
    uint32_t count;
};

static int read_adds(struct dl_phdr_info *info, size_t size, void *adds) {
    (void)size;
    *(uint64_t *)adds = info->dlpi_adds;
    return 1;
}

uint64_t native_loads_added(void) {
    uint64_t adds = 0;
    dl_iterate_phdr(read_adds, &adds);
    return adds;
}

static const struct first_namespace *find_global(size_t *size) {
    Dl_info info;
    const ElfW(Sym) *symbol = NULL;
    void *global = dlsym(RTLD_DEFAULT, "_rtld_global");
    if (global == NULL ||
        dladdr1(global, &info, (void **)&symbol, RTLD_DL_SYMENT) == 0 ||
        symbol == NULL || info.dli_saddr != global)
        return NULL;
    *size = symbol->st_size;
    return global;
}

static bool is_right(const struct first_namespace *global) {
    uint32_t count = 0;
    if (global == NULL || global->loaded != _r_debug.r_map)
        return false;
    for (const struct link_map *map = global->loaded; map != NULL; map = map->l_next)
        count++;
    return global->count == count;
}

static void find_candidates(const struct first_namespace *global, size_t size) {
    const uint64_t *words = (const void *)global;
    uint64_t adds = native_loads_added();
    for (size_t i = sizeof *global / sizeof *words; i < size / sizeof *words; i++)
        if (words[i] == adds && candidate_count < MAX_CANDIDATES)
            candidates[candidate_count++] = &words[i];
}

/* Their functions are in libc.so.6 now, so that few programs load them. */
static void load_something(void) {
    static const char *const empty[] = {"libanl.so.1", "libutil.so.1", "librt.so.1",
                                        "libBrokenLocale.so.1"};
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
        void *present = dlopen(empty[i], RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
        void *loaded = present == NULL ? dlopen(empty[i], RTLD_NOW | RTLD_LOCAL) : NULL;
        if (present != NULL)
            dlclose(present);
        if (loaded != NULL) {
            dlclose(loaded);
            return;
        }
    }
}

bool native_loads_find(void) {
    size_t size, found = 0;
    const struct first_namespace *global = find_global(&size);
    native_loads = (struct native_loads){0};
    candidate_count = 0;
    if (!is_right(global))
        return false;
    native_loads.count = &global->count;
    find_candidates(global, size);
    load_something();
    uint64_t adds = native_loads_added();
    for (size_t i = 0; i < candidate_count; i++)
        if (*candidates[i] == adds) {
            native_loads.adds = candidates[i];
            found++;
        }
    if (found != 1)
        native_loads.adds = NULL;
    return native_loads.adds != NULL;
}
