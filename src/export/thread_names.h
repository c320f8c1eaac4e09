/* SPDX-License-Identifier: MIT */
/* Derives names for the threads of a dump, which does not record them: the name of a
 * stack is the function that its thread began with, so that stacks of one thread have
 * the same name.
 *
 *   main        a module's top level, or the frozen code that starts the interpreter
 *   FUNCTION    target of threading.Thread, or the outermost function of other stacks
 *   <unknown>   without Python frames
 *
 * Threads that run the same function have the same name. For offline code; allocates;
 * one thread at a time.
 */
#pragma once

#include <stdint.h>

#include "base/compiler.h"
#include "dump/frame_names.h"
#include "profile/profile.h"

/* Gives an array of name ids by stack, which must be freed. 0 or -ENOMEM. `names` must
 * be those of the profile. */
must_check int thread_names_find(uint32_t **threads, const struct profile *profile,
                                 struct frame_names *names);
