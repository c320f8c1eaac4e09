/* SPDX-License-Identifier: MIT */
/* Limits the reports of a dump to the range of --born. One thread. */
#pragma once

#include <stdbool.h>

#include "base/compiler.h"
#include "cli/selection_options.h"
#include "dump/dump_reader.h"

/* Returns 0; or 1 after reporting why the dump, which the user knows as `name`, has no
 * such range. */
must_check int born_selection_apply(struct dump_reader *reader,
                                    const struct selection *selection,
                                    const char *name);

/* Whether the selection asks for temporary blocks, and the dump does not count them. */
bool born_selection_lacks_temporary(const struct dump_reader *reader,
                                    const struct selection *selection);

/* Reports that. Returns 1. */
must_check int born_selection_explain_temporary(const char *name);

/* Reports why, given the error of births_select; `reader` may be NULL. Returns 1. */
must_check int born_selection_explain(const struct dump_reader *reader,
                                      const struct selection *selection,
                                      const char *name, int error);
