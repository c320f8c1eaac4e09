/* SPDX-License-Identifier: MIT */
/* Prepares the stacks of a dump with native frames for reports: each function at a
 * native address becomes a frame of its own, or native frames are removed.
 *
 * For offline code; allocates; one thread at a time. The tree of stacks is rebuilt, so
 * that code which reads it afterwards finds only code objects (see dump_reader_native):
 *
 *   in the file   main.py:3   python 0x5678    libx.so 0x1234
 *   all           main.py:3   cfunction_call   outer x.c:70   inlined_into_outer x.h:12
 *   folded        main.py:3   CPython 3.11     outer x.c:70   inlined_into_outer x.h:12
 *   by owner      main.py:3                    (detail: inlined_into_outer x.h:12)
 *
 * Folded, adjacent frames of the interpreter are one frame without a source; those just
 * outside a Python frame are dropped, because they are between any two Python frames.
 * By owner, a block is attributed to its most recent Python frame; a block without one
 * is shown folded.
 *
 * A stack shows the most recent frames of each kind, up to the header's limits: the
 * stack of each site is cut to them, and nframe is set to the length of the longest.
 * Whole stacks keep the header's nframe, which limits Python frames only.
 */
#pragma once

#include <stdbool.h>

#include "base/compiler.h"
#include "dump/dump_reader.h"
#include "symbols/symbols.h"

enum shown_native {
    SHOWN_NATIVE_FOLDED,
    SHOWN_NATIVE_BY_OWNER,
    SHOWN_NATIVE_ALL,
    SHOWN_NATIVE_NONE,
};

struct shown_stacks_options {
    enum shown_native native;
    bool whole;         /* do not cut stacks */
    const bool *wanted; /* by site: whether it is shown; NULL if all are. Other sites
                                get the empty stack, and their frames are not named */
    struct symbols *symbols; /* if NULL, only names recorded in the dump are used */
};

/* Changes a dump in memory; without native frames it is unchanged. 0, -ENOMEM, or
 * -EFBIG for stacks so deep that the dump must be damaged. */
must_check int shown_stacks_apply(struct dump_reader *reader,
                                  const struct shown_stacks_options *options);
