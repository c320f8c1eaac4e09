/* SPDX-License-Identifier: MIT */
/* The native functions of a group, as lines below its own. For offline code; one
 * thread; write errors stay in the stream. */
#pragma once

#include "profile/native_details.h"
#include "profile/statistics.h"
#include "output/terminal.h"

/* Nothing where all is the interpreter's own doing. */
void native_details_print(const struct terminal *terminal,
                          const struct native_details *details,
                          const struct statistic *entry);
