/* SPDX-License-Identifier: MIT */
#include "symbols/symbols.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "collection/array.h"
#include "collection/id_map.h"
#include "dump/frame_names.h"
#include "symbols/symbol_cache.h"
#include "symbols/symbol_file.h"

/* Limits for all network queries together, and for one that gets no answer. */
enum { MAX_NETWORK_SECONDS = 60 };
#define NETWORK_TIMEOUT "15"

/* The cache takes no longer names (see symbols/symbol_cache.h). */
enum { CACHE_NAME = 256 };

struct symbol_module {
    char *key; /* build-id and path, each with its NUL */
    uint32_t number;
    enum symbol_module_state state;
    struct symbol_file *file;
    bool is_read;    /* its cached symbols were read */
    bool is_changed; /* it has symbols that are not cached */
};

/* The frames of one address: a range of symbols->frames. */
struct answer {
    uint32_t first;
    uint32_t count;
};

struct symbols {
    struct array modules;     /* struct symbol_module * */
    struct frame_names names; /* of the modules' keys */
    uint32_t first_name;
    struct id_map addresses; /* by module and address */
    struct array answers;    /* by id of an address */
    struct array frames;     /* struct symbol */
    struct frame_names texts;
    time_t network_seconds;
    int cache; /* descriptor of the cache directory; -1 if there is none */
};

/* Limits that the user has set are kept. */
static void limit_network(void) {
    setenv("DEBUGINFOD_TIMEOUT", NETWORK_TIMEOUT, 0);
    setenv("DEBUGINFOD_MAXTIME", NETWORK_TIMEOUT, 0);
}

int symbols_open(struct symbols **out) {
    struct symbols *symbols = calloc(1, sizeof *symbols);
    if (symbols == NULL)
        return -ENOMEM;
    symbols->modules.entry_size = sizeof(struct symbol_module *);
    symbols->answers.entry_size = sizeof(struct answer);
    symbols->frames.entry_size = sizeof(struct symbol);
    symbols->cache = -1;
    limit_network();
    int error = frame_names_open(&symbols->names);
    symbols->first_name = (uint32_t)symbols->names.count;
    if (error == 0)
        error = frame_names_open(&symbols->texts);
    if (error < 0)
        symbols_close(symbols);
    else
        *out = symbols;
    return error;
}

static void close_module(struct symbol_module *module) {
    symbol_file_close(module->file);
    free(module->key);
    free(module);
}

void symbols_use_cache(struct symbols *symbols) {
    if (symbols->cache < 0)
        symbols->cache = symbol_cache_open();
}

/* Whether the symbols of a module may be cached: another user's file might claim the
 * build-id of any module. */
static bool is_trusted(const struct symbol_module *module) {
    struct stat status;
    return stat(symbols_module_path(module), &status) == 0 &&
           (status.st_uid == 0 || status.st_uid == geteuid());
}

/* The build-id and the size of the file, for a stripped copy has the same build-id.
 * Debug information that was installed since does not matter, see write_cache. */
static void cache_name(const struct symbol_module *module, char name[CACHE_NAME]) {
    struct stat status;
    bool is_there = stat(symbols_module_path(module), &status) == 0;
    snprintf(name, CACHE_NAME, "%s-%" PRIx64, module->key,
             is_there ? (uint64_t)status.st_size : 0);
}

/* Without lines there was no debug information: such a module is read quickly, and what
 * it lacks may be installed later, so that it is not cached. */
static bool has_lines(const struct symbols *symbols,
                      const struct symbol_module *module) {
    const struct answer *answers = symbols->answers.entries;
    const struct symbol *frames = symbols->frames.entries;
    for (size_t id = 0; id < symbols->answers.count; id++)
        if (symbols->addresses.pairs[id].first == module->number &&
            answers[id].count > 0 && frames[answers[id].first].filename != NULL)
            return true;
    return false;
}

static void write_cache(struct symbols *symbols, const struct symbol_module *module) {
    struct symbol_cache_file file = {0};
    const struct answer *answers = symbols->answers.entries;
    const struct symbol *frames = symbols->frames.entries;
    char name[CACHE_NAME];
    int error = 0;
    for (size_t id = 0; id < symbols->answers.count && error == 0; id++)
        if (symbols->addresses.pairs[id].first == module->number)
            error = symbol_cache_add(&file, symbols->addresses.pairs[id].second,
                                     frames == NULL ? NULL : frames + answers[id].first,
                                     answers[id].count);
    cache_name(module, name);
    if (error == 0)
        symbol_cache_write(symbols->cache, name, &file);
    free(file.bytes);
}

