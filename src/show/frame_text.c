/* SPDX-License-Identifier: MIT */
#include "show/frame_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { GAP = 2, MIN_LOCATION = 16, LINE_SIZE = 32 };

static struct dump_text base_name(struct dump_text path) {
    const char *slash = memrchr(path.bytes, '/', path.length);
    size_t directory = slash == NULL ? 0 : (size_t)(slash + 1 - path.bytes);
    return (struct dump_text){path.bytes + directory, path.length - directory};
}

struct dump_text frame_text_unknown(const struct profile *profile) {
    static const char python[] = "no Python frame (start-up, C threads)";
    static const char native[] = "no frame (unknown stack)";
    const char *text = python;
    if (profile->reader->header.implementation == TRACEMALLOC_DUMP_NO_PYTHON)
        text = native;
    return (struct dump_text){text, strlen(text)};
}

struct dump_text frame_text_file(const struct profile *profile, struct frame frame) {
    return frame.name == FRAME_NAMES_UNKNOWN ? frame_text_unknown(profile)
                                             : profile_filename(profile, frame);
}

struct dump_text frame_text_function(const struct profile *profile, uint32_t stack) {
    struct dump_text function = profile_function(profile, stack);
    const struct dump_native *native = profile_native(profile, stack);
    if (function.length > 0)
        return function;
    if (native != NULL)
        return base_name(profile->names->texts[profile->module_names[native->module]]);
    if (profile_code(profile, stack) == 0)
        return frame_text_unknown(profile);
    return base_name(profile_filename(profile, profile_frame(profile, stack)));
}

/* `<unknown>` and `<overflow>` are in no file. */
static bool has_location(const struct profile *profile, uint32_t stack) {
    return profile_code(profile, stack) > 1;
}

/* Writes `:8`, or the empty text. Returns its length. */
static size_t format_line(const struct profile *profile, uint32_t stack, bool has_line,
                          char line[LINE_SIZE]) {
    struct frame frame = profile_frame(profile, stack);
    line[0] = '\0';
    if (has_line && frame.line > 0)
        snprintf(line, LINE_SIZE, ":%" PRIu32, frame.line);
    return strlen(line);
}

static size_t min(size_t first, size_t second) {
    return first < second ? first : second;
}

static size_t put(const struct terminal *terminal, enum terminal_style style,
                  struct dump_text text, size_t width) {
    return terminal_put_start(terminal, style, text.bytes, text.length, width);
}

/* In few columns: `keep bulky.py:6`, or `keep:6`. */
static size_t put_short(const struct terminal *terminal, struct dump_text function,
                        struct dump_text file, struct dump_text line, size_t width) {
    size_t name = terminal_columns(terminal, function.bytes, function.length);
    size_t base = terminal_columns(terminal, file.bytes, file.length);
    size_t max = width > line.length ? width - line.length : 0;
    size_t taken = put(terminal, TERMINAL_PLAIN, function, max);
    if (line.length > 0 && name + 1 + base <= max) {
        fputc(' ', terminal->out);
        taken += 1 + put(terminal, TERMINAL_NAME, file, base);
    }
    return taken + put(terminal, TERMINAL_NAME, line, min(line.length, width - taken));
}

size_t frame_text_put(const struct terminal *terminal, const struct profile *profile,
                      uint32_t stack, bool has_line, size_t width) {
    struct dump_text function = frame_text_function(profile, stack);
    struct dump_text file = profile_filename(profile, profile_frame(profile, stack));
    char line[LINE_SIZE];
    size_t length = format_line(profile, stack, has_line, line);
    if (!has_location(profile, stack) || width < 2 * MIN_LOCATION)
        return put_short(terminal, function, base_name(file),
                         (struct dump_text){line, length}, width);
    size_t location = terminal_columns(terminal, file.bytes, file.length) + length;
    size_t reserved = min(location, MIN_LOCATION + length) + GAP;
    size_t taken =
        terminal_put_start(terminal, TERMINAL_PLAIN, function.bytes, function.length,
                           width > reserved ? width - reserved : 0);
    taken += (size_t)fprintf(terminal->out, "%*s", GAP, "");
    taken += terminal_put_end(terminal, TERMINAL_NAME, file.bytes, file.length,
                              width - taken - length);
    return taken + terminal_put_start(terminal, TERMINAL_NAME, line, length, length);
}
