/* SPDX-License-Identifier: MIT */
#include "cli/dump_pattern.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/arguments.h"
#include "control/options.h"

const char *dump_pattern_parse(const char *text, struct argp_state *state) {
    struct options unused = {0};
    if (options_parse(OPTION_OUTPUT, text, &unused) < 0)
        arguments_error(state, "the output must be %s",
                        options_table[OPTION_OUTPUT].accepted);
    return text;
}

/* In a pattern, a literal % is doubled. */
static size_t quote_directory(const char *directory, char *out) {
    size_t length = 0;
    for (; *directory != '\0'; directory++) {
        out[length++] = *directory;
        if (*directory == '%')
            out[length++] = '%';
    }
    out[length] = '\0';
    return length;
}

/* The program may change its directory; its dumps go to the one where it was
 * started. */
int dump_pattern_make_absolute(const char *pattern, char *out, size_t size) {
    char directory[PATH_MAX], quoted[2 * PATH_MAX] = "";
    if (pattern[0] != '/' && getcwd(directory, sizeof directory) != NULL) {
        size_t length = quote_directory(directory, quoted);
        if (quoted[length - 1] != '/')
            strcpy(quoted + length, "/");
    }
    int length = snprintf(out, size, "%s%s", quoted, pattern);
    return length >= 0 && (size_t)length < size ? 0 : -ENAMETOOLONG;
}
