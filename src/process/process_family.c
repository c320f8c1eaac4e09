/* SPDX-License-Identifier: MIT */
#include "process/process_family.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/process.h"
#include "collection/array.h"
#include "dump/dump_process.h"
#include "output/failure.h"
#include "process/dump_directory.h"
#include "process/live_dump.h"
#include "process/watched.h"

static bool runs(const struct family_process *process) {
    struct process_status status;
    return process_status_read(process->pid, &status) == 0 &&
           status.start == process->start && strchr("ZX", status.state) == NULL;
}

/* Adds a process that runs, unless it is known. */
static int add_process(struct process_family *family, pid_t pid) {
    struct process_status status;
    if (process_status_read(pid, &status) < 0)
        return 0;
    for (size_t i = 0; i < family->process_count; i++)
        if (family->processes[i].pid == pid &&
            family->processes[i].start == status.start)
            return 0;
    int error = array_reserve(&family->processes, &family->process_capacity,
                              family->process_count + 1, sizeof *family->processes);
    if (error == 0)
        family->processes[family->process_count++] =
            (struct family_process){pid, status.start};
    return error;
}

/* Adds a directory, unless it is known or cannot be read. */
static int add_directory(struct process_family *family, const char *path) {
    struct stat status;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
    bool known = fd < 0 || fstat(fd, &status) < 0;
    for (size_t i = 0; !known && i < family->directory_count; i++)
        known = family->directories[i].device == status.st_dev &&
                family->directories[i].inode == status.st_ino;
    int error =
        known ? 0
              : array_reserve(&family->directories, &family->directory_capacity,
                              family->directory_count + 1, sizeof *family->directories);
    if (!known && error == 0)
        family->directories[family->directory_count++] =
            (struct family_directory){fd, status.st_dev, status.st_ino};
    else if (fd >= 0)
        close(fd);
    return error;
}

/* The directory of a path as a process sees it; `pid` 0: as this one does. */
static int add_directory_of(struct process_family *family, pid_t pid,
                            const char *path) {
    char root[32] = "", *directory;
    const char *slash = strrchr(path, '/');
    int length = slash == NULL ? 0 : (int)(slash - path) + 1;
    if (pid != 0)
        snprintf(root, sizeof root, "/proc/%d/root", (int)pid);
    if (asprintf(&directory, "%s%.*s", root, length, path) < 0)
        return -ENOMEM;
    int error = add_directory(family, length > 0 ? directory : ".");
    free(directory);
    return error;
}

static bool may_run(const struct tracemalloc_dump_header *header, int fd) {
    return header->state == TRACEMALLOC_DUMP_TRACING &&
           dump_process_find(header, fd) != DUMP_PROCESS_IS_GONE;
}

static bool is_known(const struct process_family *family, const struct stat *status,
                     const struct tracemalloc_dump_header *header) {
    for (size_t i = 0; i < family->dump_count; i++) {
        const struct family_dump *dump = &family->dumps[i];
        if (dump->device == status->st_dev && dump->inode == status->st_ino &&
            dump->start_time == header->start_time)
            return true;
    }
    return false;
}

/* Adds a dump, unless it is known, and takes over its descriptor. */
static int add_dump(struct process_family *family, int fd, const char *name,
                    const struct tracemalloc_dump_header *header) {
    struct stat status;
    char *copy = strdup(name);
    int error = copy == NULL ? -ENOMEM : 0;
    bool wanted = fstat(fd, &status) == 0 && !is_known(family, &status, header);
    if (error == 0 && wanted)
        error = array_reserve(&family->dumps, &family->dump_capacity,
                              family->dump_count + 1, sizeof *family->dumps);
    if (error < 0 || !wanted) {
        free(copy);
        close(fd);
        return error;
    }
    struct family_dump *dump = &family->dumps[family->dump_count++];
    *dump = (struct family_dump){
        .fd = fd,
        .device = status.st_dev,
        .inode = status.st_ino,
        .name = copy,
        .pid = header->pid,
        .start_time = header->start_time,
        .process_start = header->process_start,
        .pid_namespace = header->pid_namespace,
        .run_id = header->run_id,
    };
    container_id_find(dump->container, header);
    return 0;
}

/* Adds the dump that a process writes, and its directory. */
static int add_live(struct process_family *family, pid_t pid) {
    struct process_status status;
    struct live_dump dump;
    if (process_status_read(pid, &status) < 0 || live_dump_open(&dump, &status) < 0)
        return 0;
    int error = 0;
    if (dump.fd >= 0 && !dump.is_memory && dump.path != NULL) {
        int fd = fcntl(dump.fd, F_DUPFD_CLOEXEC, 0);
        error = fd < 0 ? 0 : add_dump(family, fd, dump.path, &dump.header);
        if (error == 0)
            error = add_directory_of(family, pid, dump.path);
    }
    live_dump_close(&dump);
    return error;
}

/* The process of a dump that is named by its file may be in another PID namespace,
 * where only its files are seen. */
static int add_running(struct process_family *family, const char *name,
                       const struct tracemalloc_dump_header *header) {
    pid_t pid = dump_process_pid(header);
    int error = add_directory_of(family, 0, name);
    return error == 0 && pid > 0 ? add_process(family, pid) : error;
}

static int add_file(struct process_family *family, const struct watched *watched) {
    struct tracemalloc_dump_header header;
    int fd = fcntl(watched->fd, F_DUPFD_CLOEXEC, 0), error = 0;
    if (fd < 0)
        return -errno;
    if (dump_directory_read_header(fd, &header) < 0) {
        close(fd);
        return -EIO;
    }
    bool running = may_run(&header, fd);
    error = add_dump(family, fd, watched->name, &header);
    return error == 0 && running ? add_running(family, watched->name, &header) : error;
}

