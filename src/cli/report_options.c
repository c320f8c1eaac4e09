/* SPDX-License-Identifier: MIT */
#include "cli/report_options.h"

#include <argp.h>

#include "cli/arguments.h"

enum { DEFAULT_LIMIT = 10 };

enum option_key {
    OPTION_GROUP = 'g',
    OPTION_LIMIT = 'l',
    OPTION_CUMULATIVE = 0x100,
    OPTION_JSON,
};

static const struct argp_option argp_options[] = {
    {"group-by", OPTION_GROUP, "KEY", 0,
     "Group by filename, lineno (the default), traceback, function, module, type (of "
     "the objects, if they were counted) or type,lineno",
     0},
    {"cumulative", OPTION_CUMULATIVE, NULL, 0,
     "Count a block on every frame of its traceback, not just on the most recent one",
     0},
    {"limit", OPTION_LIMIT, "LIMIT", 0,
     "Show at most LIMIT entries, or 'all' (default: 10)", 0},
    {"json", OPTION_JSON, NULL, 0, "Print JSON", 0},
    {0},
};

static const char *const grouping_names[] = {
    [GROUPING_FILENAME] = "filename",       [GROUPING_LINENO] = "lineno",
    [GROUPING_TRACEBACK] = "traceback",     [GROUPING_FUNCTION] = "function",
    [GROUPING_MODULE] = "module",           [GROUPING_TYPE] = "type",
    [GROUPING_TYPE_LINENO] = "type,lineno", NULL,
};

/* A command that takes a fixed number of dumps does not report by process. */
static void check_files(const struct report_options *options,
                        struct argp_state *state) {
    const struct selection *selection = &options->selection;
    if (options->wanted_files == 0)
        return;
    if (selection->file_count < options->wanted_files)
        arguments_error(state, "two dumps are needed: OLD and NEW");
    if (selection->file_count > options->wanted_files)
        arguments_error(state, "too many dumps: '%s' is not used",
                        selection->files[options->wanted_files]);
    if (selection->by_process)
        arguments_error(state, "dumps are compared as a whole, not by process");
}

static void select_census(struct report_options *options, struct argp_state *state) {
    struct selection *selection = &options->selection;
    if (options->cumulative)
        arguments_error(state, "--cumulative cannot be used with --group-by type");
    if (selection->point != PROFILE_NOW)
        arguments_error(state, "--at and --temporary cannot be used with --group-by "
                               "type: types are of the time when they were counted");
    selection->point = PROFILE_CENSUS;
    selection->point_name = "census";
}

static void check_end(struct report_options *options, struct argp_state *state) {
    check_files(options, state);
    if (grouping_is_by_type(options->key))
        select_census(options, state);
    if (options->cumulative && options->key == GROUPING_TRACEBACK)
        arguments_error(state, "--cumulative cannot be used with --group-by traceback");
}

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct report_options *options = state->input;
    switch (key) {
    case OPTION_GROUP:
        options->key = (enum grouping_key)selection_choose(grouping_names, argument,
                                                           "grouping", state);
        return 0;
    case OPTION_LIMIT:
        options->limit = arguments_parse_limit(argument, state);
        return 0;
    case OPTION_CUMULATIVE:
        options->cumulative = true;
        return 0;
    case OPTION_JSON:
        options->json = options->selection.shows_imports = true;
        return 0;
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &options->selection;
        return 0;
    case ARGP_KEY_END:
        check_end(options, state);
        return 0;
    default:
        return selection_parse_files(&options->selection, key, state);
    }
}

void report_options_parse(struct report_options *options, int argc, char **argv,
                          int files, const char *arguments, const char *text) {
    static const struct argp_child children[] = {{&selection_argp, 0, NULL, 0}, {0}};
    const struct argp argp = {.options = argp_options,
                              .parser = parse,
                              .args_doc = arguments,
                              .doc = text,
                              .children = children};
    *options = (struct report_options){
        .key = GROUPING_LINENO, .limit = DEFAULT_LIMIT, .wanted_files = files};
    selection_open(&options->selection);
    argp_parse(&argp, argc, argv, 0, NULL, options);
}
