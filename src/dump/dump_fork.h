/* SPDX-License-Identifier: MIT */
/* The dump of a forked child: a copy that the parent makes before the fork.
 *
 * A child would share its parent's file, which the parent goes on changing at once. The
 * copy is a file in memory. The parent writes it through a shared mapping; the child
 * puts a private mapping of it where the tables are, so that a page is copied a second
 * time only if the child writes to it:
 *
 *    parent   tables (the dump's file)  --copy-->  image (shared)
 *                                                    |  one file in memory
 *    child    tables  <--moved there--             view (private)
 *
 * The parent keeps an image, and copies into the pages that it has, if no child uses it
 * any more: the one for which it was made has a file of its own, or has ended. An image
 * of more than DUMP_FORK_MAX_KEPT bytes, or one where no file in memory can be had, is
 * private memory of which the parent's part is given back at once.
 *
 * All functions run under the tracer's lock, on the thread that forks. They allocate
 * nothing by malloc, hold no descriptor open afterwards, and leave errno alone.
 */
#pragma once

#include "base/compiler.h"
#include "dump/dump_memory.h"

enum { DUMP_FORK_MAX_KEPT = 4 << 20 }; /* bytes */

/* Before the fork. 0, or -ENOMEM: then dump_fork_in_child fails too. */
int dump_fork_before(struct dump_file *file);
/* After it, whether it succeeded or not. */
void dump_fork_in_parent(struct dump_file *file);
/* The dump is in anonymous memory from now on. 0, or -ENOMEM: then nothing of the dump
 * may be touched but by dump_file_close. */
must_check int dump_fork_in_child(struct dump_file *file);

/* The tables are in another memory now, or are about to be closed: gives back what
 * belongs to this process. */
void dump_fork_release(struct dump_file *file);
