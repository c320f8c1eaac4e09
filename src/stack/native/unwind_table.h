/* SPDX-License-Identifier: MIT */
/* A cache of unwind entries by code address: how the frame is unwound, which module the
 * address belongs to, and whether a traceback shows it.
 *
 * Another module may be loaded at the address of one that was unloaded: a new epoch
 * begins whenever the loader has loaded or unloaded something. Entries of modules that
 * the program began with are always valid, others as long as the epoch.
 *
 * Under the tracer's lock, or with one thread. Memory comes from the arena.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "stack/native/native_cfi.h"
#include "stack/native/native_loads.h"
#include "stack/native/native_object.h"

enum native_flags {
    NATIVE_HIDDEN = 1,    /* code of the tracer, or an allocation function */
    NATIVE_EVALUATES = 2, /* the interpreter's evaluation function */
    NATIVE_TAIL_CALLS =
        4, /* with NATIVE_EVALUATES: it is small, instructions are functions */
    NATIVE_BY_REGISTER = 8, /* the frame depends on rbp in the top frame's register */
};

enum { NATIVE_MODULE_SHIFT = 48, NATIVE_MAX_MODULES = 1 << 15 };

/* Half a cache line. The key names the address in the dump: module << 48 | ELF virtual
 * address inside the instruction; in module 0 an absolute address. */
struct unwind_entry {
    uint64_t ip; /* 0: no entry */
    uint64_t key;
    uint32_t epoch;   /* 0: always valid */
    int32_t cfa, rbp; /* see struct native_cfi */
    uint8_t rule;
    uint8_t flags;
    uint16_t reserved;
};

struct unwind_table {
    uint32_t epoch; /* never 0 */
    uint64_t loads; /* see native_loads_now, when it began */
};

extern struct unwind_table unwind_table;

/* Gives a module its id in the dump. */
typedef uint32_t (*native_module)(const struct native_object *object);

/* Begins with an empty table. 0, or -ENOMEM. */
must_check int unwind_table_open(native_module module);
void unwind_table_close(void);

/* The entry of an instruction. `exact`: `ip` is the instruction that a signal
 * interrupted; else it is a return address, and the instruction is the one before it.
 * Never NULL; valid until the next call. */
const struct unwind_entry *unwind_table_find(uint64_t ip, bool exact);

/* At the beginning of an event. Without the loader's counters each event is an
 * epoch. */
static always_inline void unwind_table_notice(void) {
    uint64_t loads = unwind_table.loads;
    if (unlikely(native_loads.adds == NULL ||
                 (loads = native_loads_now()) != unwind_table.loads)) {
        unwind_table.loads = loads;
        unwind_table.epoch++;
    }
}
