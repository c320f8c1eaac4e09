/* SPDX-License-Identifier: MIT */
#include "stack/native/native_cfi.h"

#include <errno.h>
#include <string.h>

#include "suite.h"

/* Tables as a linker makes them, for code that is nowhere: .eh_frame_hdr, a common
 * entry, one function of 0x100 bytes.
 *
 *   0x00 header: version, three encodings, where .eh_frame is, one row
 *   0x40 common entry: CFA = rsp + 8, return address at CFA - 8
 *   0x80 the function's entry, with the program that a test gives */
enum { COMMON = 0x40, FUNCTION = 0x80, CODE = 0x10000, CODE_SIZE = 0x100 };

static _Alignas(8) unsigned char tables[512];

static void put32(size_t at, int64_t value) {
    int32_t word = (int32_t)value;
    memcpy(tables + at, &word, sizeof word);
}

static uintptr_t code(void) {
    return (uintptr_t)tables + CODE;
}

static void make_header(void) {
    static const unsigned char start[] = {1, 0x1b, 0x03, 0x3b};
    memcpy(tables, start, sizeof start);
    put32(8, 1);
    put32(12, CODE);
    put32(16, FUNCTION);
}

static void make_common(void) {
    static const unsigned char body[] = {
        1,   'z',  'R', 0,          /* version, augmentation */
        1,   0x78, 16,  1,    0x1b, /* units 1 and -8, return register, encoding */
        0xc, 7,    8,   0x90, 1,    /* CFA = rsp + 8; r16 at CFA - 8 */
    };
    memset(tables + COMMON, 0, FUNCTION - COMMON);
    put32(COMMON, FUNCTION - COMMON - 4);
    memcpy(tables + COMMON + 8, body, sizeof body);
}

static void make_function(const unsigned char *program, size_t size) {
    size_t length = 4 + 4 + 4 + 1 + size;
    put32(FUNCTION, (int64_t)length);
    put32(FUNCTION + 4, FUNCTION + 4 - COMMON);
    put32(FUNCTION + 8, CODE - (FUNCTION + 8));
    put32(FUNCTION + 12, CODE_SIZE);
    tables[FUNCTION + 16] = 0;
    memcpy(tables + FUNCTION + 17, program, size);
}

/* What holds at `at` bytes into the function. */
static struct native_cfi find(size_t at) {
    struct native_cfi cfi;
    ck_assert_int_eq(native_cfi_find(tables, code() + at, &cfi), 0);
    return cfi;
}

static void make(const unsigned char *program, size_t size) {
    make_header();
    make_common();
    make_function(program, size);
}

#define MAKE(...)                                                                      \
    do {                                                                               \
        static const unsigned char program[] = {__VA_ARGS__};                          \
        make(program, sizeof program);                                                 \
    } while (0)

static void expect(size_t at, enum native_rule rule, int cfa, int rbp) {
    struct native_cfi cfi = find(at);
    ck_assert_int_eq(cfi.rule, rule);
    ck_assert_int_eq(cfi.cfa, cfa);
    ck_assert_int_eq(cfi.rbp, rbp);
    ck_assert_uint_eq(cfi.function, code());
}

/* push %rbp; mov %rsp, %rbp; ...; leave; ret */
START_TEST(a_frame_pointer_is_followed) {
    MAKE(0x41, 0xe, 16, 0x86, 2, 0x43, 0xd, 6, 0x02, 0x20, 0xc, 7, 8);
    expect(0, NATIVE_RULE_RSP, 8, 0);
    expect(1, NATIVE_RULE_RSP, 16, -16);
    expect(3, NATIVE_RULE_RSP, 16, -16);
    expect(4, NATIVE_RULE_RBP, 16, -16);
    expect(0x23, NATIVE_RULE_RBP, 16, -16);
    expect(0x24, NATIVE_RULE_RSP, 8, -16);
}
END_TEST

/* sub $0x118, %rsp, an early return, and the rest */
START_TEST(a_state_is_remembered_and_recalled) {
    MAKE(0x44, 0xe, 0xa0, 2, 0x0a, 0x03, 0x10, 0, 0xe, 8, 0x41, 0x0b);
    expect(3, NATIVE_RULE_RSP, 8, 0);
    expect(4, NATIVE_RULE_RSP, 0x120, 0);
    expect(0x14, NATIVE_RULE_RSP, 8, 0);
    expect(0x15, NATIVE_RULE_RSP, 0x120, 0);
}
END_TEST

