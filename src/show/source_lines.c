/* SPDX-License-Identifier: MIT */
#include "show/source_lines.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collection/array.h"

enum { MAX_FILE_BYTES = 16 << 20, MAX_HELD_BYTES = 256 << 20 };

struct source_file {
    size_t line_count;
    uint32_t *starts; /* offset of each line, and the end of the text */
    char text[];
};

static bool may_be_source(struct dump_text name) {
    bool generated =
        name.length > 1 && name.bytes[0] == '<' && name.bytes[name.length - 1] == '>';
    return name.length > 0 && !generated && strlen(name.bytes) == name.length;
}

static const struct source_user *find_user(struct source_lines *lines, uid_t uid) {
    if (lines->has_user && lines->user.user == uid)
        return &lines->user;
    source_user_close(&lines->user);
    source_user_open(&lines->user, uid);
    lines->has_user = true;
    return &lines->user;
}

static int open_source(struct source_lines *lines, const char *path, uid_t uid,
                       size_t *size) {
    struct stat status;
    int fd = source_file_open(path, find_user(lines, uid));
    if (fd < 0)
        return -1;
    if (fstat(fd, &status) == 0 && status.st_size > 0 &&
        status.st_size <= MAX_FILE_BYTES) {
        *size = (size_t)status.st_size;
        return fd;
    }
    close(fd);
    return -1;
}

static size_t read_text(int fd, char *text, size_t size) {
    size_t done = 0;
    while (done < size) {
        ssize_t got = read(fd, text + done, size - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        done += (size_t)got;
    }
    return done;
}

static bool find_starts(struct source_file *file, size_t size) {
    size_t count = 1;
    for (size_t i = 0; i < size; i++)
        count += file->text[i] == '\n';
    file->starts = calloc(count + 1, sizeof *file->starts);
    if (file->starts == NULL)
        return false;
    for (size_t i = 0; i < size; i++)
        if (file->text[i] == '\n')
            file->starts[++file->line_count] = (uint32_t)i + 1;
    file->starts[++file->line_count] = (uint32_t)size;
    return true;
}

/* Returns NULL if the file cannot be read, or if there is no memory. */
static struct source_file *read_source(struct source_lines *lines,
                                       struct dump_text name, uid_t uid) {
    size_t size;
    int fd = may_be_source(name) && lines->held < MAX_HELD_BYTES
                 ? open_source(lines, name.bytes, uid, &size)
                 : -1;
    if (fd < 0)
        return NULL;
    struct source_file *file = calloc(1, sizeof *file + size);
    if (file != NULL && !find_starts(file, read_text(fd, file->text, size))) {
        free(file);
        file = NULL;
    }
    close(fd);
    lines->held += file != NULL ? size : 0;
    return file;
}

static const struct source_file *find_file(struct source_lines *lines,
                                           struct dump_text name, uid_t uid) {
    size_t next_id = lines->ids.count;
    if (array_reserve(&lines->files, &lines->capacity, next_id + 1,
                      sizeof *lines->files) < 0)
        return NULL;
    int64_t id = id_map_add(&lines->ids, (struct id_pair){(uintptr_t)name.bytes, uid});
    if (id < 0)
        return NULL;
    if ((size_t)id == next_id)
        lines->files[id] = read_source(lines, name, uid);
    return lines->files[id];
}

static bool is_blank(char character) {
    return strchr(" \t\r\n\f\v", character) != NULL;
}

struct dump_text source_lines_get(struct source_lines *lines,
                                  const struct dump_reader *reader,
                                  struct dump_text filename, uint32_t line) {
    const struct source_file *file = NULL;
    if (line > 0 && !reader->hides_source)
        file = find_file(lines, filename, reader->owner);
    if (file == NULL || line > file->line_count)
        return (struct dump_text){"", 0};
    const char *start = file->text + file->starts[line - 1],
               *end = file->text + file->starts[line];
    while (start < end && is_blank(*start))
        start++;
    while (start < end && is_blank(end[-1]))
        end--;
    return (struct dump_text){start, (size_t)(end - start)};
}

void source_lines_close(struct source_lines *lines) {
    for (size_t id = 0; id < lines->ids.count && id < lines->capacity; id++) {
        if (lines->files[id] != NULL)
            free(lines->files[id]->starts);
        free(lines->files[id]);
    }
    free(lines->files);
    id_map_clear(&lines->ids);
    source_user_close(&lines->user);
    *lines = (struct source_lines){0};
}
