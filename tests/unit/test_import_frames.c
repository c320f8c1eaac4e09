/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_run.h"
#include "opened_dump.h"
#include "profile/import_frames.h"
#include "profile/profile.h"

static struct dump_maker maker;
static struct dump_reader *reader;
static uint32_t app, lib, import;

static void set_up(void) {
    dump_maker_open(&maker);
    app = dump_maker_code(&maker, "app.py", "<module>");
    lib = dump_maker_code(&maker, "lib.py", "<module>");
    import = dump_maker_code(&maker, "<frozen importlib._bootstrap>", "_find_and_load");
    reader = NULL;
}

static void tear_down(void) {
    dump_reader_close(reader);
    dump_maker_close(&maker);
}

static uint32_t call(uint32_t caller, uint32_t code, uint32_t line) {
    return dump_maker_stack(&maker, caller, code, line);
}

static uint32_t hold(uint32_t stack, uint64_t size) {
    uint32_t site = dump_maker_site(&maker, stack, 0);
    dump_maker_bucket(&maker, site, size, 1, 0);
    return site;
}

static void fold(bool whole) {
    reader = opened_dump_read(&maker);
    ck_assert_int_eq(import_frames_fold(reader, whole), 0);
}

/* A stack as `app.py:1 lib.py:7`. */
static const char *text_of(uint32_t stack) {
    static char text[400];
    char rest[sizeof text];
    for (text[0] = '\0'; stack != 0; stack = reader->stacks[stack].parent) {
        const struct tracemalloc_dump_stack *node = &reader->stacks[stack];
        const char *file =
            dump_reader_text(reader, reader->code[node->code].filename).bytes;
        memcpy(rest, text, sizeof rest);
        int length = snprintf(text, sizeof text, "%s:%u%s", file, node->line,
                              rest[0] != '\0' ? " " : "");
        strncat(text, rest, sizeof text - (size_t)length - 1);
    }
    return text;
}

static void ck_stack(uint32_t site, const char *expected) {
    ck_assert_str_eq(text_of(reader->sites[site].stack), expected);
}

START_TEST(names_of_the_import_system) {
    static const char *const imports[] = {
        "<frozen importlib._bootstrap>", "<frozen importlib._bootstrap_external>",
        "<frozen zipimport>", "/usr/lib/python3.11/importlib/__init__.py",
        "/usr/lib/python3.6/importlib/_bootstrap.py"};
    static const char *const others[] = {
        "app.py",
        "<frozen abc>",
        "/usr/lib/python3.11/importlib/metadata/__init__.py",
        "/srv/importlib.py",
        "",
        "<frozen runpy>"};
    for (size_t i = 0; i < sizeof imports / sizeof *imports; i++)
        ck_assert(
            import_frames_match((struct dump_text){imports[i], strlen(imports[i])}));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ck_assert(
            !import_frames_match((struct dump_text){others[i], strlen(others[i])}));
}
END_TEST

START_TEST(an_import_belongs_to_its_statement) {
    uint32_t statement = call(0, app, 1);
    uint32_t inside = call(call(statement, import, 10), import, 20);
    uint32_t compiled = hold(inside, 100), body = hold(call(inside, lib, 7), 10);
    uint32_t own = hold(statement, 1);
    fold(false);
    ck_stack(compiled, "app.py:1");
    ck_stack(body, "app.py:1 lib.py:7");
    ck_assert_uint_eq(reader->sites[compiled].stack, reader->sites[own].stack);
    /* What was recorded is still there. */
    ck_assert_str_eq(text_of(dump_reader_recorded(reader, body)),
                     "app.py:1 <frozen importlib._bootstrap>:10 "
                     "<frozen importlib._bootstrap>:20 lib.py:7");
}
END_TEST

/* Nothing is there twice: a tree would show it twice. */
START_TEST(equal_stacks_are_one) {
    uint32_t statement = call(0, app, 1);
    uint32_t called = hold(call(statement, lib, 7), 1);
    uint32_t loaded = hold(call(call(statement, import, 10), lib, 7), 1);
    uint32_t reloaded = hold(call(call(statement, import, 11), lib, 7), 1);
    fold(false);
    ck_assert_uint_eq(reader->sites[loaded].stack, reader->sites[called].stack);
    ck_assert_uint_eq(reader->sites[reloaded].stack, reader->sites[called].stack);
}
END_TEST

START_TEST(without_a_statement_the_outermost_frame_stays) {
    uint32_t first = call(0, import, 10), second = call(first, import, 20);
    uint32_t bare = hold(call(second, import, 30), 1);
    uint32_t body = hold(call(second, lib, 7), 1);
    fold(false);
    ck_stack(bare, "<frozen importlib._bootstrap>:10");
    ck_stack(body, "lib.py:7");
}
END_TEST

/* Lines further out than the limit may be wrong: the window is cut before it is
 * folded. */
START_TEST(windows_stay_within_the_limit) {
    maker.header.nframe = 3;
    uint32_t statement = call(call(0, app, 1), app, 2);
    uint32_t body = call(call(call(statement, import, 10), import, 20), lib, 7);
    uint32_t cut = hold(body, 1), deep = hold(call(call(body, lib, 8), lib, 9), 1);
    uint32_t alone = hold(call(call(statement, import, 10), import, 21), 1);
    fold(false);
    ck_stack(cut, "lib.py:7");
    ck_stack(alone, "app.py:2");
    ck_assert_uint_eq(reader->sites[deep].stack, dump_reader_recorded(reader, deep));
}
END_TEST

START_TEST(whole_stacks_have_no_uncertain_lines) {
    maker.header.nframe = 3;
    uint32_t statement = call(0, app, 1);
    uint32_t body =
        hold(call(call(call(statement, import, 10), import, 20), lib, 7), 1);
    uint32_t other = hold(call(statement, lib, 9), 1);
    fold(true);
    ck_stack(body, "app.py:0 lib.py:7");
    ck_stack(other, "app.py:0 lib.py:9");
}
END_TEST

START_TEST(folding_again_changes_nothing) {
    uint32_t site = hold(call(call(0, app, 1), import, 10), 1);
    fold(false);
    ck_assert_int_eq(import_frames_fold(reader, false), 0);
    ck_stack(site, "app.py:1");
}
END_TEST

START_TEST(what_was_allocated_by_imports) {
    uint32_t statement = call(0, app, 1);
    uint32_t body = hold(call(call(statement, import, 10), lib, 7), 1);
    uint32_t own = hold(statement, 1);
    for (int folded = 0; folded < 2; folded++) {
        if (!folded)
            reader = opened_dump_read(&maker);
        else
            ck_assert_int_eq(import_frames_fold(reader, false), 0);
        bool *found = import_frames_find(reader);
        ck_assert(found[body] && !found[own]);
        free(found);
    }
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("import_frames");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, names_of_the_import_system);
    tcase_add_test(tests, an_import_belongs_to_its_statement);
    tcase_add_test(tests, equal_stacks_are_one);
    tcase_add_test(tests, without_a_statement_the_outermost_frame_stays);
    tcase_add_test(tests, windows_stay_within_the_limit);
    tcase_add_test(tests, whole_stacks_have_no_uncertain_lines);
    tcase_add_test(tests, folding_again_changes_nothing);
    tcase_add_test(tests, what_was_allocated_by_imports);
    return check_run("import_frames", tests);
}
