/* SPDX-License-Identifier: MIT */
#include "base/message.h"

#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hidden_character.h"
#include "base/sys.h"

static bool silent;
/* The file that descriptor 2 was at the start. */
static struct {
    bool known;
    bool open;
    dev_t device;
    ino_t inode;
} at_start;

static bool identify(struct stat *status) {
    return sys_call(SYS_fstat, STDERR_FILENO, status) == 0;
}

void message_prepare(void) {
    struct stat status = {0};
    at_start.open = identify(&status);
    at_start.device = status.st_dev;
    at_start.inode = status.st_ino;
    at_start.known = true;
}

/* The program may have its own file there by now. */
static bool is_stderr(void) {
    struct stat status;
    if (!at_start.known)
        return true;
    return at_start.open && identify(&status) && status.st_dev == at_start.device &&
           status.st_ino == at_start.inode;
}

void message_quiet(bool quiet) {
    silent = quiet;
}

static size_t append(char *line, size_t length, size_t size, const char *part) {
    while (*part != '\0' && length < size)
        line[length++] = *part++;
    return length;
}

/* The bytes of the UTF-8 character at `at`, and its code point; 0 for what is none. */
static size_t decode(const unsigned char *at, size_t left, uint32_t *point) {
    size_t length = *at < 0x80   ? 1
                    : *at < 0xc2 ? 0
                    : *at < 0xe0 ? 2
                    : *at < 0xf0 ? 3
                                 : 4;
    if (length == 0 || *at > 0xf4 || length > left)
        return 0;
    *point = length == 1 ? *at : *at & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        *point = *point << 6 | (at[i] & 0x3fu);
    }
    return length;
}

/* A file's name may hold an escape sequence: the line stays one, and harmless. */
static void make_harmless(char *text, size_t length) {
    for (size_t at = 0; at < length;) {
        uint32_t point = 0;
        size_t count = decode((const unsigned char *)text + at, length - at, &point);
        bool hidden = count == 0 || hidden_character(point);
        for (count += count == 0; count > 0; count--, at++)
            text[at] = hidden ? '?' : text[at];
    }
}

void message(const char *part, ...) {
    char line[512];
    va_list parts;
    if (silent || !is_stderr())
        return;
    size_t length = append(line, 0, sizeof line - 1, "tracemalloc: ");
    va_start(parts, part);
    for (; part != NULL; part = va_arg(parts, const char *))
        length = append(line, length, sizeof line - 1, part);
    va_end(parts);
    make_harmless(line, length);
    line[length++] = '\n';
    sys_call(SYS_write, 2, line, length);
}

char *message_number(char *buffer, uint64_t number) {
    char digits[21];
    size_t count = 0, at = 0;
    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    while (count > 0)
        buffer[at++] = digits[--count];
    buffer[at] = '\0';
    return buffer;
}
