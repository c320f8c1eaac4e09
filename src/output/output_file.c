/* SPDX-License-Identifier: MIT */
#include "output/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER_SIZE = 1 << 18 };

static const int ending_signals[] = {SIGINT,  SIGTERM, SIGHUP, SIGQUIT,
                                     SIGPIPE, SIGXCPU, SIGALRM};
enum { SIGNAL_COUNT = sizeof ending_signals / sizeof *ending_signals };

/* The temporary file, which the signal handler removes. Changed only while the signals
 * are blocked. */
static char *unfinished;

static void remove_unfinished(int number) {
    if (unfinished != NULL)
        unlink(unfinished);
    /* SA_RESETHAND: this signal ends the process once the handler returns. */
    raise(number);
}

static void block_signals(sigset_t *before) {
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < SIGNAL_COUNT; i++)
        sigaddset(&set, ending_signals[i]);
    sigprocmask(SIG_BLOCK, &set, before);
}

/* Signals that the caller ignores stay ignored. Exceeding the file size limit must be
 * an error instead of a fatal signal. */
static void watch_signals(void) {
    struct sigaction action = {.sa_handler = remove_unfinished,
                               .sa_flags = (int)SA_RESETHAND};
    for (int i = 0; i < SIGNAL_COUNT; i++) {
        struct sigaction before;
        if (sigaction(ending_signals[i], NULL, &before) == 0 &&
            before.sa_handler != SIG_IGN)
            sigaction(ending_signals[i], &action, NULL);
    }
    signal(SIGXFSZ, SIG_IGN);
}

static char *temporary_name(const char *path) {
    const char *slash = strrchr(path, '/');
    int directory = slash == NULL ? 0 : (int)(slash - path + 1);
    char *name = NULL;
    return asprintf(&name, "%.*s.tracemalloc-XXXXXX", directory, path) < 0 ? NULL
                                                                           : name;
}

/* Whether the path is written to directly: if it is not a regular file, or if it is the
 * standard output, which must not be replaced even if it is a regular file. */
static bool is_written_directly(const char *path) {
    struct stat status, output;
    if (stat(path, &status) != 0)
        return false;
    bool is_output =
        fstat(STDOUT_FILENO, &output) == 0 && output_file_is_same(&status, &output);
    return is_output || !S_ISREG(status.st_mode);
}

/* A file that is the standard output is written at its current position, not from its
 * start. */
static int open_directly(const char *path) {
    struct stat status;
    bool is_file = stat(path, &status) == 0 && S_ISREG(status.st_mode);
    int fd = is_file ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)
                     : open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    return fd < 0 ? -errno : fd;
}

static int create_temporary(struct output_file *file, const char *path,
                            const struct copied_rights *rights) {
    file->temporary = temporary_name(path);
    if (file->temporary == NULL)
        return -ENOMEM;
    sigset_t before;
    block_signals(&before);
    int fd = mkostemp(file->temporary, O_CLOEXEC), error = -errno;
    if (fd >= 0) {
        unfinished = file->temporary;
        watch_signals();
        copied_rights_limit(fd, rights);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    return fd >= 0 ? fd : error;
}

bool output_file_is_same(const struct stat *first, const struct stat *second) {
    return first->st_dev == second->st_dev && first->st_ino == second->st_ino;
}

bool output_file_is(const char *first, const char *second) {
    struct stat a, b;
    return stat(first, &a) == 0 && stat(second, &b) == 0 && output_file_is_same(&a, &b);
}

int output_file_open(struct output_file *file, const char *path,
                     const struct copied_rights *rights) {
    *file = (struct output_file){.path = path};
    int fd;
    if (is_written_directly(path)) {
        fd = open_directly(path);
    } else {
        fd = create_temporary(file, path, rights);
    }
    if (fd >= 0) {
        file->stream = fdopen(fd, "w");
        if (file->stream != NULL) {
            setvbuf(file->stream, NULL, _IOFBF, BUFFER_SIZE);
            return 0;
        }
        close(fd);
        fd = -ENOMEM;
    }
    output_file_abandon(file);
    return fd;
}

static int close_stream(struct output_file *file) {
    bool failed = ferror(file->stream) != 0;
    errno = 0;
    failed |= fclose(file->stream) != 0;
    file->stream = NULL;
    if (!failed)
        return 0;
    return errno != 0 ? -errno : -EIO;
}

int output_file_commit(struct output_file *file) {
    int error = close_stream(file);
    if (error == 0 && file->temporary != NULL) {
        sigset_t before;
        block_signals(&before);
        error = rename(file->temporary, file->path) == 0 ? 0 : -errno;
        if (error == 0)
            unfinished = NULL;
        sigprocmask(SIG_SETMASK, &before, NULL);
    }
    output_file_abandon(file);
    return error;
}

void output_file_abandon(struct output_file *file) {
    if (file->stream != NULL)
        fclose(file->stream);
    file->stream = NULL;
    sigset_t before;
    block_signals(&before);
    if (unfinished != NULL)
        unlink(unfinished);
    unfinished = NULL;
    free(file->temporary);
    file->temporary = NULL;
    sigprocmask(SIG_SETMASK, &before, NULL);
}
