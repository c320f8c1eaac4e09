/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "check_run.h"
#include "control/request.h"
#include "tracemalloc_dump.h"

static void ck_same(struct request sent) {
    struct request received;
    ck_assert_int_eq(request_decode(request_encode(sent), &received), 0);
    ck_assert_int_eq(received.kind, sent.kind);
    ck_assert_uint_eq(received.nframe, sent.nframe);
    ck_assert_uint_eq(received.sample, sent.sample);
}

START_TEST(requests_arrive_as_they_were_sent) {
    ck_same((struct request){REQUEST_STOP, 0, 0});
    ck_same((struct request){REQUEST_CLEAR, 0, 0});
    ck_same((struct request){REQUEST_DETACH, 0, 0});
    ck_same((struct request){REQUEST_START, 1, REQUEST_SAMPLE_DEFAULT});
    ck_same((struct request){REQUEST_START, 65535, REQUEST_SAMPLE_NONE});
    ck_same((struct request){REQUEST_START, 25, 1});
    ck_same((struct request){REQUEST_START, 25, 123457});
    ck_same((struct request){REQUEST_START, 25, TRACEMALLOC_DUMP_MAX_SAMPLE_DISTANCE});
}
END_TEST

START_TEST(the_layout_is_fixed) {
    ck_assert_uint_eq(request_encode((struct request){REQUEST_START, 25, 0}),
                      0xa7020019);
    ck_assert_uint_eq(request_encode((struct request){REQUEST_START, 25, 0x80000}),
                      0x80000a7020019);
}
END_TEST

START_TEST(other_values_are_no_requests) {
    static const uint64_t values[] = {
        0,
        1,
        0xffffffff,
        0xa7000000,
        0xa7060000,
        0xa7050001,
        0xa6010000,
        0xa7020000,
        0xa7010001,
        0xa7030001,
        0x01a70000,
        0x40000001a7020019,
        0x80000a7010000,
        0x80000a7030000,
    };
    struct request request;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        ck_assert_int_eq(request_decode(values[i], &request), -EINVAL);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("request");
    tcase_add_test(tests, requests_arrive_as_they_were_sent);
    tcase_add_test(tests, the_layout_is_fixed);
    tcase_add_test(tests, other_values_are_no_requests);
    return check_run("request", tests);
}
