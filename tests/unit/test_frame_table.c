/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "check_run.h"
#include "export/frame_table.h"
#include "opened_dump.h"

static struct dump_maker maker;
static uint32_t header, header_function;

static void set_up(void) {
    dump_maker_open(&maker);
}

static void tear_down(void) {
    dump_maker_close(&maker);
}

/* How many frames the stacks of the dump have. */
static size_t count_frames(bool by_address) {
    struct opened_dump opened;
    struct frame_cache cache;
    opened_dump_open(&opened, &maker, PROFILE_NOW);
    struct frame_table table = {.names = &opened.names, .by_address = by_address};
    ck_assert_int_eq(frame_cache_open(&cache, &opened.profile), 0);
    for (uint32_t i = 2; i < opened.reader->stack_count; i++) {
        int64_t id = frame_table_at(&table, &cache, i);
        ck_assert_int_ge(id, 0);
        ck_assert_int_eq(frame_table_at(&table, &cache, i), id);
    }
    size_t count = table.ids.count;
    frame_cache_close(&cache);
    frame_table_close(&table);
    opened_dump_close(&opened);
    return count;
}

START_TEST(file_function_and_line_make_a_frame) {
    uint32_t f = dump_maker_code(&maker, "x.py", "f");
    uint32_t again = dump_maker_code(&maker, "x.py", "f");
    uint32_t g = dump_maker_code(&maker, "x.py", "g");
    uint32_t other = dump_maker_code(&maker, "y.py", "f");
    uint32_t stack = dump_maker_stack(&maker, 0, f, 1);
    dump_maker_stack(&maker, stack, f, 1);
    dump_maker_stack(&maker, stack, again, 1);
    ck_assert_uint_eq(count_frames(false), 1);
    dump_maker_stack(&maker, stack, f, 2);
    dump_maker_stack(&maker, stack, g, 1);
    dump_maker_stack(&maker, stack, other, 1);
    ck_assert_uint_eq(count_frames(false), 4);
}
END_TEST

/* A function of a header, in a module of its own. */
static void add_native(uint64_t address) {
    struct tracemalloc_dump_module entry = {.path = dump_maker_text(&maker, "/lib/x")};
    struct tracemalloc_dump_symbol symbol = {
        .module = dump_maker_append(&maker, TRACEMALLOC_DUMP_MODULES, &entry),
        .function = header_function,
        .filename = header,
        .line = 3,
        .address = address};
    dump_maker_append(&maker, TRACEMALLOC_DUMP_SYMBOLS, &symbol);
    dump_maker_stack(&maker, 0, TRACEMALLOC_DUMP_NATIVE | symbol.module,
                     (uint32_t)address);
}

START_TEST(native_frames_are_apart_where_addresses_count) {
    header = dump_maker_text(&maker, "x.h");
    header_function = dump_maker_text(&maker, "f");
    add_native(0x1000);
    add_native(0x2000);
    ck_assert_uint_eq(count_frames(false), 1);
    ck_assert_uint_eq(count_frames(true), 2);
}
END_TEST

START_TEST(a_frame_without_function_is_called_like_its_file) {
    struct frame_names names;
    ck_assert_int_eq(frame_names_open(&names), 0);
    struct frame_table table = {.names = &names};
    struct dump_text none = {"", 0}, word = {"f", 1};
    struct named_frame frame = {.filename = FRAME_NAMES_UNKNOWN,
                                .function = (uint32_t)frame_names_add(&names, none)};
    ck_assert_str_eq(frame_table_label(&table, &frame).bytes, "<unknown>");
    frame.function = (uint32_t)frame_names_add(&names, word);
    ck_assert_str_eq(frame_table_label(&table, &frame).bytes, "f");
    frame_names_close(&names);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("frame_table");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, file_function_and_line_make_a_frame);
    tcase_add_test(tests, native_frames_are_apart_where_addresses_count);
    tcase_add_test(tests, a_frame_without_function_is_called_like_its_file);
    return check_run("frame_table", tests);
}
