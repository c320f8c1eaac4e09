/* SPDX-License-Identifier: MIT */
/* Whether the tables agree with each other and with the header, for developer builds.
 *
 * Under the tracer's lock, or with one thread. Reads every stack, site and bucket.
 */
#pragma once

#include <stdbool.h>

#include "dump/dump_file.h"

bool tables_are_valid(const struct dump_file *dump);
