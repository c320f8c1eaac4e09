/* SPDX-License-Identifier: MIT */
#include "stack/native/x86_64/native_expression.h"

#include <errno.h>

#include "suite.h"

static struct native_expression value;

static int read_bytes(const unsigned char *bytes, size_t size, uint64_t address) {
    struct native_bytes from = {bytes, bytes + size};
    int status = native_expression_read(&from, address, &value);
    ck_assert_ptr_eq(from.at, bytes + size);
    return status;
}

/* With its length in front. */
#define READ(address, ...)                                                             \
    read_bytes(                                                                        \
        (const unsigned char[]){sizeof((unsigned char[]){__VA_ARGS__}), __VA_ARGS__},  \
        sizeof((unsigned char[]){__VA_ARGS__}) + 1, address)

static void expect(uint64_t base, int64_t offset, bool is_word) {
    ck_assert_uint_eq(value.base, base);
    ck_assert_int_eq(value.offset, offset);
    ck_assert(value.is_word == is_word);
}

START_TEST(a_register_and_a_number) {
    ck_assert_int_eq(READ(0, 0x77, 16), 0);
    expect(7, 16, false);
    ck_assert_int_eq(READ(0, 0x76, 0x78), 0);
    expect(6, -8, false);
    ck_assert_int_eq(READ(0, 0x76, 0x78, 0x06), 0);
    expect(6, -8, true);
    ck_assert_int_eq(READ(0, 0x77, 0, 0x23, 0x80, 0x01), 0);
    expect(7, 128, false);
}
END_TEST

/* rsp + 8 + ((rip & 15) >= 11) * 8, as linkers describe their stubs. */
START_TEST(a_stub_of_a_call_to_another_file) {
    for (uint64_t at = 0; at < 16; at++) {
        ck_assert_int_eq(READ(0x1000 + at, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a,
                              0x33, 0x24, 0x22),
                         0);
        expect(7, at >= 11 ? 16 : 8, false);
    }
}
END_TEST

START_TEST(numbers_alone) {
    ck_assert_int_eq(READ(0, 0x08, 200, 0x32, 0x1c), 0);
    expect(NATIVE_EXPRESSION_CONSTANT, 198, false);
    ck_assert_int_eq(READ(0, 0x35, 0x32, 0x21), 0);
    expect(NATIVE_EXPRESSION_CONSTANT, 7, false);
    ck_assert_int_eq(READ(0, 0x35, 0x32, 0x2b), 0);
    expect(NATIVE_EXPRESSION_CONSTANT, 1, false);
    ck_assert_int_eq(READ(0, 0x35, 0x08, 64, 0x24), 0);
    expect(NATIVE_EXPRESSION_CONSTANT, 0, false);
}
END_TEST

START_TEST(what_says_more_is_refused) {
    ck_assert_int_eq(READ(0, 0x73, 0), -ENOTSUP);
    ck_assert_int_eq(READ(0, 0x77, 0, 0x76, 0, 0x22), -ENOTSUP);
    ck_assert_int_eq(READ(0, 0x77, 0, 0x3f, 0x1a), -ENOTSUP);
    ck_assert_int_eq(READ(0, 0x32, 0x77, 0, 0x1c), -ENOTSUP);
    ck_assert_int_eq(READ(0, 0x76, 0, 0x06, 0x23, 8), -ENOTSUP);
    ck_assert_int_eq(READ(0, 0x76, 0, 0x06, 0x06), -ENOTSUP);
    ck_assert_int_eq(READ(0, 0x06), -ENOTSUP);
    ck_assert_int_eq(READ(0, 0x22), -ENOTSUP);
    ck_assert_int_eq(READ(0, 0x31, 0x31), -ENOTSUP);
    ck_assert_int_eq(READ(0, 0x31, 0x31, 0x31, 0x31, 0x31, 0x31, 0x31, 0x31, 0x31),
                     -ENOTSUP);
    ck_assert_int_eq(READ(0, 0xff), -ENOTSUP);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        a_register_and_a_number,
        a_stub_of_a_call_to_another_file,
        numbers_alone,
        what_says_more_is_refused,
    };
    return suite_run("native_expression", tests, sizeof tests / sizeof *tests);
}
