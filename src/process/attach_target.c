/* SPDX-License-Identifier: MIT */
#include "process/attach_target.h"

#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output/failure.h"
#include "process/live_dump.h"

enum { MAX_CODE = 64 << 20 }; /* bytes of libc */

static const char library_name[] = "libtracemalloc.so";

static long ptrace_scope(void) {
    long scope = 0;
    FILE *file = fopen("/proc/sys/kernel/yama/ptrace_scope", "re");
    if (file != NULL && fscanf(file, "%ld", &scope) != 1)
        scope = 0;
    if (file != NULL)
        fclose(file);
    return scope;
}

/* Even root is refused without CAP_SYS_PTRACE, in a user namespace other than the
 * process's, and by ptrace_scope 3. */
static int refuse_permission(int pid) {
    enum { FOR_NO_PROCESS = 3, FOR_CHILDREN = 1 };
    long scope = ptrace_scope();
    if (scope == FOR_NO_PROCESS)
        return failure_print("no permission to attach to process %d: kernel.yama."
                             "ptrace_scope is 3, which only a reboot changes",
                             pid);
    if (geteuid() == 0)
        return failure_print("no permission to attach to process %d: it has rights "
                             "that this command does not have (in a container, run "
                             "with --cap-add=SYS_PTRACE)",
                             pid);
    if (scope == FOR_CHILDREN)
        return failure_print("no permission to attach to process %d: kernel.yama."
                             "ptrace_scope is 1 (run as root, or sysctl "
                             "kernel.yama.ptrace_scope=0)",
                             pid);
    return failure_print("no permission to attach to process %d: run as root", pid);
}

int attach_target_refuse(const struct attach_target *target, int error) {
    int pid = (int)target->status.pid;
    long tracer = process_status_number(target->status.pid, "TracerPid:");
    if (error == -ESRCH)
        return failure_print("process %d has ended", pid);
    if (error != -EPERM && error != -EACCES)
        return failure_print("cannot attach to process %d: %s", pid, strerror(-error));
    if (tracer != 0)
        return failure_print("process %d is being traced by process %ld, such as a "
                             "debugger: detach it first",
                             pid, tracer);
    return refuse_permission(pid);
}

static int check_status(const struct attach_target *target) {
    const struct process_status *status = &target->status;
    int pid = (int)status->pid;
    if (status->tgid != status->pid)
        return failure_print("%d is a thread of the process %d", pid,
                             (int)status->tgid);
    if (status->state == 'Z' && process_status_number(status->pid, "Threads:") > 1)
        return failure_print("the main thread of process %d has ended, so the process "
                             "cannot be examined",
                             pid);
    if (status->state == 'Z' || status->state == 'X')
        return failure_print("process %d has ended", pid);
    if (!process_status_is_ours(status))
        return failure_print("process %d belongs to another user: run as root", pid);
    if (process_status_is_held(status))
        return process_status_number(status->pid, "TracerPid:") != 0
                   ? attach_target_refuse(target, -EPERM)
                   : failure_print("process %d is stopped (kill -CONT %d resumes it)",
                                   pid, pid);
    if (process_status_number(status->pid, "VmSize:") == 0)
        return failure_print(
            "process %d has no memory: it is the kernel's, or about to "
            "end",
            pid);
    if (process_status_number(status->pid, "Seccomp:") == SECCOMP_MODE_STRICT)
        return failure_print("seccomp restricts the system calls of process %d: the "
                             "library cannot be loaded into it",
                             pid);
    return 0;
}

/* Whether the executable is a 32-bit one; if it cannot be read, it is not. */
static bool is_32_bit(pid_t pid) {
    char name[64];
    unsigned char head[EI_NIDENT] = {0};
    snprintf(name, sizeof name, "/proc/%d/exe", (int)pid);
    FILE *file = fopen(name, "re");
    if (file == NULL)
        return false;
    size_t got = fread(head, 1, sizeof head, file);
    fclose(file);
    return got == sizeof head && head[EI_CLASS] == ELFCLASS32;
}

