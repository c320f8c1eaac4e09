/* SPDX-License-Identifier: MIT */
/* The walk over the frames of fake_python.h, compared with one that follows each
 * pointer. For tests; one thread; what fails ends the test.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "fake_python.h"
#include "stack/python/python_stack.h"

/* What the walk told, and what it is to be told. */
struct walked_python {
    bool is_ready; /* what it is told when it asks */
    int ready_asked, refusals, renewals;
    uint32_t code_count;
    bool watched[FAKE_CODES];
    struct python_stack stacks[FAKE_THREADS];
};

extern struct walked_python walked;

/* Until python_stack_close; the nodes stay. */
void walked_open(enum fake_version version, uint32_t nframe);

/* Nodes made so far. */
uint64_t walked_nodes(void);

uint32_t walked_capture(int thread);

/* The node's path is the thread's real chain, for the most recent frames at least. */
void walked_expect_node(int thread, uint32_t node, uint32_t nframe);

/* The same of the node that is captured now. */
void walked_expect(int thread, uint32_t nframe);
