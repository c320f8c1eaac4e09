/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check_run.h"
#include "compiled_library.h"
#include "symbols/symbols.h"

/* Labels within the functions, for their addresses to be known. */
static const char source[] =
    "static inline __attribute__((always_inline)) void inlined(int *p) {\n"
    "    __asm__ volatile(\".globl at_inlined\\nat_inlined: nop\");\n"
    "    *p += 1;\n"
    "}\n"
    "__attribute__((noinline)) static void hidden(int *p) {\n"
    "    __asm__ volatile(\".globl at_hidden\\nat_hidden: nop\");\n"
    "    *p += 2;\n"
    "}\n"
    "void visible(int *p) {\n"
    "    inlined(p);\n"
    "    hidden(p);\n"
    "    __asm__ volatile(\".globl at_visible\\nat_visible: nop\");\n"
    "}\n"
    "__asm__(\".globl _ZN3geo5Shape4growEi\\n.type _ZN3geo5Shape4growEi, "
    "@function\\n_ZN3geo5Shape4growEi: nop\\n"
    ".size _ZN3geo5Shape4growEi, 1\");\n";

static struct compiled_library library;
static struct symbols *symbols;
static uint64_t in_inlined, in_hidden, in_visible, in_cxx;

static void set_up(void) {
    compiled_library_make(&library, source);
    in_inlined = compiled_library_address(&library, "at_inlined");
    in_hidden = compiled_library_address(&library, "at_hidden");
    in_visible = compiled_library_address(&library, "at_visible");
    in_cxx = compiled_library_address(&library, "_ZN3geo5Shape4growEi");
    ck_assert_int_eq(symbols_open(&symbols), 0);
}

static void tear_down(void) {
    symbols_close(symbols);
    compiled_library_remove(&library);
}

static struct dump_text text_of(const char *text) {
    return (struct dump_text){text, strlen(text)};
}

static struct symbol_module *module_of(const char *path, const char *build_id) {
    struct symbol_module *module;
    ck_assert_int_eq(symbols_module(symbols, text_of(path), text_of(build_id), &module),
                     0);
    return module;
}

/* `function file:line` of each frame, the outermost first. */
static void ck_frames(uint64_t address, const char *expected) {
    struct symbol_list list;
    char text[400] = "";
    struct symbol_module *module = module_of(library.path, library.build_id);
    ck_assert_int_eq(symbols_find(symbols, module, address, &list), 0);
    for (size_t i = 0; i < list.count; i++) {
        const struct symbol *frame = &list.frames[i];
        const char *file = frame->filename != NULL ? strrchr(frame->filename, '/') : "";
        char part[120];
        snprintf(part, sizeof part, "%s%s %s:%u", i > 0 ? " > " : "",
                 frame->function != NULL ? frame->function : "?", file, frame->line);
        strcat(text, part);
    }
    ck_assert_str_eq(text, expected);
}

static void ck_all_frames(void) {
    ck_frames(in_hidden, "hidden /x.c:6");
    ck_frames(in_inlined, "visible /x.c:10 > inlined /x.c:2");
    ck_frames(in_visible, "visible /x.c:12");
}

START_TEST(functions_files_and_lines) {
    ck_all_frames();
    ck_all_frames();
    ck_frames(0x7ffffff, "");
    struct symbol_module *module = module_of(library.path, library.build_id);
    ck_assert_int_eq(symbols_module_state(module), SYMBOL_MODULE_FOUND);
    ck_assert_ptr_eq(symbols_module_at(symbols, 0), module);
    ck_assert_ptr_null(symbols_module_at(symbols, 1));
    ck_assert_str_eq(symbols_module_path(module), library.path);
}
END_TEST

START_TEST(names_are_demangled) {
    compiled_library_run(&library, "strip --strip-debug libx.so");
    ck_frames(in_cxx, "geo::Shape::grow(int) :0");
}
END_TEST

START_TEST(stripped_code_has_no_neighbours_name) {
    compiled_library_run(&library, "strip --strip-all libx.so");
    ck_frames(in_hidden, "");
    ck_frames(in_visible, "visible :0");
}
END_TEST

START_TEST(a_debug_file_beside_it) {
    compiled_library_run(&library,
                         "mkdir .debug && "
                         "objcopy --only-keep-debug libx.so .debug/libx.so.debug && "
                         "strip --strip-all libx.so && "
                         "objcopy --add-gnu-debuglink=.debug/libx.so.debug libx.so");
    ck_all_frames();
}
END_TEST

START_TEST(a_file_with_another_build_id_is_not_used) {
    struct symbol_list list;
    struct symbol_module *module = module_of(library.path, "0123456789abcdef");
    ck_assert_int_eq(symbols_module_state(module), SYMBOL_MODULE_UNUSED);
    ck_assert_int_eq(symbols_find(symbols, module, in_hidden, &list), 0);
    ck_assert_uint_eq(list.count, 0);
    ck_assert_int_eq(symbols_module_state(module), SYMBOL_MODULE_DIFFERENT);
}
END_TEST

