/* SPDX-License-Identifier: MIT */
#include "cli/trace_options.h"

#include <stdlib.h>

#include "base/limits.h"
#include "control/options.h"

static void check_snapshot_at(const char *text, struct argp_state *state) {
    struct options unused = {0};
    if (options_parse(OPTION_SNAPSHOT_AT, text, &unused) < 0)
        arguments_error(state, "'%s' is not %s", text,
                        options_table[OPTION_SNAPSHOT_AT].accepted);
}

error_t trace_options_parse(int key, char *argument, struct argp_state *state,
                            struct trace_options *options) {
    switch (key) {
    case 'n':
        arguments_parse_number(argument, 1, MAX_NFRAME, "frames", state);
        options->frames = argument;
        return 0;
    case 'o':
        options->output = dump_pattern_parse(argument, state);
        return 0;
    case TRACE_OPTIONS_SAMPLE:
        arguments_parse_sample(&argument, state);
        options->sample = argument;
        return 0;
    case TRACE_OPTIONS_SNAPSHOT_AT:
        check_snapshot_at(argument, state);
        options->snapshot_at = argument;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const char *trace_options_output(const struct trace_options *options) {
    const struct option_row *row = &options_table[OPTION_OUTPUT];
    const char *output =
        options->output != NULL ? options->output : getenv(row->variable);
    return output != NULL && *output != '\0' ? output : row->fallback;
}