static void close_cache(struct symbols *symbols) {
    struct symbol_module *const *modules = symbols->modules.entries;
    if (symbols->cache < 0)
        return;
    for (size_t i = 0; i < symbols->modules.count; i++)
        if (modules[i]->is_changed && is_trusted(modules[i]) &&
            has_lines(symbols, modules[i]))
            write_cache(symbols, modules[i]);
    close(symbols->cache);
}

void symbols_close(struct symbols *symbols) {
    if (symbols == NULL)
        return;
    close_cache(symbols);
    struct symbol_module **modules = symbols->modules.entries;
    for (size_t i = 0; i < symbols->modules.count; i++)
        close_module(modules[i]);
    free(symbols->modules.entries);
    frame_names_close(&symbols->names);
    id_map_clear(&symbols->addresses);
    free(symbols->answers.entries);
    free(symbols->frames.entries);
    /* The first ones are constants (see dump/frame_names.h). */
    for (size_t i = symbols->first_name; i < symbols->texts.count; i++)
        free((char *)symbols->texts.texts[i].bytes);
    frame_names_close(&symbols->texts);
    free(symbols);
}

static char *make_key(struct dump_text path, struct dump_text build_id, size_t *size) {
    *size = build_id.length + path.length + 2;
    char *key = malloc(*size);
    if (key == NULL)
        return NULL;
    memcpy(key, build_id.bytes, build_id.length + 1);
    memcpy(key + build_id.length + 1, path.bytes, path.length + 1);
    return key;
}

static int add_module(struct symbols *symbols, char *key) {
    struct symbol_module *module = calloc(1, sizeof *module);
    if (module == NULL)
        return -ENOMEM;
    *module =
        (struct symbol_module){.key = key, .number = (uint32_t)symbols->modules.count};
    if (array_append(&symbols->modules, &module, 1) >= 0)
        return 0;
    free(module);
    return -ENOMEM;
}

int symbols_module(struct symbols *symbols, struct dump_text path,
                   struct dump_text build_id, struct symbol_module **module) {
    size_t size, next_name = symbols->names.count;
    char *key = make_key(path, build_id, &size);
    if (key == NULL)
        return -ENOMEM;
    int64_t name = frame_names_add(&symbols->names, (struct dump_text){key, size});
    bool is_new = name >= 0 && (size_t)name == next_name;
    int error = name < 0 ? (int)name : is_new ? add_module(symbols, key) : 0;
    if (!is_new)
        free(key);
    if (error == 0) {
        struct symbol_module **modules = symbols->modules.entries;
        *module = modules[(size_t)name - symbols->first_name];
    }
    return error;
}

const char *symbols_module_path(const struct symbol_module *module) {
    return module->key + strlen(module->key) + 1;
}

static int open_module(struct symbol_module *module) {
    int error =
        symbol_file_open(&module->file, symbols_module_path(module), module->key);
    module->state = error == 0         ? SYMBOL_MODULE_FOUND
                    : error == -ESTALE ? SYMBOL_MODULE_DIFFERENT
                                       : SYMBOL_MODULE_ABSENT;
    return error == -ENOMEM ? error : 0;
}

static int64_t add_text(struct symbols *symbols, const char *text) {
    size_t next_id = symbols->texts.count;
    char *copy = strdup(text);
    if (copy == NULL)
        return -ENOMEM;
    int64_t id =
        frame_names_add(&symbols->texts, (struct dump_text){copy, strlen(copy)});
    if (id < 0 || (size_t)id < next_id)
        free(copy);
    return id;
}

/* Sets *copy to the table's copy of a text; to NULL if `text` is NULL. */
static int copy_text(struct symbols *symbols, const char *text, const char **copy) {
    int64_t id = text == NULL ? 0 : add_text(symbols, text);
    *copy = text == NULL || id < 0 ? NULL : symbols->texts.texts[id].bytes;
    return id < 0 ? (int)id : 0;
}

struct found {
    struct symbols *symbols;
    struct symbol frames[SYMBOLS_MAX_INLINED]; /* innermost first */
    size_t count;
};

