/* SPDX-License-Identifier: MIT */
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "check_run.h"
#include "opened_dump.h"
#include "show/summary_advice.h"
#include "show/summary_text.h"

static struct dump_maker maker;
static char *output;

static void set_up(void) {
    setlocale(LC_CTYPE, "C.UTF-8");
    dump_maker_open(&maker);
}

static void tear_down(void) {
    free(output);
    output = NULL;
    dump_maker_close(&maker);
}

static uint32_t hold(uint32_t line, uint64_t bytes, uint32_t live, uint32_t at_exit) {
    uint32_t code = dump_maker_code(&maker, "/srv/app.py", "f");
    uint32_t site = dump_maker_site(&maker, dump_maker_stack(&maker, 0, code, line), 0);
    dump_maker_bucket(&maker, site, bytes, live, at_exit);
    return site;
}

static void print(size_t width) {
    struct summary summary;
    size_t size;
    struct dump_reader *reader = opened_dump_read(&maker);
    ck_assert_int_eq(summary_open(&summary, reader), 0);
    summary_advice_give(&summary);
    FILE *stream = open_memstream(&output, &size);
    struct terminal terminal = {
        .out = stream, .interactive = width > 0, .width = width, .unicode = true};
    summary_text_print(&terminal, &summary);
    fclose(stream);
    summary_close(&summary);
    dump_reader_close(reader);
}

static void ck_has(const char *words) {
    ck_assert_msg(strstr(output, words) != NULL, "no %s in\n%s", words, output);
}

static void ck_has_not(const char *words) {
    ck_assert_msg(strstr(output, words) == NULL, "%s in\n%s", words, output);
}

START_TEST(the_sums_of_each_moment) {
    hold(3, 100, 4, 0);
    struct tracemalloc_dump_bucket *bucket =
        dump_maker_entry(&maker, TRACEMALLOC_DUMP_BUCKETS, 1);
    bucket->total = 20;
    dump_maker_peak(&maker, 1, 9);
    print(0);
    ck_has("now       400 B in 4 blocks\n");
    ck_has("peak      900 B in 9 blocks\n");
    ck_has("allocated 2000 B in 20 blocks\n");
    ck_has("     400 B     900 B    2000 B  f  /srv/app.py:3\n");
    ck_has("     100 B x 4      f  /srv/app.py:3\n");
    ck_has("to 256 B         400 B  100% ███");
    ck_has("Memory by use\n");
    ck_has_not("Processes");
    ck_has_not("Heap over time");
}
END_TEST

START_TEST(a_finished_program_is_told_of_at_its_exit) {
    maker.header.finalized = 1;
    hold(3, 100, 1, 4);
    print(0);
    ck_has("at exit   400 B in 4 blocks\n");
    ck_has_not("now ");
}
END_TEST

START_TEST(a_narrow_terminal_has_one_thing_below_the_other) {
    hold(3, 100, 4, 0);
    print(60);
    ck_has("by line\nf  /srv/app.py:3\n     400 B");
    ck_has("\nSizes of blocks\nto 64 B");
    ck_has("\nMemory by use\nPython");
    free(output);
    print(100);
    ck_has("\nSizes of blocks                                   Memory by use\n");
}
END_TEST

START_TEST(a_line_stands_once_though_it_leads_each_list) {
    for (uint32_t line = 1; line <= 7; line++)
        hold(line, 1000 - line, 1, 0);
    print(0);
    const char *top = strstr(output, "Top lines of each"), *end;
    ck_assert_ptr_nonnull(top);
    end = strstr(top, "Largest blocks");
    size_t rows = 0;
    for (const char *at = top; (at = strstr(at, "app.py:")) != NULL && at < end; at++)
        rows++;
    ck_assert_uint_eq(rows, SUMMARY_TOP);
}
END_TEST

START_TEST(the_heap_is_drawn_over_its_time) {
    hold(3, 100, 4, 0);
    for (uint64_t i = 0; i <= 10; i++) {
        struct tracemalloc_dump_timeline_sample sample = {i * 1000000000, i * 1024, 0,
                                                          5 << 20};
        dump_maker_append(&maker, TRACEMALLOC_DUMP_TIMELINE, &sample);
    }
    print(80);
    ck_has("Heap over time\n     10.0 KiB │");
    ck_has("\nRSS  5120 KiB │███");
    ck_has(" 10.0 s\n");
    ck_has("Resident memory: 5120 KiB");
}
END_TEST

START_TEST(a_damaged_timeline_is_drawn_with_what_a_number_can_hold) {
    hold(3, 100, 4, 0);
    for (uint64_t i = 0; i <= 10; i++) {
        struct tracemalloc_dump_timeline_sample sample = {i * 1000000000, UINT64_MAX,
                                                          UINT64_MAX, 1024};
        dump_maker_append(&maker, TRACEMALLOC_DUMP_TIMELINE, &sample);
    }
    print(80);
    ck_has("16777216 TiB │");
}
END_TEST

static void add_process(uint32_t pid, const char *argument) {
    struct tracemalloc_dump_process process = {
        .pid = pid,
        .state = TRACEMALLOC_DUMP_EXITED,
        .argv = dump_maker_bytes(&maker, argument, strlen(argument) + 1),
    };
    dump_maker_append(&maker, TRACEMALLOC_DUMP_PROCESSES, &process);
}

START_TEST(the_processes_of_a_merged_dump) {
    add_process(41, "server");
    add_process(42, "worker");
    hold(3, 100, 4, 0);
    uint32_t site = hold(3, 100, 9, 0);
    struct tracemalloc_dump_site *entry =
        dump_maker_entry(&maker, TRACEMALLOC_DUMP_SITES, site);
    entry->process = 1;
    print(0);
    ck_has("Processes: 2\n     900 B  42");
    ck_has("     400 B  41");
    ck_has("each process's own");
}
END_TEST

START_TEST(advice_is_broken_between_words) {
    hold(3, 100, 4, 0);
    print(50);
    char *advice = strstr(output, "Next\n");
    ck_assert_ptr_nonnull(advice);
    for (char *line = strtok(advice, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        ck_assert_uint_le(strlen(line), 50);
        ck_assert_int_ne(line[0], ' ');
        ck_assert_int_ne(line[strlen(line) - 1], ' ');
    }
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("summary_text");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, the_sums_of_each_moment);
    tcase_add_test(tests, a_finished_program_is_told_of_at_its_exit);
    tcase_add_test(tests, a_narrow_terminal_has_one_thing_below_the_other);
    tcase_add_test(tests, a_line_stands_once_though_it_leads_each_list);
    tcase_add_test(tests, the_heap_is_drawn_over_its_time);
    tcase_add_test(tests, a_damaged_timeline_is_drawn_with_what_a_number_can_hold);
    tcase_add_test(tests, the_processes_of_a_merged_dump);
    tcase_add_test(tests, advice_is_broken_between_words);
    return check_run("summary_text", tests);
}
