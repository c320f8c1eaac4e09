/* SPDX-License-Identifier: MIT */
#include "cli/arguments.h"
#include "cli/selection_options.h"

#include <stdio.h>
#include <string.h>

enum option_key {
    OPTION_AT = 0x200,
    OPTION_DOMAIN,
    OPTION_INCLUDE,
    OPTION_EXCLUDE,
    OPTION_ALL_FRAMES,
    OPTION_BY,
    OPTION_NATIVE,
    OPTION_NO_NATIVE,
    OPTION_SOURCE,
    OPTION_NO_SOURCE,
    OPTION_OPEN_MODULES,
};

static const struct argp_option argp_options[] = {
    {"at", OPTION_AT, "MOMENT", 0,
     "now (the default; for a program that ended: exit), peak, exit (before the "
     "interpreter's teardown) or end (after it)",
     0},
    {"domain", OPTION_DOMAIN, "DOMAIN", 0,
     "Only blocks of a domain: python, libc, mmap, or a number", 0},
    {"include", OPTION_INCLUDE, "PATTERN[:LINE]", 0,
     "Only blocks whose most recent frame is in such a file; may be repeated", 0},
    {"exclude", OPTION_EXCLUDE, "PATTERN[:LINE]", 0,
     "No blocks whose most recent frame is in such a file; may be repeated", 0},
    {"all-frames", OPTION_ALL_FRAMES, NULL, 0,
     "Show the frames of imports too, and let --include and --exclude look at every "
     "frame of a traceback",
     0},
    {"by", OPTION_BY, "process", 0, "Tell the processes of several dumps apart", 0},
    {"native", OPTION_NATIVE, NULL, 0, SELECTION_NATIVE_HELP, 0},
    {"no-native", OPTION_NO_NATIVE, NULL, 0, SELECTION_NO_NATIVE_HELP, 0},
    {"source", OPTION_SOURCE, NULL, 0, SELECTION_SOURCE_HELP, 0},
    {"no-source", OPTION_NO_SOURCE, NULL, 0, SELECTION_NO_SOURCE_HELP, 0},
    {"open-modules", OPTION_OPEN_MODULES, NULL, 0, SELECTION_OPEN_MODULES_HELP, 0},
    {0},
};

static const char *const point_names[] = {
    [PROFILE_NOW] = "now",
    [PROFILE_PEAK] = "peak",
    [PROFILE_EXIT] = "exit",
    [PROFILE_END] = "end",
    NULL,
};

int selection_choose(const char *const *words, const char *word, const char *what,
                     struct argp_state *state) {
    for (int i = 0; words[i] != NULL; i++)
        if (strcmp(words[i], word) == 0)
            return i;
    arguments_error(state, "'%s' is not a %s", word, what);
    return 0;
}

void selection_parse_by(struct selection *selection, const char *argument,
                        struct argp_state *state) {
    static const char *const by_names[] = {"process", NULL};
    selection_choose(by_names, argument, "way to tell dumps apart", state);
    selection->by_process = true;
}

static void add_pattern(struct selection *selection, const char *text, bool inclusive,
                        struct argp_state *state) {
    if (filter_add(&selection->filter, text, inclusive) < 0)
        arguments_error(state, "too many patterns");
}

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct selection *selection = state->input;
    switch (key) {
    case OPTION_AT:
        selection->point = (enum profile_point)selection_choose(point_names, argument,
                                                                "moment", state);
        selection->point_name = point_names[selection->point];
        return 0;
    case OPTION_DOMAIN:
        selection->filter.domain = argument;
        return 0;
    case OPTION_INCLUDE:
    case OPTION_EXCLUDE:
        add_pattern(selection, argument, key == OPTION_INCLUDE, state);
        return 0;
    case OPTION_ALL_FRAMES:
        selection->filter.all_frames = selection->shows_imports = true;
        return 0;
    case OPTION_BY:
        selection_parse_by(selection, argument, state);
        return 0;
    case OPTION_NATIVE:
        selection->native = SELECTION_NATIVE_ALL;
        return 0;
    case OPTION_NO_NATIVE:
        selection->native = SELECTION_NATIVE_NONE;
        return 0;
    case OPTION_SOURCE:
        selection->source = SELECTION_SOURCE_SHOWN;
        return 0;
    case OPTION_NO_SOURCE:
        selection->source = SELECTION_SOURCE_HIDDEN;
        return 0;
    case OPTION_OPEN_MODULES:
        selection->open_modules = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp selection_argp = {.options = argp_options, .parser = parse};

void selection_open(struct selection *selection) {
    *selection = (struct selection){
        .point = PROFILE_NOW,
        .point_name = point_names[PROFILE_NOW],
    };
}

error_t selection_parse_files(struct selection *selection, int key,
                              struct argp_state *state) {
    switch (key) {
    case ARGP_KEY_ARGS:
        selection->files = state->argv + state->next;
        selection->file_count = state->argc - state->next;
        return 0;
    case ARGP_KEY_NO_ARGS:
        arguments_error(state, "which dump?");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int selection_report(const struct selection *selection, bool json,
                     int (*tell)(const void *options, char *const *files, int count),
                     const void *options) {
    if (!selection->by_process)
        return tell(options, selection->files, selection->file_count);
    int status = 0;
    for (int i = 0; i < selection->file_count && status == 0; i++) {
        if (i > 0 && !json)
            putchar('\n');
        status = tell(options, &selection->files[i], 1);
    }
    return status;
}
