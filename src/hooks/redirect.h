/* SPDX-License-Identifier: MIT */
/* Leads the calls of a function of the program to one of ours, where symbols cannot: a
 * statically linked interpreter exports PyTraceMalloc_Track itself, ahead of any
 * preloaded library. x86-64 alone.
 *
 *   endbr64, where it was; mov $to, %r11; jmp *%r11
 *
 * Where the kernel lets no code be changed (PR_SET_MDWE, SELinux, a seccomp filter) the
 * symbol is changed instead, for the modules that are loaded, and so bound, later: all
 * of them but those that the interpreter itself is linked with.
 *
 * Only in memory, in the process's private copy of the page, before there is a second
 * thread.
 */
#pragma once

#include "base/compiler.h"

/* 0; -ENOENT without such a function outside of this library; else what mprotect
 * says. */
int redirect_function(const char *name, void *to);
