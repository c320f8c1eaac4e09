/* SPDX-License-Identifier: MIT */
#include "process/preload_obstacle.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#if defined(__x86_64__)
enum { OWN_MACHINE = EM_X86_64 };
#elif defined(__aarch64__)
enum { OWN_MACHINE = EM_AARCH64 };
#else
#error "this architecture has no number here yet"
#endif

enum { MAX_INTERPRETERS = 5, FIRST_LINE = 256, MAX_SEGMENTS = 64 };

static bool is_executable(const char *path) {
    struct stat status;
    return access(path, X_OK) == 0 && stat(path, &status) == 0 &&
           S_ISREG(status.st_mode);
}

/* As execvp: a name with a slash is a path. */
static bool find_program(const char *name, char *path, size_t size) {
    const char *directories = getenv("PATH");
    if (strchr(name, '/') != NULL)
        return snprintf(path, size, "%s", name) < (int)size;
    for (const char *at = directories != NULL ? directories : "/bin:/usr/bin";;) {
        size_t length = strcspn(at, ":");
        const char *here = length == 0 ? "." : "";
        if (snprintf(path, size, "%.*s%s/%s", (int)length, at, here, name) <
                (int)size &&
            is_executable(path))
            return true;
        if (at[length] == '\0')
            return false;
        at += length + 1;
    }
}

/* --- scripts ---------------------------------------------------------------------- */

static bool is_env(const char *path) {
    const char *slash = strrchr(path, '/');
    return strcmp(slash != NULL ? slash + 1 : path, "env") == 0;
}

/* The program of env's arguments, after options and NAME=VALUE. */
static const char *program_of_env(char **rest) {
    const char *word;
    do
        word = strtok_r(NULL, " \t", rest);
    while (word != NULL && (word[0] == '-' || strchr(word, '=') != NULL));
    return word;
}

/* "#!interpreter arguments". NULL: none, or too long. Changes the line. */
static const char *interpreter_of(char *line) {
    char *rest = NULL;
    if (strncmp(line, "#!", 2) != 0 || strchr(line, '\n') == NULL)
        return NULL;
    *strchr(line, '\n') = '\0';
    const char *interpreter = strtok_r(line + 2, " \t", &rest);
    return interpreter != NULL && is_env(interpreter) ? program_of_env(&rest)
                                                      : interpreter;
}

/* --- ELF files -------------------------------------------------------------------- */

static bool read_interpreter(int fd, const ElfW(Phdr) * segment, char *path,
                             size_t size) {
    size_t length = segment->p_filesz < size ? segment->p_filesz : size - 1;
    ssize_t got = pread(fd, path, length, (off_t)segment->p_offset);
    path[got > 0 ? got : 0] = '\0';
    return got > 0;
}

/* The loader is a shared object without interpreter too, and preloads. */
static bool is_loader(const char *path) {
    const char *slash = strrchr(path, '/');
    return strncmp(slash != NULL ? slash + 1 : path, "ld", 2) == 0;
}

static enum preload_obstacle check_segments(int fd, const ElfW(Ehdr) * header,
                                            const char *path) {
    ElfW(Phdr) segments[MAX_SEGMENTS];
    char loader[PATH_MAX];
    size_t count = header->e_phnum < MAX_SEGMENTS ? header->e_phnum : MAX_SEGMENTS;
    ssize_t size = (ssize_t)(count * sizeof *segments);
    if (header->e_phentsize != sizeof *segments ||
        pread(fd, segments, (size_t)size, (off_t)header->e_phoff) != size)
        return PRELOAD_WORKS;
    for (size_t i = 0; i < count; i++) {
        if (segments[i].p_type != PT_INTERP)
            continue;
        bool is_musl = read_interpreter(fd, &segments[i], loader, sizeof loader) &&
                       strstr(loader, "/ld-musl-") != NULL;
        return is_musl ? PRELOAD_MUSL : PRELOAD_WORKS;
    }
    return header->e_type == ET_DYN && is_loader(path) ? PRELOAD_WORKS : PRELOAD_STATIC;
}

/* Whether executing the file changes this process's rights, so that the kernel tells
 * the loader to trust no variable (AT_SECURE). */
static bool changes_rights(const char *path) {
    struct stat status;
    struct statvfs system;
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 || stat(path, &status) != 0 ||
        statvfs(path, &system) != 0 || (system.f_flag & ST_NOSUID) != 0)
        return false;
    bool is_setgid = (status.st_mode & S_ISGID) != 0 && (status.st_mode & S_IXGRP) != 0;
    return ((status.st_mode & S_ISUID) != 0 && status.st_uid != getuid()) ||
           (is_setgid && status.st_gid != getgid()) ||
           (getuid() != 0 && getxattr(path, "security.capability", NULL, 0) > 0);
}

static enum preload_obstacle check_elf(int fd, const ElfW(Ehdr) * header,
                                       const char *path) {
    if (header->e_ident[EI_CLASS] != ELFCLASS64)
        return PRELOAD_32_BIT;
    if (header->e_ident[EI_DATA] != ELFDATA2LSB || header->e_machine != OWN_MACHINE)
        return PRELOAD_OTHER_MACHINE;
    enum preload_obstacle obstacle = check_segments(fd, header, path);
    if (obstacle == PRELOAD_WORKS && changes_rights(path))
        return PRELOAD_PRIVILEGED;
    return obstacle;
}

/* Reads the file's beginning, which is an ELF header or text. */
static int open_program(const char *path, ElfW(Ehdr) * header, char *line) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    ssize_t got = pread(fd, line, FIRST_LINE - 1, 0);
    line[got > 0 ? got : 0] = '\0';
    memset(header, 0, sizeof *header);
    memcpy(header, line, got >= (ssize_t)sizeof *header ? sizeof *header : 0);
    return fd;
}

enum preload_obstacle preload_obstacle_find(const char *program) {
    char path[PATH_MAX], line[FIRST_LINE];
    ElfW(Ehdr) header;
    for (int i = 0; i < MAX_INTERPRETERS; i++) {
        if (program == NULL || !find_program(program, path, sizeof path))
            return PRELOAD_WORKS;
        int fd = open_program(path, &header, line);
        if (fd < 0) /* it may be executed, not read: a binary that gives rights */
            return changes_rights(path) ? PRELOAD_PRIVILEGED : PRELOAD_WORKS;
        bool is_elf = memcmp(header.e_ident, ELFMAG, SELFMAG) == 0;
        enum preload_obstacle obstacle =
            is_elf ? check_elf(fd, &header, path) : PRELOAD_WORKS;
        close(fd);
        if (is_elf)
            return obstacle;
        program = interpreter_of(line);
    }
    return PRELOAD_WORKS;
}

const char *preload_obstacle_text(enum preload_obstacle obstacle) {
    static const char *const texts[] = {
        [PRELOAD_WORKS] = "can be traced",
        [PRELOAD_STATIC] = "is a static executable",
        [PRELOAD_PRIVILEGED] = "gains rights when it is executed (setuid, setgid or "
                               "capabilities)",
        [PRELOAD_32_BIT] = "is a 32-bit program",
        [PRELOAD_OTHER_MACHINE] = "is a program for another architecture",
        [PRELOAD_MUSL] = "uses musl, not glibc",
    };
    return texts[obstacle];
}

bool preload_obstacle_is_inherited(enum preload_obstacle obstacle) {
    return obstacle == PRELOAD_WORKS || obstacle == PRELOAD_STATIC ||
           obstacle == PRELOAD_PRIVILEGED;
}
