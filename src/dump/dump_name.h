/* SPDX-License-Identifier: MIT */
/* The name of a new dump: nothing that exists is opened, and no open waits.
 *
 * In the traced process, under the lock of whoever owns the path; allocates nothing,
 * and errno stays.
 */
#pragma once

#include <limits.h>

#include "base/compiler.h"

/* Creates a file of mode 0600. Where the name is taken, by whatever, it gets the next
 * free suffix; but a device file that the name itself means, as /dev/stdout, is
 * refused: -ENODEV. `path` becomes the absolute name. Returns its descriptor, or
 * -errno. */
must_check int dump_name_create(char path[PATH_MAX], const char *name);
