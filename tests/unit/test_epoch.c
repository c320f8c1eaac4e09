/* SPDX-License-Identifier: MIT */
#include "base/epoch.h"

#include "suite.h"

START_TEST(each_epoch_is_another_one) {
    uint32_t before = epoch_now;
    ck_assert_uint_ne(before, 0);
    epoch_raise();
    ck_assert_uint_ne(epoch_now, before);
    ck_assert_uint_ne(epoch_now, 0);
}
END_TEST

/* What was never filled is of epoch 0, and must not come to be good. */
START_TEST(no_epoch_is_zero) {
    epoch_now = UINT32_MAX;
    epoch_raise();
    ck_assert_uint_eq(epoch_now, 1);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {each_epoch_is_another_one, no_epoch_is_zero};
    return suite_run("epoch", tests, sizeof tests / sizeof *tests);
}
