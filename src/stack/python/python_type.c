/* SPDX-License-Identifier: MIT */
#include "stack/python/python_type.h"

#include <string.h>

#include "base/arena_array.h"
#include "base/hash.h"
#include "base/id_table.h"
#include "base/machine.h"
#include "stack/python/python_type_name.h"

/* Bits of tp_flags. */
enum {
    TYPE_HAS_PRE_HEADER = 1 << 3 | 1 << 4, /* managed weakrefs, managed dict */
    TYPE_IS_READY = 1 << 12,
    TYPE_HAS_GC = 1 << 14,
    TYPE_IS_LIST = 1 << 25,
    TYPE_IS_DICT = 1 << 29,
    TYPE_IS_STRING = 1 << 28,
};
#define TYPE_IS_METATYPE (1ul << 31)

enum {
    OBJECT_SIZE = 16,
    PRE_HEADER = 16,
    MIN_GC_HEADER = 16,
    OLD_GC_HEADER = 32, /* to 3.7 */
    FIRST_SLOTS = 4096,
    MAX_CACHED = 1 << 20,
    MAX_METATYPES = 16, /* from a type to `type` */
};

static const uintptr_t min_address = 1 << 16,
                       end_address = (uintptr_t)1 << MACHINE_ADDRESS_BITS;
static const int64_t max_basic_size = 1 << 30, max_item_size = 1 << 24;

/* What was found at an address; `id` is 0 if that is no type. */
struct cached {
    uintptr_t address;
    uint32_t id;
    uint32_t header;   /* bytes in front of an object */
    uint64_t min_size; /* of an object */
    /* Where in an object the pointer to its table is, and that to the values of a dict
     * whose keys are shared, which are in place of the table; 0: it has none. */
    uint16_t table, values;
    uint32_t table_id;
};

static const struct python_runtime *python;
static const struct own_memory *memory;
static uint32_t (*add_name)(const char *name, size_t length);
static struct id_table ids;
static struct cached *cached; /* entry 0 is unused */
static uint32_t capacity, count;

int python_type_open(const struct python_runtime *runtime, const struct own_memory *own,
                     uint32_t (*add)(const char *name, size_t length)) {
    python = runtime;
    memory = own;
    add_name = add;
    count = 1;
    int error = id_table_open(&ids, FIRST_SLOTS);
    if (error == 0)
        error = arena_array_reserve(&cached, &capacity, count, sizeof *cached);
    if (error < 0)
        python_type_close();
    return error;
}

void python_type_close(void) {
    id_table_close(&ids);
    arena_array_release(&cached, &capacity, sizeof *cached);
}

static bool may_be_address(uintptr_t address) {
    return address >= min_address && address < end_address && address % 8 == 0;
}

static bool read_type(uintptr_t address, struct python_type_head *out) {
    return may_be_address(address) &&
           own_memory_read(memory, address, out, sizeof *out) == sizeof *out;
}

/* Whether the type of a type is a metatype. */
static bool is_metatype(uintptr_t address) {
    struct python_type_head head;
    for (int i = 0; i < MAX_METATYPES && read_type(address, &head); i++) {
        if ((head.flags & TYPE_IS_METATYPE) == 0)
            return false;
        if (address == (uintptr_t)python->type_type)
            return true;
        address = head.type;
    }
    return false;
}

static bool is_type(const struct python_type_head *head) {
    return (head->flags & TYPE_IS_READY) != 0 && head->references != 0 &&
           head->basic_size >= OBJECT_SIZE && head->basic_size <= max_basic_size &&
           head->item_size >= 0 && head->item_size <= max_item_size &&
           is_metatype(head->type);
}

static uint32_t header_of(const struct python_type_head *head) {
    unsigned version = python->layout.version;
    uint32_t header = 0;
    if ((head->flags & TYPE_HAS_GC) != 0)
        header += version < 0x308 ? OLD_GC_HEADER : MIN_GC_HEADER;
    if (version >= 0x30b && (head->flags & TYPE_HAS_PRE_HEADER) != 0)
        header += PRE_HEADER;
    return header;
}

/* A compact string is shorter than its type says. */
static uint64_t min_size_of(const struct python_type_head *head) {
    bool is_string = (head->flags & TYPE_IS_STRING) != 0;
    return is_string ? OBJECT_SIZE : (uint64_t)head->basic_size;
}

