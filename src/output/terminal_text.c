/* SPDX-License-Identifier: MIT */
#include "output/terminal_text.h"

#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "base/hidden_character.h"

size_t terminal_text_show(uint32_t point, bool interactive, char *out,
                          size_t *columns) {
    bool is_byte = point >= 0xdc80 && point <= 0xdcff;
    *columns = 1;
    if (point == '\t') {
        *out = interactive ? ' ' : '\t';
        return 1;
    }
    /* An 8-bit terminal interprets a single C1 byte as a control character. */
    if (is_byte && !interactive && !hidden_character(point - 0xdc00)) {
        *out = (char)(point - 0xdc00);
        return 1;
    }
    int width = !interactive || point < 0x80 ? 1 : wcwidth((wchar_t)point);
    if (hidden_character(point) || unicode_is_surrogate(point) || width < 0) {
        *out = '?';
        return 1;
    }
    *columns = (size_t)width;
    return unicode_put(out, point);
}

void terminal_text_line(FILE *out, const char *text) {
    const char *end = text + strlen(text);
    bool interactive = isatty(fileno(out)) != 0;
    while (text < end) {
        char shown[UNICODE_MAX_BYTES];
        size_t columns;
        size_t length =
            terminal_text_show(unicode_next(&text, end), interactive, shown, &columns);
        fwrite(shown, 1, length, out);
    }
    fputc('\n', out);
}

void terminal_text_copy(char *out, size_t size, const char *text, bool interactive) {
    const char *end = text + strlen(text);
    size_t at = 0;
    while (text < end && at + UNICODE_MAX_BYTES < size) {
        size_t columns;
        at += terminal_text_show(unicode_next(&text, end), interactive, out + at,
                                 &columns);
    }
    out[at] = '\0';
}
