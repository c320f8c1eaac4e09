/* SPDX-License-Identifier: MIT */
#include "check_run.h"
#include "compiled_library.h"
#include "symbols/symbol_table.h"

#include <fcntl.h>

/* Sizes as a linker script or hand-written code might have them. */
static const char source[] =
    "__asm__(\".text\\n"
    ".globl outer\\n.type outer, @function\\nouter: nop\\nnop\\n"
    ".globl inner\\n.type inner, @function\\ninner: nop\\n.size inner, 1\\n"
    "nop\\n.size outer, 4\\n"
    ".weak weaker\\n.type weaker, @function\\nweaker:\\n"
    ".globl stronger\\n.type stronger, @function\\nstronger: nop\\n"
    ".size weaker, 1\\n.size stronger, 1\\n"
    ".globl sizeless\\n.type sizeless, @function\\nsizeless: nop\\n\");\n";

static const Dwfl_Callbacks callbacks = {
    .find_elf = dwfl_build_id_find_elf,
    .find_debuginfo = dwfl_standard_find_debuginfo,
    .section_address = dwfl_offline_section_address,
};

static struct compiled_library library;
static struct symbol_table table;
static Dwfl *dwfl;
static GElf_Addr bias;

static void set_up(void) {
    compiled_library_make(&library, source);
    dwfl = dwfl_begin(&callbacks);
    int fd = open(library.path, O_RDONLY | O_CLOEXEC);
    dwfl_report_begin(dwfl);
    Dwfl_Module *module = dwfl_report_elf(dwfl, "libx.so", library.path, fd, 0, true);
    dwfl_report_end(dwfl, NULL, NULL);
    ck_assert_ptr_nonnull(dwfl_module_getelf(module, &bias));
    ck_assert_int_eq(symbol_table_open(&table, module), 0);
}

static void tear_down(void) {
    symbol_table_close(&table);
    dwfl_end(dwfl);
    compiled_library_remove(&library);
}

static const char *name_at(const char *label, int offset) {
    GElf_Addr address = compiled_library_address(&library, label);
    return symbol_table_find(&table, bias + address + (GElf_Addr)offset);
}

START_TEST(the_innermost_that_covers_the_address) {
    ck_assert_str_eq(name_at("outer", 1), "outer");
    ck_assert_str_eq(name_at("inner", 0), "inner");
    ck_assert_str_eq(name_at("inner", 1), "outer");
}
END_TEST

START_TEST(of_two_names_the_global_one) {
    ck_assert_str_eq(name_at("weaker", 0), "stronger");
}
END_TEST

START_TEST(what_no_size_covers_has_no_name) {
    ck_assert_ptr_null(name_at("sizeless", 0));
    ck_assert_ptr_null(symbol_table_find(&table, 0));
    ck_assert_ptr_null(symbol_table_find(&table, UINT64_MAX));
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("symbol_table");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, the_innermost_that_covers_the_address);
    tcase_add_test(tests, of_two_names_the_global_one);
    tcase_add_test(tests, what_no_size_covers_has_no_name);
    return check_run("symbol_table", tests);
}
