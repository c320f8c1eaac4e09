/* SPDX-License-Identifier: MIT */
/* One step up the stack by libunwind, for the odd frames whose rules native_rows has
 * no row for.
 *
 * The library is loaded by native_unwind_prepare, outside hooks, and has no cache of
 * its own then. It asks for the loaded objects by dl_iterate_phdr, which holds a lock
 * of the loader, whose holder may be waiting for the tracer's: while a thread is in
 * native_unwind_step, those calls are answered without a lock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* A frame as its function has it at the instruction `ip`. */
struct native_registers {
    uint64_t ip;
    uint64_t sp;
    uint64_t rbp;
    const uint64_t *slot;     /* where ip was read */
    const uint64_t *rbp_slot; /* where rbp was read; NULL: it is in the register */
    bool exact; /* a signal interrupted it at ip; else a call returns there */
};

/* 0; -ENOENT without a libunwind that can be used. */
must_check int native_unwind_prepare(void);

/* Bytes that a step needs, aligned to 16: too many for a hook's stack. */
enum { NATIVE_UNWIND_MEMORY = 8192 };

/* To the caller's frame. 1; 0 at the root; -EINVAL when it cannot be found. */
must_check int native_unwind_step(struct native_registers *registers, void *memory);
