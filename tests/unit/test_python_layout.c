/* SPDX-License-Identifier: MIT */
/* Which versions are accepted, and what is taken from debug offsets. That the rows are
 * true is for tests/e2e/check_layout.py to say. */
#include "check_run.h"
#include "stack/python/python_layout.h"

#include <errno.h>
#include <string.h>

enum { WORDS = 128, HEX_3_13 = 0x030d00f0, HEX_3_14 = 0x030e00f0 };

/* A _PyRuntime of 3.13: each offset by its word in the description. */
static void describe(uint64_t *words, uint32_t version_hex) {
    static const struct {
        uint8_t word;
        uint16_t value;
    } values[] = {{4, 608}, {22, 16},  {23, 72},  {24, 152}, {29, 8},   {30, 0},
                  {31, 56}, {33, 70},  {35, 112}, {36, 120}, {37, 128}, {38, 136},
                  {39, 68}, {43, 200}, {45, 8},   {49, 168}, {65, 16},  {66, 32},
                  {68, 32}, {69, 16},  {70, 40}};

    memset(words, 0, WORDS * sizeof(*words));
    memcpy(words, "xdebugpy", 8);
    words[1] = version_hex;
    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++)
        words[values[i].word] = values[i].value;
}

START_TEST(every_constant_row_is_its_own_version) {
    struct python_layout layout;

    for (uint32_t minor = 6; minor <= 12; minor++) {
        uint32_t hex = 0x030000f0 | minor << 16;

        ck_assert_int_eq(python_layout_fill(&layout, hex, NULL), 0);
        ck_assert_uint_eq(layout.version, 0x300 | minor);
        ck_assert_uint_eq(layout.object_type, 8);
        ck_assert_uint_gt(layout.code_filename, 0);
        ck_assert_uint_gt(layout.code_bytecode, layout.code_first_traceable);
    }
}
END_TEST

START_TEST(unknown_versions_and_pre_releases_are_refused) {
    const uint32_t refused[] = {0x020712f0, 0x030508f0, 0x031000f0, 0x040000f0,
                                0x030b00a7, 0x030c00c1, 0x030d00b2, 0};
    struct python_layout layout;

    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        ck_assert_int_eq(python_layout_fill(&layout, refused[i], NULL), -ENOTSUP);
        ck_assert_uint_eq(layout.version, refused[i] >> 16);
    }
}
END_TEST

START_TEST(later_versions_are_read_from_the_debug_offsets) {
    struct python_layout layout;
    uint64_t words[WORDS];

    describe(words, HEX_3_13);
    words[23] = 80;
    ck_assert_int_eq(python_layout_fill(&layout, HEX_3_13, words), 0);
    ck_assert_uint_eq(layout.tstate_frame, 80);
    ck_assert_uint_eq(layout.frame_owner, 70);
    ck_assert_uint_eq(layout.code_bytecode, 200);
    ck_assert_uint_eq(layout.runtime_finalizing, 608);
    ck_assert_uint_eq(layout.code_first_traceable, 184);
}
END_TEST

START_TEST(strange_debug_offsets_are_refused) {
    struct python_layout layout;
    uint64_t words[WORDS];

    ck_assert_int_eq(python_layout_fill(&layout, HEX_3_13, NULL), -EINVAL);
    describe(words, HEX_3_13);
    ck_assert_int_eq(python_layout_fill(&layout, HEX_3_14, words), -EINVAL);
    words[2] = 1;
    ck_assert_int_eq(python_layout_fill(&layout, HEX_3_13, words), -ENOTSUP);
    describe(words, HEX_3_13);
    words[43] = 1 << 20;
    ck_assert_int_eq(python_layout_fill(&layout, HEX_3_13, words), -EINVAL);
    describe(words, HEX_3_13);
    memmove(words + 24, words + 23, 60 * sizeof(*words));
    ck_assert_int_eq(python_layout_fill(&layout, HEX_3_13, words), -EINVAL);
    describe(words, HEX_3_13);
    memset(words, 'x', 8);
    ck_assert_int_eq(python_layout_fill(&layout, HEX_3_13, words), -EINVAL);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("python_layout");
    tcase_add_test(tests, every_constant_row_is_its_own_version);
    tcase_add_test(tests, unknown_versions_and_pre_releases_are_refused);
    tcase_add_test(tests, later_versions_are_read_from_the_debug_offsets);
    tcase_add_test(tests, strange_debug_offsets_are_refused);
    return check_run("python_layout", tests);
}
