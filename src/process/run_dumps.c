/* SPDX-License-Identifier: MIT */
#include "process/run_dumps.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/process.h"
#include "collection/array.h"
#include "process/glob_text.h"
#include "tracemalloc_dump.h"

enum { NAMES_SHOWN = 3 };

struct search {
    struct run_dumps *dumps;
    int error;
};

/* Opens a regular file, never anything else, and reads its header. Returns a descriptor
 * if it is a dump of the run, else -1. */
static int open_dump(const char *path, int flags, uint64_t run_id,
                     struct tracemalloc_dump_header *header, struct stat *status) {
    if (lstat(path, status) < 0 || !S_ISREG(status->st_mode))
        return -1;
    int fd = open(path, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -1;
    if (fstat(fd, status) == 0 && S_ISREG(status->st_mode) &&
        pread(fd, header, sizeof *header, 0) == (ssize_t)sizeof *header &&
        memcmp(header->magic, TRACEMALLOC_DUMP_MAGIC, sizeof header->magic) == 0 &&
        header->byte_order == TRACEMALLOC_DUMP_BYTE_ORDER &&
        header->version == TRACEMALLOC_DUMP_VERSION && header->run_id == run_id)
        return fd;
    close(fd);
    return -1;
}

static bool is_listed(const struct run_dump_list *list, const struct stat *status) {
    for (size_t i = 0; i < list->count; i++)
        if (list->dumps[i].device == status->st_dev &&
            list->dumps[i].inode == status->st_ino)
            return true;
    return false;
}

static int add(struct run_dump_list *list, const char *path, const struct stat *status,
               const struct tracemalloc_dump_header *header, int fd) {
    if (array_reserve(&list->dumps, &list->capacity, list->count + 1,
                      sizeof *list->dumps) < 0)
        return -ENOMEM;
    list->dumps[list->count] = (struct run_dump){
        .path = strdup(path),
        .device = status->st_dev,
        .inode = status->st_ino,
        .header = *header,
        .process = header->state == TRACEMALLOC_DUMP_TRACING
                       ? dump_process_find(header, fd)
                       : DUMP_PROCESS_IS_GONE,
    };
    if (list->dumps[list->count].path == NULL)
        return -ENOMEM;
    list->count++;
    return 0;
}

/* The list that a dump belongs in; NULL for a copy that the user made. */
static struct run_dump_list *list_of(struct run_dumps *dumps,
                                     const struct tracemalloc_dump_header *header) {
    if (header->state != TRACEMALLOC_DUMP_SNAPSHOT)
        return &dumps->own;
    bool is_own_copy = header->reached_percent != 0 || header->reached_bytes != 0;
    return is_own_copy ? &dumps->copies : NULL;
}

static void examine(struct search *search, const char *path) {
    struct tracemalloc_dump_header header;
    struct stat status;
    int fd = open_dump(path, O_RDONLY, search->dumps->run_id, &header, &status);
    if (fd < 0)
        return;
    struct run_dump_list *list = list_of(search->dumps, &header);
    if (search->error == 0 && list != NULL && !is_listed(list, &status))
        search->error = add(list, path, &status, &header, fd);
    close(fd);
}

static void scan_names(struct search *search, const char *text) {
    glob_t names;
    if (glob(text, GLOB_NOSORT | GLOB_PERIOD, NULL, &names) != 0)
        return;
    for (size_t i = 0; i < names.gl_pathc; i++)
        examine(search, names.gl_pathv[i]);
    globfree(&names);
}

/* Scans a directory, or if NULL the pattern's own, for names of the pattern with or
 * without the suffixes of a name that was taken and of a copy. */
static void scan_directory(struct search *search, const char *directory,
                           const char *pattern) {
    char text[4 * PATH_MAX] = "";
    if (directory != NULL) {
        const char *slash = strrchr(pattern, '/');
        glob_text_append(text, sizeof text, directory);
        glob_text_append(text, sizeof text, "/");
        pattern = slash != NULL ? slash + 1 : pattern;
    }
    glob_text_append_pattern(text, sizeof text, pattern);
    static const char *const suffixes[] = {"", ".[0-9]*", ".at-[0-9]*"};
    size_t length = strlen(text);
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        snprintf(text + length, sizeof text - length, "%s", suffixes[i]);
        scan_names(search, text);
    }
}

static int compare_numbers(uint64_t a, uint64_t b) {
    return (a > b) - (a < b);
}

/* By the start, and copies of one process by their own time. */
static int compare(const void *first, const void *second) {
    const struct tracemalloc_dump_header *a = &((const struct run_dump *)first)->header;
    const struct tracemalloc_dump_header *b =
        &((const struct run_dump *)second)->header;
    int order = compare_numbers(a->start_time, b->start_time);
    return order != 0 ? order : compare_numbers(a->end_time, b->end_time);
}

static void sort(struct run_dump_list *list) {
    if (list->count > 0)
        qsort(list->dumps, list->count, sizeof *list->dumps, compare);
}

