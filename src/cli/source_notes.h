/* SPDX-License-Identifier: MIT */
/* Whose dump it is, and whether lines of source are shown for it. One thread. */
#pragma once

#include <stdbool.h>

#include "cli/selection_options.h"
#include "dump/dump_reader.h"
#include "output/copied_rights.h"

/* Whether all of the dump is of the user who runs the command. */
bool source_notes_is_ours(const struct dump_reader *reader);

/* A dump of several users has no owner whose rights would do: its source is hidden in
 * any case. */
bool source_notes_hides(const struct dump_reader *reader, enum selection_source source);

/* Says on stderr that lines are left out because the dump is another user's. */
void source_notes_print(const struct dump_reader *reader, const char *name,
                        enum selection_source source);

/* The rights of a dump, or of all dumps that were merged. */
struct copied_rights source_notes_rights(const struct dump_reader *reader);
