/* SPDX-License-Identifier: MIT */
/* Types and objects in plain memory, laid out as several versions of CPython do. */
#include "stack/python/python_type.h"

#include <string.h>
#include <sys/mman.h>

#include "base/machine.h"
#include "suite.h"

enum {
    MANAGED_WEAKREF = 1 << 3,
    MANAGED_DICT = 1 << 4,
    ON_HEAP = 1 << 9,
    READY = 1 << 12,
    GC = 1 << 14,
    STRING = 1 << 28,
};
#define METATYPE (1ul << 31)

/* As PyTypeObject. */
struct type {
    _Alignas(16) uint64_t references;
    const void *type;
    int64_t size;
    const char *name;
    int64_t basic_size, item_size;
    void *functions[15];
    uint64_t flags;
    void *slots[11];
    const void *dict;
};

static struct python_runtime runtime;
static struct own_memory memory;
static struct type type_type, plain, collected;
static char names[8][64];
static uint32_t name_count;
static uintptr_t table; /* of the last object */

static uint32_t add(const char *name, size_t length) {
    ck_assert_uint_lt(name_count + 1, 8);
    memcpy(names[++name_count], name, length);
    return name_count;
}

static struct type make_type(const char *name, uint64_t flags, int64_t size) {
    return (struct type){.references = 3,
                         .type = &type_type,
                         .name = name,
                         .basic_size = size,
                         .flags = flags | READY};
}

static void open_version(unsigned version) {
    runtime.layout.version = (uint16_t)version;
    runtime.type_type = &type_type;
    type_type = make_type("type", METATYPE | GC, 880);
    plain = make_type("decimal.Plain", 0, 32);
    collected = make_type("tuple", GC, 40);
    ck_assert_int_eq(own_memory_open(&memory), 0);
    ck_assert_int_eq(python_type_open(&runtime, &memory, add), 0);
}

/* The head of a block with an object at an offset. */
struct head {
    _Alignas(16) unsigned char bytes[PYTHON_TYPE_HEAD];
};

static struct head make_head(size_t offset, uint64_t references, const void *type) {
    struct head head;
    memset(&head, 0xff, sizeof head);
    memset(&head, 0, offset);
    memcpy(head.bytes + offset, &references, 8);
    memcpy(head.bytes + offset + 8, &type, 8);
    return head;
}

static uint32_t type_of(size_t offset, uint64_t references, const void *type,
                        uint64_t size) {
    struct head head = make_head(offset, references, type);
    uint32_t table_type;
    return python_type_of(head.bytes, size, &table, &table_type);
}

START_TEST(an_object_is_where_its_type_says) {
    static const struct {
        unsigned version;
        size_t offset;
    } rows[] = {{0x306, 32}, {0x307, 32}, {0x308, 16}, {0x30b, 16}, {0x30f, 16}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        name_count = 0;
        open_version(rows[i].version);
        ck_assert_uint_eq(type_of(0, 1, &plain, 32), 1);
        ck_assert_uint_eq(type_of(rows[i].offset, 1, &collected, 72), 2);
        ck_assert_uint_eq(type_of(0, 1, &collected, 72), 0);
        ck_assert_uint_eq(type_of(rows[i].offset, 1, &plain, 72), 0);
        ck_assert_str_eq(names[1], "decimal.Plain");
        ck_assert_str_eq(names[2], "tuple");
        python_type_close();
        own_memory_close(&memory);
    }
}
END_TEST

START_TEST(managed_dicts_are_in_front_from_3_11_on) {
    struct type managed = make_type("Order", GC | MANAGED_DICT, 16);
    open_version(0x30a);
    ck_assert_uint_eq(type_of(16, 1, &managed, 48), 1);
    python_type_close();
    open_version(0x30b);
    ck_assert_uint_eq(type_of(32, 1, &managed, 48), 2);
    ck_assert_uint_eq(type_of(16, 1, &managed, 48), 0);
    managed.flags ^= MANAGED_DICT | MANAGED_WEAKREF;
    python_type_close();
    open_version(0x30d);
    ck_assert_uint_eq(type_of(32, 1, &managed, 48), 3);
}
END_TEST

START_TEST(counts_of_references_are_plausible) {
    open_version(0x30e);
    ck_assert_uint_eq(type_of(0, 0, &plain, 32), 0);
    ck_assert_uint_eq(type_of(0, (uintptr_t)&plain | 1, &plain, 32), 0);
    ck_assert_uint_eq(type_of(0, 0xffffffff, &plain, 32), 1);
    ck_assert_uint_eq(type_of(0, (uint64_t)4 << 48 | 0xc0000000, &plain, 32), 1);
}
END_TEST

