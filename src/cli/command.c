/* SPDX-License-Identifier: MIT */
#include "cli/command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { LINE_SIZE = 8192 };

/* A file's name may hold a newline or an escape sequence: the message stays one
 * harmless line. */
static void replace_control_characters(char *text) {
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = '?';
}

void (*command_clear_line)(void);

int command_fail(const char *format, ...) {
    char line[LINE_SIZE];
    va_list arguments;
    if (command_clear_line != NULL)
        command_clear_line();
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    replace_control_characters(line);
    fprintf(stderr, "tracemalloc: %s\n", line);
    return 1;
}

int command_close_output(void) {
    bool failed = ferror(stdout) != 0;
    errno = 0;
    failed |= fclose(stdout) != 0;
    if (!failed)
        return 0;
    return command_fail("cannot write the output: %s",
                        errno != 0 ? strerror(errno) : "write error");
}
