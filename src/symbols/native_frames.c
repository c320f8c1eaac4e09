/* SPDX-License-Identifier: MIT */
#include "symbols/native_frames.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/interpreter_modules.h"
#include "symbols/recorded_symbols.h"

struct range {
    uint32_t first;
    uint32_t count;
};

/* One function at an address; texts are string ids. */
struct function {
    uint32_t module;
    uint32_t name;
    uint32_t filename; /* 0 if the source is unknown */
    uint32_t line;
    uint64_t address;
};

static int number_load_instance(struct native_frames *frames, struct id_map *files,
                                uint32_t *counts, size_t number) {
    const struct tracemalloc_dump_module *module = &frames->reader->modules[number];
    int64_t path = text_store_know(&frames->texts, module->path);
    int64_t build_id = text_store_know(&frames->texts, module->build_id);
    if (path < 0 || build_id < 0)
        return -ENOMEM;
    int64_t file =
        id_map_add(files, (struct id_pair){(uint64_t)path, (uint64_t)build_id});
    if (file >= 0)
        frames->load_instances[number] = counts[file]++;
    return file < 0 ? (int)file : 0;
}

static int number_load_instances(struct native_frames *frames) {
    size_t count = frames->reader->module_count;
    struct id_map files = {0};
    uint32_t *counts = calloc(count + 1, sizeof *counts);
    frames->load_instances = calloc(count + 1, sizeof *frames->load_instances);
    int error = counts == NULL || frames->load_instances == NULL ? -ENOMEM : 0;
    for (size_t i = 0; i < count && error == 0; i++)
        error = number_load_instance(frames, &files, counts, i);
    id_map_clear(&files);
    free(counts);
    return error;
}

int native_frames_open(struct native_frames *frames, struct dump_reader *reader,
                       struct symbols *symbols) {
    *frames = (struct native_frames){
        .reader = reader,
        .lists = {.entry_size = sizeof(struct range)},
        .frames = {.entry_size = sizeof(struct native_frame)},
        .code = {.entry_size = sizeof(struct tracemalloc_dump_code)},
        .natives = {.entry_size = sizeof(struct dump_native)},
    };
    int error = text_store_open(&frames->texts, reader);
    if (error == 0)
        error = dump_symbols_open(&frames->symbols, reader, symbols);
    return error < 0 ? error : number_load_instances(frames);
}

void native_frames_close(struct native_frames *frames) {
    dump_symbols_close(&frames->symbols);
    free(frames->load_instances);
    text_store_close(&frames->texts);
    id_map_clear(&frames->addresses);
    id_map_clear(&frames->ids);
    free(frames->lists.entries);
    free(frames->frames.entries);
    free(frames->code.entries);
    free(frames->natives.entries);
    *frames = (struct native_frames){0};
}

static struct dump_text module_path(const struct native_frames *frames,
                                    uint32_t module) {
    return dump_reader_text(frames->reader, frames->reader->modules[module].path);
}

/* Adds `PATH+0x1f20`; for code without a module, the address in memory. */
static int64_t add_location(struct native_frames *frames,
                            const struct function *function) {
    char location[NATIVE_FRAMES_LOCATION_SIZE];
    struct dump_text path = module_path(frames, function->module);
    int length = path.length < sizeof location - 32 ? (int)path.length : 0;
    snprintf(location, sizeof location, "%.*s%s0x%" PRIx64, length, path.bytes,
             length > 0 ? "+" : "", function->address);
    return text_store_append(&frames->texts, location);
}

static int add_code(struct native_frames *frames, const struct function *function) {
    int64_t filename = function->filename;
    if (filename == 0)
        filename = add_location(frames, function);
    struct tracemalloc_dump_code code = {.filename = (uint32_t)filename,
                                         .name = function->name};
    struct dump_native native = {.address = function->address,
                                 .module = function->module,
                                 .load_instance =
                                     frames->load_instances[function->module],
                                 .has_source = function->filename != 0};
    if (filename < 0)
        return (int)filename;
    if (array_append(&frames->code, &code, 1) < 0 ||
        array_append(&frames->natives, &native, 1) < 0)
        return -ENOMEM;
    return 0;
}

/* Frames without a source are distinguished by address. */
static int add_function(struct native_frames *frames, const struct function *function) {
    struct id_pair key = {(uint64_t)function->name << 32 | function->filename,
                          (uint64_t)function->module << 32 | function->line};
    if (function->filename == 0)
        key = (struct id_pair){function->address,
                               (uint64_t)function->module << 32 | UINT32_MAX};
    int64_t id = id_map_add(&frames->ids, key);
    int error = id < 0 ? (int)id : 0;
    if (error == 0 && (size_t)id == frames->code.count)
        error = add_code(frames, function);
    struct native_frame frame = {(uint32_t)(frames->reader->code_count + (size_t)id),
                                 function->filename == 0 ? 0 : function->line};
    if (error == 0 && array_append(&frames->frames, &frame, 1) < 0)
        error = -ENOMEM;
    return error;
}

/* The empty text may have any id, so the id is not compared with 0. */
static bool is_text(const struct native_frames *frames, tracemalloc_dump_string id) {
    return dump_reader_text(frames->reader, id).length > 0;
}

