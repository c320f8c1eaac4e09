/* SPDX-License-Identifier: MIT */
/* Redirects calls of a function of the program to one of ours, where preloading cannot:
 * a statically linked interpreter exports PyTraceMalloc_Track itself, and comes before
 * any preloaded library. The function begins with a jump (hooks/jump.h) from then on.
 *
 * If the kernel does not allow code to be changed (PR_SET_MDWE, SELinux, a seccomp
 * filter), the symbol is changed instead. That reaches the modules that are loaded, and
 * so bound, later: all but those that the interpreter itself is linked with.
 *
 * Changes memory only, the process's private copy of the page, and before there is a
 * second thread. Our own code, for libc has none.
 */
#pragma once

#include "base/compiler.h"

/* 0; -ENOENT if no other object has such a function; else the error of mprotect. */
int redirect_function(const char *name, void *to);