static bool is_named(const char *name, size_t length, const char *wanted) {
    return length == strlen(wanted) && memcmp(name, wanted, length) == 0;
}

/* PyListObject, PyDictObject, PySetObject and PyByteArrayObject have these offsets in
 * 3.6 to 3.15. */
static void find_table(struct cached *found, const struct python_type_head *head,
                       const char *name, size_t length) {
    const char *table = NULL;
    if ((head->flags & TYPE_IS_LIST) != 0) {
        found->table = 24;
        table = "<table of list>";
    } else if ((head->flags & TYPE_IS_DICT) != 0) {
        found->table = 32;
        found->values = 40;
        table = "<table of dict>";
    } else if (is_named(name, length, "set") || is_named(name, length, "frozenset")) {
        found->table = 40;
        table = "<table of set>";
    } else if (is_named(name, length, "bytearray")) {
        found->table = 32;
        table = "<buffer of bytearray>";
    }
    if (table != NULL)
        found->table_id = add_name(table, strlen(table));
}

static struct cached examine(uintptr_t address) {
    struct python_type_head head;
    struct cached found = {.address = address};
    if (!read_type(address, &head) || !is_type(&head))
        return found;
    char name[PYTHON_TYPE_NAME_SIZE];
    size_t length = python_type_name(&python->layout, memory, &head, name);
    found.header = header_of(&head);
    found.min_size = min_size_of(&head);
    found.id = add_name(name, length);
    find_table(&found, &head, name, length);
    return found;
}

/* Without memory, what was found is found again at the next object. */
static struct cached find(uintptr_t address) {
    struct id_probe probe;
    uint64_t hash = hash_mix(address);
    uint32_t id;
    for (id_probe_start(&probe, &ids, hash); (id = id_probe_next(&probe)) != 0;)
        if (likely(cached[id].address == address))
            return cached[id];
    struct cached found = examine(address);
    if (count < MAX_CACHED &&
        arena_array_reserve(&cached, &capacity, count + 1u, sizeof *cached) == 0 &&
        id_table_add(&ids, hash, count) == 0)
        cached[count++] = found;
    return found;
}

static uint64_t word_at(const unsigned char *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

/* A count of references is 32 bits wide, and from 3.14 on there are flags in the
 * highest 16. A pointer is greater, but for those of a program that is not position
 * independent. */
static bool may_be_count(uint64_t word) {
    return (uint32_t)word != 0 && (word >> 32 & 0xffff) == 0;
}

/* The table of an object that is at an offset in its block; 0 if there is none. */
static uintptr_t table_at(const struct cached *type, const unsigned char *head,
                          uint64_t size, uint32_t offset) {
    if (size < offset + type->table + 8u || size < offset + type->values + 8u)
        return 0;
    uintptr_t values = type->values != 0 ? word_at(head + offset + type->values) : 0;
    return values != 0 ? values : word_at(head + offset + type->table);
}

static uint32_t type_at(const unsigned char *head, uint64_t size, uint32_t offset,
                        uintptr_t *table, uint32_t *table_type) {
    if (size < offset + OBJECT_SIZE || !may_be_count(word_at(head + offset)))
        return 0;
    uintptr_t address = word_at(head + offset + 8);
    if (!may_be_address(address))
        return 0;
    struct cached type = find(address);
    bool is_here = type.header == offset && size - offset >= type.min_size;
    if (!is_here)
        return 0;
    if (type.table != 0) {
        *table = table_at(&type, head, size, offset);
        *table_type = type.table_id;
    }
    return type.id;
}

uint32_t python_type_of(const unsigned char *head, uint64_t size, uintptr_t *table,
                        uint32_t *table_type) {
    static const uint8_t old_offsets[] = {0, OLD_GC_HEADER};
    static const uint8_t offsets[] = {0, MIN_GC_HEADER, MIN_GC_HEADER + PRE_HEADER};
    unsigned version = python->layout.version;
    const uint8_t *offset = version < 0x308 ? old_offsets : offsets;
    unsigned ways = version < 0x30b ? 2 : 3;
    *table = 0;
    *table_type = 0;
    for (unsigned i = 0; i < ways; i++) {
        uint32_t id = type_at(head, size, offset[i], table, table_type);
        if (id != 0)
            return id;
    }
    return 0;
}
