/* SPDX-License-Identifier: MIT */
/* What a user has to know of the modules whose symbols were asked for. One thread. */
#pragma once

#include "symbols/symbols.h"

/* Says on stderr which files are not those that were traced. */
void module_notes_print(const struct symbols *symbols);
