/* SPDX-License-Identifier: MIT */
/* Keeps the program alive if another process cuts the dump file off while it is mapped:
 * the kernel answers the next touch of a page that is gone with SIGBUS.
 *
 * The page is replaced by an empty one and tracing stops, which is said in one line.
 * Any other SIGBUS, and all that are sent, are the program's: the kernel calls the
 * guard under the flags and the mask of the program's own action, and the guard does
 * what that action says. Only a program that ignores SIGBUS can notice: a system call
 * that a signal ends, such as poll, ends with EINTR.
 */
#pragma once

/* When tracing begins. */
void bus_guard_install(void);
