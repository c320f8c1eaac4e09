/* SPDX-License-Identifier: MIT */
/* Preloaded after libtracemalloc: fails one of the system calls that it makes itself.
 *
 * FAULTS_PLACE=X    the calls from this place in the library, in hexadecimal, count,
 * FAULTS_CALL=N     and the N-th of them fails, in the process or in a child of it,
 * FAULTS_VARIANT=K  with the K-th of the errors that this call knows
 * FAULTS_LOG=FILE   gets a line for the call that failed, or without FAULTS_CALL for
 *                   each: its name, its place, the number of its errors
 *
 * The library makes its calls by syscall(), but for a few that libc has functions for;
 * all of these are defined here. What is not called from the library is passed on.
 */
/* With it, <sys/stat.h> turns stat into another name for stat64; both are here. */
#undef _FILE_OFFSET_BITS
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { MOST_ERRORS = 5 };

/* Calls without errors are those that the kernel never fails when they are used right.
 * Who waits for a lock looks again whatever futex says, and a wake-up cannot fail. */
static const struct call {
    long number;
    const char *name;
    int errors[MOST_ERRORS + 1];
} calls[] = {
    {SYS_mmap, "mmap", {ENOMEM, EAGAIN}},
    {SYS_munmap, "munmap", {ENOMEM}},
    {SYS_mremap, "mremap", {ENOMEM}},
    {SYS_mprotect, "mprotect", {EACCES, ENOMEM}},
    {SYS_madvise, "madvise", {ENOMEM, EAGAIN}},
    {SYS_mincore, "mincore", {ENOMEM, EAGAIN}},
    {SYS_openat, "openat", {EACCES, EMFILE, ENOSPC, ENOENT, EINTR}},
    {SYS_close, "close", {EIO, EINTR}},
    {SYS_read, "read", {EIO, EINTR}},
    {SYS_write, "write", {EPIPE, EAGAIN}},
    {SYS_pwrite64, "pwrite64", {ENOSPC, EIO, EINTR}},
    {SYS_fallocate, "fallocate", {ENOSPC, EIO, EINTR, EOPNOTSUPP}},
    {SYS_fstat, "fstat", {EIO}},
    {SYS_newfstatat, "newfstatat", {EACCES, ENOENT}},
    {SYS_ftruncate, "ftruncate", {EINTR, EIO}},
    {SYS_statfs, "statfs", {EACCES}},
    {SYS_ioctl, "ioctl", {ENOTTY, EINTR}},
    {SYS_stat, "stat", {EACCES}},
    {SYS_getcwd, "getcwd", {ENOENT, EACCES}},
    {SYS_readlinkat, "readlinkat", {EACCES}},
    {SYS_unlinkat, "unlinkat", {EACCES}},
    {SYS_prlimit64, "prlimit64", {EPERM}},
    {SYS_membarrier, "membarrier", {EPERM, ENOSYS}},
    {SYS_memfd_create, "memfd_create", {EMFILE, ENOMEM, EPERM}},
    {SYS_kill, "kill", {0}},
    {SYS_sigaltstack, "sigaltstack", {0}},
    {SYS_uname, "uname", {EFAULT}},
    {SYS_rt_sigaction, "rt_sigaction", {EINVAL}},
    {SYS_rt_sigprocmask, "rt_sigprocmask", {0}},
    {SYS_getpid, "getpid", {0}},
    {SYS_gettid, "gettid", {0}},
    {SYS_getppid, "getppid", {0}},
    {SYS_futex, "futex", {0}},
    {SYS_exit_group, "exit_group", {0}},
    {SYS_execveat, "execveat", {0}},
};
static const struct call unknown = {-1, "unknown", {0}};

static struct {
    _Atomic unsigned *made; /* shared with the children; NULL: nothing is counted yet */
    uintptr_t place;
    unsigned target, variant;
    const char *log;
    uintptr_t start, end; /* the library */
} faults;

/* By the registers of the system call (System V ABI, AMD64 supplement, A.2.1). */
static long kernel(long number, const long *arguments) {
    register long fourth __asm__("r10") = arguments[3];
    register long fifth __asm__("r8") = arguments[4];
    register long sixth __asm__("r9") = arguments[5];
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(arguments[0]), "S"(arguments[1]),
                       "d"(arguments[2]), "r"(fourth), "r"(fifth), "r"(sixth)
                     : "rcx", "r11", "memory");
    return result;
}

#define kernel_call(number, ...) kernel(number, (const long[6]){__VA_ARGS__})

static int look_for_library(struct dl_phdr_info *info, size_t size, void *argument) {
    (void)size, (void)argument;
    if (strstr(info->dlpi_name, "/libtracemalloc.so") == NULL)
        return 0;
    faults.start = info->dlpi_addr;
    for (unsigned at = 0; at < info->dlpi_phnum; at++) {
        uintptr_t end = info->dlpi_phdr[at].p_vaddr + info->dlpi_phdr[at].p_memsz;
        if (info->dlpi_phdr[at].p_type == PT_LOAD && info->dlpi_addr + end > faults.end)
            faults.end = info->dlpi_addr + end;
    }
    return 1;
}

