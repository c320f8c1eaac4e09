/* SPDX-License-Identifier: MIT */
/* A copy of the dump's contents at one instant, from which the module _tracemalloc
 * makes Python objects.
 *
 * Taken under the tracer's lock and read without it: making objects may run the garbage
 * collector, and so any code, which may even stop tracing. Memory comes from the arena.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "tracemalloc_dump.h"

/* The live blocks of one size, stack and domain. */
struct dump_view_bucket {
    uint64_t size;
    uint64_t blocks; /* live; of a sampled process, an estimate */
    uint32_t stack;
    uint32_t domain; /* public number */
};

struct dump_view {
    unsigned char *memory;
    uint64_t size;
    uint32_t nframe;
    bool has_native; /* native frames may be among the stacks */
    const struct tracemalloc_dump_stack *stacks;
    uint64_t stack_count;
    const struct tracemalloc_dump_code *code;
    const unsigned char *strings;
    uint64_t string_bytes;
    const struct dump_view_bucket *buckets; /* those with live blocks */
    uint64_t bucket_count;
    uint64_t block_count;
};

/* native: includes the blocks of libc and mmap. 0; -ENOENT if tracing is off;
 * -ENOMEM. */
must_check int dump_view_take(struct dump_view *view, bool native);
void dump_view_release(struct dump_view *view);

/* The Python frames of one stack, innermost first. */
struct stack_view {
    unsigned char *memory;
    uint64_t size;
    uint32_t length; /* number of frames that are shown */
    uint32_t total;  /* number of all Python frames */
    struct stack_view_frame {
        const char *filename;
        uint32_t filename_length;
        uint32_t line;
    } * frames;
};

/* The stack of the block at this address in the domain with this public number. Results
 * as above; -ENOENT also if the block is not traced. */
must_check int stack_view_take(struct stack_view *view, uint32_t domain,
                               uintptr_t block);
void stack_view_release(struct stack_view *view);
