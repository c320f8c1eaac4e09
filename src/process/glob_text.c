/* SPDX-License-Identifier: MIT */
#include "process/glob_text.h"

#include <string.h>

static void append(char *out, size_t size, const char *text) {
    size_t length = strlen(out);
    size_t left = size - length - 1;
    size_t added = strnlen(text, left);
    memcpy(out + length, text, added);
    out[length + added] = '\0';
}

static void append_char(char *out, size_t size, char c) {
    char text[] = {'\\', c, '\0'};
    append(out, size, strchr("*?[]\\", c) != NULL ? text : text + 1);
}

void glob_text_append(char *out, size_t size, const char *text) {
    for (; *text != '\0'; text++)
        append_char(out, size, *text);
}

void glob_text_append_pattern(char *out, size_t size, const char *pattern) {
    for (; *pattern != '\0'; pattern++) {
        if (*pattern != '%' || pattern[1] == '\0')
            append_char(out, size, *pattern);
        else if (*++pattern == '%')
            append_char(out, size, '%');
        else
            append(out, size, *pattern == 'p' || *pattern == 't' ? "[0-9]*" : "*");
    }
}
