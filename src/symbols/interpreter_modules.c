/* SPDX-License-Identifier: MIT */
#include "symbols/interpreter_modules.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool skip(const char **at, const char *text) {
    size_t length = strlen(text);
    bool found = strncmp(*at, text, length) == 0;
    *at += found ? length : 0;
    return found;
}

/* Skips one part of a version, with the point before it. */
static bool skip_digits(const char **at, const char *point) {
    const char *digits = *at;
    if (!skip(&digits, point) || !isdigit((unsigned char)*digits))
        return false;
    *at = digits + strspn(digits, "0123456789");
    return true;
}

/* Skips `3.13` and the letters for kinds of builds: t, d, m, u. */
static void skip_version(const char **at) {
    if (!skip_digits(at, ""))
        return;
    while (skip_digits(at, "."))
        continue;
    *at += strspn(*at, "tdmu");
    if (!skip(at, "-dbg"))
        skip(at, "-intel64");
}

static bool is_end(const char *at) {
    return *at == '\0' || strcmp(at, " (deleted)") == 0;
}

static bool is_interpreter(const char *name) {
    bool library = skip(&name, "lib");
    if (!skip(&name, "python"))
        return false;
    skip_version(&name);
    return is_end(name) || (library && strncmp(name, ".so", 3) == 0);
}

static bool is_libc(const char *name) {
    return strncmp(name, "libc.so", 7) == 0 || strncmp(name, "libc-2.", 7) == 0 ||
           strncmp(name, "libpthread", 10) == 0 || strncmp(name, "ld-", 3) == 0;
}

static enum module_kind kind_of(struct dump_text path) {
    const char *slash = strrchr(path.bytes, '/');
    const char *name = slash == NULL ? path.bytes : slash + 1;
    if (is_interpreter(name))
        return MODULE_INTERPRETER;
    return is_libc(name) ? MODULE_LIBC : MODULE_FOREIGN;
}

enum module_kind *interpreter_modules_find(const struct dump_reader *reader) {
    enum module_kind *kinds = calloc(reader->module_count + 1, sizeof *kinds);
    for (size_t i = 0; kinds != NULL && i < reader->module_count; i++)
        kinds[i] = kind_of(dump_reader_text(reader, reader->modules[i].path));
    return kinds;
}

void interpreter_name(const struct dump_reader *reader,
                      char name[INTERPRETER_NAME_SIZE]) {
    uint32_t version = reader->header.python_version;
    int length = snprintf(name, INTERPRETER_NAME_SIZE, "CPython");
    if (version != 0)
        snprintf(name + length, INTERPRETER_NAME_SIZE - (size_t)length, " %u.%u",
                 version >> 24, version >> 16 & 0xff);
}
