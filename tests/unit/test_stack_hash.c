/* SPDX-License-Identifier: MIT */
#include "export/stack_hash.h"

#include <string.h>

#include "suite.h"

static void ck_hash(const char *text, const char *expected) {
    char shown[STACK_HASH_TEXT_SIZE];
    struct stack_hash hash = stack_hash_begin();
    stack_hash_add(&hash, text, strlen(text));
    stack_hash_format(hash, shown);
    ck_assert_str_eq(shown, expected);
}

/* Of the function's authors. */
START_TEST(the_known_hashes) {
    ck_hash("", "6c62272e07bb014262b821756295c58d");
    ck_hash("a", "d228cb696f1a8caf78912b704e4a8964");
    ck_hash("foobar", "343e1662793c64bf6f0d3597ba446f18");
}
END_TEST

START_TEST(texts_in_a_row_stay_apart) {
    struct stack_hash first = stack_hash_begin(), second = stack_hash_begin();
    stack_hash_add_text(&first, "ab", 2);
    stack_hash_add_text(&first, "c", 1);
    stack_hash_add_text(&second, "a", 1);
    stack_hash_add_text(&second, "bc", 2);
    ck_assert(first.high != second.high && first.low != second.low);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {the_known_hashes, texts_in_a_row_stay_apart};
    return suite_run("stack_hash", tests, sizeof tests / sizeof *tests);
}
