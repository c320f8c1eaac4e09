/* SPDX-License-Identifier: MIT */
/* Keeps the program alive when somebody cuts the dump file off while it is mapped: the
 * kernel answers the next touch of what is gone with SIGBUS.
 *
 * The page is replaced by an empty one and tracing stops, which is said in one line.
 * Any other SIGBUS is the program's: its own action, which it sets and reads as if we
 * were not there, is carried out.
 */
#pragma once

#include <signal.h>

/* Once tracing begins. */
void bus_guard_install(void);
/* Stands for sigaction(SIGBUS, ...) of the program. */
int bus_guard_sigaction(const struct sigaction *action, struct sigaction *old);
