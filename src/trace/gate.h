/* SPDX-License-Identifier: MIT */
/* Whether this process records. The flags are in a page of their own, which the kernel
 * fills with zeros in a forked child (MADV_WIPEONFORK, Linux 4.14).
 *
 * A forked child must not write to its parent's dump. After fork(3), the handlers of
 * pthread_atfork give the child a dump of its own; a child of _Fork, or of a system
 * call, runs no handler. In both the gate is closed from the first instruction, at no
 * cost: every event loads the flag anyway. A child that shares its parent's memory
 * (vfork, CLONE_VM) shares the page too, and records as the parent's threads do.
 *
 * Any thread; nothing here allocates.
 */
#pragma once

#include <stdbool.h>

#include "base/compiler.h"
#include "base/machine.h"

/* The path that an allocation takes where the gate is open. The fast one needs Python
 * frames, without native ones, and blocks that are aligned to BLOCK_MAP_GRANULE. */
enum gate_path {
    GATE_CLOSED,
    GATE_SLOW_PATH,
    GATE_FAST_PATH,        /* reads frames by python_walk.layout */
    GATE_FAST_PATH_RECENT, /* reads frames by python_recent_layout, a constant */
};

struct gate {
    /* All but the last are written under the tracer's lock. While the dump file is
     * deferred (see event_file_deferred), neither `open` nor `sampled` is set. */
    unsigned char open;  /* active, and every block is recorded: enum gate_path */
    bool sampled;        /* active, and a sample of the blocks is recorded */
    bool active;         /* tracing is on */
    unsigned char exact; /* active, and not sampling: the map's granule, in bytes */
    bool is_own;         /* false in a forked child until gate_renew */
    unsigned char rest[MACHINE_MAX_PAGE - 5];
};

extern internal struct gate gate;

/* A flag as a hook reads it before it takes the lock: what the tables were opened with
 * is read after it, also on processors that change the order of loads. Model:
 * tests/models/publication.pml. */
#define gate_flag(name) machine_load_published(&gate.name)

/* Allocations are recorded from now on, or no longer. Under the tracer's lock. */
static inline void gate_open(enum gate_path path, bool sampled) {
    unsigned char open = (unsigned char)(sampled ? GATE_CLOSED : path);
    __atomic_store_n(&gate.open, open, __ATOMIC_RELEASE);
    __atomic_store_n(&gate.sampled, sampled, __ATOMIC_RELEASE);
}
static inline void gate_close(void) {
    gate.open = GATE_CLOSED;
    gate.sampled = false;
}

/* Once, from the constructor. */
void gate_prepare(void);

/* Whether this process was forked and no handler has run in it: the tables are copies
 * of its parent's, and their locks may be held by threads that it does not have. */
bool gate_is_wiped(void);

/* In a forked child: the caller takes care of the tables that it inherited. */
void gate_renew(void);
