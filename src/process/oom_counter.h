/* SPDX-License-Identifier: MIT */
/* How often the OOM killer struck in our control group, which the programs that we
 * start share. Offline code; allocates nothing. */
#pragma once

#include <stdint.h>

/* Processes of this control group killed so far, by either version of cgroups; -1 where
 * it cannot be known. */
int64_t oom_counter_read(void);
