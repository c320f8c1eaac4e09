/* SPDX-License-Identifier: MIT */
/* The lines of a program that grow, in one process of one dump.
 *
 * A line is the innermost of the program's own frames above the blocks. If it is shared
 * by callers that keep what it makes and others that do not, the one that is named is
 * further out: the innermost whose share of blocks kept among those made is nearly the
 * best. Lines whose survivors are born in step belong to one object, and are one entry
 * under the line that carries most.
 *
 * For offline code; allocates; one thread at a time.
 */
#pragma once

#include <stdint.h>

#include "base/compiler.h"
#include "leak/leak_lines.h"

/* Finds what grows among the sites of a process whose weight is not 0. 0 or -ENOMEM. To
 * be closed in both cases; the profile has to live as long. */
must_check int leak_lines_open(struct leak_lines *lines, const struct profile *profile,
                               uint32_t process);
void leak_lines_close(struct leak_lines *lines);
