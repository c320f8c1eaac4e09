/* SPDX-License-Identifier: MIT */
#include "trace/module_table.h"

#include <string.h>

#include "suite.h"
#include "trace/name_table.h"

static struct dump_file file;

static void open_tables(void) {
    ck_assert_int_eq(dump_file_open(&file, 1 << 20), 0);
    ck_assert_int_eq(name_table_open(&file), 0);
    ck_assert_int_eq(module_table_open(&file), 0);
}

static const struct tracemalloc_dump_module *module_at(uint32_t id) {
    return (const void *)(file.base[TRACEMALLOC_DUMP_MODULES] +
                          id * sizeof(struct tracemalloc_dump_module));
}

static const char *text_at(tracemalloc_dump_string string) {
    return (const char *)file.base[TRACEMALLOC_DUMP_STRINGS] + string + 4;
}

static uint32_t add(const char *path, uint64_t bias) {
    static const unsigned char id[] = {0x0f, 0xa0, 0xff};
    struct module_location place = {path, strlen(path), id,      sizeof id,
                                    bias, bias + 1,     bias + 2};
    return module_table_id(&place, 1000);
}

START_TEST(module_0_is_no_file) {
    open_tables();
    ck_assert_uint_eq(file.header->sections[TRACEMALLOC_DUMP_MODULES].count, 1);
    ck_assert_uint_eq(module_at(0)->path, 0);
}
END_TEST

START_TEST(a_module_says_where_it_was) {
    open_tables();
    uint32_t id = add("/lib/a.so", 0x1000);
    ck_assert_uint_eq(id, 1);
    ck_assert_str_eq(text_at(module_at(id)->path), "/lib/a.so");
    ck_assert_str_eq(text_at(module_at(id)->build_id), "0fa0ff");
    ck_assert_uint_eq(module_at(id)->load_bias, 0x1000);
    ck_assert_uint_eq(module_at(id)->start, 0x1001);
    ck_assert_uint_eq(module_at(id)->end, 0x1002);
}
END_TEST

START_TEST(without_a_build_id_there_is_none) {
    struct module_location place = {.path = "[vdso]", .path_length = 6};
    open_tables();
    ck_assert_uint_eq(module_at(module_table_id(&place, 1000))->build_id, 0);
}
END_TEST

START_TEST(each_loading_is_a_module_up_to_a_number) {
    uint32_t last = 0, id;
    open_tables();
    for (id = add("/lib/a.so", 0x1000); id != last; id = add("/lib/a.so", 0x1000))
        last = id;
    ck_assert_uint_gt(last, 10);
    ck_assert_uint_eq(add("/lib/b.so", 0x1000), last + 1);
    ck_assert_uint_eq(add("/lib/a.so", 0x2000), last + 2);
    ck_assert_uint_eq(add("/lib/a.so", 0x1000), last);
}
END_TEST

START_TEST(a_full_table_is_told) {
    struct module_location place = {.path = "/lib/a.so", .path_length = 9};
    open_tables();
    ck_assert_uint_eq(module_table_id(&place, 2), 1);
    place.load_bias = 1;
    ck_assert_uint_eq(module_table_id(&place, 2), 0);
    ck_assert_uint_eq(file.header->lost[TRACEMALLOC_DUMP_LOST_NAMES], 1);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        module_0_is_no_file,
        a_module_says_where_it_was,
        without_a_build_id_there_is_none,
        each_loading_is_a_module_up_to_a_number,
        a_full_table_is_told,
    };
    return suite_run("module_table", tests, sizeof tests / sizeof *tests);
}
