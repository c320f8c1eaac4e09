/* SPDX-License-Identifier: MIT */
#include "walked_python.h"

#include <check.h>

#include "trace/stack_table.h"

enum { MOST_CODES = 1 << 16 };

struct walked_python walked;

static struct dump_file file;
static uint32_t name_of_code[MOST_CODES]; /* by the id that the sink gave */

static uint32_t add_code(const char *filename, size_t filename_length, const char *name,
                         size_t name_length, uint32_t first_line) {
    ck_assert_uint_eq(filename_length, name_length);
    ck_assert_mem_eq(filename, name, name_length);
    ck_assert_uint_eq(first_line % 100, 0);
    ck_assert_uint_lt(walked.code_count + 1, MOST_CODES);
    name_of_code[++walked.code_count] = fake_name_of_text(name, name_length);
    return walked.code_count;
}

static uint32_t add_node(uint32_t parent, uint32_t code, uint32_t line) {
    return stack_table_node(parent, code, line);
}

static void watch(const void *code) {
    for (int at = 0; at < FAKE_CODES; at++)
        if (fake_address(at) == code)
            walked.watched[at] = true;
}

static bool ready(void) {
    walked.ready_asked++;
    return walked.is_ready;
}

static void refused(void) {
    walked.refusals++;
}

static void renewed(void) {
    walked.renewals++;
}

static const struct python_stack_sink sink = {add_code, add_node, watch,
                                              ready,    refused,  renewed};

void walked_open(enum fake_version version, uint32_t nframe) {
    if (file.header == NULL) {
        ck_assert_int_eq(dump_file_open(&file, 256 << 20), 0);
        ck_assert_int_eq(stack_table_open(&file), 0);
    }
    walked.is_ready = true;
    fake_python_open(version);
    ck_assert_int_eq(python_stack_open(&fake_runtime, &sink, nframe), 0);
}

uint64_t walked_nodes(void) {
    return file.header->sections[TRACEMALLOC_DUMP_STACKS].count;
}

uint32_t walked_capture(int thread) {
    return python_stack_capture(&walked.stacks[thread], fake_thread(thread));
}

static const struct tracemalloc_dump_stack *node_at(uint32_t id) {
    return (struct tracemalloc_dump_stack *)file.base[TRACEMALLOC_DUMP_STACKS] + id;
}

static int next_shown(int frame) {
    while (frame >= 0 && fake_is_shim(frame))
        frame = fake_caller(frame);
    return frame;
}

void walked_expect_node(int thread, uint32_t node, uint32_t nframe) {
    uint32_t shown = 0;
    int frame = next_shown(fake_leaf(thread));
    for (; shown < nframe && frame >= 0;
         shown++, frame = next_shown(fake_caller(frame))) {
        ck_assert_uint_ne(node, 0);
        ck_assert_uint_eq(name_of_code[node_at(node)->code],
                          fake_name(fake_code(frame)));
        ck_assert_uint_eq(node_at(node)->line, fake_line(frame));
        node = node_at(node)->parent;
    }
    if (shown < nframe)
        ck_assert_uint_eq(node, 0);
}

void walked_expect(int thread, uint32_t nframe) {
    walked_expect_node(thread, walked_capture(thread), nframe);
}
