/* SPDX-License-Identifier: MIT */
/* A copy of what the dump says at one moment, for the module _tracemalloc to make objects of.
 *
 * Taken under the tracer's lock and read without it: making objects may run the garbage collector, and
 * with it any code, also one that stops the tracing. Memory comes from the arena.
 */
#pragma once

#include <stdint.h>

#include "base/compiler.h"
#include "tracemalloc_dump.h"

struct dump_view {
    unsigned char *memory;
    uint64_t size;
    uint32_t nframe;
    uint64_t counts[TRACEMALLOC_DUMP_SECTIONS];
    const unsigned char *sections[TRACEMALLOC_DUMP_SECTIONS];
};

/* 0; -ENOENT when nothing is traced; -ENOMEM. */
must_check int dump_view_take(struct dump_view *view);
void dump_view_release(struct dump_view *view);

/* One stack, the most recent frame first. */
struct stack_view {
    unsigned char *memory;
    uint64_t size;
    uint32_t length; /* frames that are shown */
    uint32_t total;  /* frames in all */
    struct stack_view_frame {
        const char *filename;
        uint32_t filename_length;
        uint32_t line;
    } * frames;
};

/* Of the block at this address that counts in the domain with this public number. As above; -ENOENT also when
 * it is not traced. */
must_check int stack_view_take(struct stack_view *view, uint32_t domain,
                               uintptr_t block);
void stack_view_release(struct stack_view *view);
