/* SPDX-License-Identifier: MIT */
/* Prints the native functions of a group, one per line. For offline code; one thread;
 * write errors stay in the stream. */
#pragma once

#include "profile/native_details.h"
#include "profile/statistics.h"
#include "output/terminal.h"

/* Prints nothing if the interpreter itself allocated all blocks. */
void native_details_print(const struct terminal *terminal,
                          const struct native_details *details,
                          const struct statistic *entry);
