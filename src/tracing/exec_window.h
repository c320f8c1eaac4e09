/* SPDX-License-Identifier: MIT */
/* Blocks the signal of requests from an exec until the new program has a handler for
 * it, for meanwhile the signal would end the program.
 *
 * The mask of blocked signals survives an exec. The library in the new program
 * recognises its own mark, the signal blocked and the one beside it not, and unblocks
 * the signal once it has a handler; if it gets none, it first discards the signals that
 * have come. A program that blocks signals itself, for instance all of them, keeps its
 * mask. Nothing is done if the new program will not have the library.
 *
 * Any thread, also in a child of vfork; allocates nothing.
 */
#pragma once

#include <stdbool.h>

/* Before an exec with this environment. Whether it blocked the signal, so that
 * exec_window_close is needed if the exec fails. */
bool exec_window_open(int number, char *const environment[]);
/* The exec failed. */
void exec_window_close(int number);

/* In the constructor of the new program, after its handler was installed, if it has
 * one. */
void exec_window_leave(int number, bool has_handler);
