/* SPDX-License-Identifier: MIT */
#include "show/labelled_line.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "profile/statistics.h"

enum { SIZE_TEXT = 40 };

void labelled_line_print(const struct terminal *terminal, size_t columns,
                         const char *label, const char *format, ...) {
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0)
        return;
    size_t used =
        terminal_put_start(terminal, TERMINAL_NAME, label, strlen(label), columns - 1);
    /* A long label is cut only on a terminal. */
    fprintf(terminal->out, "%*s", used < columns ? (int)(columns - used) : 1, "");
    terminal_put_line(terminal, TERMINAL_PLAIN, text, (size_t)length, columns);
    free(text);
}

void labelled_line_format_weight(char text[LABELLED_LINE_WEIGHT_SIZE],
                                 struct weight weight) {
    char bytes[SIZE_TEXT], error[STATISTICS_ERROR_SIZE];
    statistics_format_size(bytes, sizeof bytes, (double)weight.size, false);
    statistics_format_error(error, weight);
    snprintf(text, LABELLED_LINE_WEIGHT_SIZE, "%s%s in %" PRIu64 " blocks", bytes,
             error, weight.count);
}
