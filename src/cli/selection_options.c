/* SPDX-License-Identifier: MIT */
#include "cli/arguments.h"
#include "cli/selection_options.h"

#include <errno.h>
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
    OPTION_BORN,
    OPTION_TEMPORARY,
};

static const struct argp_option shown_options[] = {
    {"native", OPTION_NATIVE, NULL, 0,
     "Show all native frames, those of the interpreter too", 0},
    {"no-native", OPTION_NO_NATIVE, NULL, 0, "Do not show native frames", 0},
    {"source", OPTION_SOURCE, NULL, 0,
     "Show source lines for another user's dump too, if its owner may read them", 0},
    {"no-source", OPTION_NO_SOURCE, NULL, 0, "Do not show source lines", 0},
    {"open-modules", OPTION_OPEN_MODULES, NULL, 0, SELECTION_OPEN_MODULES_HELP, 0},
    {0},
};

static error_t parse_shown(int key, char *argument, struct argp_state *state) {
    struct selection *selection = state->input;
    (void)argument;
    switch (key) {
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

const struct argp selection_shown_argp = {.options = shown_options,
                                          .parser = parse_shown};

static const struct argp_option pattern_options[] = {
    {"include", OPTION_INCLUDE, "PATTERN[:LINE]", 0,
     "Report only blocks whose most recent frame matches; may be repeated", 0},
    {"exclude", OPTION_EXCLUDE, "PATTERN[:LINE]", 0,
     "Do not report blocks whose most recent frame matches; may be repeated", 0},
    {0},
};

static error_t parse_pattern(int key, char *argument, struct argp_state *state) {
    struct selection *selection = state->input;
    if (key != OPTION_INCLUDE && key != OPTION_EXCLUDE)
        return ARGP_ERR_UNKNOWN;
    if (filter_add(&selection->filter, argument, key == OPTION_INCLUDE) < 0)
        arguments_error(state, "too many patterns");
    return 0;
}

const struct argp selection_pattern_argp = {.options = pattern_options,
                                            .parser = parse_pattern};

static const struct argp_option born_options[] = {
    {"born", OPTION_BORN, "FROM..TO", 0,
     "Report only blocks that were allocated in this time: times of day "
     "(10:00..10:05:30), or since the start (600..900, 10m..15m); FROM or TO may be "
     "left out",
     0},
    {0},
};

static error_t parse_born(int key, char *argument, struct argp_state *state) {
    struct selection *selection = state->input;
    if (key != OPTION_BORN)
        return ARGP_ERR_UNKNOWN;
    int error = birth_range_parse(&selection->born, argument);
    selection->born_text = argument;
    if (error == -ERANGE)
        arguments_error(state, "the range '%s' ends before it begins", argument);
    if (error < 0)
        arguments_error(state,
                        "'%s' is not a range of time FROM..TO, such as 10:00..10:05 "
                        "or 10m..15m",
                        argument);
    return 0;
}

const struct argp selection_born_argp = {.options = born_options, .parser = parse_born};

static const struct argp_option argp_options[] = {
    {"at", OPTION_AT, "WHEN", 0,
     "Report on a point in time: now (the default; if the program has ended, the same "
     "as exit), peak, exit (before the interpreter is finalized) or end (after that)",
     0},
    {"temporary", OPTION_TEMPORARY, NULL, 0,
     "Report the blocks that were freed before their thread allocated another one, "
     "since the start",
     0},
    {"domain", OPTION_DOMAIN, "DOMAIN", 0,
     "Report only blocks of this domain: python, libc, mmap, or a number", 0},
    {"all-frames", OPTION_ALL_FRAMES, NULL, 0,
     "Show the frames of imports too, and match --include and --exclude against every "
     "frame of a traceback",
     0},
    {"by", OPTION_BY, "process", 0, "Report on each process separately", 0},
    {0},
};

static const char *const point_names[] = {
    [PROFILE_NOW] = "now",
    [PROFILE_PEAK] = "peak",
    [PROFILE_EXIT] = "exit",
    [PROFILE_END] = "end",
    NULL,
};

/* It is no point in time, so the births of what is live then do not limit it. */
void selection_check(const struct selection *selection, struct argp_state *state) {
    if (selection->point == PROFILE_TEMPORARY && selection->born.is_set)
        arguments_error(state, "--temporary and --born cannot be used together");
}

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
    selection_choose(by_names, argument, "valid argument of --by", state);
    selection->by_process = true;
}

static const struct argp_child argp_children[] = {{.argp = &selection_shown_argp},
                                                  {.argp = &selection_pattern_argp},
                                                  {.argp = &selection_born_argp},
                                                  {0}};

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct selection *selection = state->input;
    switch (key) {
    case OPTION_AT:
        selection->point = (enum profile_point)selection_choose(point_names, argument,
                                                                "point in time", state);
        selection->point_name = point_names[selection->point];
        return 0;
    case OPTION_TEMPORARY:
        selection->point = PROFILE_TEMPORARY;
        selection->point_name = "temporary";
        return 0;
    case OPTION_DOMAIN:
        selection->filter.domain = argument;
        return 0;
    case OPTION_ALL_FRAMES:
        selection->filter.all_frames = selection->shows_imports = true;
        return 0;
    case OPTION_BY:
        selection_parse_by(selection, argument, state);
        return 0;
    case ARGP_KEY_END:
        selection_check(selection, state);
        return 0;
    case ARGP_KEY_INIT:
        for (int i = 0; argp_children[i].argp != NULL; i++)
            state->child_inputs[i] = selection;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp selection_argp = {
    .options = argp_options, .parser = parse, .children = argp_children};

enum shown_native selection_shown_native(const struct selection *selection,
                                         enum shown_native usual) {
    switch (selection->native) {
    case SELECTION_NATIVE_ALL:
        return SHOWN_NATIVE_ALL;
    case SELECTION_NATIVE_NONE:
        return SHOWN_NATIVE_NONE;
    default:
        return usual;
    }
}

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
        arguments_error(state, "no dump given");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int selection_report(const struct selection *selection, bool json,
                     int (*report)(const void *options, char *const *files, int count),
                     const void *options) {
    if (!selection->by_process)
        return report(options, selection->files, selection->file_count);
    int status = 0;
    for (int i = 0; i < selection->file_count && status == 0; i++) {
        if (i > 0 && !json)
            putchar('\n');
        status = report(options, &selection->files[i], 1);
    }
    return status;
}
