/* SPDX-License-Identifier: MIT */
#include "output/terminal.h"

#include <langinfo.h>
#include <stdarg.h>
#include <stdlib.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "output/terminal_text.h"

static const char ellipsis[] = "...";
enum { ELLIPSIS_COLUMNS = sizeof ellipsis - 1, DEFAULT_WIDTH = 80 };

static const char *const style_codes[] = {
    [TERMINAL_STRONG] = "1", [TERMINAL_FAINT] = "2",   [TERMINAL_NAME] = "36",
    [TERMINAL_GROWN] = "31", [TERMINAL_SHRUNK] = "32", [TERMINAL_WARNING] = "33",
};

static bool wants_colour(void) {
    const char *none = getenv("NO_COLOR"), *kind = getenv("TERM");
    return (none == NULL || none[0] == '\0') && kind != NULL &&
           strcmp(kind, "dumb") != 0;
}

void terminal_open(struct terminal *terminal, FILE *out) {
    struct winsize size = {0};
    *terminal = (struct terminal){.out = out, .interactive = isatty(fileno(out)) != 0};
    terminal->unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    if (!terminal->interactive)
        return;
    terminal->colour = wants_colour();
    bool known = ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    terminal->width = known ? size.ws_col : DEFAULT_WIDTH;
    if (terminal->width < TERMINAL_MIN_WIDTH)
        terminal->width = TERMINAL_MIN_WIDTH;
}

size_t terminal_width_left(const struct terminal *terminal, size_t used) {
    if (!terminal->interactive)
        return SIZE_MAX;
    return terminal->width > used ? terminal->width - used : 0;
}

size_t terminal_columns(const struct terminal *terminal, const char *text,
                        size_t length) {
    const char *end = text + length;
    size_t sum = 0;
    while (text < end) {
        char shown[UNICODE_MAX_BYTES];
        size_t columns;
        terminal_text_show(unicode_next(&text, end), terminal->interactive, shown,
                           &columns);
        sum += columns;
    }
    return sum;
}

/* Prints as many code points as fit. Returns the columns taken. */
static size_t put(const struct terminal *terminal, const char *text, const char *end,
                  size_t width) {
    size_t taken = 0;
    while (text < end) {
        char shown[UNICODE_MAX_BYTES];
        size_t columns;
        size_t length = terminal_text_show(unicode_next(&text, end),
                                           terminal->interactive, shown, &columns);
        if (taken + columns > width)
            break;
        fwrite(shown, 1, length, terminal->out);
        taken += columns;
    }
    return taken;
}

static void begin_style(const struct terminal *terminal, enum terminal_style style) {
    if (terminal->colour && style != TERMINAL_PLAIN)
        fprintf(terminal->out, "\x1b[%sm", style_codes[style]);
}

static void end_style(const struct terminal *terminal, enum terminal_style style) {
    if (terminal->colour && style != TERMINAL_PLAIN)
        fputs("\x1b[0m", terminal->out);
}

size_t terminal_put_end(const struct terminal *terminal, enum terminal_style style,
                        const char *text, size_t length, size_t width) {
    const char *end = text + length;
    if (!terminal->interactive)
        width = SIZE_MAX;
    size_t columns = terminal_columns(terminal, text, length), taken = 0;
    begin_style(terminal, style);
    if (columns > width && width >= ELLIPSIS_COLUMNS) {
        fputs(ellipsis, terminal->out);
        taken = ELLIPSIS_COLUMNS;
    }
    for (size_t left = columns; left > width - taken;) {
        char shown[UNICODE_MAX_BYTES];
        terminal_text_show(unicode_next(&text, end), terminal->interactive, shown,
                           &columns);
        left -= columns;
    }
    taken += put(terminal, text, end, width - taken);
    end_style(terminal, style);
    return taken;
}

size_t terminal_put_start(const struct terminal *terminal, enum terminal_style style,
                          const char *text, size_t length, size_t width) {
    if (!terminal->interactive)
        width = SIZE_MAX;
    bool cut =
        terminal_columns(terminal, text, length) > width && width >= ELLIPSIS_COLUMNS;
    begin_style(terminal, style);
    size_t taken =
        put(terminal, text, text + length, cut ? width - ELLIPSIS_COLUMNS : width);
    if (cut) {
        fputs(ellipsis, terminal->out);
        taken += ELLIPSIS_COLUMNS;
    }
    end_style(terminal, style);
    return taken;
}

void terminal_put_line(const struct terminal *terminal, enum terminal_style style,
                       const char *text, size_t length, size_t used) {
    terminal_put_start(terminal, style, text, length,
                       terminal_width_left(terminal, used));
    fputc('\n', terminal->out);
}

void terminal_print_line(const struct terminal *terminal, enum terminal_style style,
                         const char *format, ...) {
    char *line;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&line, format, arguments);
    va_end(arguments);
    if (length < 0)
        return;
    terminal_put_line(terminal, style, line, (size_t)length, 0);
    free(line);
}
