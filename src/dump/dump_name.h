/* SPDX-License-Identifier: MIT */
/* Creates the file of a new dump: never opens an existing file, and never blocks.
 *
 * In the traced process, under the lock of the path's owner; allocates nothing, and
 * does not change errno.
 */
#pragma once

#include <limits.h>

#include "base/compiler.h"

/* Creates a file with mode 0600. If the name exists, adds the next free suffix; but a
 * name in /dev or /proc that exists, such as /dev/stdout, is refused with -ENODEV. Sets
 * `path` to the absolute name. Returns a descriptor, or -errno. */
must_check int dump_name_create(char path[PATH_MAX], const char *name);
