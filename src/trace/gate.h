/* SPDX-License-Identifier: MIT */
/* Whether this process records: in a page of its own, which the kernel hands to a child
 * of a fork filled with zeros (MADV_WIPEONFORK, Linux 4.14).
 *
 * A child would share its parent's dump. After fork(3) the handlers of pthread_atfork
 * give it one of its own; a child of _Fork, or of a system call, runs no handler. There
 * the gate is closed from the first instruction on, at no cost to the events, which
 * load it in any case. A child that shares its parent's memory (vfork, CLONE_VM) shares
 * the page too, and records as the parent's threads do.
 *
 * Any thread; nothing here allocates.
 */
#pragma once

#include <stdbool.h>

#include "base/compiler.h"
#include "base/machine.h"

struct gate {
    bool open;   /* allocations are recorded; changes under the tracer's lock */
    bool active; /* events count; changes under the tracer's lock */
    bool is_own; /* no fork has passed unnoticed */
    unsigned char rest[MACHINE_PAGE - 3];
};

extern internal struct gate gate;

/* Once, from the constructor. */
void gate_prepare(void);

/* Whether the process is a child of which no handler was told: the tables are its
 * parent's, and their locks may be held by threads that it does not have. */
bool gate_is_wiped(void);

/* The process is a child, and the caller sees to what it has inherited. */
void gate_renew(void);