static int add_frame(void *context, const char *function, const char *filename,
                     uint32_t line) {
    struct found *found = context;
    struct symbol *frame = &found->frames[found->count];
    if (found->count == SYMBOLS_MAX_INLINED)
        return 0;
    *frame = (struct symbol){.line = line};
    int error = copy_text(found->symbols, function, &frame->function);
    if (error == 0)
        error = copy_text(found->symbols, filename, &frame->filename);
    found->count += error == 0;
    return error;
}

static int append_answer(struct symbols *symbols, const struct found *found) {
    struct answer answer = {(uint32_t)symbols->frames.count, (uint32_t)found->count};
    for (size_t i = found->count; i-- > 0;)
        if (array_append(&symbols->frames, &found->frames[i], 1) < 0)
            return -ENOMEM;
    return array_append(&symbols->answers, &answer, 1) < 0 ? -ENOMEM : 0;
}

/* If the network has taken too long, it is not used again: elfutils reads the variable
 * each time. */
static int look_up(struct symbols *symbols, struct symbol_module *module,
                   uint64_t address) {
    struct found found = {.symbols = symbols};
    time_t began = time(NULL);
    int error = module->state == SYMBOL_MODULE_UNUSED ? open_module(module) : 0;
    if (error == 0 && module->file != NULL)
        error = symbol_file_find(module->file, address, add_frame, &found);
    module->is_changed |= module->file != NULL;
    symbols->network_seconds += time(NULL) - began;
    if (symbols->network_seconds > MAX_NETWORK_SECONDS)
        unsetenv("DEBUGINFOD_URLS");
    return error < 0 ? error : append_answer(symbols, &found);
}

struct reading {
    struct symbols *symbols;
    struct symbol_module *module;
};

/* Adds a cached answer. Answers are in the order of the ids of addresses. */
static int add_cached(void *context, uint64_t address, const struct symbol *frames,
                      size_t count) {
    const struct reading *reading = context;
    struct found found = {.symbols = reading->symbols};
    int error = 0;
    if (reading->symbols->addresses.count != reading->symbols->answers.count)
        return -ENOMEM;
    for (size_t i = count; i-- > 0 && error == 0;)
        error =
            add_frame(&found, frames[i].function, frames[i].filename, frames[i].line);
    if (error < 0)
        return error;
    size_t next_id = reading->symbols->answers.count;
    int64_t id = id_map_add(&reading->symbols->addresses,
                            (struct id_pair){reading->module->number, address});
    if (id < 0)
        return (int)id;
    return (size_t)id == next_id ? append_answer(reading->symbols, &found) : 0;
}

static int read_cache(struct symbols *symbols, struct symbol_module *module) {
    struct reading reading = {symbols, module};
    char name[CACHE_NAME];
    if (symbols->cache < 0 || module->is_read)
        return 0;
    module->is_read = true;
    cache_name(module, name);
    return symbol_cache_read(symbols->cache, name, add_cached, &reading);
}

int symbols_find(struct symbols *symbols, struct symbol_module *module,
                 uint64_t address, struct symbol_list *list) {
    int failed = read_cache(symbols, module);
    if (failed < 0)
        return failed;
    size_t next_id = symbols->answers.count;
    int64_t id =
        id_map_add(&symbols->addresses, (struct id_pair){module->number, address});
    int error = id < 0 ? (int)id : 0;
    if (error == 0 && (size_t)id >= next_id)
        error = look_up(symbols, module, address);
    /* An address whose lookup failed has an id, but no answer. */
    if (error == 0 && (size_t)id >= symbols->answers.count)
        error = -ENOMEM;
    if (error < 0)
        return error;
    const struct answer *answer = (const struct answer *)symbols->answers.entries + id;
    const struct symbol *frames = symbols->frames.entries;
    *list = (struct symbol_list){frames == NULL ? NULL : frames + answer->first,
                                 answer->count};
    return 0;
}

const struct symbol_module *symbols_module_at(const struct symbols *symbols,
                                              size_t number) {
    struct symbol_module *const *modules = symbols->modules.entries;
    return number < symbols->modules.count ? modules[number] : NULL;
}

enum symbol_module_state symbols_module_state(const struct symbol_module *module) {
    return module->state;
}
