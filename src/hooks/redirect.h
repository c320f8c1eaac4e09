/* SPDX-License-Identifier: MIT */
/* Leads the calls of a function of the program to one of ours, where symbols cannot: a
 * statically linked interpreter exports PyTraceMalloc_Track itself, ahead of any
 * preloaded library. x86-64 alone.
 *
 *   endbr64, where it was; mov $to, %r11; jmp *%r11
 *
 * Only in memory, in the process's private copy of the page, before there is a second
 * thread.
 */
#pragma once

#include "base/compiler.h"

/* 0; -ENOENT without such a function outside of this library; -EINVAL when it is too
 * short; else what mprotect says. */
int redirect_function(const char *name, void *to);
