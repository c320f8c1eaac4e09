/* SPDX-License-Identifier: MIT */
/* Whether the process calls our functions of malloc's family at all. */
#pragma once

/* How many of them come from another library, which is preloaded before ours or linked
 * into the executable; and operator new, where an allocator has one of its own. Asks
 * the loader: not from a hook. */
unsigned libc_hooks_bypassed(void);
