/* SPDX-License-Identifier: MIT */
/* The instructions that compilers use every day are tried in test_native_cfi, with the
 * tables around them; here are the others, and the limits. */
#include "stack/native/x86_64/cfi_interpreter.h"

#include <string.h>

#include "suite.h"

enum { FUNCTION = 0x1000, MOST = 1024 };

/* CFA = rsp + 8; the return address at CFA - 8 */
static const unsigned char usual[] = {0x0c, 7, 8, 0x90, 1};

static struct cfi_common common;
static unsigned char program[MOST];
static size_t size;

static void open_common(void) {
    common = (struct cfi_common){
        .code_unit = 1,
        .data_unit = -8,
        .encoding = ENCODED_ABSOLUTE,
        .start = {usual, usual + sizeof usual},
    };
    size = 0;
}

static void add(const void *bytes, size_t count) {
    ck_assert_uint_le(size + count, MOST);
    memcpy(program + size, bytes, count);
    size += count;
}

#define ADD(...)                                                                       \
    do {                                                                               \
        static const unsigned char bytes[] = {__VA_ARGS__};                            \
        add(bytes, sizeof bytes);                                                      \
    } while (0)

/* What holds at `at` bytes into the function; all of it is written. */
static struct native_cfi run(size_t at) {
    struct native_cfi cfi;
    memset(&cfi, 0x55, sizeof cfi);
    cfi.function = FUNCTION;
    cfi_interpreter_run(&common, (struct native_bytes){program, program + size},
                        FUNCTION + at, &cfi);
    ck_assert_uint_eq(cfi.function, FUNCTION);
    return cfi;
}

static void expect(size_t at, enum native_rule rule, int cfa, int rbp) {
    struct native_cfi found = run(at);
    ck_assert_int_eq(found.rule, rule);
    ck_assert_int_eq(found.cfa, cfa);
    ck_assert_int_eq(found.rbp, rbp);
}

START_TEST(without_a_program_the_common_one_holds) {
    open_common();
    expect(0, NATIVE_RULE_RSP, 8, 0);
    expect(0xffff, NATIVE_RULE_RSP, 8, 0);
}
END_TEST

START_TEST(units_are_those_of_the_common_entry) {
    open_common();
    common.code_unit = 4;
    common.data_unit = 4;
    common.start = (struct native_bytes){NULL, NULL};
    /* r16 at CFA - 8, CFA = rsp + 16; 3 units on, CFA = rsp + 3 units */
    ADD(0x11, 16, 0x7e, 0x0c, 7, 16, 0x43, 0x13, 3);
    expect(11, NATIVE_RULE_RSP, 16, 0);
    expect(12, NATIVE_RULE_RSP, 12, 0);
}
END_TEST

START_TEST(each_advance_has_its_width) {
    open_common();
    ADD(0x02, 0x80, 0x0e, 16, 0x03, 0x80, 1, 0x0e, 24, 0x04, 0, 0, 2, 0, 0x0e, 32);
    expect(0x7f, NATIVE_RULE_RSP, 8, 0);
    expect(0x80, NATIVE_RULE_RSP, 16, 0);
    expect(0x1ff, NATIVE_RULE_RSP, 16, 0);
    expect(0x200, NATIVE_RULE_RSP, 24, 0);
    expect(0x201ff, NATIVE_RULE_RSP, 24, 0);
    expect(0x20200, NATIVE_RULE_RSP, 32, 0);
}
END_TEST

START_TEST(a_place_is_set) {
    uint64_t place = FUNCTION + 0x123;
    open_common();
    ADD(0x01);
    add(&place, sizeof place);
    ADD(0x0e, 16);
    expect(0x122, NATIVE_RULE_RSP, 8, 0);
    expect(0x123, NATIVE_RULE_RSP, 16, 0);
    open_common();
    common.encoding = 0xff;
    ADD(0x01);
    expect(0x123, NATIVE_RULE_OTHER, 0, 0);
}
END_TEST

START_TEST(rbp_is_saved_in_each_way) {
    open_common();
    ADD(0x0e, 32, 0x05, 6, 2, 0x41, 0x11, 6, 3, 0x41, 0x86, 4);
    expect(0, NATIVE_RULE_RSP, 32, -16);
    expect(1, NATIVE_RULE_RSP, 32, -24);
    expect(2, NATIVE_RULE_RSP, 32, -32);
}
END_TEST

/* What the common program said, not what was said last. */
START_TEST(restored_is_what_was_at_the_start) {
    static const unsigned char saved[] = {0x0c, 7, 24, 0x90, 1, 0x86, 2};
    open_common();
    common.start = (struct native_bytes){saved, saved + sizeof saved};
    ADD(0x86, 3, 0x41, 0xc6, 0x41, 0x05, 6, 3, 0x41, 0x06, 6);
    ADD(0x41, 0x07, 16, 0x41, 0xd0);
    expect(0, NATIVE_RULE_RSP, 24, -24);
    expect(1, NATIVE_RULE_RSP, 24, -16);
    expect(2, NATIVE_RULE_RSP, 24, -24);
    expect(3, NATIVE_RULE_RSP, 24, -16);
    ck_assert_int_eq(run(4).rule, NATIVE_RULE_ROOT);
    expect(5, NATIVE_RULE_RSP, 24, -16);
}
END_TEST

