/* SPDX-License-Identifier: MIT */
#include "trace/name_table.h"

#include <string.h>

#include "base/hash.h"
#include "base/id_table.h"
#include "trace/free_strings.h"
#include "trace/reclaim_trigger.h"

enum { OVERFLOW_CODE = 1, FIRST_SLOTS = 4096, MAX_LENGTH = 1 << 20 };

static struct dump_file *dump;
static struct id_table
    strings; /* ids are offsets / 4, which is never 0 but for the empty string */
static struct id_table codes;
/* Replaces each string that does not fit. */
static tracemalloc_dump_string lost_string;
static struct id_set unused; /* free ids of code objects */

static uint64_t count_of(unsigned section) {
    return dump->header->sections[section].count;
}

static struct tracemalloc_dump_code *code_at(uint32_t id) {
    return (struct tracemalloc_dump_code *)dump->base[TRACEMALLOC_DUMP_CODE] + id;
}

static unsigned char *string_at(uint64_t offset) {
    return dump->base[TRACEMALLOC_DUMP_STRINGS] + offset;
}

static uint32_t length_of(uint64_t offset) {
    uint32_t length;
    memcpy(&length, string_at(offset), sizeof length);
    return length;
}

/* The bytes of a slot: the string with its length, its NUL and padding. */
static uint64_t size_of(uint64_t length) {
    return (4 + length + 1 + 3) & ~(uint64_t)3;
}

static tracemalloc_dump_string append_string(const char *bytes, size_t length) {
    uint64_t offset = count_of(TRACEMALLOC_DUMP_STRINGS);
    uint64_t end = offset + size_of(length);
    if (end > UINT32_MAX ||
        reclaim_trigger_reserve(dump, TRACEMALLOC_DUMP_STRINGS, end) < 0)
        return 0;
    unsigned char *at = string_at(offset);
    uint32_t stored = (uint32_t)length;
    memcpy(at, &stored, sizeof stored);
    memcpy(at + 4, bytes, length);
    memset(at + 4 + length, 0, end - offset - 4 - length);
    dump_file_publish(dump, TRACEMALLOC_DUMP_STRINGS, end);
    return (uint32_t)offset;
}

/* The bytes of a free slot are 0, so there is a NUL after the new string as after the
 * old one: a reader that interrupts this at any instruction finds the next slot. */
static tracemalloc_dump_string store_string(const char *bytes, size_t length) {
    uint32_t offset = free_strings_take(size_of(length));
    if (offset == 0)
        return append_string(bytes, length);
    unsigned char *at = string_at(offset);
    uint32_t stored = (uint32_t)length;
    memcpy(at, &stored, sizeof stored);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    memcpy(at + 4, bytes, length);
    return offset;
}

static tracemalloc_dump_string lost_name(void) {
    dump->header->lost[TRACEMALLOC_DUMP_LOST_NAMES]++;
    return lost_string;
}

tracemalloc_dump_string name_table_string(const char *bytes, size_t length) {
    if (length == 0)
        return 0;
    if (length > MAX_LENGTH)
        length = MAX_LENGTH;
    uint64_t hash = hash_bytes(bytes, length, length);
    struct id_probe probe;
    uint32_t id;
    for (id_probe_start(&probe, &strings, hash); (id = id_probe_next(&probe)) != 0;)
        if (length_of((uint64_t)id * 4) == length &&
            memcmp(string_at((uint64_t)id * 4) + 4, bytes, length) == 0)
            return id * 4;
    uint32_t offset = store_string(bytes, length);
    if (offset == 0 || id_table_add(&strings, hash, offset / 4) < 0)
        return lost_name();
    return offset;
}

static uint32_t append_code(struct tracemalloc_dump_code code) {
    uint64_t id = count_of(TRACEMALLOC_DUMP_CODE);
    if (id >= TRACEMALLOC_DUMP_NATIVE ||
        reclaim_trigger_reserve(dump, TRACEMALLOC_DUMP_CODE, id + 1) < 0) {
        lost_name();
        return OVERFLOW_CODE;
    }
    *code_at((uint32_t)id) = code;
    dump_file_publish(dump, TRACEMALLOC_DUMP_CODE, id + 1);
    return (uint32_t)id;
}

static uint32_t store_code(struct tracemalloc_dump_code code) {
    uint32_t id = id_set_next(&unused, OVERFLOW_CODE + 1);
    if (id == ID_SET_END)
        return append_code(code);
    id_set_remove(&unused, id);
    *code_at(id) = code;
    return id;
}

static uint64_t code_hash(const struct tracemalloc_dump_code *code) {
    return hash_pair(hash_pair(code->filename, code->name), code->first_line);
}

