/* SPDX-License-Identifier: MIT */
/* Names for the threads of a dump, which holds none: of each stack the place where its
 * thread began, so that stacks of one thread share a name.
 *
 *   main        a module's top level, or the frozen code that starts the interpreter
 *   FUNCTION    what threading.Thread runs, or the oldest function of any other stack
 *   <unknown>   without Python frames
 *
 * Threads that run the same function share its name. For offline code; allocates; one
 * thread at a time.
 */
#pragma once

#include <stdint.h>

#include "base/compiler.h"
#include "dump/frame_names.h"
#include "profile/profile.h"

/* Gives an array of names by stack, to be freed. 0 or -ENOMEM; the profile's names are
 * `names`. */
must_check int thread_names_find(uint32_t **threads, const struct profile *profile,
                                 struct frame_names *names);
