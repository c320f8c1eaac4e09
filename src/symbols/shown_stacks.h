/* SPDX-License-Identifier: MIT */
/* The stacks of a dump with native frames as reports show them: with the functions at
 * each address as frames of their own, or without native frames.
 *
 * For offline code; allocates; one thread at a time. The tree of stacks is built anew,
 * so that all who read it afterwards know only code objects (see dump_reader_native):
 *
 * in the file main.py:3 python 0x5678 libx.so 0x1234 all main.py:3 cfunction_call outer
 * x.c:70 inlined_into_outer x.h:12 folded main.py:3 CPython 3.11 outer x.c:70
 * inlined_into_outer x.h:12 by owner main.py:3, with the detail inlined_into_outer
 * x.h:12
 *
 * Folded, frames of the interpreter that follow each other are one frame, which has no
 * place in the source; before a frame of Python there is none, for the interpreter is
 * between any two. By owner, a block belongs to its most recent frame of Python; one
 * that has none is shown folded.
 *
 * A stack shows the most recent frames of each kind, as many as the header says; each
 * stack of a site is then cut to them, and `nframe` becomes the length of the longest.
 * Whole stacks keep the header's limit, which is one on the frames of Python.
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
    bool whole;              /* whole stacks */
    const bool *wanted;      /* by site: it is shown; NULL: all are. Other sites get
                                the empty stack, and nothing is named for them */
    struct symbols *symbols; /* NULL: only what was recorded in the dump */
};

/* Changes a dump in memory; one without native frames stays as it is. 0, -ENOMEM, or
 * -EFBIG for stacks so deep that only damage explains them. */
must_check int shown_stacks_apply(struct dump_reader *reader,
                                  const struct shown_stacks_options *options);
