/* SPDX-License-Identifier: MIT */
#include "cli/arguments.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/options.h"
#include "output/terminal_text.h"
#include "profile/birth_range.h"

enum { MESSAGE_SIZE = 8192 };

/* Returns -1 if the text is not a number from 0 to INT_MAX. */
static long parse(const char *text) {
    char *end;
    errno = 0;
    long number = strtol(text, &end, 10);
    if (errno != 0 || *text < '0' || *text > '9' || *end != '\0' || number > INT_MAX)
        return -1;
    return number;
}

void arguments_error(struct argp_state *state, const char *format, ...) {
    char text[MESSAGE_SIZE], shown[MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    terminal_text_copy(shown, sizeof shown, text, isatty(STDERR_FILENO) != 0);
    argp_error(state, "%s", shown);
}

error_t arguments_parse_pid(int key, char *argument, struct argp_state *state,
                            pid_t *pid) {
    switch (key) {
    case ARGP_KEY_ARG:
        if (state->arg_num > 0)
            arguments_error(state, "more than one process id given");
        *pid = (pid_t)parse(argument);
        if (*pid <= 0)
            arguments_error(state, "'%s' is not a process id", argument);
        return 0;
    case ARGP_KEY_NO_ARGS:
        arguments_error(state, "no process id given");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

uint32_t arguments_parse_number(const char *text, uint32_t min, uint32_t max,
                                const char *what, struct argp_state *state) {
    long number = parse(text);
    if (number < (long)min || number > (long)max)
        arguments_error(state, "'%s' is not a number of %s from %u to %u", text, what,
                        min, max);
    return (uint32_t)number;
}

uint32_t arguments_parse_sample(char **text, struct argp_state *state) {
    static char usual[] = OPTIONS_SAMPLE;
    struct options options = {0};
    if (*text == NULL)
        *text = usual;
    if (options_parse(OPTION_SAMPLE, *text, &options) < 0)
        arguments_error(state, "'%s' is not %s", *text,
                        options_table[OPTION_SAMPLE].accepted);
    return options.sample_distance;
}

size_t arguments_parse_limit(const char *text, struct argp_state *state) {
    if (strcmp(text, "all") == 0)
        return SIZE_MAX;
    char *end;
    errno = 0;
    unsigned long limit = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0)
        arguments_error(state, "'%s' is neither a number of entries nor 'all'", text);
    return limit;
}

double arguments_parse_share(const char *text, struct argp_state *state) {
    char *end;
    double percent = strtod(text, &end);
    if (end == text || *end != '\0' || !(percent >= 0 && percent <= 100))
        arguments_error(state, "'%s' is not a percentage", text);
    return percent / 100;
}

uint64_t arguments_parse_interval(const char *text, struct argp_state *state) {
    static const uint64_t least = 1000000000, most = 86400 * 1000000000ull;
    uint64_t interval;
    if (birth_range_duration(text, &interval) < 0 || interval < least ||
        interval > most)
        arguments_error(state, "'%s' is not an interval from 1s to 1d, such as 60s",
                        text);
    return interval;
}
