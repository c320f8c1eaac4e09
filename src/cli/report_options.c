/* SPDX-License-Identifier: MIT */
#include "cli/report_options.h"

#include <argp.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_LIMIT = 10 };

enum option_key {
    OPTION_GROUP = 'g',
    OPTION_LIMIT = 'l',
    OPTION_CUMULATIVE = 0x100,
    OPTION_AT,
    OPTION_DOMAIN,
    OPTION_INCLUDE,
    OPTION_EXCLUDE,
    OPTION_ALL_FRAMES,
    OPTION_JSON,
};

static const struct argp_option argp_options[] = {
    {"group-by", OPTION_GROUP, "KEY", 0,
     "Group by filename, lineno (the default) or traceback", 0},
    {"cumulative", OPTION_CUMULATIVE, NULL, 0,
     "Count a block on every frame of its traceback, not just on the most recent one",
     0},
    {"limit", OPTION_LIMIT, "LIMIT", 0, "Show that many entries, or all (default: 10)",
     0},
    {"at", OPTION_AT, "MOMENT", 0,
     "now (the default; for a program that ended: exit), peak, exit (before the "
     "interpreter's "
     "teardown) or end (after it)",
     0},
    {"domain", OPTION_DOMAIN, "DOMAIN", 0,
     "Only blocks of a domain: python, libc, mmap, or a number", 0},
    {"include", OPTION_INCLUDE, "PATTERN[:LINE]", 0,
     "Only blocks whose most recent frame is in such a file; may be repeated", 0},
    {"exclude", OPTION_EXCLUDE, "PATTERN[:LINE]", 0,
     "No blocks whose most recent frame is in such a file; may be repeated", 0},
    {"all-frames", OPTION_ALL_FRAMES, NULL, 0,
     "Let --include and --exclude look at every frame of a traceback", 0},
    {"json", OPTION_JSON, NULL, 0, "Print JSON", 0},
    {0},
};

/* The place of a word in a list that ends with NULL; a usage error if it has none. */
static int choose(const char *const *words, const char *word, const char *what,
                  struct argp_state *state) {
    for (int i = 0; words[i] != NULL; i++)
        if (strcmp(words[i], word) == 0)
            return i;
    argp_error(state, "'%s' is not a %s", word, what);
    return 0;
}

static const char *const grouping_names[] = {
    [GROUPING_FILENAME] = "filename",
    [GROUPING_LINENO] = "lineno",
    [GROUPING_TRACEBACK] = "traceback",
    NULL,
};

static const char *const moment_names[] = {
    [PROFILE_NOW] = "now",
    [PROFILE_PEAK] = "peak",
    [PROFILE_EXIT] = "exit",
    [PROFILE_END] = "end",
    NULL,
};

static size_t parse_limit(const char *text, struct argp_state *state) {
    if (strcmp(text, "all") == 0)
        return SIZE_MAX;
    char *end;
    errno = 0;
    unsigned long limit = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0)
        argp_error(state, "'%s' is neither a number of entries nor all", text);
    return limit;
}

static void add_pattern(struct report_options *options, const char *text,
                        bool inclusive, struct argp_state *state) {
    if (filter_add(&options->filter, text, inclusive) < 0)
        argp_error(state, "too many patterns");
}

static void add_file(struct report_options *options, const char *path,
                     struct argp_state *state) {
    if (options->file_count == options->wanted_files)
        argp_error(state, "'%s' is one dump too many", path);
    options->files[options->file_count++] = path;
}

static void check_end(const struct report_options *options, struct argp_state *state) {
    if (options->file_count < options->wanted_files)
        argp_error(state, options->file_count == 0 ? "which dump?"
                                                   : "compare with which dump?");
    if (options->cumulative && options->key == GROUPING_TRACEBACK)
        argp_error(state,
                   "--cumulative groups by filename or lineno, not by traceback");
}

static void parse_selection(struct report_options *options, int key,
                            const char *argument, struct argp_state *state) {
    switch (key) {
    case OPTION_AT:
        options->moment =
            (enum profile_moment)choose(moment_names, argument, "moment", state);
        options->moment_name = moment_names[options->moment];
        break;
    case OPTION_DOMAIN:
        options->filter.domain = argument;
        break;
    case OPTION_INCLUDE:
    case OPTION_EXCLUDE:
        add_pattern(options, argument, key == OPTION_INCLUDE, state);
        break;
    case OPTION_ALL_FRAMES:
        options->filter.all_frames = true;
        break;
    }
}

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct report_options *options = state->input;
    switch (key) {
    case OPTION_GROUP:
        options->key =
            (enum grouping_key)choose(grouping_names, argument, "grouping", state);
        return 0;
    case OPTION_LIMIT:
        options->limit = parse_limit(argument, state);
        return 0;
    case OPTION_CUMULATIVE:
        options->cumulative = true;
        return 0;
    case OPTION_JSON:
        options->json = true;
        return 0;
    case OPTION_AT:
    case OPTION_DOMAIN:
    case OPTION_INCLUDE:
    case OPTION_EXCLUDE:
    case OPTION_ALL_FRAMES:
        parse_selection(options, key, argument, state);
        return 0;
    case ARGP_KEY_ARG:
        add_file(options, argument, state);
        return 0;
    case ARGP_KEY_END:
        check_end(options, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

void report_options_parse(struct report_options *options, int argc, char **argv,
                          int files, const char *arguments, const char *text) {
    const struct argp argp = {
        .options = argp_options, .parser = parse, .args_doc = arguments, .doc = text};
    *options = (struct report_options){
        .key = GROUPING_LINENO,
        .limit = DEFAULT_LIMIT,
        .moment = PROFILE_NOW,
        .moment_name = moment_names[PROFILE_NOW],
        .wanted_files = files,
    };
    argp_parse(&argp, argc, argv, 0, NULL, options);
}
