/* SPDX-License-Identifier: MIT */
#include "trace/module_table.h"

#include <string.h>

#include "base/hash.h"
#include "base/id_table.h"
#include "trace/name_table.h"

enum { FIRST_SLOTS = 1024, MAX_BUILD_ID_BYTES = 64, MAX_LOADS = 64 };

static struct dump_file *dump;
static struct id_table index_table;

static struct tracemalloc_dump_module *module_at(uint64_t id) {
    return (struct tracemalloc_dump_module *)dump->base[TRACEMALLOC_DUMP_MODULES] + id;
}

static uint64_t hash_of(const struct tracemalloc_dump_module *module) {
    return hash_pair(hash_pair(module->path, module->build_id), module->load_bias);
}

static tracemalloc_dump_string build_id_text(const struct module_location *location) {
    static const char digits[] = "0123456789abcdef";
    char text[2 * MAX_BUILD_ID_BYTES];
    size_t length = location->build_id_length;
    if (length > MAX_BUILD_ID_BYTES)
        length = MAX_BUILD_ID_BYTES;
    for (size_t i = 0; i < length; i++) {
        text[2 * i] = digits[location->build_id[i] >> 4];
        text[2 * i + 1] = digits[location->build_id[i] & 0xf];
    }
    return name_table_string(text, 2 * length);
}

static uint32_t append(const struct tracemalloc_dump_module *module, uint32_t max) {
    uint64_t id = dump->header->sections[TRACEMALLOC_DUMP_MODULES].count;
    if (id >= max || dump_file_reserve(dump, TRACEMALLOC_DUMP_MODULES, id + 1) < 0 ||
        id_table_add(&index_table, hash_of(module), (uint32_t)id) < 0) {
        dump->header->lost[TRACEMALLOC_DUMP_LOST_NAMES]++;
        return 0;
    }
    *module_at(id) = *module;
    dump_file_publish(dump, TRACEMALLOC_DUMP_MODULES, id + 1);
    return (uint32_t)id;
}

uint32_t module_table_id(const struct module_location *location, uint32_t max) {
    struct tracemalloc_dump_module module = {
        .path = name_table_string(location->path, location->path_length),
        .build_id = build_id_text(location),
        .load_bias = location->load_bias,
        .start = location->start,
        .end = location->end,
    };
    struct id_probe probe;
    uint32_t id, last = 0, loads = 0;
    id_probe_start(&probe, &index_table, hash_of(&module));
    while ((id = id_probe_next(&probe)) != 0)
        if (memcmp(module_at(id), &module, sizeof module) == 0) {
            last = id;
            loads++;
        }
    return loads < MAX_LOADS ? append(&module, max) : last;
}

int module_table_open(struct dump_file *file) {
    dump = file;
    int error = id_table_open(&index_table, FIRST_SLOTS);
    if (error == 0)
        error = dump_file_reserve(dump, TRACEMALLOC_DUMP_MODULES, 1);
    if (error < 0)
        return error;
    *module_at(0) = (struct tracemalloc_dump_module){0};
    dump_file_publish(dump, TRACEMALLOC_DUMP_MODULES, 1);
    return 0;
}

void module_table_close(void) {
    id_table_close(&index_table);
}
