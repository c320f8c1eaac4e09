/* SPDX-License-Identifier: MIT */
/* Keeps the program alive if another process truncates the dump file while it is
 * mapped: the kernel then raises SIGBUS at the next access to a page that is gone.
 *
 * The guard replaces the page by an empty one and stops tracing, with one line on
 * stderr. Every other SIGBUS, and each that was sent, is the program's: the kernel
 * calls the guard with the flags and mask of the program's own action, and the guard
 * does what that action says. Only a program that ignores SIGBUS can notice the guard:
 * a system call that signals interrupt, such as poll, returns EINTR.
 */
#pragma once

/* Called when tracing begins. */
void bus_guard_install(void);