int process_family_add(struct process_family *family, const char *name) {
    struct watched watched;
    if (watched_open(&watched, name) != 0)
        return 1;
    int error = watched_is_process(name)
                    ? add_process(family, (pid_t)strtol(name, NULL, 10))
                    : add_file(family, &watched);
    watched_close(&watched);
    return error == 0 ? 0 : failure_print("%s: %s", name, strerror(-error));
}

static int add_children_of_thread(struct process_family *family, const char *path) {
    int child, error = 0;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    while (error == 0 && fscanf(file, "%d", &child) == 1)
        error = add_process(family, (pid_t)child);
    fclose(file);
    return error;
}

/* The kernel lists children by the thread that forked them. */
static int add_children(struct process_family *family, pid_t pid) {
    char path[320];
    int error = 0;
    struct dirent *entry;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *threads = opendir(path);
    if (threads == NULL)
        return 0;
    while (error == 0 && (entry = readdir(threads)) != NULL) {
        snprintf(path, sizeof path, "/proc/%d/task/%s/children", (int)pid,
                 entry->d_name);
        error = add_children_of_thread(family, path);
    }
    closedir(threads);
    return error;
}

static void drop_ended(struct process_family *family) {
    size_t count = 0;
    for (size_t i = 0; i < family->process_count; i++)
        if (runs(&family->processes[i]))
            family->processes[count++] = family->processes[i];
    family->process_count = count;
}

/* The array grows meanwhile. */
static int scan_processes(struct process_family *family) {
    int error = 0;
    for (size_t i = 0; error == 0 && i < family->process_count; i++) {
        pid_t pid = family->processes[i].pid;
        error = add_children(family, pid);
        if (error == 0)
            error = add_live(family, pid);
    }
    return error;
}

static bool is_related(const struct process_family *family,
                       const struct tracemalloc_dump_header *header) {
    for (size_t i = 0; i < family->dump_count; i++) {
        const struct family_dump *dump = &family->dumps[i];
        if (dump->run_id != 0 && dump->run_id == header->run_id)
            return true;
        if (dump->pid_namespace != header->pid_namespace)
            continue;
        bool is_child =
            dump->pid == header->ppid && dump->start_time <= header->start_time;
        bool is_same =
            dump->pid == header->pid && dump->process_start == header->process_start;
        if (is_child || is_same)
            return true;
    }
    return false;
}

static bool is_of_another_boot(const struct tracemalloc_dump_header *header) {
    char boot_id[sizeof header->boot_id] = "";
    process_boot_id(boot_id, sizeof boot_id);
    return header->boot_id[0] != '\0' &&
           strncmp(boot_id, header->boot_id, sizeof boot_id) != 0;
}

/* A process that is found by its dump alone, because its parent ended before, is
 * watched too. */
static int add_found(struct process_family *family, int fd, const char *name,
                     const struct tracemalloc_dump_header *header) {
    bool running = may_run(header, fd);
    int error = add_dump(family, fd, name, header);
    if (error < 0)
        return error;
    struct family_dump *last = &family->dumps[family->dump_count - 1];
    if (!running && !family->scanned)
        process_family_finish(last);
    pid_t pid = running ? dump_process_pid(header) : 0;
    return pid > 0 ? add_process(family, pid) : 0;
}

static int add_if_related(void *input, const char *name, int fd,
                          const struct tracemalloc_dump_header *header) {
    struct process_family *family = input;
    struct stat status;
    if (fd >= 0 && fstat(fd, &status) == 0 && !is_of_another_boot(header) &&
        is_related(family, header) && !is_known(family, &status, header))
        return add_found(family, fd, name, header);
    if (fd >= 0)
        close(fd);
    return 0;
}

/* A directory may have become unreadable. */
static int scan_directory(struct process_family *family, int fd) {
    int error = dump_directory_scan(fd, add_if_related, family);
    return error == -ENOMEM ? error : 0;
}

/* A dump that is found may be the parent of another one. */
static int scan_directories(struct process_family *family) {
    size_t before;
    int error = 0;
    do {
        before = family->dump_count;
        for (size_t i = 0; error == 0 && i < family->directory_count; i++)
            error = scan_directory(family, family->directories[i].fd);
    } while (error == 0 && family->dump_count > before);
    return error;
}

int process_family_scan(struct process_family *family) {
    drop_ended(family);
    int error = scan_processes(family);
    if (error == 0)
        error = scan_directories(family);
    if (error == 0)
        family->scanned = true;
    return error;
}

bool process_family_lives(const struct process_family *family) {
    struct tracemalloc_dump_header header;
    for (size_t i = 0; i < family->process_count; i++)
        if (runs(&family->processes[i]))
            return true;
    for (size_t i = 0; i < family->dump_count; i++) {
        int fd = family->dumps[i].fd;
        if (fd >= 0 && dump_directory_read_header(fd, &header) == 0 &&
            may_run(&header, fd))
            return true;
    }
    return false;
}

void process_family_finish(struct family_dump *dump) {
    if (dump->fd >= 0)
        close(dump->fd);
    dump->fd = -1;
}

void process_family_close(struct process_family *family) {
    for (size_t i = 0; i < family->dump_count; i++) {
        process_family_finish(&family->dumps[i]);
        free(family->dumps[i].name);
    }
    for (size_t i = 0; i < family->directory_count; i++)
        close(family->directories[i].fd);
    free(family->processes);
    free(family->dumps);
    free(family->directories);
    *family = (struct process_family){0};
}