static int add_recorded(struct native_frames *frames,
                        const struct tracemalloc_dump_symbol *symbol) {
    int64_t name = text_store_know(&frames->texts, symbol->function);
    int64_t filename = text_store_know(&frames->texts, symbol->filename);
    if (name < 0 || filename < 0)
        return (int)(name < 0 ? name : filename);
    bool has_source = is_text(frames, symbol->filename);
    return add_function(frames, &(struct function){
                                    .module = symbol->module,
                                    .name = (uint32_t)name,
                                    .filename = has_source ? (uint32_t)filename : 0,
                                    .line = symbol->line,
                                    .address = symbol->address,
                                });
}

static int add_all_recorded(struct native_frames *frames,
                            const struct tracemalloc_dump_symbol *symbols,
                            size_t count) {
    int error = 0;
    for (size_t i = 0; i < count && error == 0; i++)
        error = add_recorded(frames, &symbols[i]);
    return error;
}

static int add_symbol(struct native_frames *frames, uint32_t module, uint64_t address,
                      const struct symbol *symbol) {
    int64_t name = text_store_add(&frames->texts, symbol->function);
    int64_t filename = text_store_add(&frames->texts, symbol->filename);
    if (name < 0 || filename < 0)
        return (int)(name < 0 ? name : filename);
    return add_function(frames, &(struct function){
                                    .module = module,
                                    .name = (uint32_t)name,
                                    .filename = (uint32_t)filename,
                                    .line = symbol->line,
                                    .address = address,
                                });
}

static int add_symbols(struct native_frames *frames, uint32_t module,
                       uint64_t address) {
    struct symbol_list list;
    int error = dump_symbols_find(&frames->symbols, module, address, &list);
    for (size_t i = 0; i < list.count && error == 0; i++)
        error = add_symbol(frames, module, address, &list.frames[i]);
    if (error == 0 && list.count == 0)
        error = add_symbol(frames, module, address, &(struct symbol){0});
    return error;
}

static int add_address(struct native_frames *frames, uint32_t module,
                       uint64_t address) {
    struct range range = {.first = (uint32_t)frames->frames.count};
    const struct tracemalloc_dump_symbol *recorded;
    size_t count = recorded_symbols_find(frames->reader, module, address, &recorded);
    bool named = recorded_symbols_have_name(frames->reader, recorded, count);
    int error = named ? add_all_recorded(frames, recorded, count)
                      : add_symbols(frames, module, address);
    range.count = (uint32_t)(frames->frames.count - range.first);
    if (error == 0 && array_append(&frames->lists, &range, 1) < 0)
        error = -ENOMEM;
    return error;
}

int native_frames_find(struct native_frames *frames, uint32_t module, uint64_t address,
                       struct native_frame_list *list) {
    int64_t id = id_map_add(&frames->addresses, (struct id_pair){module, address});
    int error = id < 0 ? (int)id : 0;
    if (error == 0 && (size_t)id == frames->lists.count)
        error = add_address(frames, module, address);
    if (error < 0)
        return error;
    const struct range *range = (const struct range *)frames->lists.entries + id;
    *list = (struct native_frame_list){
        (const struct native_frame *)frames->frames.entries + range->first,
        range->count};
    return 0;
}

static int add_interpreter(struct native_frames *frames, uint32_t module) {
    char name[INTERPRETER_NAME_SIZE];
    interpreter_name(frames->reader, name);
    int64_t id = text_store_append(&frames->texts, name);
    if (id < 0)
        return (int)id;
    struct tracemalloc_dump_code code = {
        .filename = frames->reader->modules[module].path, .name = (uint32_t)id};
    struct dump_native native = {.module = module, .is_interpreter = true};
    struct native_frame frame = {
        .code = (uint32_t)(frames->reader->code_count + frames->code.count)};
    int64_t key = id_map_add(&frames->ids, (struct id_pair){UINT64_MAX, UINT64_MAX});
    if (key < 0 || array_append(&frames->code, &code, 1) < 0 ||
        array_append(&frames->natives, &native, 1) < 0)
        return -ENOMEM;
    frames->interpreter = frame;
    return 0;
}

int native_frames_interpreter(struct native_frames *frames, uint32_t module,
                              struct native_frame_list *list) {
    int error = frames->interpreter.code == 0 ? add_interpreter(frames, module) : 0;
    *list = (struct native_frame_list){&frames->interpreter, 1};
    return error;
}

int native_frames_install(struct native_frames *frames) {
    struct dump_reader *reader = frames->reader;
    size_t first = reader->code_count, count = frames->code.count;
    if (count == 0)
        return 0;
    struct tracemalloc_dump_code *code =
        realloc((void *)reader->code, (first + count) * sizeof *code);
    if (code == NULL)
        return -ENOMEM;
    memcpy(code + first, frames->code.entries, count * sizeof *code);
    reader->code = code;
    reader->code_count = first + count;
    reader->natives = frames->natives.entries;
    reader->native_count = count;
    reader->first_native = (uint32_t)first;
    frames->natives.entries = NULL;
    return text_store_install(&frames->texts);
}