START_TEST(what_is_no_file_has_no_symbols) {
    static const char *const paths[] = {"/nowhere", "[vdso]", "relative", "/tmp",
                                        "/dev/zero"};
    struct symbol_list list;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct symbol_module *module = module_of(paths[i], "");
        ck_assert_int_eq(symbols_find(symbols, module, 1, &list), 0);
        ck_assert_uint_eq(list.count, 0);
        ck_assert_int_eq(symbols_module_state(module), SYMBOL_MODULE_ABSENT);
    }
}
END_TEST

START_TEST(damaged_files_do_no_harm) {
    compiled_library_run(
        &library, "size=$(stat -c %s libx.so); "
                  "for at in $(seq 1500 997 $size); do printf '\\377\\377\\377' | "
                  "dd of=libx.so bs=1 seek=$at conv=notrunc status=none; done");
    struct symbol_list list;
    struct symbol_module *module = module_of(library.path, library.build_id);
    for (uint64_t address = 0; address < 0x2000; address += 3)
        ck_assert_int_eq(symbols_find(symbols, module, address, &list), 0);
}
END_TEST

static enum symbol_module_state find_again(void) {
    symbols_use_cache(symbols);
    ck_all_frames();
    enum symbol_module_state state =
        symbols_module_state(module_of(library.path, library.build_id));
    symbols_close(symbols);
    ck_assert_int_eq(symbols_open(&symbols), 0);
    return state;
}

static char cache[] = "/tmp/test_symbols_cache.XXXXXX";

static void make_cache(void) {
    ck_assert_ptr_nonnull(mkdtemp(cache));
    setenv("XDG_CACHE_HOME", cache, 1);
    unsetenv("TRACEMALLOC_CACHE");
}

static void remove_cache(void) {
    char command[400];
    snprintf(command, sizeof command, "rm -rf %s", cache);
    ck_assert_int_eq(system(command), 0);
}

static void reopen_with_cache(void) {
    symbols_close(symbols);
    ck_assert_int_eq(symbols_open(&symbols), 0);
    symbols_use_cache(symbols);
}

START_TEST(a_stripped_copy_is_another_module) {
    make_cache();
    find_again();
    symbols_use_cache(symbols);
    compiled_library_run(&library, "strip --strip-all libx.so");
    ck_frames(in_hidden, "");
    remove_cache();
}
END_TEST

START_TEST(debug_information_may_come_later) {
    make_cache();
    symbols_use_cache(symbols);
    compiled_library_run(&library,
                         "mkdir .debug && "
                         "objcopy --only-keep-debug libx.so later && "
                         "strip --strip-all libx.so && "
                         "objcopy --add-gnu-debuglink=later libx.so && mv later away");
    ck_frames(in_visible, "visible :0");
    reopen_with_cache();
    ck_frames(in_visible, "visible :0");
    reopen_with_cache();
    compiled_library_run(&library, "mv away .debug/later");
    ck_all_frames();
    remove_cache();
}
END_TEST

START_TEST(what_was_found_is_kept) {
    char path[300];
    make_cache();
    ck_assert_int_eq(find_again(), SYMBOL_MODULE_FOUND);
    /* No file is opened. */
    ck_assert_int_eq(find_again(), SYMBOL_MODULE_UNUSED);
    struct stat status;
    ck_assert_int_eq(stat(library.path, &status), 0);
    snprintf(path, sizeof path, "%s/tracemalloc/symbols/%s-%lx", cache,
             library.build_id, (unsigned long)status.st_size);
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_uint_eq(status.st_mode & 0777, 0600);
    /* A damaged file is of no use, and does no harm. */
    for (off_t size = status.st_size - 1; size > 0; size -= 7) {
        ck_assert_int_eq(truncate(path, size), 0);
        ck_assert_int_eq(find_again(), SYMBOL_MODULE_FOUND);
    }
    ck_assert_int_eq(find_again(), SYMBOL_MODULE_UNUSED);
    /* Nor one that others may write to. */
    ck_assert_int_eq(chmod(path, 0666), 0);
    ck_assert_int_eq(find_again(), SYMBOL_MODULE_FOUND);
    ck_assert_int_eq(chmod(cache, 0777), 0);
    ck_assert_int_eq(find_again(), SYMBOL_MODULE_FOUND);
    ck_assert_int_eq(chmod(cache, 0700), 0);
    setenv("TRACEMALLOC_CACHE", "0", 1);
    ck_assert_int_eq(find_again(), SYMBOL_MODULE_FOUND);
    remove_cache();
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("symbols");
    unsetenv("DEBUGINFOD_URLS");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, functions_files_and_lines);
    tcase_add_test(tests, names_are_demangled);
    tcase_add_test(tests, what_was_found_is_kept);
    tcase_add_test(tests, a_stripped_copy_is_another_module);
    tcase_add_test(tests, debug_information_may_come_later);
    tcase_add_test(tests, stripped_code_has_no_neighbours_name);
    tcase_add_test(tests, a_debug_file_beside_it);
    tcase_add_test(tests, a_file_with_another_build_id_is_not_used);
    tcase_add_test(tests, what_is_no_file_has_no_symbols);
    tcase_add_test(tests, damaged_files_do_no_harm);
    return check_run("symbols", tests);
}
