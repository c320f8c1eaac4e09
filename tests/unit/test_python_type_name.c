/* SPDX-License-Identifier: MIT */
/* Classes and their dicts in plain memory, as 3.9 and 3.12 have them. */
#include "stack/python/python_type_name.h"

#include <string.h>
#include <sys/mman.h>

#include "base/machine.h"
#include "suite.h"

enum { ON_HEAP = 1 << 9, COMPACT_ASCII = 1 << 5 | 1 << 6 };

static struct python_layout layout;
static struct own_memory memory;

struct string {
    _Alignas(16) unsigned char bytes[128];
};

struct dict {
    uint64_t references;
    const void *type;
    int64_t used;
    uint64_t version;
    const void *keys;
};

static struct string make_string(const char *text) {
    struct string string = {{0}};
    int64_t length = (int64_t)strlen(text);
    uint32_t state = COMPACT_ASCII;
    memcpy(string.bytes + layout.string_length, &length, 8);
    memcpy(string.bytes + layout.string_state, &state, 4);
    memcpy(string.bytes + layout.string_ascii_data, text, (size_t)length);
    return string;
}

static void open_version(uint32_t version) {
    ck_assert_int_eq(python_layout_fill(&layout, version, NULL), 0);
    ck_assert_int_eq(own_memory_open(&memory), 0);
}

static const char *name_of(const char *own, uint64_t flags, const void *dict) {
    static char name[PYTHON_TYPE_NAME_SIZE + 1];
    struct python_type_head head = {
        .name = (uintptr_t)own, .flags = flags, .dict = (uintptr_t)dict};
    name[python_type_name(&layout, &memory, &head, name)] = '\0';
    return name;
}

START_TEST(c_code_names_its_module) {
    open_version(0x030c01f0);
    ck_assert_str_eq(name_of("dict", 0, NULL), "dict");
    ck_assert_str_eq(name_of("collections.deque", 0, NULL), "collections.deque");
    ck_assert_str_eq(name_of("_ssl.Context", ON_HEAP, NULL), "_ssl.Context");
}
END_TEST

/* Words of keys and entries, after the fields of the keys. */
static const char *name_in(const int64_t *keys) {
    struct dict dict = {1, NULL, 2, 0, keys};
    return name_of("Order", ON_HEAP, &dict);
}

START_TEST(a_class_has_it_in_its_dict) {
    open_version(0x030912f0);
    struct string other = make_string("__doc__"), key = make_string("__module__"),
                  module = make_string("orders");
    int64_t old[] = {
        1, 8, 0, 3, 2, 0, 7, (int64_t)&other, 0, 7, (int64_t)&key, (int64_t)&module};
    ck_assert_str_eq(name_in(old), "orders.Order");
    open_version(0x030c01f0);
    other = make_string("__doc__"), key = make_string("__module__");
    module = make_string("orders");
    const int64_t log2 = 3 | 3 << 8;
    int64_t general[] = {
        1, log2, 3, 2, 0, 7, (int64_t)&other, 0, 7, (int64_t)&key, (int64_t)&module};
    ck_assert_str_eq(name_in(general), "orders.Order");
    int64_t strings[] = {1,
                         log2 | 1 << 16,
                         3,
                         2,
                         0,
                         (int64_t)&other,
                         0,
                         (int64_t)&key,
                         (int64_t)&module};
    ck_assert_str_eq(name_in(strings), "orders.Order");
    module = make_string("builtins");
    ck_assert_str_eq(name_in(strings), "Order");
}
END_TEST

START_TEST(odd_dicts_give_the_name_alone) {
    open_version(0x030c01f0);
    struct string key = make_string("__module__");
    int64_t keys[] = {1, 3 | 3 << 8 | 1 << 16, 3, INT64_MAX, 0, (int64_t)&key, 8};
    ck_assert_str_eq(name_in(keys), "Order");
    keys[1] |= 63 << 8;
    ck_assert_str_eq(name_in(keys), "Order");
    ck_assert_str_eq(name_in(NULL), "Order");
    ck_assert_str_eq(name_of("Order", ON_HEAP, NULL), "Order");
    ck_assert_str_eq(name_of("Order", ON_HEAP, (void *)-8), "Order");
}
END_TEST

START_TEST(long_names_are_cut) {
    static char text[1000];
    open_version(0x030c01f0);
    memset(text, 'x', sizeof text - 1);
    ck_assert_uint_eq(strlen(name_of(text, 0, NULL)), 256);
    memset(text + 255, 0xc3, 2);
    ck_assert_uint_eq(strlen(name_of(text, 0, NULL)), 255);
    ck_assert_str_eq(name_of((const char *)8, 0, NULL), "");
}
END_TEST

START_TEST(a_name_may_end_where_memory_does) {
    char *pages = mmap(NULL, 2 * machine_page_size(), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    open_version(0x030c01f0);
    munmap(pages + machine_page_size(), machine_page_size());
    char *name = pages + machine_page_size() - 5;
    memcpy(name, "list", 5);
    ck_assert_str_eq(name_of(name, 0, NULL), "list");
    name[4] = 's';
    ck_assert_str_eq(name_of(name, 0, NULL), "");
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        c_code_names_its_module,          a_class_has_it_in_its_dict,
        odd_dicts_give_the_name_alone,    long_names_are_cut,
        a_name_may_end_where_memory_does,
    };
    return suite_run("python_type_name", tests, sizeof tests / sizeof *tests);
}
