/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "check_run.h"
#include "export/thread_names.h"
#include "opened_dump.h"

static struct dump_maker maker;

static void set_up(void) {
    dump_maker_open(&maker);
}

static void tear_down(void) {
    dump_maker_close(&maker);
}

static uint32_t below(uint32_t parent, const char *filename, const char *function) {
    return dump_maker_stack(&maker, parent, dump_maker_code(&maker, filename, function),
                            1);
}

static void ck_thread(uint32_t stack, const char *expected) {
    struct opened_dump opened;
    uint32_t *threads;
    opened_dump_open(&opened, &maker, PROFILE_NOW);
    ck_assert_int_eq(thread_names_find(&threads, &opened.profile, &opened.names), 0);
    struct dump_text text = opened.names.texts[threads[stack]];
    ck_assert_uint_eq(text.length, strlen(expected));
    ck_assert_mem_eq(text.bytes, expected, text.length);
    free(threads);
    opened_dump_close(&opened);
}

START_TEST(a_module_is_of_the_main_thread) {
    uint32_t module = below(0, "app.py", "<module>");
    ck_thread(module, "main");
    ck_thread(below(module, "app.py", "work"), "main");
    ck_thread(below(0, "<frozen importlib._bootstrap>", "_find_and_load"), "main");
    ck_thread(below(0, "/lib/runpy.py", "_run_module_as_main"), "main");
}
END_TEST

START_TEST(a_thread_is_what_it_runs) {
    static const char file[] = "/lib/threading.py";
    uint32_t first = below(0, file, "Thread._bootstrap");
    uint32_t second = below(first, file, "Thread._bootstrap_inner");
    uint32_t work = below(below(second, file, "Thread.run"), "app.py", "work");
    ck_thread(first, "Thread");
    ck_thread(second, "Thread");
    ck_thread(work, "work");
    ck_thread(below(work, file, "Lock.acquire"), "work");
    ck_thread(below(below(0, file, "_bootstrap"), "app.py", "old_work"), "old_work");
}
END_TEST

START_TEST(any_other_stack_is_its_oldest_function) {
    uint32_t callback = below(0, "app.py", "callback");
    ck_thread(below(callback, "app.py", "<module>"), "callback");
}
END_TEST

START_TEST(without_python_it_is_unknown) {
    struct tracemalloc_dump_module module = {.path = dump_maker_text(&maker, "/lib/c")};
    uint32_t id = dump_maker_append(&maker, TRACEMALLOC_DUMP_MODULES, &module);
    uint32_t native = dump_maker_stack(&maker, 0, TRACEMALLOC_DUMP_NATIVE | id, 5);
    ck_thread(0, "<unknown>");
    ck_thread(native, "<unknown>");
    ck_thread(below(native, "app.py", "<module>"), "main");
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("thread_names");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_module_is_of_the_main_thread);
    tcase_add_test(tests, a_thread_is_what_it_runs);
    tcase_add_test(tests, any_other_stack_is_its_oldest_function);
    tcase_add_test(tests, without_python_it_is_unknown);
    return check_run("thread_names", tests);
}
