/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "check_run.h"
#include "merge/merged_dump.h"
#include "opened_dump.h"
#include "show/process_list.h"

static struct dump_reader *merged;
static struct frame_names names;
static struct profile profile;

/* Two processes; the second holds more. */
static void set_up(void) {
    struct dump_reader *parts[2];
    for (uint32_t i = 0; i < 2; i++) {
        struct dump_maker maker;
        dump_maker_open(&maker);
        maker.header.pid = 100 + i;
        maker.header.run_id = 7;
        snprintf(maker.header.title, sizeof maker.header.title,
                 i == 0 ? "app: worker 0" : "python3 app.py");
        strcpy(maker.header.comm, i == 0 ? "" : "worker-1");
        maker.header.start_time += i;
        uint32_t site = dump_maker_site(&maker, 0, 0);
        dump_maker_bucket(&maker, site, 10, i + 1, 0);
        parts[i] = opened_dump_read(&maker);
        dump_maker_close(&maker);
    }
    ck_assert_int_eq(merged_dump_open(&merged, parts, 2), 0);
    dump_reader_close(parts[0]);
    dump_reader_close(parts[1]);
    ck_assert_int_eq(frame_names_open(&names), 0);
    ck_assert_int_eq(profile_open(&profile, merged, &names, PROFILE_NOW), 0);
}

static void tear_down(void) {
    profile_close(&profile);
    frame_names_close(&names);
    dump_reader_close(merged);
}

START_TEST(the_largest_comes_first) {
    struct process_share *shares = process_list_shares(&profile);
    ck_assert_ptr_nonnull(shares);
    ck_assert_uint_eq(shares[0].process, 1);
    ck_assert_uint_eq(shares[0].weight.size, 20);
    ck_assert_uint_eq(shares[1].process, 0);
    ck_assert_uint_eq(shares[1].weight.count, 1);
    free(shares);
}
END_TEST

START_TEST(one_is_kept) {
    process_list_keep(&profile, 0);
    ck_assert_uint_eq(profile.total.size, 10);
    process_list_keep(&profile, 1);
    ck_assert_uint_eq(profile.total.size, 0);
}
END_TEST

START_TEST(titles_name_pid_and_program) {
    char *title = process_list_title(merged, 1);
    ck_assert_str_eq(title, "101: [2] [worker-1] python3 app.py");
    free(title);
    title = process_list_title(merged, 0);
    ck_assert_str_eq(title, "100: [1] app: worker 0, started as python3 app.py");
    free(title);
}
END_TEST

START_TEST(a_comm_of_the_kernel_says_nothing) {
    static const char *const usual[] = {"", "python3", "app.py"};
    struct tracemalloc_dump_process *process = &merged->processes[1];
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        strcpy(process->comm, usual[i]);
        ck_assert(!process_list_has_comm(merged, 1));
    }
    strcpy(process->comm, "python");
    ck_assert(process_list_has_comm(merged, 1));
}
END_TEST

START_TEST(a_number_needs_a_run_of_several) {
    ck_assert_uint_eq(process_list_number(merged, 0), 1);
    merged->processes[1].run_id = 8;
    ck_assert_uint_eq(process_list_number(merged, 0), 0);
    merged->processes[0].run_id = merged->processes[1].run_id = 0;
    ck_assert_uint_eq(process_list_number(merged, 1), 0);
}
END_TEST

START_TEST(the_same_for_programs) {
    char *output = NULL;
    size_t size;
    struct json_writer writer;
    FILE *stream = open_memstream(&output, &size);
    ck_assert_int_eq(json_writer_open(&writer, stream), 0);
    json_writer_open_map(&writer);
    process_list_add_json(&writer, merged, 0);
    json_writer_close_map(&writer);
    ck_assert_int_eq(json_writer_close(&writer), 0);
    fclose(stream);
    ck_assert_str_eq(output, "{\"pid\":100,\"ppid\":1,\"argv\":[\"python3\","
                             "\"app.py\"],\"title\":\"app: worker 0\",\"comm\":null,"
                             "\"number_in_run\":1,\"state\":\"exited\"}\n");
    free(output);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("process_list");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, the_largest_comes_first);
    tcase_add_test(tests, one_is_kept);
    tcase_add_test(tests, titles_name_pid_and_program);
    tcase_add_test(tests, a_comm_of_the_kernel_says_nothing);
    tcase_add_test(tests, a_number_needs_a_run_of_several);
    tcase_add_test(tests, the_same_for_programs);
    return check_run("process_list", tests);
}
