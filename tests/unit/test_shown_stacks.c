/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "check_run.h"
#include "opened_dump.h"
#include "symbols/shown_stacks.h"

static struct dump_maker maker;
static struct dump_reader *reader;
static uint32_t module, interpreter_module, libc_module, code;

static void set_up(void) {
    dump_maker_open(&maker);
    struct tracemalloc_dump_module unknown = {0},
                                   entry = {.path = dump_maker_text(&maker, "/lib/x")};
    dump_maker_append(&maker, TRACEMALLOC_DUMP_MODULES, &unknown);
    module = dump_maker_append(&maker, TRACEMALLOC_DUMP_MODULES, &entry);
    entry.path = dump_maker_text(&maker, "/usr/bin/python3.11");
    interpreter_module = dump_maker_append(&maker, TRACEMALLOC_DUMP_MODULES, &entry);
    entry.path = dump_maker_text(&maker, "/lib/libc.so.6");
    libc_module = dump_maker_append(&maker, TRACEMALLOC_DUMP_MODULES, &entry);
    code = dump_maker_code(&maker, "app.py", "main");
}

static void tear_down(void) {
    dump_reader_close(reader);
    reader = NULL;
    dump_maker_close(&maker);
}

static uint32_t interpreter(uint32_t parent, uint32_t address) {
    uint32_t code_of_it = TRACEMALLOC_DUMP_NATIVE | interpreter_module;
    return dump_maker_stack(&maker, parent, code_of_it, address);
}

static uint32_t python(uint32_t parent, uint32_t line) {
    return dump_maker_stack(&maker, parent, code, line);
}

static uint32_t native(uint32_t parent, uint32_t address) {
    return dump_maker_stack(&maker, parent, TRACEMALLOC_DUMP_NATIVE | module, address);
}

