/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "check_run.h"
#include "opened_dump.h"
#include "symbols/shown_stacks.h"

static struct dump_maker maker;
static struct dump_reader *reader;
static uint32_t module, code;

static void set_up(void) {
    dump_maker_open(&maker);
    struct tracemalloc_dump_module unknown = {0},
                                   entry = {.path = dump_maker_text(&maker, "/lib/x")};
    dump_maker_append(&maker, TRACEMALLOC_DUMP_MODULES, &unknown);
    module = dump_maker_append(&maker, TRACEMALLOC_DUMP_MODULES, &entry);
    code = dump_maker_code(&maker, "app.py", "main");
}

static void tear_down(void) {
    dump_reader_close(reader);
    reader = NULL;
    dump_maker_close(&maker);
}

static uint32_t python(uint32_t parent, uint32_t line) {
    return dump_maker_stack(&maker, parent, code, line);
}

static uint32_t native(uint32_t parent, uint32_t address) {
    return dump_maker_stack(&maker, parent, TRACEMALLOC_DUMP_NATIVE | module, address);
}

static void block(uint32_t stack) {
    dump_maker_site(&maker, dump_maker_tally(&maker, stack, 1), 10, 1, 0);
}

static void symbol(uint32_t address, const char *function, const char *file,
                   uint32_t line) {
    struct tracemalloc_dump_symbol entry = {.module = module,
                                            .function =
                                                dump_maker_text(&maker, function),
                                            .filename = dump_maker_text(&maker, file),
                                            .line = line,
                                            .address = address};
    dump_maker_append(&maker, TRACEMALLOC_DUMP_SYMBOLS, &entry);
}

static void show(bool without_native, bool whole) {
    const struct shown_stacks_options options = {.without_native = without_native,
                                                 .whole = whole};
    dump_reader_close(reader);
    reader = opened_dump_read(&maker);
    ck_assert_int_eq(shown_stacks_apply(reader, &options), 0);
}

/* The frames of a tally, `file function:line`, the oldest first. */
static void ck_stack(size_t tally, const char *expected) {
    char text[400] = "", longer[400];
    uint32_t stack = reader->tallies[tally].stack;
    for (; stack != 0; stack = reader->stacks[stack].parent) {
        const struct tracemalloc_dump_stack *node = &reader->stacks[stack];
        ck_assert_uint_lt(node->code, reader->code_count);
        const struct tracemalloc_dump_code *entry = &reader->code[node->code];
        snprintf(longer, sizeof longer, "%s %s:%u%s%.300s",
                 dump_reader_text(reader, entry->filename).bytes,
                 dump_reader_text(reader, entry->name).bytes, node->line,
                 *text != '\0' ? " > " : "", text);
        strcpy(text, longer);
    }
    ck_assert_str_eq(text, expected);
}

START_TEST(without_native_frames_nothing_changes) {
    block(python(python(0, 1), 2));
    show(false, false);
    ck_assert_uint_eq(reader->native_count, 0);
    ck_assert_uint_eq(reader->header.nframe, 25);
    ck_stack(0, "app.py main:1 > app.py main:2");
}
END_TEST

START_TEST(an_address_without_symbols_is_a_place_in_its_module) {
    block(native(python(0, 1), 0x1f20));
    block(dump_maker_stack(&maker, python(0, 1), TRACEMALLOC_DUMP_NATIVE, 0x123));
    show(false, false);
    ck_stack(0, "app.py main:1 > /lib/x+0x1f20 :0");
    ck_stack(1, "app.py main:1 > 0x123 :0");
    uint32_t leaf = reader->stacks[reader->tallies[0].stack].code;
    const struct dump_native *frame = dump_reader_native(reader, leaf);
    ck_assert_uint_eq(frame->address, 0x1f20);
    ck_assert_uint_eq(frame->module, module);
    ck_assert(!frame->has_source);
    ck_assert_ptr_null(dump_reader_native(reader, code));
}
END_TEST

