/* SPDX-License-Identifier: MIT */
/* Finds the frames of the import system in the stacks of a dump, and folds them away.
 *
 * For offline code; allocates; one thread at a time. What an import allocates is
 * attributed to the import statement, the frame that called the import system:
 *
 *   recorded   app.py:1   <frozen importlib._bootstrap>:1360 ...   lib.py:7
 *   folded     app.py:1   lib.py:7
 *
 * If all frames of a stack belong to the import system, as during the interpreter's
 * start, the outermost one is kept.
 */
#pragma once

#include <stdbool.h>

#include "base/compiler.h"
#include "dump/dump_reader.h"

/* Whether this file is part of the import system. */
bool import_frames_match(struct dump_text filename);

/* Folds the stacks shown: their windows or, if `whole`, the whole stacks, in which a
 * frame whose line is uncertain gets line 0. The recorded stacks stay available, see
 * dump_reader_recorded. 0 or -ENOMEM. */
must_check int import_frames_fold(struct dump_reader *reader, bool whole);

/* Returns an array by site: whether an import is on its stack. The caller frees it;
 * NULL if there is no memory. */
bool *import_frames_find(const struct dump_reader *reader);
