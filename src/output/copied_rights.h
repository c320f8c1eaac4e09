/* SPDX-License-Identifier: MIT */
/* Limits the rights of a file derived from others: only users who can read those may
 * read it.
 *
 * One thread; uses the umask of the process.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/compiler.h"

/* The rights of the source files. */
struct copied_rights {
    uid_t owner;
    gid_t group;
    mode_t mode; /* common to all of them */
};

/* Reduces `rights` to those that both have. */
void copied_rights_join(struct copied_rights *rights, struct copied_rights other);

/* Sets the mode of a new file to at most these rights, less the umask as open(2) does,
 * and without group rights if its group is a different one. */
void copied_rights_limit(int fd, const struct copied_rights *rights);

/* Gives a copy to the owner of the original, which only root can do. Returns false if
 * the copy belongs to another user. */
must_check bool copied_rights_give(int fd, const struct copied_rights *rights);
