/* SPDX-License-Identifier: MIT */
#include "process/attach_filters.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "output/failure.h"
#include "process/seccomp_filter.h"
#include "process/tracee.h"

/* The system calls that dlopen and the tracer make; addresses in arguments are 0. */
static const struct call {
    const char *name;
    bool is_needed; /* else the library does without it */
    int number;
    uint64_t arguments[6];
} calls[] = {
    {"openat", true, SYS_openat, {(uint64_t)AT_FDCWD, 0, O_RDONLY | O_CLOEXEC}},
    {"openat", false, SYS_openat, {(uint64_t)AT_FDCWD, 0, O_RDWR | O_CREAT | O_EXCL}},
    {"read", true, SYS_read, {3, 0, 832}},
    {"pread64", false, SYS_pread64, {3, 0, 784, 64}},
    {"fstat", false, SYS_fstat, {3}},
    {"newfstatat", false, SYS_newfstatat, {3, 0, 0, AT_EMPTY_PATH}},
    {"mmap", true, SYS_mmap, {0, 4096, PROT_READ, MAP_PRIVATE, 3}},
    {"mmap", true, SYS_mmap, {0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, 3}},
    {"mmap",
     true,
     SYS_mmap,
     {0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, UINT64_MAX}},
    {"mmap", false, SYS_mmap, {0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, 3}},
    {"mprotect", true, SYS_mprotect, {0, 4096, PROT_READ}},
    {"mprotect", true, SYS_mprotect, {0, 4096, PROT_READ | PROT_WRITE}},
    {"close", true, SYS_close, {3}},
    {"munmap", true, SYS_munmap, {0, 4096}},
    {"mremap", false, SYS_mremap, {0, 4096, 8192, MREMAP_MAYMOVE}},
    {"madvise", false, SYS_madvise, {0, 4096, MADV_DONTNEED}},
    {"mincore", true, SYS_mincore, {0, 4096}},
    {"brk", false, SYS_brk, {0}},
    {"rt_sigaction", true, SYS_rt_sigaction, {53, 0, 0, 8}},
    {"rt_sigprocmask", true, SYS_rt_sigprocmask, {2, 0, 0, 8}},
    {"rt_sigreturn", true, SYS_rt_sigreturn, {0}},
    {"futex", true, SYS_futex, {0, 128, 1}},
    {"membarrier", false, SYS_membarrier, {16}},
    {"getpid", false, SYS_getpid, {0}},
    {"getppid", false, SYS_getppid, {0}},
    {"gettid", false, SYS_gettid, {0}},
    {"uname", false, SYS_uname, {0}},
    {"clock_gettime", false, SYS_clock_gettime, {0}},
    {"prlimit64", false, SYS_prlimit64, {0, 1}},
    {"readlinkat", false, SYS_readlinkat, {(uint64_t)AT_FDCWD}},
    {"getcwd", false, SYS_getcwd, {0, 4096}},
    {"statfs", false, SYS_statfs, {0}},
    {"lseek", false, SYS_lseek, {3, 0, 1}},
    {"ioctl", false, SYS_ioctl, {3, 0xc0606610}}, /* PAGEMAP_SCAN */
    {"fallocate", false, SYS_fallocate, {3, 0, 0, 4096}},
    {"ftruncate", false, SYS_ftruncate, {3, 4096}},
    {"pwrite64", false, SYS_pwrite64, {3, 0, 4096}},
    {"memfd_create", false, SYS_memfd_create, {0}},
    {"unlinkat", false, SYS_unlinkat, {(uint64_t)AT_FDCWD}},
};

enum { CALL_COUNT = sizeof calls / sizeof *calls };

/* What the filters of all threads do with each of the calls. */
struct answers {
    uint32_t all[CALL_COUNT];
};

/* Of the answers of several filters, the kernel obeys the one of the lowest rank. */
static int32_t rank_of(uint32_t answer) {
    return (int32_t)(answer & SECCOMP_RET_ACTION_FULL);
}

static void add_filter(struct answers *answers, const struct sock_filter *program,
                       size_t count) {
    for (size_t i = 0; i < CALL_COUNT; i++) {
        struct seccomp_data data = {.nr = calls[i].number, .arch = AUDIT_ARCH_X86_64};
        memcpy(data.args, calls[i].arguments, sizeof data.args);
        uint32_t answer = seccomp_filter_run(program, count, &data);
        if (rank_of(answer) < rank_of(answers->all[i]))
            answers->all[i] = answer;
    }
}

/* 0 or -errno. */
static int add_filters(struct answers *answers, const struct tracee *tracee) {
    static struct sock_filter program[BPF_MAXINSNS];
    int count = 0;
    for (unsigned i = 0; count >= 0; i++) {
        count = tracee_filter(tracee, i, program);
        if (count > 0)
            add_filter(answers, program, (size_t)count);
    }
    return count == -ENOENT ? 0 : count;
}

/* The filters that this command has as well, in the same container, have let it load
 * its own libraries. Kernels before 5.9 do not count them. */
static bool has_only_ours(pid_t thread) {
    long mode = process_status_number(getpid(), "Seccomp:");
    return mode == SECCOMP_MODE_FILTER &&
           process_status_number(thread, "Seccomp_filters:") <=
               process_status_number(getpid(), "Seccomp_filters:");
}

/* Skips a thread that has ended or cannot be stopped. */
static int add_thread(struct answers *answers, pid_t pid, pid_t thread) {
    struct tracee tracee;
    if (process_status_number(thread, "Seccomp:") != SECCOMP_MODE_FILTER ||
        has_only_ours(thread))
        return 0;
    int error = tracee_stop(&tracee, pid, thread);
    if (error == -ESRCH || error == -EAGAIN || error == -ETIMEDOUT)
        return 0;
    if (error < 0)
        return error;
    error = add_filters(answers, &tracee);
    tracee_release(&tracee);
    return error < 0 ? -ENOTSUP : 0;
}

static int add_threads(struct answers *answers, pid_t pid) {
    char path[64];
    struct dirent *entry;
    int error = 0;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *threads = opendir(path);
    if (threads == NULL)
        return -ESRCH;
    while (error == 0 && (entry = readdir(threads)) != NULL)
        if (entry->d_name[0] != '.')
            error = add_thread(answers, pid, (pid_t)strtol(entry->d_name, NULL, 10));
    closedir(threads);
    return error;
}

static bool is_refused(const struct call *call, uint32_t answer) {
    int32_t rank = rank_of(answer);
    return rank <= rank_of(SECCOMP_RET_TRAP) ||
           (call->is_needed && rank == rank_of(SECCOMP_RET_ERRNO));
}

int attach_filters_check(const struct attach_target *target) {
    struct answers answers;
    int pid = (int)target->status.pid;
    for (size_t i = 0; i < CALL_COUNT; i++)
        answers.all[i] = SECCOMP_RET_ALLOW;
    int error = add_threads(&answers, target->status.pid);
    if (error == -ENOTSUP)
        return failure_print("a seccomp filter restricts the system calls of process "
                             "%d, and may kill it: only root, outside of a container, "
                             "may read the filter",
                             pid);
    if (error < 0)
        return attach_target_refuse(target, error);
    for (size_t i = 0; i < CALL_COUNT; i++)
        if (is_refused(&calls[i], answers.all[i]))
            return failure_print("the seccomp filter of process %d forbids %s(2), "
                                 "which the library needs: allow it there",
                                 pid, calls[i].name);
    return 0;
}
