/* SPDX-License-Identifier: MIT */
/* The stacks of a dump with native frames as reports show them: with the functions at
 * each address as frames of their own, or without native frames.
 *
 * For offline code; allocates; one thread at a time. The tree of stacks is built anew,
 * so that all who read it afterwards know only code objects (see dump_reader_native):
 *
 *   in the file   main.py:3    libx.so 0x1234
 *   shown         main.py:3    outer x.c:70    inlined_into_outer x.h:12
 *
 * A stack shows the most recent frames of each kind, as many as the header says; each
 * stack of a tally is then cut to them, and `nframe` becomes the length of the longest.
 * Whole stacks keep the header's limit, which is one on the frames of Python.
 */
#pragma once

#include <stdbool.h>

#include "base/compiler.h"
#include "dump/dump_reader.h"
#include "symbols/symbols.h"

struct shown_stacks_options {
    bool without_native;     /* leave native frames out */
    bool whole;              /* whole stacks */
    struct symbols *symbols; /* NULL: only what was recorded in the dump */
};

/* Changes a dump in memory; one without native frames stays as it is. 0, -ENOMEM, or
 * -EFBIG for stacks so deep that only damage explains them. */
must_check int shown_stacks_apply(struct dump_reader *reader,
                                  const struct shown_stacks_options *options);