START_TEST(a_register_is_restored) {
    MAKE(0x41, 0xe, 16, 0x86, 2, 0x44, 0xc6, 0xe, 8, 0x41, 0x08, 6);
    expect(4, NATIVE_RULE_RSP, 16, -16);
    expect(5, NATIVE_RULE_RSP, 8, 0);
    expect(6, NATIVE_RULE_RSP, 8, 0);
}
END_TEST

START_TEST(signed_offsets_count_in_units) {
    MAKE(0x41, 0x13, 0x7e, 0x41, 0x12, 6, 0x7d, 0x41, 0x11, 6, 2);
    expect(1, NATIVE_RULE_RSP, 16, 0);
    expect(2, NATIVE_RULE_RBP, 24, 0);
    expect(3, NATIVE_RULE_RBP, 24, -16);
}
END_TEST

START_TEST(nobody_calls_the_root) {
    MAKE(0x07, 16);
    ck_assert_int_eq(find(0).rule, NATIVE_RULE_ROOT);
}
END_TEST

/* The CFA is what a word in the frame says. */
START_TEST(a_realigned_stack_is_followed) {
    MAKE(0x41, 0x10, 6, 2, 0x76, 0, 0x41, 0xf, 3, 0x76, 0x78, 6, 0x42, 0xc, 7, 8);
    expect(0, NATIVE_RULE_RSP, 8, 0);
    ck_assert_int_eq(find(1).rule, NATIVE_RULE_OTHER);
    expect(2, NATIVE_RULE_WORD, -8, 0);
    ck_assert_int_eq(find(4).rule, NATIVE_RULE_OTHER);
}
END_TEST

START_TEST(another_expression_ends_a_walk) {
    MAKE(0x41, 0xf, 2, 0x73, 0x10, 0x41, 0xf, 5, 0x76, 0x78, 6, 0x23, 8);
    expect(0, NATIVE_RULE_RSP, 8, 0);
    ck_assert_int_eq(find(1).rule, NATIVE_RULE_OTHER);
    ck_assert_int_eq(find(2).rule, NATIVE_RULE_OTHER);
}
END_TEST

START_TEST(another_register_ends_a_walk) {
    MAKE(0xc, 10, 0, 0x41, 0xc, 7, 8, 0x41, 0x09, 6, 3);
    ck_assert_int_eq(find(0).rule, NATIVE_RULE_OTHER);
    expect(1, NATIVE_RULE_RSP, 8, 0);
    ck_assert_int_eq(find(2).rule, NATIVE_RULE_OTHER);
}
END_TEST

START_TEST(what_is_no_instruction_makes_no_row) {
    MAKE(0x3c, 0x3c, 0x3c);
    ck_assert_int_eq(find(0).rule, NATIVE_RULE_OTHER);
    MAKE(0x0b);
    ck_assert_int_eq(find(0).rule, NATIVE_RULE_OTHER);
}
END_TEST

START_TEST(code_outside_has_no_entry) {
    struct native_cfi cfi;
    MAKE(0);
    ck_assert_int_eq(native_cfi_find(tables, code() - 1, &cfi), -ENOENT);
    ck_assert_int_eq(native_cfi_find(tables, code() + CODE_SIZE, &cfi), -ENOENT);
    ck_assert_int_eq(native_cfi_find(tables, code() + CODE_SIZE - 1, &cfi), 0);
}
END_TEST

START_TEST(tables_of_another_form_are_refused) {
    struct native_cfi cfi;
    MAKE(0);
    tables[3] = 0x3c;
    ck_assert_int_eq(native_cfi_find(tables, code(), &cfi), -ENOTSUP);
    MAKE(0);
    tables[COMMON + 8] = 4;
    ck_assert_int_eq(native_cfi_find(tables, code(), &cfi), -ENOTSUP);
    MAKE(0);
    tables[COMMON + 10] = 'X';
    ck_assert_int_eq(native_cfi_find(tables, code(), &cfi), -ENOTSUP);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        a_frame_pointer_is_followed,
        a_state_is_remembered_and_recalled,
        a_register_is_restored,
        signed_offsets_count_in_units,
        nobody_calls_the_root,
        a_realigned_stack_is_followed,
        another_expression_ends_a_walk,
        another_register_ends_a_walk,
        what_is_no_instruction_makes_no_row,
        code_outside_has_no_entry,
        tables_of_another_form_are_refused,
    };
    return suite_run("native_cfi", tests, sizeof tests / sizeof *tests);
}