int run_dumps_find(struct run_dumps *dumps, const char *pattern, uint64_t run_id) {
    const char *temporary = getenv("TMPDIR");
    struct search search = {dumps, 0};
    *dumps = (struct run_dumps){.run_id = run_id};
    scan_directory(&search, NULL, pattern);
    if (temporary != NULL && *temporary != '\0')
        scan_directory(&search, temporary, pattern);
    scan_directory(&search, "/tmp", pattern);
    sort(&dumps->own);
    sort(&dumps->copies);
    return search.error;
}

/* Whether the dump belongs to the process that `run` waited for, whose pid is one of
 * this PID namespace. */
static bool is_of_child(const struct run_dump *dump, const struct run_end *end) {
    uint64_t namespace = dump->header.pid_namespace;
    return dump->header.pid == (uint32_t)end->pid &&
           (namespace == 0 || namespace == process_pid_namespace());
}

/* Whether the process is gone without having recorded its end. */
static bool lacks_end(const struct run_dump *dump, const struct run_end *end) {
    return dump->header.state == TRACEMALLOC_DUMP_TRACING &&
           (is_of_child(dump, end) || dump->process == DUMP_PROCESS_IS_GONE);
}

static void set_end(struct tracemalloc_dump_header *header, const struct run_end *end) {
    if (WIFSIGNALED(end->wait_status)) {
        header->signal = WTERMSIG(end->wait_status);
        header->oom_killed = header->signal == SIGKILL ? end->oom_killed : 0;
        header->state = TRACEMALLOC_DUMP_SIGNAL;
    } else {
        header->exit_status = WEXITSTATUS(end->wait_status);
        header->oom_killed = 0;
        header->state = TRACEMALLOC_DUMP_EXITED;
    }
    header->end_time = process_clock();
}

/* The value of oom_killed for processes of the run other than the child, whose wait
 * status is unknown: if the OOM killer was active, it is certain only if a single
 * process was killed. */
static int oom_of_others(const struct run_dumps *dumps, const struct run_end *end) {
    size_t killed = 0;
    if (end->oom_killed != 1)
        return end->oom_killed;
    for (size_t i = 0; i < dumps->own.count; i++)
        killed += lacks_end(&dumps->own.dumps[i], end);
    return killed == 1 ? 1 : -1;
}

static void finish(const struct run_dump *dump, const struct run_end *end, int oom,
                   uint64_t run_id) {
    struct tracemalloc_dump_header header;
    struct stat status;
    int fd = open_dump(dump->path, O_RDWR, run_id, &header, &status);
    if (fd < 0)
        return;
    if (header.state != TRACEMALLOC_DUMP_TRACING) {
        close(fd);
        return;
    }
    if (is_of_child(dump, end))
        set_end(&header, end);
    else
        header.oom_killed = oom;
    /* If this fails, the dump keeps its state and is reported as killed, which is
     * true. */
    size_t offset = offsetof(struct tracemalloc_dump_header, state);
    size_t size = offsetof(struct tracemalloc_dump_header, finalized) - offset;
    int written = io_write_all(fd, (const char *)&header + offset, size, offset);
    (void)written;
    close(fd);
}

void run_dumps_finish(const struct run_dumps *dumps, const struct run_end *end) {
    int oom = oom_of_others(dumps, end);
    for (size_t i = 0; i < dumps->own.count; i++)
        if (lacks_end(&dumps->own.dumps[i], end))
            finish(&dumps->own.dumps[i], end, oom, dumps->run_id);
}

static const char *shown_path(const char *path) {
    char directory[PATH_MAX];
    if (getcwd(directory, sizeof directory) == NULL)
        return path;
    size_t length = strlen(directory);
    bool is_inside = strncmp(path, directory, length) == 0 && path[length] == '/';
    return is_inside ? path + length + 1 : path;
}

/* A name may contain a newline or an escape sequence; the result is one harmless
 * line. */
static void replace_control_characters(char *text) {
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = '?';
}

void run_dumps_list(const struct run_dump_list *list, char *line, size_t size) {
    size_t length = 0;
    line[0] = '\0';
    for (size_t i = 0; i < list->count && i < NAMES_SHOWN && length < size; i++)
        length += (size_t)snprintf(line + length, size - length, "%s%s",
                                   i > 0 ? ", " : "", shown_path(list->dumps[i].path));
    if (list->count > NAMES_SHOWN && length < size)
        snprintf(line + length, size - length, " and %zu more",
                 list->count - NAMES_SHOWN);
    replace_control_characters(line);
}

static void free_list(struct run_dump_list *list) {
    for (size_t i = 0; i < list->count; i++)
        free(list->dumps[i].path);
    free(list->dumps);
}

void run_dumps_free(struct run_dumps *dumps) {
    free_list(&dumps->own);
    free_list(&dumps->copies);
    *dumps = (struct run_dumps){0};
}
