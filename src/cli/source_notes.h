/* SPDX-License-Identifier: MIT */
/* Whether a dump is the user's own, and whether its source lines are shown. One
 * thread. */
#pragma once

#include <stdbool.h>

#include "cli/selection_options.h"
#include "dump/dump_reader.h"
#include "output/copied_rights.h"

/* Whether the whole dump belongs to the user who runs the command. */
bool source_notes_is_ours(const struct dump_reader *reader);

/* Whether source lines are hidden. Those of a dump of several users always are: there
 * is no single owner whose rights could be checked. */
bool source_notes_hides(const struct dump_reader *reader, enum selection_source source);

/* Notes on stderr if source lines are hidden because the dump belongs to another
 * user. */
void source_notes_print(const struct dump_reader *reader, const char *name,
                        enum selection_source source);

/* The access rights of a dump, for a file that is derived from it. */
struct copied_rights source_notes_rights(const struct dump_reader *reader);
