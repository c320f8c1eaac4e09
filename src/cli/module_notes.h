/* SPDX-License-Identifier: MIT */
/* What a user has to know of the modules whose symbols were asked for. One thread. */
#pragma once

#include <stdbool.h>

#include "base/compiler.h"
#include "dump/dump_reader.h"
#include "symbols/symbols.h"

/* Whether the modules that a dump names may be opened. */
bool module_notes_may_open(const struct dump_reader *reader, bool open);

/* The symbols of a dump's modules. NULL where the dump is another user's, who might
 * name any file to be opened, unless `open` is set: that is said on stderr if names are
 * missing. 0 or -ENOMEM. */
must_check int module_notes_open(struct symbols **symbols,
                                 const struct dump_reader *reader, const char *name,
                                 bool open);

/* Says on stderr which files are not those that were traced. NULL is allowed. */
void module_notes_print(const struct symbols *symbols);
