/* SPDX-License-Identifier: MIT */
#include "dump/dump_process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/process.h"

static bool another_boot(const struct tracemalloc_dump_header *header) {
    char boot_id[sizeof header->boot_id + 1] = "";
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (file == NULL)
        return false;
    bool known = fscanf(file, "%40s", boot_id) == 1 && header->boot_id[0] != '\0';
    fclose(file);
    return known && strncmp(boot_id, header->boot_id, sizeof header->boot_id) != 0;
}

/* Parses fields 3, 20 and 22 of /proc/PID/stat (proc(5)). A zombie has state Z and one
 * thread. */
static bool another_or_dead(const char *stat, uint64_t process_start) {
    char state;
    long threads;
    unsigned long long start;
    const char *end = strrchr(stat, ')'); /* the name before it may be any text */
    if (end == NULL || sscanf(end + 1,
                              " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
                              "%*s %*s %*s %ld %*s %llu",
                              &state, &threads, &start) != 3)
        return false;
    return start != process_start || (strchr("ZXx", state) != NULL && threads <= 1);
}

/* Whether /proc shows this PID namespace; it may be mounted for another one. */
static bool proc_is_ours(void) {
    char text[32] = "";
    return readlink("/proc/self", text, sizeof text - 1) > 0 &&
           strtol(text, NULL, 10) == (long)getpid();
}

/* Without /proc, the process could record neither its start time nor its namespace. */
static bool is_of_our_namespace(const struct tracemalloc_dump_header *header) {
    if (header->pid_namespace == 0)
        return header->process_start != 0 && proc_is_ours();
    return header->pid_namespace == process_pid_namespace() && proc_is_ours();
}

static bool is_gone_here(const struct tracemalloc_dump_header *header) {
    if (kill((pid_t)header->pid, 0) != 0 && errno == ESRCH)
        return true;
    char path[40], stat[1024];
    snprintf(path, sizeof path, "/proc/%u/stat", header->pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false; /* another user's, and /proc is mounted with hidepid */
    size_t length = fread(stat, 1, sizeof stat - 1, file);
    fclose(file);
    stat[length] = '\0';
    return another_or_dead(stat, header->process_start);
}

/* As most files of containers are. What is mapped is the file below, which has no part
 * in the lease: it is given though the process runs. */
static bool is_on_overlay(int fd) {
    struct statfs status;
    return fstatfs(fd, &status) == 0 && status.f_type == OVERLAYFS_SUPER_MAGIC;
}

/* If another process breaks the lease, the kernel sends a signal: SIGIO by default,
 * which would end this process. */
static enum dump_process_state ask_kernel(int fd) {
    if (fd < 0 || fcntl(fd, F_SETSIG, SIGURG) < 0)
        return DUMP_PROCESS_UNKNOWN;
    if (fcntl(fd, F_SETLEASE, F_RDLCK) == 0) {
        fcntl(fd, F_SETLEASE, F_UNLCK);
        return DUMP_PROCESS_IS_GONE;
    }
    return errno == EAGAIN ? DUMP_PROCESS_RUNS : DUMP_PROCESS_UNKNOWN;
}

/* NSpid has one pid for each nested namespace, the innermost last. */
static uint32_t innermost_pid(pid_t pid) {
    char path[40], line[1024];
    uint32_t number = 0;
    int length;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "NSpid:", 6) == 0)
            for (const char *at = line + 6; sscanf(at, "%u%n", &number, &length) == 1;)
                at += length;
    if (file != NULL)
        fclose(file);
    return number;
}

/* Processes of two namespaces may have the same pid and start in the same tick. /proc
 * shows the namespace only of processes that the caller may trace. */
static bool is_process(const struct tracemalloc_dump_header *header, pid_t pid) {
    char path[40];
    uint64_t start;
    struct stat namespace;
    if (process_start_time((uint32_t)pid, &start) < 0 ||
        start != header->process_start || innermost_pid(pid) != header->pid)
        return false;
    snprintf(path, sizeof path, "/proc/%d/ns/pid", (int)pid);
    return stat(path, &namespace) != 0 || namespace.st_ino == header->pid_namespace;
}

/* Root in the initial namespace, whose number is fixed (include/linux/proc_ns.h). */
static bool sees_all_processes(void) {
    return geteuid() == 0 && process_pid_namespace() == 0xEFFFFFFC && proc_is_ours();
}

static pid_t search(const struct tracemalloc_dump_header *header) {
    struct dirent *entry;
    pid_t found = 0;
    DIR *directory = opendir("/proc");
    while (directory != NULL && found == 0 && (entry = readdir(directory)) != NULL) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (pid > 0 && is_process(header, pid))
            found = pid;
    }
    if (directory != NULL)
        closedir(directory);
    return found;
}

static bool names_a_process(const struct tracemalloc_dump_header *header) {
    return header->pid != 0 && header->pid <= INT_MAX;
}

enum dump_process_state dump_process_find(const struct tracemalloc_dump_header *header,
                                          int fd) {
    if (!names_a_process(header))
        return DUMP_PROCESS_IS_GONE;
    if (another_boot(header))
        return ask_kernel(fd);
    if (is_of_our_namespace(header))
        return is_gone_here(header) ? DUMP_PROCESS_IS_GONE : DUMP_PROCESS_RUNS;
    enum dump_process_state state = ask_kernel(fd);
    if (state == DUMP_PROCESS_IS_GONE && is_on_overlay(fd))
        state = DUMP_PROCESS_UNKNOWN;
    if (state != DUMP_PROCESS_UNKNOWN || header->process_start == 0)
        return state;
    if (search(header) != 0)
        return DUMP_PROCESS_RUNS;
    return sees_all_processes() ? DUMP_PROCESS_IS_GONE : DUMP_PROCESS_UNKNOWN;
}

pid_t dump_process_pid(const struct tracemalloc_dump_header *header) {
    if (!names_a_process(header) || another_boot(header))
        return 0;
    if (is_of_our_namespace(header))
        return is_gone_here(header) ? 0 : (pid_t)header->pid;
    return header->process_start != 0 ? search(header) : 0;
}