START_TEST(a_block_is_as_large_as_its_object) {
    struct type string = make_type("str", STRING, 72);
    open_version(0x309);
    ck_assert_uint_eq(type_of(0, 1, &plain, 31), 0);
    ck_assert_uint_eq(type_of(16, 1, &collected, 55), 0);
    ck_assert_uint_eq(type_of(16, 1, &collected, 16), 0);
    ck_assert_uint_ne(type_of(0, 1, &string, 49), 0);
    ck_assert_uint_eq(type_of(0, 1, &plain, 0), 0);
}
END_TEST

START_TEST(other_pointers_are_no_types) {
    struct type meta = make_type("Meta", METATYPE | GC, 880);
    struct type made = make_type("Made", 0, 16), other = made, unready = made;
    unsigned char *page =
        mmap(NULL, machine_page_size(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint64_t text = 0x6f6c6c6568;
    made.type = &meta;
    other.type = &plain;
    unready.flags = 0;
    open_version(0x30d);
    ck_assert_uint_eq(type_of(0, 1, &made, 16), 1);
    ck_assert_uint_eq(type_of(0, 1, &other, 16), 0);
    ck_assert_uint_eq(type_of(0, 1, &unready, 16), 0);
    ck_assert_uint_eq(type_of(0, 1, &text, 16), 0);
    ck_assert_uint_eq(type_of(0, 1, page, 16), 0);
    ck_assert_uint_eq(type_of(0, 1, page + machine_page_size() - 8, 16), 0);
    ck_assert_uint_eq(type_of(0, 1, (char *)&made + 4, 16), 0);
    ck_assert_uint_eq(type_of(0, 1, NULL, 16), 0);
    ck_assert_uint_eq(type_of(0, 1, (void *)UINTPTR_MAX, 16), 0);
    ck_assert_uint_eq(type_of(0, 1, (void *)(UINTPTR_MAX - 7), 16), 0);
}
END_TEST

/* A type of a type of a type ... never comes to `type`. */
START_TEST(a_circle_of_metatypes_ends) {
    struct type first = make_type("First", METATYPE, 880), second = first;
    first.type = &second;
    second.type = &first;
    open_version(0x30d);
    ck_assert_uint_eq(type_of(0, 1, &first, 880), 0);
}
END_TEST

START_TEST(containers_have_tables) {
    struct type list = make_type("list", GC | 1 << 25, 40);
    struct type dict = make_type("Mine", GC | 1 << 29, 48);
    struct type set = make_type("set", GC, 200), bytes = make_type("bytearray", 0, 56);
    uint32_t type;
    open_version(0x30d);
    ck_assert_uint_ne(type_of(0, 1, &plain, 32), 0);
    ck_assert_uint_eq(table, 0);
    struct head head = make_head(16, 1, &list);
    uintptr_t address = 0x1230, values = 0;
    memcpy(head.bytes + 16 + 24, &address, 8);
    ck_assert_uint_ne(python_type_of(head.bytes, 56, &table, &type), 0);
    ck_assert_uint_eq(table, address);
    ck_assert_str_eq(names[type], "<table of list>");
    head = make_head(16, 1, &dict);
    memcpy(head.bytes + 16 + 32, &address, 8);
    memcpy(head.bytes + 16 + 40, &values, 8);
    ck_assert_uint_ne(python_type_of(head.bytes, 64, &table, &type), 0);
    ck_assert_uint_eq(table, address);
    values = 0x4560;
    memcpy(head.bytes + 16 + 40, &values, 8);
    ck_assert_uint_ne(python_type_of(head.bytes, 64, &table, &type), 0);
    ck_assert_uint_eq(table, values);
    head = make_head(16, 1, &set);
    memcpy(head.bytes + 16 + 40, &address, 8);
    ck_assert_uint_ne(python_type_of(head.bytes, 216, &table, &type), 0);
    ck_assert_uint_eq(table, address);
    python_type_close();
    name_count = 0;
    open_version(0x30d);
    bytes = make_type("bytearray", 0, 56);
    head = make_head(0, 1, &bytes);
    memcpy(head.bytes + 32, &address, 8);
    ck_assert_uint_ne(python_type_of(head.bytes, 56, &table, &type), 0);
    ck_assert_uint_eq(table, address);
    ck_assert_str_eq(names[type], "<buffer of bytearray>");
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        an_object_is_where_its_type_says,
        managed_dicts_are_in_front_from_3_11_on,
        counts_of_references_are_plausible,
        a_block_is_as_large_as_its_object,
        other_pointers_are_no_types,
        a_circle_of_metatypes_ends,
        containers_have_tables,
    };
    return suite_run("python_type", tests, sizeof tests / sizeof *tests);
}