/* getenv is one of the library's functions, and it is not ready yet. */
static const char *value_of(char **environment, const char *name) {
    size_t length = strlen(name);
    for (; *environment != NULL; environment++)
        if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=')
            return *environment + length + 1;
    return NULL;
}

static unsigned long number_of(char **environment, const char *name, int base) {
    const char *value = value_of(environment, name);
    return value != NULL ? strtoul(value, NULL, base) : 0;
}

/* Before the library's own constructor, as what is preloaded last begins first. */
__attribute__((constructor)) static void begin(int argc, char **argv, char **env) {
    (void)argc, (void)argv;
    faults.place = number_of(env, "FAULTS_PLACE", 16);
    faults.target = (unsigned)number_of(env, "FAULTS_CALL", 10);
    faults.variant = (unsigned)number_of(env, "FAULTS_VARIANT", 10);
    faults.log = value_of(env, "FAULTS_LOG");
    dl_iterate_phdr(look_for_library, NULL);
    long page = kernel_call(SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page > 0)
        faults.made = (void *)page;
}

static const struct call *find(long number) {
    for (size_t at = 0; at < sizeof calls / sizeof *calls; at++)
        if (calls[at].number == number)
            return &calls[at];
    return &unknown;
}

static unsigned count_errors(const struct call *call) {
    unsigned count = 0;
    while (call->errors[count] != 0)
        count++;
    return count;
}

static void log_call(const struct call *call, uintptr_t place) {
    char line[80];
    int length = snprintf(line, sizeof line, "%s %lx %u\n", call->name,
                          (unsigned long)place, count_errors(call));
    long fd = kernel_call(SYS_openat, AT_FDCWD, (long)faults.log,
                          O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    kernel_call(SYS_write, fd, (long)line, length);
    kernel_call(SYS_close, fd);
}

static bool is_counted(uintptr_t place) {
    if (faults.made == NULL || place < faults.start || place >= faults.end)
        return false;
    return faults.place == 0 || faults.place == place - faults.start;
}

/* The error that this call has to end with; 0: none. */
static int fault(long number, const void *caller) {
    const struct call *call = find(number);
    unsigned errors = count_errors(call);
    if (!is_counted((uintptr_t)caller) || (errors == 0 && call != &unknown))
        return 0;
    bool fails = atomic_fetch_add(faults.made, 1) + 1 == faults.target;
    if (faults.log != NULL && (fails || faults.target == 0))
        log_call(call, (uintptr_t)caller - faults.start);
    return fails ? call->errors[faults.variant % (errors != 0 ? errors : 1)] : 0;
}

static long finish(long result) {
    if (result >= 0 || result < -4095)
        return result;
    errno = (int)-result;
    return -1;
}

/* A close that fails has closed all the same. */
static long faulty(long number, const void *caller, const long *arguments) {
    int error = fault(number, caller);
    if (error == 0 || number == SYS_close) {
        long result = kernel(number, arguments);
        return finish(error != 0 ? -error : result);
    }
    return finish(-error);
}

#define visible __attribute__((visibility("default"), noinline))
#define faulty_call(number, ...)                                                       \
    (int)faulty(number, __builtin_return_address(0), (const long[6]){__VA_ARGS__})

visible long syscall(long number, ...) {
    long arguments[6];
    va_list rest;
    va_start(rest, number);
    for (size_t at = 0; at < 6; at++)
        arguments[at] = va_arg(rest, long);
    va_end(rest);
    return faulty(number, __builtin_return_address(0), arguments);
}

visible int fstat(int fd, struct stat *status) {
    return faulty_call(SYS_fstat, fd, (long)status);
}

visible int fstat64(int fd, struct stat64 *status) {
    return faulty_call(SYS_fstat, fd, (long)status);
}

visible int stat(const char *path, struct stat *status) {
    return faulty_call(SYS_stat, (long)path, (long)status);
}

visible int stat64(const char *path, struct stat64 *status) {
    return faulty_call(SYS_stat, (long)path, (long)status);
}

visible int uname(struct utsname *name) {
    return faulty_call(SYS_uname, (long)name);
}

visible int mincore(void *start, size_t length, unsigned char *present) {
    return faulty_call(SYS_mincore, (long)start, (long)length, (long)present);
}

typedef int sigaction_function(int, const struct sigaction *, struct sigaction *);

/* The library has libc's under both of its names; behind this object comes libc. What
 * comes from the program through the library is for other signals than SIGUSR2, which
 * the tests give to the library. */
static sigaction_function *libc_sigaction(void) {
    static sigaction_function *found;
    if (found == NULL)
        found = (sigaction_function *)dlsym(RTLD_NEXT, "sigaction");
    return found;
}

visible int sigaction(int number, const struct sigaction *action,
                      struct sigaction *old) {
    int error = 0;
    if (number == SIGUSR2)
        error = fault(SYS_rt_sigaction, __builtin_return_address(0));
    return error != 0 ? (int)finish(-error) : libc_sigaction()(number, action, old);
}
