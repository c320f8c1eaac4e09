/* SPDX-License-Identifier: MIT */
#include "leak/leak_cluster.h"

#include <stdlib.h>

#include "suite.h"

enum { END = 40, MAX_LINES = 8 };

static struct leak_lines lines;

/* Each line is a frame of its own, and all of its survivors count. */
static void begin(void) {
    lines = (struct leak_lines){.lines = calloc(MAX_LINES, sizeof *lines.lines),
                                .capacity = MAX_LINES};
    ck_assert_ptr_nonnull(lines.lines);
}

static struct leak_line *add(enum leak_word word, double rate) {
    ck_assert_uint_lt(lines.count, MAX_LINES);
    struct leak_line *line = &lines.lines[lines.count++];
    line->named = line->own = (uint32_t)lines.count;
    line->judgement = (struct leak_judgement){
        .word = word, .bytes_rate = rate, .first = 4, .end = END};
    return line;
}

/* Survivors of each epoch: `scale` times a row of numbers that `seed` begins. */
static void keep(struct leak_line *line, uint32_t seed, uint64_t scale) {
    for (unsigned i = 0; i < END; i++) {
        seed = seed * 1103515245 + 12345;
        line->born[i] = (seed >> 16) % 8 * scale;
        line->judgement.survivors += line->born[i];
    }
}

static void cluster(void) {
    ck_assert_int_eq(leak_cluster(&lines), 0);
}

static void end(void) {
    free(lines.lines);
}

START_TEST(proportional_births_are_one) {
    begin();
    keep(add(LEAK_LEAK, 1), 1, 1);
    keep(add(LEAK_LEAK, 1), 1, 5);
    keep(add(LEAK_LEAK, 1), 2, 1);
    const struct leak_line *line = lines.lines;
    ck_assert(leak_cluster_is_one(&line[0], &line[1]));
    ck_assert(leak_cluster_is_one(&line[1], &line[0]));
    ck_assert(!leak_cluster_is_one(&line[0], &line[2]));
    end();
}
END_TEST

START_TEST(one_frame_is_one_however_it_grows) {
    begin();
    keep(add(LEAK_LEAK, 1), 1, 1);
    keep(add(LEAK_LEAK, 1), 2, 1);
    lines.lines[1].named = lines.lines[0].named;
    ck_assert(leak_cluster_is_one(&lines.lines[0], &lines.lines[1]));
    end();
}
END_TEST

/* A block that grows has no births to compare, and two epochs prove nothing. */
START_TEST(too_little_in_common_is_apart) {
    begin();
    keep(add(LEAK_LEAK, 1), 1, 1);
    add(LEAK_LEAK, 1);
    keep(add(LEAK_LEAK, 1), 1, 1);
    ck_assert(!leak_cluster_is_one(&lines.lines[0], &lines.lines[1]));
    ck_assert(leak_cluster_is_one(&lines.lines[0], &lines.lines[2]));
    lines.lines[2].judgement.first = END - 2;
    ck_assert(!leak_cluster_is_one(&lines.lines[0], &lines.lines[2]));
    end();
}
END_TEST

/* The line that carries most leads, and its entry is as much as all of its lines. */
START_TEST(an_entry_is_led_by_its_largest_line) {
    begin();
    keep(add(LEAK_LEAK, 10), 1, 1);  /* frame 1 */
    keep(add(LEAK_LEAK, 14), 2, 1);  /* frame 2 */
    keep(add(LEAK_WATCH, 12), 1, 3); /* frame 3, in step with the first */
    cluster();
    ck_assert_uint_eq(lines.count, 3);
    ck_assert_uint_eq(lines.lines[0].named, 3);
    ck_assert_uint_eq(lines.lines[0].leader, 0);
    ck_assert_uint_eq(lines.lines[1].named, 1);
    ck_assert_uint_eq(lines.lines[1].leader, 0);
    ck_assert_uint_eq(lines.lines[2].named, 2);
    ck_assert_uint_eq(lines.lines[2].leader, 2);
    end();
}
END_TEST

START_TEST(verdicts_come_first) {
    begin();
    keep(add(LEAK_WATCH, 1000), 1, 1);
    keep(add(LEAK_BACKLOG, 10), 2, 1);
    keep(add(LEAK_LEAK, 20), 3, 1);
    cluster();
    ck_assert_uint_eq(lines.lines[0].named, 3);
    ck_assert_uint_eq(lines.lines[1].named, 2);
    ck_assert_uint_eq(lines.lines[2].named, 1);
    end();
}
END_TEST

START_TEST(no_line_is_no_entry) {
    begin();
    cluster();
    ck_assert_uint_eq(lines.count, 0);
    end();
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        proportional_births_are_one,   one_frame_is_one_however_it_grows,
        too_little_in_common_is_apart, an_entry_is_led_by_its_largest_line,
        verdicts_come_first,           no_line_is_no_entry,
    };
    return suite_run("leak_cluster", tests, sizeof tests / sizeof *tests);
}
