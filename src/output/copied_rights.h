/* SPDX-License-Identifier: MIT */
/* What a file that is made of others may be: no one reads it who could not read them.
 *
 * One thread; the umask is that of the process.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/compiler.h"

/* The rights of the files it is made of. */
struct copied_rights {
    uid_t owner;
    gid_t group;
    mode_t mode; /* that all of them have */
};

/* For what is made of both: only what both have. */
void copied_rights_join(struct copied_rights *rights, struct copied_rights other);

/* Gives a new file at most these rights, as open(2) would: without those that the umask
 * takes, nor those of a group that is not theirs. */
void copied_rights_limit(int fd, const struct copied_rights *rights);

/* Gives a copy to the owner of what was copied: only root may. False where it is
 * another user's now. */
must_check bool copied_rights_give(int fd, const struct copied_rights *rights);
