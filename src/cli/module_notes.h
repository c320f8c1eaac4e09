/* SPDX-License-Identifier: MIT */
/* Opens the symbols of a dump's modules, and notes what the user must know about them.
 * One thread. */
#pragma once

#include <stdbool.h>

#include "base/compiler.h"
#include "dump/dump_reader.h"
#include "symbols/symbols.h"

/* Whether the modules that a dump names may be opened: those of another user's dump
 * only if `open` (--open-modules) is set, because it may name any file. */
bool module_notes_may_open(const struct dump_reader *reader, bool open);

/* Opens the symbols of a dump's modules. *symbols is NULL if they may not be opened,
 * which is noted on stderr if names are missing. 0 or -ENOMEM. */
must_check int module_notes_open(struct symbols **symbols,
                                 const struct dump_reader *reader, const char *name,
                                 bool open);

/* Notes on stderr the modules that differ from those that were traced. `symbols` may be
 * NULL. */
void module_notes_print(const struct symbols *symbols);