static bool has_symbol(const struct attach_target *target, const char *name) {
    uint64_t address;
    for (size_t i = 0; i < target->mappings.count; i++) {
        const struct remote_mapping *mapping = &target->mappings.all[i];
        if (mapping->offset == 0 && mapping->path[0] == '/' &&
            remote_symbol_find(target->status.pid, mapping->start, name, &address) == 0)
            return true;
    }
    return false;
}

/* Asked before the library is loaded, which is of no use without Python. */
static int check_python(const struct attach_target *target) {
    if (has_symbol(target, "Py_GetVersion") || has_symbol(target, "pypy_main_startup"))
        return 0;
    return failure_print("there is no Python in process %d", (int)target->status.pid);
}

static int check_loaded(struct attach_target *target) {
    struct live_dump dump;
    int pid = (int)target->status.pid;
    int error = live_dump_open(&dump, &target->status);
    if (error < 0)
        return attach_target_refuse(target, error);
    bool traces = dump.fd >= 0;
    target->is_loaded = dump.loaded;
    live_dump_close(&dump);
    if (traces)
        return failure_print("process %d is already being traced", pid);
    if (target->is_loaded &&
        process_status_catches(&target->status,
                               process_status_request_signal(target->status.pid)))
        return failure_print("process %d has the library loaded: tracemalloc start %d",
                             pid, pid);
    return 0;
}

/* The same file, seen from the process's root. */
static int check_library(const struct attach_target *target, const char *library) {
    char name[32 + PATH_MAX];
    struct stat here, there;
    int pid = (int)target->status.pid;
    snprintf(name, sizeof name, "/proc/%d/root%s", pid, library);
    if (stat(library, &here) != 0)
        return failure_print("%s: %s", library, strerror(errno));
    if (stat(name, &there) != 0 && errno == EACCES)
        return attach_target_refuse(target, -EPERM);
    if (stat(name, &there) != 0 || here.st_dev != there.st_dev ||
        here.st_ino != there.st_ino)
        return failure_print("process %d has a different root and cannot find %s: run "
                             "tracemalloc inside its container",
                             pid, library);
    return 0;
}

/* mov $15, %rax; syscall */
static const unsigned char restore_code[] = {0x48, 0xc7, 0xc0, 0x0f, 0x00,
                                             0x00, 0x00, 0x0f, 0x05};

static uint64_t search(pid_t pid, const struct remote_mapping *mapping) {
    size_t size = mapping->end - mapping->start;
    unsigned char *code = size <= MAX_CODE ? malloc(size) : NULL;
    const unsigned char *found = NULL;
    if (code != NULL && remote_memory_read(pid, mapping->start, code, size) == 0)
        found = memmem(code, size, restore_code, sizeof restore_code);
    uint64_t address = found != NULL ? mapping->start + (uint64_t)(found - code) : 0;
    free(code);
    return address;
}

static uint64_t find_restore(const struct attach_target *target, const char *libc) {
    uint64_t address = 0;
    for (size_t i = 0; address == 0 && i < target->mappings.count; i++) {
        const struct remote_mapping *mapping = &target->mappings.all[i];
        if (mapping->is_code && strcmp(mapping->path, libc) == 0)
            address = search(target->status.pid, mapping);
    }
    return address;
}

/* Before 2.34 dlopen was in a library of its own, and the files had versions. */
static const struct remote_mapping *find_open(struct attach_target *target) {
    static const char *const libc_names[] = {"libc.so.6", "libc-2."};
    static const char *const dl_names[] = {"libc.so.6", "libdl-2.", "libdl.so.2"};
    const struct remote_mapping *libc = NULL;
    for (size_t i = 0; libc == NULL && i < sizeof libc_names / sizeof *libc_names; i++)
        libc = remote_mappings_file(&target->mappings, libc_names[i]);
    for (size_t i = 0; target->open == 0 && i < sizeof dl_names / sizeof *dl_names;
         i++) {
        const struct remote_mapping *file =
            remote_mappings_file(&target->mappings, dl_names[i]);
        if (file == NULL || remote_symbol_find(target->status.pid, file->start,
                                               "dlopen", &target->open) < 0)
            target->open = 0;
    }
    return libc;
}