START_TEST(inlined_functions_are_frames_of_their_own) {
    symbol(0x10, "outer", "x.c", 70);
    symbol(0x10, "inlined", "x.h", 12);
    symbol(0x20, "exported", "", 0);
    block(native(native(python(0, 1), 0x10), 0x20));
    show(false, false);
    ck_stack(0, "app.py main:1 > x.c outer:70 > x.h inlined:12 > "
                "/lib/x+0x20 exported:0");
    ck_assert_uint_eq(reader->header.nframe, 4);
}
END_TEST

START_TEST(two_calls_on_one_line_are_one_frame) {
    symbol(0x10, "f", "x.c", 7);
    symbol(0x20, "f", "x.c", 7);
    block(native(python(0, 1), 0x10));
    block(native(python(0, 1), 0x20));
    show(false, false);
    ck_assert_uint_eq(reader->tallies[0].stack, reader->tallies[1].stack);
}
END_TEST

START_TEST(stacks_that_differ_in_native_frames_merge_without_them) {
    uint32_t caller = native(python(0, 1), 0x10);
    block(native(python(caller, 2), 0x20));
    block(python(native(python(0, 1), 0x30), 2));
    show(true, false);
    ck_stack(0, "app.py main:1 > app.py main:2");
    ck_assert_uint_eq(reader->tallies[0].stack, reader->tallies[1].stack);
    ck_assert_uint_eq(reader->native_count, 0);
    ck_assert_uint_eq(reader->header.nframe, 25);
}
END_TEST

START_TEST(each_kind_has_its_own_limit) {
    maker.header.nframe = 1;
    maker.header.native_nframe = 2;
    uint32_t stack = native(python(native(python(0, 1), 0x10), 2), 0x20);
    block(native(stack, 0x30));
    block(python(0, 3));
    show(false, false);
    ck_stack(0, "app.py main:2 > /lib/x+0x20 :0 > /lib/x+0x30 :0");
    ck_stack(1, "app.py main:3");
    ck_assert_uint_eq(reader->header.nframe, 3);
    show(false, true);
    ck_stack(0, "app.py main:1 > /lib/x+0x10 :0 > app.py main:2 > /lib/x+0x20 :0 > "
                "/lib/x+0x30 :0");
    ck_assert_uint_eq(reader->header.nframe, 1);
}
END_TEST

START_TEST(fixed_stacks_stay) {
    native(0, 0x10);
    block(0);
    block(TRACEMALLOC_DUMP_OVERFLOW_STACK);
    show(false, false);
    ck_stack(0, "");
    ck_stack(1, "<overflow> :0");
    ck_assert_uint_eq(reader->tallies[1].stack, TRACEMALLOC_DUMP_OVERFLOW_STACK);
}
END_TEST

/* Each of many tallies, at all depths of one deep stack, shows as many frames as there
 * can be: more than anybody would wait for. */
START_TEST(hostile_depths_are_refused) {
    uint32_t stack = native(0, 1);
    maker.header.nframe = UINT16_MAX;
    for (uint32_t i = 0; i < 90000; i++) {
        stack = python(stack, i);
        block(stack);
    }
    const struct shown_stacks_options options = {0};
    reader = opened_dump_read(&maker);
    ck_assert_int_eq(shown_stacks_apply(reader, &options), -EFBIG);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("shown_stacks");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, without_native_frames_nothing_changes);
    tcase_add_test(tests, an_address_without_symbols_is_a_place_in_its_module);
    tcase_add_test(tests, inlined_functions_are_frames_of_their_own);
    tcase_add_test(tests, two_calls_on_one_line_are_one_frame);
    tcase_add_test(tests, stacks_that_differ_in_native_frames_merge_without_them);
    tcase_add_test(tests, each_kind_has_its_own_limit);
    tcase_add_test(tests, fixed_stacks_stay);
    tcase_add_test(tests, hostile_depths_are_refused);
    return check_run("shown_stacks", tests);
}
