/* SPDX-License-Identifier: MIT */
/* Code and str objects built in plain memory by the rows of 3.9 and 3.12. */
#include "check_run.h"
#include "stack/python/python_code.h"

#include <errno.h>
#include <string.h>
#include <wchar.h>

enum { STRING_FLAG = 1 << 28, BYTES_FLAG = 1 << 27 };
enum { COMPACT = 1 << 5, ASCII = 1 << 6, READY = 1 << 7 };

struct object {
    _Alignas(8) char bytes[512];
};

static struct python_layout layout;
static struct object string_type, bytes_type, code_type;

static void put(struct object *object, size_t offset, const void *value, size_t size) {
    memcpy(object->bytes + offset, value, size);
}

static void put_pointer(struct object *object, size_t offset, const void *value) {
    put(object, offset, &value, sizeof(value));
}

static void put_int(struct object *object, size_t offset, int value) {
    put(object, offset, &value, sizeof(value));
}

static void use_version(uint32_t version_hex) {
    const long string_flags = STRING_FLAG, bytes_flags = BYTES_FLAG;

    ck_assert_int_eq(python_layout_fill(&layout, version_hex, NULL), 0);
    put(&string_type, layout.type_flags, &string_flags, sizeof(long));
    put(&bytes_type, layout.type_flags, &bytes_flags, sizeof(long));
}

static struct object make_string(unsigned kind, int state, size_t length,
                                 const void *data) {
    size_t at = state & ASCII ? layout.string_ascii_data : layout.string_data;
    struct object string = {{0}};

    put_pointer(&string, layout.object_type, &string_type);
    put_pointer(&string, layout.string_length, (void *)length);
    put_int(&string, layout.string_state, (int)(kind << 2) | state);
    if (state & COMPACT)
        put(&string, at, data, length * kind);
    else
        put_pointer(&string, at, data);
    return string;
}

static struct object make_bytes(const void *data, size_t length) {
    struct object bytes = {{0}};

    put_pointer(&bytes, layout.object_type, &bytes_type);
    put_pointer(&bytes, layout.bytes_size, (void *)length);
    put(&bytes, layout.bytes_data, data, length);
    return bytes;
}

static struct object make_code(const struct object *name, const struct object *table) {
    struct object code = {{0}};

    put_pointer(&code, layout.object_type, &code_type);
    put_pointer(&code, layout.code_filename, name);
    put_pointer(&code, layout.code_name, name);
    if (layout.code_qualname)
        put_pointer(&code, layout.code_qualname, name);
    put_int(&code, layout.code_first_line, 7);
    put_pointer(&code, layout.code_line_table, table);
    return code;
}

static void expect_utf8(const struct object *string, const char *expected) {
    char buffer[64];
    bool truncated = true;
    ssize_t length =
        python_string_utf8(&layout, string, buffer, sizeof(buffer), &truncated);

    ck_assert_int_eq(length, (int)strlen(expected));
    ck_assert_mem_eq(buffer, expected, strlen(expected));
    ck_assert(!truncated);
}

START_TEST(strings_of_each_kind_become_utf8) {
    const uint16_t two[] = {0x41, 0x20ac, 0xd800};
    const uint32_t four[] = {0x1f600, 0x110000};
    struct object string;

    for (uint32_t hex = 0x030900f0; hex <= 0x030c00f0; hex += 0x30000) {
        use_version(hex);
        string = make_string(1, COMPACT | ASCII | READY, 5, "plain");
        expect_utf8(&string, "plain");
        string = make_string(1, COMPACT | READY, 3, "a\xe9\xff");
        expect_utf8(&string, "a\xc3\xa9\xc3\xbf");
        string = make_string(2, COMPACT | READY, 3, two);
        expect_utf8(&string, "A\xe2\x82\xac\xed\xa0\x80");
        string = make_string(4, COMPACT | READY, 2, four);
        expect_utf8(&string, "\xf0\x9f\x98\x80\xef\xbf\xbd");
        string = make_string(1, READY, 2, "\xe9!");
        expect_utf8(&string, "\xc3\xa9!");
    }
}
END_TEST

START_TEST(a_string_that_is_not_ready_is_read_from_its_wide_copy) {
    const wchar_t wide[] = L"w\u20ac";
    struct object string;

    use_version(0x030900f0);
    string = make_string(0, 0, 0, NULL);
    put_pointer(&string, layout.string_wide, wide);
    put_pointer(&string, layout.string_wide_length, (void *)2);
    expect_utf8(&string, "w\xe2\x82\xac");
}
END_TEST

