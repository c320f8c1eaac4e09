/* SPDX-License-Identifier: MIT */
/* What is known of each address in a native stack: how its frame is unwound, which module it belongs to, and whether a
 * traceback shows it. Found out once, then kept by address.
 *
 * A module may be unloaded and another one be put at its place: the epoch tells. Rows of modules that are
 * there from the start are good for ever, others as long as the epoch stays, and while a module is being
 * unloaded they are not kept at all.
 *
 *   native_rows_closing(true)     no row of such a module is believed
 *   dlclose                       what was mapped there is gone
 *   native_rows_closing(false)    a new epoch
 *
 * Under the tracer's lock, or with one thread; native_rows_closing anywhere outside of it. Memory comes from the arena.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "stack/native_cfi.h"
#include "stack/native_object.h"

enum native_flags {
    NATIVE_HIDDEN = 1,    /* of the tracer, or an allocation function */
    NATIVE_EVALUATES = 2, /* the interpreter's evaluation function */
    NATIVE_TAIL_CALLS =
        4, /* with NATIVE_EVALUATES: it is small, instructions are functions */
    NATIVE_BY_REGISTER = 8, /* of a frame: it depends on the rbp that the leaf has */
};

enum { NATIVE_MODULE_SHIFT = 48, NATIVE_MOST_MODULES = 1 << 15 };

/* Half a cache line. */
struct native_row {
    uint64_t ip; /* 0: no row */
    uint64_t
        key; /* what names it in the dump: module << 48 | address inside the instruction: an ELF virtual
                         address, in module 0 an absolute one */
    uint32_t epoch;   /* 0: good for ever */
    int32_t cfa, rbp; /* of struct native_cfi */
    uint8_t rule;
    uint8_t flags;
    uint16_t reserved;
};

struct native_rows {
    uint32_t epoch;   /* raised whenever a module may have gone; never 0 */
    uint32_t closing; /* modules that are being unloaded; atomic, as the epoch */
};

extern struct native_rows native_rows;

/* Gives a module its id in the dump. */
typedef uint32_t (*native_module)(const struct native_object *object);

/* With no row known. 0, -ENOMEM, or -ENOSYS: the loader does not answer without a lock. */
must_check int native_rows_open(native_module module);
void native_rows_close(void);

/* The row of an instruction. `exact`: it is the one that a signal interrupted; else the address is where a call returns to, and
 * the instruction the one before. Never NULL; good until the next call. */
const struct native_row *native_rows_find(uint64_t ip, bool exact);

/* Around the real dlclose, on any thread, without a lock. */
void native_rows_closing(bool begins);
