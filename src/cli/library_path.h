/* SPDX-License-Identifier: MIT */
/* Where libtracemalloc.so is, and how LD_PRELOAD names it. Offline code, one thread. */
#pragma once

#include <stddef.h>

#include "base/compiler.h"

/* The library's absolute path: beside this program, in the build folder's place for it,
 * in a lib folder next to the program's, or where the build installed it. 0, -ENOENT,
 * or -ENAMETOOLONG. */
must_check int library_path_find(char *path, size_t size);

/* Puts the library first in LD_PRELOAD of this environment, unless it is there. 0;
 * -EINVAL when its path has a space or a colon, which separate names there; -ENOMEM. */
must_check int library_path_preload(const char *path);
