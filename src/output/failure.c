/* SPDX-License-Identifier: MIT */
#include "output/failure.h"

#include <stdarg.h>
#include <stdio.h>

enum { LINE_SIZE = 8192 };

/* A file's name may hold a newline or an escape sequence: the message stays one
 * harmless line. */
static void replace_control_characters(char *text) {
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = '?';
}

void (*failure_clear_line)(void);

int failure_print(const char *format, ...) {
    char line[LINE_SIZE];
    va_list arguments;
    if (failure_clear_line != NULL)
        failure_clear_line();
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    replace_control_characters(line);
    fprintf(stderr, "tracemalloc: %s\n", line);
    return 1;
}
