/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check_run.h"
#include "fake_process.h"
#include "process/process_request.h"

static struct fake_process fake;
static struct target target;

static void begin(enum fake_behaviour behaviour, bool tracing) {
    fake_process_start(&fake, behaviour, tracing);
    ck_assert_int_eq(target_open(&target, fake.pid), 0);
    ck_assert_int_eq(target_is_tracing(&target), tracing);
}

static void end(void) {
    target_close(&target);
    fake_process_end(&fake);
}

static bool is_stopped(struct target *asked) {
    return live_dump_refresh(&asked->dump) == 0 &&
           asked->dump.header.state == TRACEMALLOC_DUMP_STOPPED;
}

static bool is_tracing(struct target *asked) {
    live_dump_close(&asked->dump);
    return live_dump_open(&asked->dump, &asked->status) == 0 &&
           target_is_tracing(asked);
}

static bool is_cleared(struct target *asked) {
    return live_dump_refresh(&asked->dump) == 0 &&
           asked->dump.header.cleared != asked->cleared;
}

static bool never(struct target *asked) {
    (void)asked;
    return false;
}

static int ask(enum request_kind kind, uint16_t nframe,
               bool (*is_done)(struct target *)) {
    return target_request(&target, (struct request){kind, nframe, 0}, is_done);
}

START_TEST(a_life_under_control) {
    begin(FAKE_OBEYS, true);
    ck_assert_str_eq(target.dump.path, fake.dump);
    ck_assert_int_eq(ask(REQUEST_CLEAR, 0, is_cleared), 0);
    ck_assert_int_eq(ask(REQUEST_STOP, 0, is_stopped), 0);
    target_close(&target);
    ck_assert_int_eq(target_open(&target, fake.pid), 0);
    ck_assert(!target_is_tracing(&target));
    ck_assert_int_eq(ask(REQUEST_START, 7, is_tracing), 0);
    ck_assert_uint_eq(target.dump.header.nframe, 7);
    ck_assert_str_eq(target.dump.path + strlen(target.dump.path) - 2, ".1");
    ck_assert_int_eq(fake_process_header(fake.dump).state, TRACEMALLOC_DUMP_STOPPED);
    end();
}
END_TEST

START_TEST(processes_that_are_not_asked) {
    ck_assert_int_eq(target_open(&target, 4194305), 1);
    fake_process_start(&fake, FAKE_NO_LIBRARY, true);
    ck_assert_int_eq(target_open(&target, fake.pid), 1);
    fake_process_end(&fake);
}
END_TEST

START_TEST(no_signal_without_a_handler) {
    begin(FAKE_IS_INERT, false);
    ck_assert_int_eq(ask(REQUEST_START, 1, never), 1);
    end();
}
END_TEST

START_TEST(no_signal_to_a_handler_of_its_own) {
    begin(FAKE_HAS_ITS_OWN, true);
    ck_assert_int_eq(ask(REQUEST_STOP, 0, never), 1);
    end();
}
END_TEST

static bool has_pending_signal(void) {
    char path[64], line[256];
    unsigned long pending = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)fake.pid);
    FILE *file = fopen(path, "r");
    while (fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "ShdPnd: %lx", &pending) == 1)
            break;
    fclose(file);
    return pending != 0;
}

START_TEST(a_process_that_is_held) {
    begin(FAKE_OBEYS, true);
    kill(fake.pid, SIGSTOP);
    while (target.status.state != 'T')
        ck_assert_int_eq(process_status_read(fake.pid, &target.status), 0);
    ck_assert_int_eq(ask(REQUEST_STOP, 0, is_stopped), 1);
    ck_assert(!has_pending_signal());
    kill(fake.pid, SIGCONT);
    ck_assert_int_eq(ask(REQUEST_STOP, 0, is_stopped), 0);
    end();
}
END_TEST

START_TEST(a_process_that_blocks_the_signal) {
    begin(FAKE_BLOCKS, true);
    ck_assert_int_eq(ask(REQUEST_STOP, 0, is_stopped), 1);
    ck_assert(!has_pending_signal());
    end();
}
END_TEST

START_TEST(a_process_that_does_not_answer) {
    begin(FAKE_IGNORES, true);
    ck_assert_int_eq(ask(REQUEST_STOP, 0, is_stopped), 1);
    end();
}
END_TEST

START_TEST(a_process_that_is_gone) {
    begin(FAKE_OBEYS, true);
    fake_process_kill(&fake);
    ck_assert_int_eq(ask(REQUEST_STOP, 0, is_stopped), 1);
    target_close(&target);
    fake_process_remove(&fake);
}
END_TEST

START_TEST(a_dump_that_lost_its_name) {
    begin(FAKE_OBEYS, true);
    target_close(&target);
    ck_assert_int_eq(unlink(fake.dump), 0);
    ck_assert_int_eq(target_open(&target, fake.pid), 0);
    ck_assert(target_is_tracing(&target));
    ck_assert_uint_eq(target.dump.header.nframe, 25);
    end();
}
END_TEST

START_TEST(another_file_under_the_dumps_name) {
    begin(FAKE_OBEYS, true);
    target_close(&target);
    ck_assert_int_eq(unlink(fake.dump), 0);
    ck_assert_int_eq(mkfifo(fake.dump, 0600), 0);
    ck_assert_int_eq(target_open(&target, fake.pid), 0);
    ck_assert(target_is_tracing(&target));
    end();
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("process_request");
    tcase_add_test(tests, a_life_under_control);
    tcase_add_test(tests, processes_that_are_not_asked);
    tcase_add_test(tests, no_signal_without_a_handler);
    tcase_add_test(tests, no_signal_to_a_handler_of_its_own);
    tcase_add_test(tests, a_process_that_is_held);
    tcase_add_test(tests, a_process_that_blocks_the_signal);
    tcase_add_test(tests, a_process_that_does_not_answer);
    tcase_add_test(tests, a_process_that_is_gone);
    tcase_add_test(tests, a_dump_that_lost_its_name);
    tcase_add_test(tests, another_file_under_the_dumps_name);
    return check_run("process_request", tests);
}
