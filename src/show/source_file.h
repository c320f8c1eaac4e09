/* SPDX-License-Identifier: MIT */
/* Opens a file that a dump names as source, with the rights of the dump's owner.
 *
 * A dump is data from a stranger, who may name any file: what its owner could not read
 * is not opened, whatever the reader's own rights are, nor is what is no regular file
 * or comes from /proc or /sys. Each component of the path is opened by itself, without
 * following links blindly, and what was checked is what is opened.
 *
 * For offline code; any thread; allocates.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/compiler.h"

/* A user, with the groups that the name service knows. */
struct source_user {
    uid_t user;
    gid_t *groups; /* freed by source_user_close */
    int group_count;
    bool is_known; /* false: a user without a name, whose groups are unknown */
};

void source_user_open(struct source_user *user, uid_t uid);
void source_user_close(struct source_user *user);

/* A descriptor for reading, or -errno: -EACCES where the user may not read the file,
 * -EINVAL for what is no regular file. A relative path begins at our directory. */
must_check int source_file_open(const char *path, const struct source_user *user);
