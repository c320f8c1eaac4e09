/* SPDX-License-Identifier: MIT */
#include "output/failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "output/terminal_text.h"

void (*failure_clear_line)(void);

/* A file's name may contain a newline or an escape sequence; terminal_text_line makes
 * the message one harmless line. */
static void print(const char *format, va_list arguments) {
    char *line = NULL;
    if (failure_clear_line != NULL)
        failure_clear_line();
    if (vasprintf(&line, format, arguments) < 0)
        return;
    fputs("tracemalloc: ", stderr);
    terminal_text_line(stderr, line);
    free(line);
}

void failure_note(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    print(format, arguments);
    va_end(arguments);
}

int failure_print(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    print(format, arguments);
    va_end(arguments);
    return 1;
}
