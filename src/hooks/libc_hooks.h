/* SPDX-License-Identifier: MIT */
/* Whether the process calls our functions of the malloc family at all. */
#pragma once

/* How many of them the process takes from elsewhere: from a library that is preloaded
 * before ours, or from the executable. Counts operator new too if an allocator has one
 * of its own. Calls the loader: not from a hook. */
unsigned libc_hooks_bypassed(void);
