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

/* What a signal takes away; written while the signals are blocked. */
static char *unfinished;

static void remove_unfinished(int number) {
    if (unfinished != NULL)
        unlink(unfinished);
    /* SA_RESETHAND: this one ends the process, once the handler returns. */
    raise(number);
}

static void block_signals(sigset_t *before) {
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < SIGNAL_COUNT; i++)
        sigaddset(&set, ending_signals[i]);
    sigprocmask(SIG_BLOCK, &set, before);
}

/* Those that the caller ignores stay ignored. A file size limit shall be an error, not
 * the end. */
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

/* What is no regular file, or is the standard output: /dev/stdout, which may lead to a
 * regular file, is not to be replaced. */
static bool is_written_directly(const char *path) {
    struct stat status, output;
    if (stat(path, &status) != 0)
        return false;
    bool is_output = fstat(STDOUT_FILENO, &output) == 0 &&
                     status.st_dev == output.st_dev && status.st_ino == output.st_ino;
    return is_output || !S_ISREG(status.st_mode);
}

/* The standard output goes on where it is, and not from the file's start. */
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

bool output_file_is(const char *first, const char *second) {
    struct stat a, b;
    return stat(first, &a) == 0 && stat(second, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
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
