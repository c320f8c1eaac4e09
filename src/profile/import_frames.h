/* SPDX-License-Identifier: MIT */
/* The frames of the import system in the stacks of a dump: which they are, and stacks
 * without them.
 *
 * For offline code; allocates; one thread at a time. What an import allocates belongs
 * to the import statement that caused it, the frame that called the import system:
 *
 *   recorded   app.py:1   <frozen importlib._bootstrap>:1360 ...   lib.py:7
 *   folded     app.py:1   lib.py:7
 *
 * A stack of nothing but such frames, as the interpreter's start has them, keeps the
 * outermost one.
 */
#pragma once

#include <stdbool.h>

#include "base/compiler.h"
#include "dump/dump_reader.h"

/* Whether code of a file of that name is a part of the import system. */
bool import_frames_match(struct dump_text filename);

/* Folds the stacks that are shown: windows, or whole stacks, where a frame whose line
 * is not certain gets line 0. The stacks as they were recorded stay in the dump, see
 * dump_reader_recorded. 0 or -ENOMEM. */
must_check int import_frames_fold(struct dump_reader *reader, bool whole);

/* By site: whether its stack runs through an import. To be freed; NULL when there is
 * no memory. */
bool *import_frames_find(const struct dump_reader *reader);