static int find_libc(struct attach_target *target) {
    int pid = (int)target->status.pid;
    const struct remote_mapping *libc = find_open(target);
    unsigned char first;
    if (libc == NULL)
        return failure_print("process %d does not use glibc: the library cannot be "
                             "loaded into it",
                             pid);
    int error = remote_memory_read(target->status.pid, libc->start, &first, 1);
    if (error < 0)
        return attach_target_refuse(target, error);
    target->restore = find_restore(target, libc->path);
    return 0;
}

/* After check_python: before glibc 2.34 a program without Python may lack dlopen. */
static int check_libc(const struct attach_target *target) {
    if (target->open != 0 && target->restore != 0)
        return 0;
    return failure_print("the glibc of process %d is not supported: the library cannot "
                         "be loaded into it",
                         (int)target->status.pid);
}

static int check(struct attach_target *target, const char *library) {
    if (check_status(target) != 0 || check_loaded(target) != 0)
        return 1;
    if (is_32_bit(target->status.pid))
        return failure_print(
            "process %d is a 32-bit program: the library is for 64-bit "
            "ones",
            (int)target->status.pid);
    int error = remote_mappings_read(target->status.pid, &target->mappings);
    if (error < 0)
        return attach_target_refuse(target, error);
    if (find_libc(target) != 0 || check_python(target) != 0 || check_libc(target) != 0)
        return 1;
    return check_library(target, library);
}

int attach_target_open(struct attach_target *target, pid_t pid, const char *library) {
    *target = (struct attach_target){0};
    int error = process_status_read(pid, &target->status);
    if (error == -ESRCH)
        return failure_print("there is no process %d", (int)pid);
    if (error < 0)
        return failure_print("cannot read the state of process %d: %s", (int)pid,
                             strerror(-error));
    int status = check(target, library);
    if (status != 0)
        attach_target_close(target);
    return status;
}

void attach_target_close(struct attach_target *target) {
    remote_mappings_free(&target->mappings);
}

uint64_t attach_target_function(const struct attach_target *target, const char *name) {
    struct remote_mappings now;
    uint64_t address = 0;
    if (remote_mappings_read(target->status.pid, &now) == 0) {
        const struct remote_mapping *library = remote_mappings_file(&now, library_name);
        if (library == NULL ||
            remote_symbol_find(target->status.pid, library->start, name, &address) < 0)
            address = 0;
    }
    remote_mappings_free(&now);
    return address;
}

static bool is_named(const struct remote_mapping *mapping, const char *name) {
    const char *slash = strrchr(mapping->path, '/');
    return slash != NULL && strncmp(slash + 1, name, strlen(name)) == 0;
}

/* Where the file's ELF header is. */
static uint64_t base_of(const struct attach_target *target, const char *path) {
    for (size_t i = 0; i < target->mappings.count; i++)
        if (target->mappings.all[i].offset == 0 &&
            strcmp(target->mappings.all[i].path, path) == 0)
            return target->mappings.all[i].start;
    return 0;
}

static bool is_allocator(const struct attach_target *target,
                         const struct remote_mapping *mapping) {
    uint64_t address, base = base_of(target, mapping->path);
    return base == 0 ||
           remote_symbol_find(target->status.pid, base, "malloc", &address) != -ENOENT;
}

bool attach_target_is_loader(const struct attach_target *target, uint64_t address) {
    const struct remote_mapping *mapping =
        remote_mappings_at(&target->mappings, address);
    return mapping != NULL && is_named(mapping, "ld-");
}

bool attach_target_is_free(const struct attach_target *target, uint64_t address) {
    const struct remote_mapping *mapping =
        remote_mappings_at(&target->mappings, address);
    static const char *const libc_names[] = {"ld-",    "ld.so",      "libc.so",
                                             "libc-2", "libpthread", "libdl"};
    if (mapping == NULL || !mapping->is_code || mapping->path[0] != '/')
        return false;
    for (size_t i = 0; i < sizeof libc_names / sizeof *libc_names; i++)
        if (is_named(mapping, libc_names[i]))
            return false;
    return !is_allocator(target, mapping);
}
