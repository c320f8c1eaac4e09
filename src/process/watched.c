/* SPDX-License-Identifier: MIT */
#include "process/watched.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dump/dump_process.h"
#include "output/failure.h"
#include "process/live_dump.h"
#include "process/traced_child.h"

enum { MAX_PID_DIGITS = 9 };

/* Returns a new descriptor for the dump that the process is writing; -ENODATA if there
 * is none, -ENOENT if it was deleted. */
static int open_dump_of(pid_t pid) {
    struct process_status process;
    struct live_dump dump;
    int error = process_status_read(pid, &process);
    if (error == 0)
        error = live_dump_open(&dump, &process);
    if (error < 0)
        return error;
    int fd = dump.fd < 0 ? -ENODATA : -ENOENT;
    if (dump.fd >= 0 && !dump.is_memory) {
        fd = fcntl(dump.fd, F_DUPFD_CLOEXEC, 0);
        fd = fd < 0 ? -errno : fd;
    }
    live_dump_close(&dump);
    return fd;
}

static int explain(pid_t pid, int error) {
    int number = (int)pid;
    switch (-error) {
    case ESRCH:
        return failure_print("there is no process %d", number);
    case ENODATA:
        return failure_print("process %d is not being traced", number);
    case ENOENT:
        return failure_print("the dump of process %d was deleted", number);
    default:
        return failure_print("process %d: %s", number, strerror(-error));
    }
}

static int open_file(struct watched *watched) {
    struct dump_reader *reader;
    watched->fd = open(watched->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    int error = watched->fd < 0 ? -errno : dump_reader_open_fd(&reader, watched->fd);
    if (error == 0) {
        dump_reader_close(reader);
        return 0;
    }
    watched_close(watched);
    return failure_print("%s: %s", watched->name, dump_reader_strerror(error));
}

/* Returns a descriptor for the dump of the traced child, or -ENODATA. */
static int open_child(struct watched *watched) {
    pid_t child = traced_child_find(watched->pid);
    int fd = child < 0 ? -ENODATA : open_dump_of(child);
    if (fd < 0 || process_status_read(watched->pid, &watched->parent) < 0)
        return fd;
    watched->pid = child;
    return fd;
}

bool watched_is_process(const char *name) {
    size_t length = strlen(name);
    return length > 0 && length <= MAX_PID_DIGITS &&
           strspn(name, "0123456789") == length;
}

int watched_open(struct watched *watched, const char *name) {
    *watched = (struct watched){.fd = -1, .name = name};
    if (!watched_is_process(name))
        return open_file(watched);
    watched->pid = (pid_t)strtol(name, NULL, 10);
    watched->fd = open_dump_of(watched->pid);
    if (watched->fd == -ENODATA)
        watched->fd = open_child(watched);
    return watched->fd < 0 ? explain(watched->pid, watched->fd) : 0;
}

void watched_close(struct watched *watched) {
    if (watched->fd >= 0)
        close(watched->fd);
    watched->fd = -1;
}

int watched_read(struct watched *watched, bool ended, struct dump_reader **reader) {
    int next = ended && watched->pid != 0 ? open_dump_of(watched->pid) : -ENODATA;
    if (next >= 0) {
        close(watched->fd);
        watched->fd = next;
    }
    return dump_reader_open_fd(reader, watched->fd);
}

const char *watched_describe(const struct watched *watched, char *text, size_t size) {
    struct process_status now;
    int pid = (int)watched->parent.pid;
    if (pid == 0)
        return NULL;
    bool lives = process_status_read(pid, &now) == 0 &&
                 now.start == watched->parent.start && strchr("ZX", now.state) == NULL;
    snprintf(text, size, lives ? "child of %d" : "%d has ended, its child:", pid);
    return text;
}

/* Field 2 of /proc/PID/statm, in pages. */
static uint64_t live_rss(pid_t pid) {
    char path[40];
    uint64_t pages = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%*s %" SCNu64, &pages) != 1)
        pages = 0;
    fclose(file);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t watched_rss(const struct watched *watched, const struct dump_reader *reader) {
    pid_t pid = watched->pid;
    if (pid == 0 && dump_reader_may_run(reader))
        pid = dump_process_pid(&reader->header);
    uint64_t rss = pid != 0 && dump_reader_may_run(reader) ? live_rss(pid) : 0;
    if (rss == 0 && reader->timeline_count > 0)
        rss = reader->timeline[reader->timeline_count - 1].rss_bytes;
    return rss;
}
