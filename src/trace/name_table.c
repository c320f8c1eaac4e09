/* SPDX-License-Identifier: MIT */
#include "trace/name_table.h"

#include <string.h>

#include "base/hash.h"
#include "base/id_table.h"

enum { OVERFLOW_CODE = 1, FIRST_SLOTS = 4096, LONGEST = 1 << 20 };

static struct dump_file *dump;
static struct id_table
    strings; /* ids are offsets / 4, which is never 0 but for the empty string */
static struct id_table codes;

static uint64_t count_of(unsigned section) {
    return dump->header->sections[section].count;
}

static const struct tracemalloc_dump_code *code_at(uint32_t id) {
    return (const struct tracemalloc_dump_code *)dump->base[TRACEMALLOC_DUMP_CODE] + id;
}

static tracemalloc_dump_string append_string(const char *bytes, size_t length) {
    uint64_t offset = count_of(TRACEMALLOC_DUMP_STRINGS);
    uint64_t end = (offset + 4 + length + 1 + 3) & ~(uint64_t)3;
    if (end > UINT32_MAX || dump_file_reserve(dump, TRACEMALLOC_DUMP_STRINGS, end) < 0)
        return 0;
    unsigned char *at = dump->base[TRACEMALLOC_DUMP_STRINGS] + offset;
    uint32_t stored = (uint32_t)length;
    memcpy(at, &stored, sizeof stored);
    memcpy(at + 4, bytes, length);
    memset(at + 4 + length, 0, end - offset - 4 - length);
    dump_file_publish(dump, TRACEMALLOC_DUMP_STRINGS, end);
    return (uint32_t)offset;
}

static tracemalloc_dump_string lost_name(void) {
    dump->header->lost[TRACEMALLOC_DUMP_LOST_NAMES]++;
    return 0;
}

tracemalloc_dump_string name_table_string(const char *bytes, size_t length) {
    if (length == 0)
        return 0;
    if (length > LONGEST)
        length = LONGEST;
    uint64_t hash = hash_bytes(bytes, length, length);
    const unsigned char *base = dump->base[TRACEMALLOC_DUMP_STRINGS];
    struct id_probe probe;
    uint32_t id;
    for (id_probe_start(&probe, &strings, hash); (id = id_probe_next(&probe)) != 0;) {
        uint32_t stored;
        memcpy(&stored, base + (size_t)id * 4, sizeof stored);
        if (stored == length && memcmp(base + (size_t)id * 4 + 4, bytes, length) == 0)
            return id * 4;
    }
    uint32_t offset = append_string(bytes, length);
    if (offset == 0 || id_table_add(&strings, hash, offset / 4) < 0)
        return lost_name();
    return offset;
}

static uint32_t append_code(struct tracemalloc_dump_code code) {
    uint64_t id = count_of(TRACEMALLOC_DUMP_CODE);
    if (id >= TRACEMALLOC_DUMP_NATIVE ||
        dump_file_reserve(dump, TRACEMALLOC_DUMP_CODE, id + 1) < 0) {
        lost_name();
        return OVERFLOW_CODE;
    }
    ((struct tracemalloc_dump_code *)dump->base[TRACEMALLOC_DUMP_CODE])[id] = code;
    dump_file_publish(dump, TRACEMALLOC_DUMP_CODE, id + 1);
    return (uint32_t)id;
}

uint32_t name_table_code(tracemalloc_dump_string filename, tracemalloc_dump_string name,
                         uint32_t first_line) {
    struct tracemalloc_dump_code code = {filename, name, first_line, 0};
    uint64_t hash = hash_pair(hash_pair(filename, name), first_line);
    struct id_probe probe;
    uint32_t id;
    for (id_probe_start(&probe, &codes, hash); (id = id_probe_next(&probe)) != 0;)
        if (memcmp(code_at(id), &code, sizeof code) == 0)
            return id;
    id = append_code(code);
    if (id != OVERFLOW_CODE && id_table_add(&codes, hash, id) < 0)
        lost_name();
    return id;
}

int name_table_open(struct dump_file *file) {
    dump = file;
    int status = id_table_open(&strings, FIRST_SLOTS);
    if (status == 0)
        status = id_table_open(&codes, FIRST_SLOTS);
    if (status < 0)
        return status;
    append_string("", 0);
    append_code((struct tracemalloc_dump_code){0});
    tracemalloc_dump_string name =
        name_table_string("<overflow>", strlen("<overflow>"));
    append_code((struct tracemalloc_dump_code){name, name, 0, 0});
    return 0;
}

void name_table_close(void) {
    id_table_close(&strings);
    id_table_close(&codes);
}