static void block(uint32_t stack) {
    dump_maker_bucket(&maker, dump_maker_site(&maker, stack, 1), 10, 1, 0);
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

static void show(enum shown_native native, bool whole) {
    const struct shown_stacks_options options = {.native = native, .whole = whole};
    dump_reader_close(reader);
    reader = opened_dump_read(&maker);
    ck_assert_int_eq(shown_stacks_apply(reader, &options), 0);
}

/* The frames of a site, `file function:line`, the oldest first. */
static void ck_stack(size_t site, const char *expected) {
    char text[400] = "", longer[400];
    uint32_t stack = reader->sites[site].stack;
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
    show(SHOWN_NATIVE_ALL, false);
    ck_assert_uint_eq(reader->native_count, 0);
    ck_assert_uint_eq(reader->header.nframe, 25);
    ck_stack(0, "app.py main:1 > app.py main:2");
}
END_TEST

START_TEST(an_address_without_symbols_is_a_place_in_its_module) {
    block(native(python(0, 1), 0x1f20));
    block(dump_maker_stack(&maker, python(0, 1), TRACEMALLOC_DUMP_NATIVE, 0x123));
    show(SHOWN_NATIVE_ALL, false);
    ck_stack(0, "app.py main:1 > /lib/x+0x1f20 :0");
    ck_stack(1, "app.py main:1 > 0x123 :0");
    uint32_t leaf = reader->stacks[reader->sites[0].stack].code;
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
    show(SHOWN_NATIVE_ALL, false);
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
    show(SHOWN_NATIVE_ALL, false);
    ck_assert_uint_eq(reader->sites[0].stack, reader->sites[1].stack);
}
END_TEST

START_TEST(stacks_that_differ_in_native_frames_merge_without_them) {
    uint32_t caller = native(python(0, 1), 0x10);
    block(native(python(caller, 2), 0x20));
    block(python(native(python(0, 1), 0x30), 2));
    show(SHOWN_NATIVE_NONE, false);
    ck_stack(0, "app.py main:1 > app.py main:2");
    ck_assert_uint_eq(reader->sites[0].stack, reader->sites[1].stack);
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
    show(SHOWN_NATIVE_ALL, false);
    ck_stack(0, "app.py main:2 > /lib/x+0x20 :0 > /lib/x+0x30 :0");
    ck_stack(1, "app.py main:3");
    ck_assert_uint_eq(reader->header.nframe, 3);
    show(SHOWN_NATIVE_ALL, true);
    ck_stack(0, "app.py main:1 > /lib/x+0x10 :0 > app.py main:2 > /lib/x+0x20 :0 > "
                "/lib/x+0x30 :0");
    ck_assert_uint_eq(reader->header.nframe, 1);
}
END_TEST

START_TEST(fixed_stacks_stay) {
    native(0, 0x10);
    block(0);
    block(TRACEMALLOC_DUMP_OVERFLOW_STACK);
    show(SHOWN_NATIVE_ALL, false);
    ck_stack(0, "");
    ck_stack(1, "<overflow> :0");
    ck_assert_uint_eq(reader->sites[1].stack, TRACEMALLOC_DUMP_OVERFLOW_STACK);
}
END_TEST

/* Each of many sites, at all depths of one deep stack, shows as many frames as there
 * can be: more than anybody would wait for. */
START_TEST(what_is_too_deep_is_cut) {
    uint32_t stack = native(0, 1);
    maker.header.nframe = UINT16_MAX;
    for (uint32_t i = 0; i < 90000; i++) {
        stack = python(stack, i);
        block(stack);
    }
    show(SHOWN_NATIVE_FOLDED, false);
    ck_assert_uint_ge(reader->cut_frames, 64);
    ck_assert_uint_lt(reader->cut_frames, 100);
    ck_assert_uint_eq(reader->header.nframe, reader->cut_frames + 1);
    ck_assert_uint_gt(reader->sites[89999].stack, reader->sites[0].stack);
    show(SHOWN_NATIVE_BY_OWNER, false);
    ck_assert_uint_eq(reader->cut_frames, 0);
}
END_TEST

#define CPYTHON "/usr/bin/python3.11 CPython 3.11:0"

START_TEST(frames_of_the_interpreter_are_one) {
    uint32_t caller = python(interpreter(interpreter(0, 1), 2), 1);
    uint32_t inner = interpreter(interpreter(caller, 3), 4);
    block(inner);
    block(python(inner, 2));
    block(native(inner, 0x10));
    block(python(native(inner, 0x10), 2));
    block(interpreter(native(inner, 0x10), 5));
    block(interpreter(0, 1));
    show(SHOWN_NATIVE_FOLDED, false);
    ck_stack(0, "app.py main:1 > " CPYTHON);
    ck_stack(1, "app.py main:1 > app.py main:2");
    ck_stack(2, "app.py main:1 > " CPYTHON " > /lib/x+0x10 :0");
    ck_stack(3, "app.py main:1 > " CPYTHON " > /lib/x+0x10 :0 > app.py main:2");
    ck_stack(4, "app.py main:1 > " CPYTHON " > /lib/x+0x10 :0 > " CPYTHON);
    ck_stack(5, CPYTHON);
    show(SHOWN_NATIVE_ALL, false);
    ck_stack(5, "/usr/bin/python3.11+0x1 :0");
}
END_TEST

START_TEST(libc_outside_of_the_interpreter_is_folded_with_it) {
    uint32_t in_libc = TRACEMALLOC_DUMP_NATIVE | libc_module;
    uint32_t start = interpreter(0, 1);
    uint32_t main_caller = dump_maker_stack(&maker, start, in_libc, 2);
    uint32_t thread = dump_maker_stack(&maker, 0, in_libc, 3);
    block(interpreter(main_caller, 4));
    block(main_caller);
    block(interpreter(thread, 5));
    block(native(thread, 0x10));
    block(dump_maker_stack(&maker, python(start, 1), in_libc, 6));
    show(SHOWN_NATIVE_FOLDED, false);
    ck_stack(0, CPYTHON);
    ck_stack(1, CPYTHON);
    ck_stack(2, CPYTHON);
    ck_stack(3, "/lib/libc.so.6+0x3 :0 > /lib/x+0x10 :0");
    ck_stack(4, "app.py main:1 > /lib/libc.so.6+0x6 :0");
}
END_TEST

/* The frame that stands for a site beneath its stack. */
static void ck_detail(size_t site, const char *expected) {
    uint32_t stack = reader->details[site];
    const struct tracemalloc_dump_code *entry =
        &reader->code[reader->stacks[stack].code];
    char text[200];
    snprintf(text, sizeof text, "%s %s:%u",
             dump_reader_text(reader, entry->filename).bytes,
             dump_reader_text(reader, entry->name).bytes, reader->stacks[stack].line);
    ck_assert_str_eq(text, expected);
    while (stack != 0 && stack != reader->sites[site].stack)
        stack = reader->stacks[stack].parent;
    ck_assert_uint_ne(stack, 0);
}

START_TEST(by_owner_a_block_belongs_to_its_innermost_frame_of_python) {
    symbol(0x10, "outer", "x.c", 70);
    symbol(0x10, "inlined", "x.h", 12);
    uint32_t owner = python(native(python(interpreter(0, 1), 1), 0x30), 2);
    uint32_t inner = native(interpreter(owner, 2), 0x10);
    block(inner);
    block(interpreter(inner, 3));
    block(interpreter(owner, 2));
    block(owner);
    block(native(interpreter(0, 1), 0x20));
    show(SHOWN_NATIVE_BY_OWNER, false);
    for (size_t i = 0; i < 4; i++)
        ck_stack(i, "app.py main:1 > app.py main:2");
    ck_detail(0, "x.h inlined:12");
    ck_detail(1, "x.h inlined:12");
    ck_detail(2, CPYTHON);
    ck_assert_uint_eq(reader->details[3], 0);
    ck_stack(4, CPYTHON " > /lib/x+0x20 :0");
    ck_assert_uint_eq(reader->details[4], 0);
}
END_TEST

START_TEST(what_is_not_wanted_is_not_named) {
    static const bool wanted[] = {true, false};
    const struct shown_stacks_options options = {.wanted = wanted};
    block(native(python(0, 1), 0x10));
    block(native(python(0, 1), 0x20));
    dump_reader_close(reader);
    reader = opened_dump_read(&maker);
    ck_assert_int_eq(shown_stacks_apply(reader, &options), 0);
    ck_stack(0, "app.py main:1 > /lib/x+0x10 :0");
    ck_stack(1, "");
    ck_assert_uint_eq(reader->native_count, 1);
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
    tcase_add_test(tests, what_is_too_deep_is_cut);
    tcase_add_test(tests, frames_of_the_interpreter_are_one);
    tcase_add_test(tests, libc_outside_of_the_interpreter_is_folded_with_it);
    tcase_add_test(tests, by_owner_a_block_belongs_to_its_innermost_frame_of_python);
    tcase_add_test(tests, what_is_not_wanted_is_not_named);
    return check_run("shown_stacks", tests);
}
