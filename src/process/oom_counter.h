/* SPDX-License-Identifier: MIT */
/* Counts the kills of the OOM killer in this process's control group, which the
 * programs that it starts share. Offline code; allocates nothing. */
#pragma once

#include <stdint.h>

/* Returns how many processes of this control group were killed so far, with either
 * version of cgroups; -1 if unknown. */
int64_t oom_counter_read(void);
