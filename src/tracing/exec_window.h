/* SPDX-License-Identifier: MIT */
/* The time from an exec to the handler of the new program, in which the signal of
 * requests would end it: it is blocked meanwhile.
 *
 * The mask of blocked signals is what survives an exec. The library in the new program
 * finds the signal blocked, but not the one beside it, and unblocks it once it has a
 * handler; without one, it takes off what has come. A program that blocks signals
 * itself, all of them for instance, keeps its mask. Where the new program would not
 * have the library, nothing is done.
 *
 * Any thread, also in a child of vfork; no memory.
 */
#pragma once

#include <stdbool.h>

/* Before an exec with this environment: whether the signal was blocked, for
 * exec_window_close. */
bool exec_window_open(int number, char *const environment[]);
/* The exec failed. */
void exec_window_close(int number);

/* In the constructor of the new program, after its handler, if any, was installed. */
void exec_window_leave(int number, bool has_handler);
