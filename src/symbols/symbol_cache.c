/* SPDX-License-Identifier: MIT */
#include "symbols/symbol_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"

static const char magic[] = "tracemalloc symbols 1\n";
enum { MAGIC = sizeof magic - 1, WRITABLE = 022, NAME_SIZE = 64 };
enum { MIN_NAME = 8, MAX_NAME = 160, MAX_FILE = 16 << 20, MAX_ALL = 256 << 20 };

/* Whether it belongs to this user, and no other user may write to it. */
static bool is_ours(int fd, mode_t type) {
    struct stat status;
    return fstat(fd, &status) == 0 && (status.st_mode & S_IFMT) == type &&
           status.st_uid == geteuid() && (status.st_mode & WRITABLE) == 0;
}

/* Opens a directory, which is created if it is missing, and closes the outer one. */
static int enter(int outer, const char *name) {
    if (outer < 0)
        return -1;
    int fd = -1;
    if (mkdirat(outer, name, 0700) == 0 || errno == EEXIST)
        fd = openat(outer, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    close(outer);
    if (fd < 0 || is_ours(fd, S_IFDIR))
        return fd;
    close(fd);
    return -1;
}

static int open_base(const char *path) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || is_ours(fd, S_IFDIR))
        return fd;
    close(fd);
    return -1;
}

int symbol_cache_open(void) {
    const char *wanted = getenv("TRACEMALLOC_CACHE"), *home = getenv("HOME");
    const char *cache = getenv("XDG_CACHE_HOME");
    int fd = -1;
    if ((wanted != NULL && strcmp(wanted, "0") == 0) || getuid() != geteuid())
        return -1;
    if (cache != NULL && cache[0] == '/')
        fd = open_base(cache);
    else if (home != NULL && home[0] == '/')
        fd = enter(open_base(home), ".cache");
    return enter(enter(fd, "tracemalloc"), "symbols");
}

static bool is_name(const char *name) {
    size_t length = strlen(name);
    return length >= MIN_NAME && length <= MAX_NAME &&
           strspn(name, "0123456789abcdef-") == length;
}

static int open_file(int directory, const char *name, size_t *size) {
    struct stat status;
    int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -1;
    if (is_ours(fd, S_IFREG) && fstat(fd, &status) == 0 && status.st_size >= MAGIC &&
        status.st_size <= MAX_FILE) {
        *size = (size_t)status.st_size;
        futimens(fd, NULL); /* so that it is not removed as the oldest */
        return fd;
    }
    close(fd);
    return -1;
}

struct cursor {
    const char *at;
    size_t left;
};

static bool take(struct cursor *cursor, void *out, size_t size) {
    if (cursor->left < size)
        return false;
    memcpy(out, cursor->at, size);
    cursor->at += size;
    cursor->left -= size;
    return true;
}

static bool take_text(struct cursor *cursor, uint32_t size, const char **text) {
    *text = NULL;
    if (size == 0)
        return true;
    if (size > cursor->left || memchr(cursor->at, '\0', size) != cursor->at + size - 1)
        return false;
    *text = cursor->at;
    cursor->at += size;
    cursor->left -= size;
    return true;
}

static bool take_frame(struct cursor *cursor, struct symbol *frame) {
    uint32_t sizes[2];
    return take(cursor, &frame->line, sizeof frame->line) &&
           take(cursor, sizes, sizeof sizes) &&
           take_text(cursor, sizes[0], &frame->function) &&
           take_text(cursor, sizes[1], &frame->filename);
}

static int visit_all(struct cursor cursor, symbol_cache_visit visit, void *context) {
    struct symbol frames[SYMBOLS_MAX_INLINED];
    uint64_t address;
    uint32_t count;
    int error = 0;
    while (error == 0 && take(&cursor, &address, sizeof address) &&
           take(&cursor, &count, sizeof count) && count <= SYMBOLS_MAX_INLINED) {
        for (uint32_t i = 0; i < count; i++)
            if (!take_frame(&cursor, &frames[i]))
                return 0;
        error = visit(context, address, frames, count);
    }
    return error;
}

int symbol_cache_read(int directory, const char *name, symbol_cache_visit visit,
                      void *context) {
    size_t size = 0;
    int fd = is_name(name) ? open_file(directory, name, &size) : -1, error = 0;
    if (fd < 0)
        return 0;
    char *bytes = malloc(size);
    ssize_t got = bytes == NULL ? -1 : pread(fd, bytes, size, 0);
    if (got >= MAGIC && memcmp(bytes, magic, MAGIC) == 0)
        error = visit_all((struct cursor){bytes + MAGIC, (size_t)got - MAGIC}, visit,
                          context);
    free(bytes);
    close(fd);
    return error;
}

static void put(FILE *out, const void *bytes, size_t size) {
    fwrite(bytes, 1, size, out);
}

int symbol_cache_add(struct symbol_cache_file *file, uint64_t address,
                     const struct symbol *frames, size_t count) {
    char *more = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&more, &size);
    if (out == NULL)
        return -ENOMEM;
    uint32_t number = (uint32_t)count;
    put(out, &address, sizeof address);
    put(out, &number, sizeof number);
    for (size_t i = 0; i < count; i++) {
        const char *texts[] = {frames[i].function, frames[i].filename};
        uint32_t sizes[2];
        for (int t = 0; t < 2; t++)
            sizes[t] = texts[t] == NULL ? 0 : (uint32_t)strlen(texts[t]) + 1;
        put(out, &frames[i].line, sizeof frames[i].line);
        put(out, sizes, sizeof sizes);
        for (int t = 0; t < 2; t++)
            put(out, texts[t], sizes[t]);
    }
    char *bytes = fclose(out) == 0 ? realloc(file->bytes, file->size + size) : NULL;
    if (bytes != NULL) {
        memcpy(bytes + file->size, more, size);
        *file = (struct symbol_cache_file){bytes, file->size + size};
    }
    free(more);
    return bytes != NULL ? 0 : -ENOMEM;
}

/* Returns the size of all files, and the name of the oldest. */
static uint64_t measure(int directory, char oldest[NAME_MAX + 1]) {
    int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    uint64_t sum = 0;
    time_t time = 0;
    oldest[0] = '\0';
    if (stream == NULL)
        return 0;
    for (struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        struct stat status;
        if (fstatat(directory, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISREG(status.st_mode))
            continue;
        sum += (uint64_t)status.st_size;
        if (oldest[0] != '\0' && status.st_mtime >= time)
            continue;
        time = status.st_mtime;
        snprintf(oldest, NAME_MAX + 1, "%s", entry->d_name);
    }
    closedir(stream);
    return sum;
}

static void remove_oldest(int directory) {
    char oldest[NAME_MAX + 1];
    while (measure(directory, oldest) > MAX_ALL)
        if (oldest[0] == '\0' || unlinkat(directory, oldest, 0) != 0)
            return;
}

void symbol_cache_write(int directory, const char *name,
                        struct symbol_cache_file *file) {
    char new_name[NAME_SIZE];
    snprintf(new_name, sizeof new_name, ".new-%d", (int)getpid());
    int fd = -1;
    if (is_name(name) && file->size + MAGIC <= MAX_FILE)
        fd = openat(directory, new_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0) {
        bool written = io_write_all(fd, magic, MAGIC, 0) == 0 &&
                       io_write_all(fd, file->bytes, file->size, MAGIC) == 0;
        written &= close(fd) == 0;
        if (!written || renameat(directory, new_name, directory, name) != 0)
            unlinkat(directory, new_name, 0);
        remove_oldest(directory);
    }
    free(file->bytes);
    *file = (struct symbol_cache_file){0};
}
