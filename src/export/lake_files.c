/* SPDX-License-Identifier: MIT */
#include "export/lake_files.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collection/array.h"

int lake_files_open(struct lake_files *files, const char *root) {
    *files = (struct lake_files){0};
    signal(SIGXFSZ, SIG_IGN); /* exceeding the limit of sizes is an error */
    files->is_new = mkdir(root, 0777) == 0;
    if (!files->is_new && errno != EEXIST)
        return -errno;
    files->root = realpath(root, NULL);
    if (files->root == NULL)
        return -errno;
    if (asprintf(&files->directory, "%s/.tracemalloc-XXXXXX", files->root) < 0) {
        files->directory = NULL;
        return -ENOMEM;
    }
    if (mkdtemp(files->directory) != NULL)
        return 0;
    int error = -errno;
    free(files->directory);
    files->directory = NULL;
    return error;
}

/* As Hive and its readers do: other characters are %XX. */
static char *escape(const char *text) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789._-";
    char *copy = malloc(strlen(text) * 3 + 1), *out = copy;
    for (; copy != NULL && *text != '\0'; text++)
        out += strchr(plain, *text) != NULL
                   ? sprintf(out, "%c", *text)
                   : sprintf(out, "%%%02X", (unsigned)(unsigned char)*text);
    if (copy != NULL)
        *out = '\0';
    return copy;
}

static int name_file(const struct lake_files *files, struct lake_file *file,
                     const char *table, const struct lake_partition *partition,
                     const char *name) {
    char *service = escape(partition->service);
    *file = (struct lake_file){0};
    if (service == NULL)
        return -ENOMEM;
    if (asprintf(&file->temporary, "%s/%zu", files->directory, files->count) < 0)
        file->temporary = NULL;
    if (asprintf(&file->final, "%s/%s/day=%s/service=%s/part-%s.parquet", files->root,
                 table, partition->day, service, name) < 0)
        file->final = NULL;
    free(service);
    if (file->temporary != NULL && file->final != NULL)
        return 0;
    free(file->temporary);
    free(file->final);
    return -ENOMEM;
}

const char *lake_files_add(struct lake_files *files, const char *table,
                           const struct lake_partition *partition, const char *name) {
    if (array_reserve(&files->files, &files->capacity, files->count + 1,
                      sizeof *files->files) < 0)
        return NULL;
    struct lake_file *file = &files->files[files->count];
    if (name_file(files, file, table, partition, name) < 0)
        return NULL;
    files->count++;
    return file->temporary;
}

/* Creates the directories of a path below the root. */
static int make_directories(const struct lake_files *files, char *path) {
    char *slash = path + strlen(files->root);
    while ((slash = strchr(slash + 1, '/')) != NULL) {
        *slash = '\0';
        int error = mkdir(path, 0777) == 0 || errno == EEXIST ? 0 : -errno;
        *slash = '/';
        if (error < 0)
            return error;
    }
    return 0;
}

static int limit_rights(const char *path, const struct copied_rights *rights) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    copied_rights_limit(fd, rights);
    close(fd);
    return 0;
}

int lake_files_commit(struct lake_files *files, const struct copied_rights *rights) {
    int error = 0;
    for (size_t i = 0; error == 0 && i < files->count; i++) {
        const struct lake_file *file = &files->files[i];
        error = limit_rights(file->temporary, rights);
        if (error == 0)
            error = make_directories(files, file->final);
        if (error == 0 && rename(file->temporary, file->final) < 0)
            error = -errno;
    }
    return error;
}

void lake_files_close(struct lake_files *files) {
    for (size_t i = 0; i < files->count; i++) {
        unlink(files->files[i].temporary);
        free(files->files[i].temporary);
        free(files->files[i].final);
    }
    if (files->directory != NULL)
        rmdir(files->directory);
    if (files->is_new && files->root != NULL)
        rmdir(files->root); /* fails unless it is empty */
    free(files->directory);
    free(files->files);
    free(files->root);
    *files = (struct lake_files){0};
}