/* rbx, and what the caller pushed. */
START_TEST(other_registers_are_passed_over) {
    open_common();
    ADD(0x83, 5, 0x05, 3, 5, 0x11, 3, 5, 0xc3, 0x06, 3, 0x07, 3, 0x08, 3, 0x09, 3, 6);
    ADD(0x14, 3, 1, 0x15, 3, 1, 0x10, 3, 2, 0x77, 8, 0x16, 3, 3, 0x77, 0x88, 1);
    ADD(0x2e, 0xbc, 0x3c, 0x2e, 0x3c, 0x00, 0x0e, 16);
    expect(0, NATIVE_RULE_RSP, 16, 0);
}
END_TEST

/* In another register, as a value, or by an expression that is not rbp and a number. */
START_TEST(another_place_of_rbp_ends_a_walk) {
    static const unsigned char places[][6] = {
        {0x07, 6},       {0x09, 6, 3},          {0x14, 6, 1},
        {0x15, 6, 1},    {0x16, 6, 2, 0x76, 0}, {0x10, 6, 2, 0x77, 0},
        {0x05, 6, 0, 0}, {0x10, 6, 2, 0x76, 0}, {0x10, 6, 0},
    };
    for (size_t at = 0; at < sizeof places / sizeof *places; at++) {
        open_common();
        add(places[at], sizeof places[at]);
        expect(0, NATIVE_RULE_OTHER, 0, 0);
    }
}
END_TEST

START_TEST(the_return_address_is_below_the_cfa) {
    open_common();
    ADD(0x90, 2, 0x41, 0x08, 16, 0x41, 0x90, 1, 0x41, 0x09, 16, 3);
    ADD(0x41, 0x10, 16, 2, 0x76, 0x78);
    expect(0, NATIVE_RULE_OTHER, 0, 0);
    expect(1, NATIVE_RULE_OTHER, 0, 0);
    expect(2, NATIVE_RULE_RSP, 8, 0);
    expect(3, NATIVE_RULE_OTHER, 0, 0);
    expect(4, NATIVE_RULE_OTHER, 0, 0);
}
END_TEST

/* Both where the compilers put them, and not a word further. */
START_TEST(a_realigned_stack_takes_two_expressions) {
    open_common();
    ADD(0x0f, 3, 0x76, 0x78, 6, 0x10, 6, 2, 0x76, 0);
    expect(0, NATIVE_RULE_WORD, -8, 0);
    ADD(0x10, 6, 3, 0x76, 0, 6);
    expect(0, NATIVE_RULE_OTHER, 0, 0);
    ADD(0x10, 6, 2, 0x76, 0x70);
    expect(0, NATIVE_RULE_WORD, -8, -16);
    ADD(0x86, 2);
    expect(0, NATIVE_RULE_OTHER, 0, 0);
}
END_TEST

START_TEST(the_kernels_frame_is_known_by_its_entry) {
    open_common();
    common.is_signal = true;
    ADD(0x0f, 2, 0x77, 0, 0x07, 16);
    expect(0, NATIVE_RULE_SIGNAL, 0, 0);
    ADD(0x3c);
    expect(0, NATIVE_RULE_OTHER, 0, 0);
}
END_TEST

static void remember(unsigned count) {
    open_common();
    for (unsigned at = 0; at < count; at++)
        ADD(0x0a, 0x0e, 16);
}

START_TEST(states_are_remembered_to_a_limit) {
    remember(8);
    expect(0, NATIVE_RULE_RSP, 16, 0);
    for (unsigned at = 0; at < 8; at++)
        ADD(0x0b);
    expect(0, NATIVE_RULE_RSP, 8, 0);
    ADD(0x0b);
    expect(0, NATIVE_RULE_OTHER, 0, 0);
    remember(9);
    expect(0, NATIVE_RULE_OTHER, 0, 0);
}
END_TEST

/* What comes after the address may be anything. */
START_TEST(nothing_behind_the_address_is_run) {
    open_common();
    ADD(0x0e, 16, 0x44, 0x3c);
    expect(3, NATIVE_RULE_RSP, 16, 0);
    expect(4, NATIVE_RULE_OTHER, 0, 0);
}
END_TEST

START_TEST(a_program_may_end_anywhere) {
    open_common();
    ADD(0x0c, 7, 16, 0x86, 2, 0x10, 3, 0xff, 0x7f, 0x76, 8, 0x0f, 0xff, 0xff, 0xff);
    for (; size > 0; size--)
        ck_assert_int_le(run(0).rule, NATIVE_RULE_ABSENT);
}
END_TEST

/* Nothing but an end, and what was there is overwritten. */
START_TEST(random_programs_come_to_an_end) {
    uint64_t state = 11;
    for (int turn = 0; turn < 20000; turn++) {
        open_common();
        for (size = 0; size < 24; size++)
            program[size] = (unsigned char)random_below(&state, 256);
        ck_assert_int_le(run(random_below(&state, 64)).rule, NATIVE_RULE_ROOT);
    }
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        without_a_program_the_common_one_holds,
        units_are_those_of_the_common_entry,
        each_advance_has_its_width,
        a_place_is_set,
        rbp_is_saved_in_each_way,
        restored_is_what_was_at_the_start,
        other_registers_are_passed_over,
        another_place_of_rbp_ends_a_walk,
        the_return_address_is_below_the_cfa,
        a_realigned_stack_takes_two_expressions,
        the_kernels_frame_is_known_by_its_entry,
        states_are_remembered_to_a_limit,
        nothing_behind_the_address_is_run,
        a_program_may_end_anywhere,
        random_programs_come_to_an_end,
    };
    return suite_run("cfi_interpreter", tests, sizeof tests / sizeof *tests);
}
