/* SPDX-License-Identifier: MIT */
/* Stands in front of libc's functions where the library came too late to interpose: in
 * the tables of addresses (GOT) by which the loaded objects call each other.
 *
 *   object's code → its own PLT → its own GOT slot → ours → libc's
 *
 * A slot is changed only if it leads to the function that ours stands in front of, or
 * is not bound yet; it is one aligned word, so that threads that call through it
 * meanwhile reach one or the other. Pages that the loader made read-only are made
 * read-only again. Nothing is remembered of a slot: to undo it is to lead those that
 * lead to ours back.
 *
 * Besides our exported functions: dlopen and dlsym, behind which new objects are
 * changed too; and libffi's ffi_call, by which ctypes and cffi call addresses that they
 * found before. The loader's own slots, and ours, stay as they are.
 *
 * Any thread, outside the tracer's locks: asks the loader for its objects, and changes
 * the protection of memory. No allocation; errno stays as it was.
 */
#pragma once

#include <stdbool.h>

#include "base/compiler.h"

/* Once, outside hooks: makes the list of functions. 0; -ENOENT if libc's cannot be
 * found. */
must_check int got_hooks_prepare(void);

/* Changes the slots of all objects that are loaded now, and from now on those of
 * objects that come later. Returns how many slots could not be changed. */
unsigned got_hooks_install(void);
/* They are to be removed. Also in a signal handler. */
void got_hooks_give_up(void);
/* Leads all of them back, after that. False if another thread is changing slots right
 * now: to be tried again. */
must_check bool got_hooks_remove(void);
/* In the child of a fork. */
void got_hooks_fork(void);
