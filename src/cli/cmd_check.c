/* SPDX-License-Identifier: MIT */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/arguments.h"
#include "cli/check_limits.h"
#include "cli/check_output.h"
#include "cli/command.h"
#include "cli/selection_options.h"
#include "control/options.h"

enum {
    OPTION_PEAK = 0x100,
    OPTION_GROWTH,
    OPTION_LEAKS,
    OPTION_LINE,
    OPTION_BASELINE,
    OPTION_TOLERANCE,
    OPTION_JUNIT,
    OPTION_GITHUB,
    STATUS_EXCEEDED = 3,
    MAX_LEAKS = 1000000,
};

struct check_arguments {
    struct selection selection;
    struct check_limits limits;
    const char *junit;
    bool annotates, has_tolerance;
};

static const struct argp_option argp_options[] = {
    {"max-peak", OPTION_PEAK, "SIZE", 0, "The most memory that may be held at once", 0},
    {"max-growth", OPTION_GROWTH, "SIZE", 0,
     "By how much the second half of the run may rise above the first one", 0},
    {"max-leaks", OPTION_LEAKS, "N", 0, "How many leaks `leaks' may name", 0},
    {"max-line", OPTION_LINE, "FILE:LINE=SIZE", 0,
     "What a line may hold at the peak; may be given several times", 0},
    {"baseline", OPTION_BASELINE, "OLD", 0,
     "A dump whose peak may not be exceeded by more than the tolerance", 0},
    {"tolerance", OPTION_TOLERANCE, "PERCENT", 0, "See --baseline (default: 5%)", 0},
    {"junit", OPTION_JUNIT, "OUT", 0, "Write a file of JUnit's XML too", 0},
    {"github", OPTION_GITHUB, NULL, 0, "Print annotations for GitHub too", 0},
    {0},
};

static uint64_t parse_size(const char *text, struct argp_state *state) {
    uint64_t size;
    if (options_parse_size(text, INT64_MAX, &size) < 0)
        arguments_error(state, "'%s' is not a size, such as 200M", text);
    return size;
}

static void set(struct check_limits *limits, enum check_kind kind, const char *name,
                uint64_t max) {
    struct check_limit *limit = &limits->limits[kind];
    limit->is_set = true;
    limit->max = max;
    snprintf(limit->name, sizeof limit->name, "%s", name);
}

/* Whether a text is PATTERN:LINE. */
static bool names_line(const char *text) {
    const char *colon = strrchr(text, ':');
    return colon != NULL && colon != text && colon[1] != '\0' &&
           strspn(colon + 1, "0123456789") == strlen(colon + 1);
}

static void add_line(struct check_limits *limits, char *text,
                     struct argp_state *state) {
    char *size = strrchr(text, '=');
    if (size == NULL)
        arguments_error(state, "'%s' is not FILE:LINE=SIZE", text);
    uint64_t max = parse_size(size + 1, state);
    *size = '\0';
    if (!names_line(text))
        arguments_error(state, "'%s' is not a line FILE:LINE", text);
    if (limits->count == CHECK_KINDS + CHECK_MAX_LINES)
        arguments_error(state, "too many lines");
    struct check_limit *limit = &limits->limits[limits->count++];
    *limit = (struct check_limit){
        .is_set = true, .kind = CHECK_LINE, .pattern = text, .max = max};
    snprintf(limit->name, sizeof limit->name, "%s", text);
}

static double parse_tolerance(char *text, struct argp_state *state) {
    size_t length = strlen(text);
    if (length > 1 && text[length - 1] == '%')
        text[length - 1] = '\0';
    return arguments_parse_share(text, state);
}

static void set_baseline(struct check_limits *limits, const char *path) {
    char name[CHECK_NAME_SIZE];
    snprintf(name, sizeof name, "peak, compared with %s", path);
    limits->baseline = path;
    set(limits, CHECK_BASELINE, name, 0);
}

static void check_end(const struct check_arguments *arguments,
                      struct argp_state *state) {
    const struct check_limits *limits = &arguments->limits;
    bool any = false;
    for (size_t i = 0; i < limits->count; i++)
        any = any || limits->limits[i].is_set;
    if (!any)
        arguments_error(state, "no limit given");
    if (arguments->has_tolerance && limits->baseline == NULL)
        arguments_error(state, "--tolerance needs --baseline");
}

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct check_arguments *arguments = state->input;
    struct check_limits *limits = &arguments->limits;
    switch (key) {
    case OPTION_PEAK:
        set(limits, CHECK_PEAK, "peak", parse_size(argument, state));
        return 0;
    case OPTION_GROWTH:
        set(limits, CHECK_GROWTH, "growth", parse_size(argument, state));
        return 0;
    case OPTION_LEAKS:
        set(limits, CHECK_LEAKS, "leaks",
            arguments_parse_number(argument, 0, MAX_LEAKS, "leaks", state));
        return 0;
    case OPTION_LINE:
        add_line(limits, argument, state);
        return 0;
    case OPTION_BASELINE:
        set_baseline(limits, argument);
        return 0;
    case OPTION_TOLERANCE:
        limits->tolerance = parse_tolerance(argument, state);
        arguments->has_tolerance = true;
        return 0;
    case OPTION_JUNIT:
        arguments->junit = argument;
        return 0;
    case OPTION_GITHUB:
        arguments->annotates = true;
        return 0;
    case ARGP_KEY_END:
        check_end(arguments, state);
        return 0;
    default:
        return selection_parse_files(&arguments->selection, key, state);
    }
}

static const struct argp argp = {
    .options = argp_options,
    .parser = parse,
    .args_doc = "FILE...",
    .doc = "Checks that a program's dump, or the dumps of its processes together, stay "
           "within limits of memory. Exits with status 3 if one is exceeded.",
};

static bool is_exceeded(const struct check_limits *limits) {
    for (size_t i = 0; i < limits->count; i++)
        if (check_limit_is_exceeded(&limits->limits[i]))
            return true;
    return false;
}

static int run(int argc, char **argv) {
    static struct check_arguments arguments;
    struct check_limits *limits = &arguments.limits;
    selection_open(&arguments.selection);
    limits->tolerance = 0.05;
    limits->count = CHECK_KINDS;
    for (int i = 0; i < CHECK_KINDS; i++)
        limits->limits[i].kind = (enum check_kind)i;
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    int status = check_limits_measure(limits, &arguments.selection);
    if (status == 0 && arguments.junit != NULL)
        status = check_output_write(limits, arguments.junit);
    if (status != 0)
        return status;
    check_output_print(limits);
    if (arguments.annotates)
        check_output_annotate(limits);
    status = command_close_output();
    return status == 0 && is_exceeded(limits) ? STATUS_EXCEEDED : status;
}

const struct command command_check = {"check", "check that dumps stay within limits",
                                      run};