uint32_t name_table_code(tracemalloc_dump_string filename, tracemalloc_dump_string name,
                         uint32_t first_line) {
    struct tracemalloc_dump_code code = {filename, name, first_line, 0};
    uint64_t hash = code_hash(&code);
    struct id_probe probe;
    uint32_t id;
    for (id_probe_start(&probe, &codes, hash); (id = id_probe_next(&probe)) != 0;)
        if (memcmp(code_at(id), &code, sizeof code) == 0)
            return id;
    id = store_code(code);
    if (id != OVERFLOW_CODE && id_table_add(&codes, hash, id) < 0)
        lost_name();
    return id;
}

/* --- reclaiming ------------------------------------------------------------------- */

static void note_lost(int error) {
    if (error < 0)
        dump->header->lost[TRACEMALLOC_DUMP_LOST_MEMORY]++;
}

static void reclaim_codes(struct id_set *ids) {
    uint64_t count = count_of(TRACEMALLOC_DUMP_CODE);
    id_table_clear(&codes);
    for (uint32_t id = OVERFLOW_CODE + 1; id < count; id++)
        if (id_set_has(ids, id))
            *code_at(id) = (struct tracemalloc_dump_code){0};
        else
            note_lost(id_table_add(&codes, code_hash(code_at(id)), id));
    id_set_close(&unused);
    unused = *ids;
}

static void use(struct id_set *used, tracemalloc_dump_string id) {
    id_set_add(used, id / 4);
}

static void use_all(struct id_set *used) {
    const struct tracemalloc_dump_domain *domains =
        (const void *)dump->base[TRACEMALLOC_DUMP_DOMAINS];
    const struct tracemalloc_dump_module *modules =
        (const void *)dump->base[TRACEMALLOC_DUMP_MODULES];
    use(used, 0);
    use(used, lost_string);
    use(used, dump->header->argv);
    use(used, dump->header->executable);
    for (uint32_t id = 0; id < count_of(TRACEMALLOC_DUMP_CODE); id++) {
        use(used, code_at(id)->filename);
        use(used, code_at(id)->name);
    }
    for (uint64_t id = 0; id < count_of(TRACEMALLOC_DUMP_DOMAINS); id++)
        use(used, domains[id].name);
    for (uint64_t id = 0; id < count_of(TRACEMALLOC_DUMP_MODULES); id++) {
        use(used, modules[id].path);
        use(used, modules[id].build_id);
    }
}

/* The number of strings that are not in `used`. */
static uint64_t count_unused(const struct id_set *used) {
    uint64_t found = 0, end = count_of(TRACEMALLOC_DUMP_STRINGS);
    for (uint64_t at = 0; at < end; at += size_of(length_of(at)))
        found += !id_set_has(used, (uint32_t)(at / 4));
    return found;
}

static void sort_strings(const struct id_set *used) {
    uint64_t end = count_of(TRACEMALLOC_DUMP_STRINGS);
    id_table_clear(&strings);
    for (uint64_t at = size_of(0), size; at < end; at += size) {
        uint32_t length = length_of(at);
        unsigned char *bytes = string_at(at) + 4;
        size = size_of(length);
        if (id_set_has(used, (uint32_t)(at / 4))) {
            uint64_t hash = hash_bytes(bytes, length, length);
            note_lost(id_table_add(&strings, hash, (uint32_t)(at / 4)));
        } else {
            memset(bytes, 0, length);
            free_strings_add((uint32_t)at, size);
        }
    }
}

void name_table_reclaim(struct id_set *ids) {
    struct id_set used;
    reclaim_codes(ids);
    if (id_set_open(&used, count_of(TRACEMALLOC_DUMP_STRINGS) / 4) < 0)
        return;
    use_all(&used);
    if (free_strings_open(count_unused(&used)) == 0)
        sort_strings(&used);
    id_set_close(&used);
}

int name_table_open(struct dump_file *file) {
    dump = file;
    int error = id_table_open(&strings, FIRST_SLOTS);
    if (error == 0)
        error = id_table_open(&codes, FIRST_SLOTS);
    if (error < 0)
        return error;
    append_string("", 0);
    lost_string = 0;
    lost_string = name_table_string("<no room>", strlen("<no room>"));
    append_code((struct tracemalloc_dump_code){0});
    tracemalloc_dump_string name =
        name_table_string("<overflow>", strlen("<overflow>"));
    append_code((struct tracemalloc_dump_code){name, name, 0, 0});
    return 0;
}

void name_table_close(void) {
    id_table_close(&strings);
    id_table_close(&codes);
    id_set_close(&unused);
    free_strings_close();
}
