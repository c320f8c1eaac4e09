/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "check_run.h"
#include "dump/dump_writer.h"
#include "merge/merged_dump.h"
#include "opened_dump.h"

static struct dump_maker maker;

static void set_up(void) {
    dump_maker_open(&maker);
    dump_maker_fill(&maker, 5000);
}

static void tear_down(void) {
    dump_maker_close(&maker);
}

static struct dump_reader *write_and_read(const struct dump_reader *reader) {
    struct dump_reader *again;
    int fd = dump_maker_memory_file("", 0);
    ck_assert_int_eq(dump_writer_write(reader, fd), 0);
    ck_assert_int_eq(dump_reader_open_fd(&again, fd), 0);
    close(fd);
    return again;
}

START_TEST(what_is_written_reads_the_same) {
    struct dump_reader *reader = opened_dump_read(&maker);
    struct dump_reader *again = write_and_read(reader);
    ck_assert_uint_eq(again->damaged, 0);
    ck_assert_uint_eq(again->missing, 0);
    ck_assert_uint_eq(again->state, reader->state);
    ck_assert_uint_eq(again->bucket_count, reader->bucket_count);
    ck_assert_mem_eq(again->buckets, reader->buckets,
                     reader->bucket_count * sizeof *reader->buckets);
    ck_assert_uint_eq(again->stack_count, reader->stack_count);
    ck_assert_mem_eq(again->stacks, reader->stacks,
                     reader->stack_count * sizeof *reader->stacks);
    ck_assert_mem_eq(again->strings, reader->strings, reader->string_bytes);
    ck_assert_uint_eq(again->processes[0].pid, reader->processes[0].pid);
    dump_reader_close(again);
    dump_reader_close(reader);
}
END_TEST

START_TEST(merged_processes_stay_apart) {
    struct dump_reader *part = opened_dump_read(&maker), *merged;
    struct dump_reader *parts[2] = {part, part};
    ck_assert_int_eq(merged_dump_open(&merged, parts, 2), 0);
    struct dump_reader *again = write_and_read(merged);
    ck_assert_uint_eq(again->process_count, 2);
    ck_assert_uint_eq(again->damaged, 0);
    ck_assert_uint_eq(again->sites[part->site_count].process, 1);
    ck_assert_uint_eq(again->processes[1].state, TRACEMALLOC_DUMP_EXITED);
    dump_reader_close(again);
    dump_reader_close(merged);
    dump_reader_close(part);
}
END_TEST

START_TEST(a_killed_process_stays_killed) {
    maker.header.state = TRACEMALLOC_DUMP_TRACING;
    struct dump_reader *part = opened_dump_read(&maker), *merged;
    ck_assert_uint_eq(part->state, DUMP_READER_KILLED);
    ck_assert_int_eq(merged_dump_open(&merged, &part, 1), 0);
    struct dump_reader *again = write_and_read(merged);
    ck_assert_uint_eq(again->state, DUMP_READER_KILLED);
    ck_assert_uint_eq(again->processes[0].state, DUMP_READER_KILLED);
    dump_reader_close(again);
    dump_reader_close(merged);
    dump_reader_close(part);
}
END_TEST

START_TEST(what_was_damaged_stays_known) {
    struct tracemalloc_dump_stack *stack =
        dump_maker_entry(&maker, TRACEMALLOC_DUMP_STACKS, 5);
    stack->parent = 1000000;
    struct dump_reader *reader = opened_dump_read(&maker);
    ck_assert_uint_eq(reader->damaged, 1);
    struct dump_reader *again = write_and_read(reader);
    ck_assert_uint_eq(again->damaged, 0);
    ck_assert_uint_eq(again->header.lost[TRACEMALLOC_DUMP_LOST_DAMAGE], 1);
    dump_reader_close(again);
    dump_reader_close(reader);
}
END_TEST

START_TEST(an_error_is_reported) {
    struct dump_reader *reader = opened_dump_read(&maker);
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    ck_assert_int_lt(dump_writer_write(reader, fd), 0);
    close(fd);
    dump_reader_close(reader);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("dump_writer");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, what_is_written_reads_the_same);
    tcase_add_test(tests, merged_processes_stay_apart);
    tcase_add_test(tests, a_killed_process_stays_killed);
    tcase_add_test(tests, what_was_damaged_stays_known);
    tcase_add_test(tests, an_error_is_reported);
    return check_run("dump_writer", tests);
}
