/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "check_run.h"
#include "opened_dump.h"
#include "show/frame_text.h"

static struct dump_maker maker;
static struct opened_dump opened;
static uint32_t python, native;
static char *output;
static size_t size;

static void set_up(void) {
    dump_maker_open(&maker);
    uint32_t code = dump_maker_code(&maker, "/a/folder/app.py", "main");
    struct tracemalloc_dump_module module = {
        .path = dump_maker_text(&maker, "/usr/lib/libx.so.1")};
    python = dump_maker_stack(&maker, 0, code, 12);
    native = dump_maker_stack(
        &maker, 0,
        TRACEMALLOC_DUMP_NATIVE |
            dump_maker_append(&maker, TRACEMALLOC_DUMP_MODULES, &module),
        0x1f20);
    opened_dump_open(&opened, &maker, PROFILE_NOW);
}

static void tear_down(void) {
    free(output);
    output = NULL;
    opened_dump_close(&opened);
    dump_maker_close(&maker);
}

static void ck_text(uint32_t stack, bool has_line, size_t room, const char *expected) {
    free(output);
    FILE *stream = open_memstream(&output, &size);
    struct terminal terminal = {.out = stream, .interactive = true, .width = room};
    size_t taken = frame_text_put(&terminal, &opened.profile, stack, has_line, room);
    fclose(stream);
    ck_assert_str_eq(output, expected);
    ck_assert_uint_eq(taken, strlen(expected));
}

START_TEST(function_and_place) {
    ck_text(python, true, 80, "main  /a/folder/app.py:12");
    ck_text(python, false, 80, "main  /a/folder/app.py");
    ck_text(native, true, 80, "libx.so.1  /usr/lib/libx.so.1+0x1f20");
}
END_TEST

START_TEST(what_is_no_code_has_no_place) {
    ck_text(TRACEMALLOC_DUMP_EMPTY_STACK, true, 80,
            "no Python frame (start-up, C threads)");
    ck_text(TRACEMALLOC_DUMP_EMPTY_STACK, true, 20, "no Python frame (...");
    ck_text(TRACEMALLOC_DUMP_OVERFLOW_STACK, true, 80, "<overflow>");
}
END_TEST

START_TEST(with_little_room) {
    ck_text(python, true, 20, "main app.py:12");
    ck_text(python, true, 10, "main:12");
    ck_text(python, true, 6, "...:12");
    ck_text(python, false, 10, "main");
}
END_TEST

START_TEST(any_room_suffices) {
    for (size_t room = 0; room < 60; room++) {
        free(output);
        FILE *stream = open_memstream(&output, &size);
        struct terminal terminal = {.out = stream, .interactive = true, .width = room};
        ck_assert_uint_le(
            frame_text_put(&terminal, &opened.profile, native, true, room), room);
        fclose(stream);
        ck_assert_uint_le(strlen(output), room);
    }
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("frame_text");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, function_and_place);
    tcase_add_test(tests, what_is_no_code_has_no_place);
    tcase_add_test(tests, with_little_room);
    tcase_add_test(tests, any_room_suffices);
    return check_run("frame_text", tests);
}
