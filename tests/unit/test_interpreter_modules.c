/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "check_run.h"
#include "opened_dump.h"
#include "symbols/interpreter_modules.h"

static struct dump_maker maker;

static void set_up(void) {
    dump_maker_open(&maker);
}

static void tear_down(void) {
    dump_maker_close(&maker);
}

static enum module_kind kind_of(const char *path) {
    struct tracemalloc_dump_module entry = {.path = dump_maker_text(&maker, path)};
    uint32_t module = dump_maker_append(&maker, TRACEMALLOC_DUMP_MODULES, &entry);
    struct dump_reader *reader = opened_dump_read(&maker);
    enum module_kind *kinds = interpreter_modules_find(reader);
    ck_assert_ptr_nonnull(kinds);
    enum module_kind kind = kinds[module];
    free(kinds);
    dump_reader_close(reader);
    return kind;
}

START_TEST(interpreters_by_their_names) {
    static const char *const paths[] = {
        "/usr/bin/python3.11",
        "/usr/bin/python3",
        "/opt/bin/python",
        "python3.13t",
        "/usr/bin/python3.11-dbg",
        "/usr/bin/python3.6dm",
        "/usr/lib/libpython3.13.so.1.0",
        "/usr/lib/libpython3.13t.so.1.0",
        "/usr/lib/libpython3.so",
        "/tmp/_MEIx/libpython3.11.so.1.0",
        "/usr/bin/python3.12 (deleted)",
    };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        ck_assert_msg(kind_of(paths[i]) == MODULE_INTERPRETER, "%s", paths[i]);
}
END_TEST

START_TEST(what_else_has_python_in_its_name) {
    static const char *const paths[] = {
        "",
        "/usr/bin/python3.11/libx.so",
        "/lib/pythonnet.so",
        "/lib/libpythonic.so",
        "/lib/libboost_python311.so.1.74.0",
        "/lib/python-magic.so",
        "/lib/python3.11/lib-dynload/_json.cpython-311-x86_64-linux-gnu.so",
        "/usr/bin/python3.11-config",
        "/usr/bin/bpython",
    };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        ck_assert_msg(kind_of(paths[i]) == MODULE_FOREIGN, "%s", paths[i]);
}
END_TEST

START_TEST(libc_by_its_names) {
    ck_assert(kind_of("/lib/x86_64-linux-gnu/libc.so.6") == MODULE_LIBC);
    ck_assert(kind_of("/lib/libc-2.31.so") == MODULE_LIBC);
    ck_assert(kind_of("/lib/libpthread.so.0") == MODULE_LIBC);
    ck_assert(kind_of("/lib64/ld-linux-x86-64.so.2") == MODULE_LIBC);
    ck_assert(kind_of("/lib/libcurl.so.4") == MODULE_FOREIGN);
}
END_TEST

START_TEST(a_name_with_the_version) {
    char name[INTERPRETER_NAME_SIZE];
    struct dump_reader *reader = opened_dump_read(&maker);
    interpreter_name(reader, name);
    ck_assert_str_eq(name, "CPython 3.11");
    reader->header.python_version = 0;
    interpreter_name(reader, name);
    ck_assert_str_eq(name, "CPython");
    dump_reader_close(reader);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("interpreter_modules");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, interpreters_by_their_names);
    tcase_add_test(tests, what_else_has_python_in_its_name);
    tcase_add_test(tests, libc_by_its_names);
    tcase_add_test(tests, a_name_with_the_version);
    return check_run("interpreter_modules", tests);
}