START_TEST(long_strings_end_at_a_whole_code_point) {
    struct object string;
    char buffer[8] = "???????";
    bool truncated = false;

    use_version(0x030c00f0);
    string = make_string(1, COMPACT, 4, "a\xe9\xe9\xe9");
    ck_assert_int_eq(python_string_utf8(&layout, &string, buffer, 4, &truncated), 3);
    ck_assert(truncated);
    ck_assert_mem_eq(buffer, "a\xc3\xa9?", 4);
    ck_assert_int_eq(python_string_utf8(&layout, &string, buffer, 0, NULL), 0);
    ck_assert_int_eq(python_string_utf8(&layout, &string, buffer, 7, &truncated), 7);
    ck_assert(!truncated);
}
END_TEST

START_TEST(what_is_no_string_is_refused) {
    struct object bytes;
    char buffer[8];

    use_version(0x030c00f0);
    bytes = make_bytes("abc", 3);
    ck_assert_int_eq(python_string_utf8(&layout, &bytes, buffer, 8, NULL), -EINVAL);
    ck_assert_int_eq(python_string_utf8(&layout, NULL, buffer, 8, NULL), -EINVAL);
}
END_TEST

static int line_at(const struct python_code *code, const void *ip) {
    struct python_line_scan scan = {0};
    return python_code_line(&layout, code, ip, &scan);
}

START_TEST(code_is_read_and_its_type_checked) {
    struct object name, table, bytecode, code;
    struct python_code found;

    use_version(0x030900f0);
    name = make_string(1, COMPACT | ASCII | READY, 1, "f");
    table = make_bytes("\4\2", 2);
    bytecode = make_bytes("12345678", 8);
    code = make_code(&name, &table);
    ck_assert_int_eq(python_code_read(&layout, &code_type, &code, &found), -EINVAL);
    put_pointer(&code, layout.code_bytecode, &bytecode);
    ck_assert_int_eq(python_code_read(&layout, &code_type, &code, &found), 0);
    ck_assert_ptr_eq(found.filename, &name);
    ck_assert_ptr_eq(found.bytecode, bytecode.bytes + layout.bytes_data);
    ck_assert_uint_eq(found.line_table_length, 2);
    ck_assert_int_eq(line_at(&found, (void *)-1), 7);
    ck_assert_int_eq(line_at(&found, (void *)4), 9);
    ck_assert(!python_code_is_incomplete(&layout, &found, (void *)-1, 0));
    ck_assert_int_eq(python_code_read(&layout, &name, &code, &found), -EINVAL);
    ck_assert_int_eq(python_code_read(&layout, &code_type, NULL, &found), -EINVAL);
    put_pointer(&code, layout.code_line_table, &name);
    ck_assert_int_eq(python_code_read(&layout, &code_type, &code, &found), -EINVAL);
}
END_TEST

START_TEST(frames_before_resume_and_shims_are_incomplete) {
    struct object name, table, code;
    struct python_code found;

    use_version(0x030c00f0);
    name = make_string(1, COMPACT | ASCII, 1, "f");
    table = make_bytes("\xd8\1\2\xd8\1\2", 6);
    code = make_code(&name, &table);
    put_int(&code, layout.code_first_traceable, 1);
    ck_assert_int_eq(python_code_read(&layout, &code_type, &code, &found), 0);
    ck_assert_ptr_eq(found.bytecode, code.bytes + layout.code_bytecode);
    ck_assert(python_code_is_incomplete(&layout, &found, found.bytecode, 0));
    ck_assert(!python_code_is_incomplete(&layout, &found, found.bytecode + 2, 0));
    ck_assert(!python_code_is_incomplete(&layout, &found, found.bytecode,
                                         layout.owner_generator));
    ck_assert(python_code_is_incomplete(&layout, NULL, NULL, layout.owner_skip));
    ck_assert(!python_code_is_incomplete(&layout, NULL, NULL, 0));
    ck_assert_int_eq(line_at(&found, found.bytecode - 2), 7);
    ck_assert_int_eq(line_at(&found, found.bytecode + 2), 9);
    ck_assert_int_eq(line_at(&found, found.bytecode + 4), 0);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("python_code");
    tcase_add_test(tests, strings_of_each_kind_become_utf8);
    tcase_add_test(tests, a_string_that_is_not_ready_is_read_from_its_wide_copy);
    tcase_add_test(tests, long_strings_end_at_a_whole_code_point);
    tcase_add_test(tests, what_is_no_string_is_refused);
    tcase_add_test(tests, code_is_read_and_its_type_checked);
    tcase_add_test(tests, frames_before_resume_and_shims_are_incomplete);
    return check_run("python_code", tests);
}
