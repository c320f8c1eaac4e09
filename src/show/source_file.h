/* SPDX-License-Identifier: MIT */
/* Opens a source file named by a dump, with the rights of the dump's owner.
 *
 * A dump is untrusted and may name any file. A file is opened only if the dump's owner
 * may read it, whatever rights the caller has, if it is a regular file, and if it is
 * not in /proc or /sys. Each component of the path is opened and checked in turn, and
 * links are resolved here, so that the file opened is the one that was checked.
 *
 * For offline code; any thread; allocates.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/compiler.h"

/* A user and its groups. */
struct source_user {
    uid_t user;
    gid_t *groups; /* freed by source_user_close */
    int group_count;
    bool is_known; /* false if the user has no name: its groups are unknown */
};

void source_user_open(struct source_user *user, uid_t uid);
void source_user_close(struct source_user *user);

/* Returns a descriptor for reading, or -errno: -EACCES if the user may not read the
 * file, -EINVAL if it is not a regular file. A relative path begins at the current
 * directory. */
must_check int source_file_open(const char *path, const struct source_user *user);
