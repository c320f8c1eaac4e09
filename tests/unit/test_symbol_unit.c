/* SPDX-License-Identifier: MIT */
#include <dwarf.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>

#include "check_run.h"
#include "compiled_library.h"
#include "symbols/symbol_units.h"

/* -O2 puts the cold half of `split` into another section. */
static const char source[] =
    "static inline __attribute__((always_inline)) void deepest(int *p) {\n"
    "    __asm__ volatile(\".globl at_deepest\\nat_deepest: nop\");\n"
    "    *p += 1;\n"
    "}\n"
    "static inline __attribute__((always_inline)) void deeper(int *p) {\n"
    "    deepest(p);\n"
    "    __asm__ volatile(\".globl at_deeper\\nat_deeper: nop\");\n"
    "}\n"
    "__attribute__((cold, noreturn)) void leave(void) { for (;;) ; }\n"
    "void split(int *p) {\n"
    "    if (__builtin_expect(*p, 0)) {\n"
    "        __asm__ volatile(\".globl at_cold\\nat_cold: nop\");\n"
    "        leave();\n"
    "    }\n"
    "    deeper(p);\n"
    "}\n";

static const Dwfl_Callbacks callbacks = {
    .find_elf = dwfl_build_id_find_elf,
    .find_debuginfo = dwfl_standard_find_debuginfo,
    .section_address = dwfl_offline_section_address,
};

static struct compiled_library library;
static struct symbol_units units;
static Dwfl *dwfl;
static GElf_Addr module_bias;

static void open_units(void) {
    dwfl = dwfl_begin(&callbacks);
    int fd = open(library.path, O_RDONLY | O_CLOEXEC);
    dwfl_report_begin(dwfl);
    Dwfl_Module *module = dwfl_report_elf(dwfl, "libx.so", library.path, fd, 0, true);
    dwfl_report_end(dwfl, NULL, NULL);
    ck_assert_ptr_nonnull(dwfl_module_getelf(module, &module_bias));
    symbol_units_open(&units, module);
}

static void set_up(void) {
    compiled_library_make(&library, source);
}

static void tear_down(void) {
    symbol_units_close(&units);
    dwfl_end(dwfl);
    compiled_library_remove(&library);
}

/* The functions at a label, the innermost first. */
static void ck_scopes(const char *label, const char *const *names) {
    struct symbol_unit *unit;
    Dwarf_Addr bias, at = module_bias + compiled_library_address(&library, label);
    ck_assert_int_eq(symbol_units_find(&units, at, &unit, &bias), 0);
    ck_assert_ptr_nonnull(unit);
    const struct symbol_scope *scope = symbol_unit_find(unit, at - bias);
    for (; *names != NULL; names++, scope = symbol_unit_outer(unit, scope)) {
        ck_assert_ptr_nonnull(scope);
        Dwarf_Die die = scope->die;
        ck_assert_str_eq(dwarf_diename(&die), *names);
        ck_assert(scope->inlined == (names[1] != NULL));
    }
    ck_assert_ptr_null(scope);
}

static void ck_all(void) {
    ck_scopes("at_deepest", (const char *[]){"deepest", "deeper", "split", NULL});
    ck_scopes("at_deeper", (const char *[]){"deeper", "split", NULL});
    ck_scopes("at_cold", (const char *[]){"split", NULL});
}

START_TEST(functions_and_what_was_inlined) {
    open_units();
    ck_all();
    ck_assert_uint_eq(units.units.count, 1);
    ck_assert(!units.has_ranges);
}
END_TEST

START_TEST(units_without_an_index_of_addresses) {
    compiled_library_run(&library, "objcopy --remove-section=.debug_aranges libx.so");
    open_units();
    ck_all();
    ck_assert(units.has_ranges);
}
END_TEST

START_TEST(no_unit_and_no_function) {
    struct symbol_unit *unit;
    Dwarf_Addr bias;
    open_units();
    ck_assert_int_eq(symbol_units_find(&units, module_bias + 1, &unit, &bias), 0);
    ck_assert_ptr_null(unit);
    ck_all();
    unit = *(struct symbol_unit **)units.units.entries;
    ck_assert_ptr_null(symbol_unit_find(unit, 0));
    ck_assert_ptr_null(symbol_unit_find(unit, UINT64_MAX));
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("symbol_unit");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, functions_and_what_was_inlined);
    tcase_add_test(tests, units_without_an_index_of_addresses);
    tcase_add_test(tests, no_unit_and_no_function);
    return check_run("symbol_unit", tests);
}
