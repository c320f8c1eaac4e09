/* SPDX-License-Identifier: MIT */
/* `export --format parquet`: a directory of tables instead of a file. Allocates; one
 * thread. */
#pragma once

#include "base/compiler.h"
#include "cli/selection_options.h"
#include "export/resource.h"

/* Adds the dumps to the directory. Returns the exit status. */
must_check int lake_export_run(const struct selection *selection,
                               const struct resource *resource, const char *directory);
