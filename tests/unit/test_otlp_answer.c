/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "check_run.h"
#include "export/otlp_answer.h"

static char text[16];

START_TEST(nothing_to_say_is_success) {
    ck_assert_int_eq(otlp_answer_read("", 0, text, sizeof text), 0);
    ck_assert_int_eq(otlp_answer_read("\x0a\x00", 2, text, sizeof text), 0);
}
END_TEST

/* ExportResponse{partial_success{rejected_profiles: 3, error_message: "too old"}} */
START_TEST(a_rejection_has_a_number_and_a_reason) {
    static const char bytes[] = "\x0a\x0b\x08\x03\x12\x07too old";
    ck_assert_int_eq(otlp_answer_read(bytes, sizeof bytes - 1, text, sizeof text), 3);
    ck_assert_str_eq(text, "too old");
    char little[4];
    ck_assert_int_eq(otlp_answer_read(bytes, sizeof bytes - 1, little, 4), 3);
    ck_assert_str_eq(little, "too");
}
END_TEST

START_TEST(other_bytes_are_no_answer) {
    ck_assert_int_eq(otlp_answer_read("<html>", 6, text, sizeof text), -EBADMSG);
    ck_assert_int_eq(otlp_answer_read("\x0a\x0b\x08", 3, text, sizeof text), -EBADMSG);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("otlp_answer");
    tcase_add_test(tests, nothing_to_say_is_success);
    tcase_add_test(tests, a_rejection_has_a_number_and_a_reason);
    tcase_add_test(tests, other_bytes_are_no_answer);
    return check_run("otlp_answer", tests);
}
