/* SPDX-License-Identifier: MIT */
/* Where libtracemalloc.so is, and how LD_PRELOAD names it. Offline code, one thread. */
#pragma once

#include <stddef.h>

#include "base/compiler.h"

/* Finds the library's absolute path: beside this program, in the build directory, in a
 * lib directory next to the program's, or where the build installed it. 0; or 1 after
 * one line by failure_print. */
must_check int library_path_find(char *path, size_t size);

/* Prepends the library to LD_PRELOAD in the environment, unless it is there already. 0;
 * -EINVAL if the path has a space or a colon, which separate names there; or
 * -ENOMEM. */
must_check int library_path_preload(const char *path);
