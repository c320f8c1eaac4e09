/* SPDX-License-Identifier: MIT */
/* The calls by which a process gives up rights: its user, groups, root, descriptors,
 * system calls. Afterwards it may not be able to reach the dump any more, so the file
 * first grows as far as it may, and a child of fork without a file gets one.
 *
 * Each hook is a function of its own, without a macro: its signature is libc's. */
/* With _FILE_OFFSET_BITS <sys/resource.h> makes setrlimit another name for
 * setrlimit64. */
#undef _FILE_OFFSET_BITS
#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/sys.h"
#include "dump/dump_growth.h"
#include "event/event.h"
#include "hooks/libc_real.h"
#include "tracing/fork_handlers.h"
#include "tracing/traced_process.h"

/* Does nothing in a child of vfork, which runs on its parent's memory, nor in a signal
 * handler that interrupted the tracer. */
static void reach_dump(void) {
    int saved_errno = errno;
    bool ready = libc_real_ready();
    fork_handlers_keep();
    if (ready && traced_process_owns_dump() && !thread_state_get()->in_tracer) {
        struct thread_state *self = traced_process_lock();
        if (gate.active)
            dump_growth_reach_all(tracer.dump);
        traced_process_unlock(self);
    }
    errno = saved_errno;
}

exported int setuid(uid_t user) {
    reach_dump();
    return libc_real.setuid(user);
}

exported int seteuid(uid_t user) {
    reach_dump();
    return libc_real.seteuid(user);
}

exported int setreuid(uid_t real, uid_t effective) {
    reach_dump();
    return libc_real.setreuid(real, effective);
}

exported int setresuid(uid_t real, uid_t effective, uid_t saved) {
    reach_dump();
    return libc_real.setresuid(real, effective, saved);
}

exported int setgid(gid_t group) {
    reach_dump();
    return libc_real.setgid(group);
}

exported int setegid(gid_t group) {
    reach_dump();
    return libc_real.setegid(group);
}

exported int setregid(gid_t real, gid_t effective) {
    reach_dump();
    return libc_real.setregid(real, effective);
}

exported int setresgid(gid_t real, gid_t effective, gid_t saved) {
    reach_dump();
    return libc_real.setresgid(real, effective, saved);
}

exported int setgroups(size_t count, const gid_t *groups) {
    reach_dump();
    return libc_real.setgroups(count, groups);
}

exported int initgroups(const char *user, gid_t group) {
    reach_dump();
    return libc_real.initgroups(user, group);
}

exported int setfsuid(uid_t user) {
    reach_dump();
    return libc_real.setfsuid(user);
}

exported int setfsgid(uid_t group) {
    reach_dump();
    return libc_real.setfsgid(group);
}

exported int chroot(const char *path) {
    reach_dump();
    return libc_real.chroot(path);
}

exported int unshare(int flags) {
    reach_dump();
    return libc_real.unshare(flags);
}

exported int setns(int fd, int kind) {
    reach_dump();
    return libc_real.setns(fd, kind);
}

exported int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit) {
    reach_dump();
    return libc_real.setrlimit(resource, limit);
}

exported int setrlimit64(__rlimit_resource_t resource, const struct rlimit64 *limit) {
    reach_dump();
    return libc_real.setrlimit64(resource, limit);
}

exported int prlimit(pid_t pid, enum __rlimit_resource resource,
                     const struct rlimit *limit, struct rlimit *old) {
    reach_dump();
    return libc_real.prlimit(pid, resource, limit, old);
}

exported int prlimit64(pid_t pid, enum __rlimit_resource resource,
                       const struct rlimit64 *limit, struct rlimit64 *old) {
    reach_dump();
    return libc_real.prlimit64(pid, resource, limit, old);
}

static bool gives_up_rights(int option) {
    return option == PR_SET_SECCOMP || option == PR_SET_NO_NEW_PRIVS ||
           option == PR_CAPBSET_DROP || option == PR_SET_SECUREBITS ||
           option == PR_CAP_AMBIENT;
}

exported int prctl(int option, ...) {
    unsigned long arguments[4];
    va_list rest;
    va_start(rest, option);
    for (int i = 0; i < 4; i++)
        arguments[i] = va_arg(rest, unsigned long);
    va_end(rest);
    if (gives_up_rights(option))
        reach_dump();
    else
        libc_real_ready();
    if (option == PR_SET_SECCOMP)
        sys_confined = true;
    return libc_real.prctl(option, arguments[0], arguments[1], arguments[2],
                           arguments[3]);
}

/* Declared by <sys/capability.h>, which is another library's. */
int capset(void *header, const void *data);
exported int capset(void *header, const void *data) {
    reach_dump();
    return libc_real.capset(header, data);
}
