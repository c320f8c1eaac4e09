/* SPDX-License-Identifier: MIT */
#include "output/copied_rights.h"

#include <sys/stat.h>
#include <unistd.h>

enum { PERMISSIONS = 0666, GROUP_SHIFT = 3, OTHERS = 07, MEMBERS = 070 };

/* Members of the new file's group may be "others" for the original. */
static mode_t without_group(mode_t mode) {
    return mode & (~(mode_t)MEMBERS | (mode & OTHERS) << GROUP_SHIFT);
}

void copied_rights_join(struct copied_rights *rights, struct copied_rights other) {
    if (rights->group != other.group)
        rights->mode = without_group(rights->mode) & without_group(other.mode);
    rights->mode &= other.mode;
}

void copied_rights_limit(int fd, const struct copied_rights *rights) {
    struct stat status;
    mode_t mask = umask(0), mode = rights->mode & PERMISSIONS;
    umask(mask);
    if (fstat(fd, &status) != 0)
        return;
    if (status.st_gid != rights->group)
        mode = without_group(mode);
    /* The user who created it must be able to read it. */
    if (fchmod(fd, (mode | S_IRUSR | S_IWUSR) & ~mask) != 0)
        return; /* then only its owner can read it */
}

bool copied_rights_give(int fd, const struct copied_rights *rights) {
    struct stat status;
    if (fstat(fd, &status) != 0)
        return false;
    return status.st_uid == rights->owner ||
           (geteuid() == 0 && fchown(fd, rights->owner, rights->group) == 0);
}
