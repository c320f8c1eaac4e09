/* SPDX-License-Identifier: MIT */
#include "base/message.h"

#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hidden_character.h"
#include "base/sys.h"

static bool silent;
/* The file that descriptor 2 referred to at the start. */
static struct {
    bool known;
    bool open;
    dev_t device;
    ino_t inode;
} at_start;

static bool identify(struct stat *file) {
    return sys_call(SYS_fstat, STDERR_FILENO, file) == 0;
}

void message_prepare(void) {
    struct stat file = {0};
    at_start.open = identify(&file);
    at_start.device = file.st_dev;
    at_start.inode = file.st_ino;
    at_start.known = true;
}

/* By now the program may have opened a file of its own as descriptor 2. */
static bool is_stderr(void) {
    struct stat file;
    if (!at_start.known)
        return true;
    return at_start.open && identify(&file) && file.st_dev == at_start.device &&
           file.st_ino == at_start.inode;
}

void message_quiet(bool quiet) {
    silent = quiet;
}

static size_t append(char *line, size_t length, size_t size, const char *part) {
    while (*part != '\0' && length < size)
        line[length++] = *part++;
    return length;
}

/* The length in bytes of the UTF-8 character that the text begins with, and its code
 * point; 0 if it begins with none. */
static size_t decode(const unsigned char *text, size_t left, uint32_t *point) {
    size_t length = *text < 0x80   ? 1
                    : *text < 0xc2 ? 0
                    : *text < 0xe0 ? 2
                    : *text < 0xf0 ? 3
                                   : 4;
    if (length == 0 || *text > 0xf4 || length > left)
        return 0;
    *point = length == 1 ? *text : *text & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        *point = *point << 6 | (text[i] & 0x3fu);
    }
    return length;
}

/* A file name may contain newlines and escape sequences: replaces their bytes, so that
 * the message stays one harmless line. */
static void make_harmless(char *text, size_t length) {
    for (size_t i = 0; i < length;) {
        uint32_t point = 0;
        size_t count = decode((const unsigned char *)text + i, length - i, &point);
        bool hidden = count == 0 || hidden_character(point);
        for (count += count == 0; count > 0; count--, i++)
            text[i] = hidden ? '?' : text[i];
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
    size_t count = 0, length = 0;
    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    while (count > 0)
        buffer[length++] = digits[--count];
    buffer[length] = '\0';
    return buffer;
}
