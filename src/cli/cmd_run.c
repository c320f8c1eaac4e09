/* SPDX-License-Identifier: MIT */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/dump_pattern.h"
#include "cli/library_path.h"
#include "cli/trace_options.h"
#include "control/options.h"
#include "output/failure.h"
#include "process/child.h"
#include "process/oom_counter.h"
#include "process/preload_obstacle.h"
#include "process/run_dumps.h"

enum { NOT_EXECUTABLE = 126, NOT_FOUND = 127, SIGNAL_BASE = 128 };
enum { KEY_NO_FOLLOW_FORK = 0x100, KEY_NATIVE, KEY_ANY_PROGRAM };

/* Asks the library for its default number. */
#define NATIVE_FRAMES_DEFAULT "1"

struct arguments {
    struct trace_options trace;
    const char *native_frames; /* NULL: not asked for */
    bool quiet;
    bool no_follow_fork;
    bool any_program;
    char **program; /* NULL-terminated, with its arguments */
    enum preload_obstacle obstacle;
};

static const struct argp_option argp_options[] = {
    TRACE_OPTIONS,
    {"quiet", 'q', NULL, 0, "Print no notices on standard error", 0},
    {"no-follow-fork", KEY_NO_FOLLOW_FORK, NULL, 0, "Do not trace forked children", 0},
    {"native", KEY_NATIVE, "N", OPTION_ARG_OPTIONAL,
     "Store native frames too, at most N of each traceback "
     "(default: " DEFAULT_NATIVE_NFRAME_TEXT ")",
     0},
    {"any-program", KEY_ANY_PROGRAM, NULL, 0,
     "Trace programs without Python too, by native frames", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct arguments *arguments = state->input;
    switch (key) {
    case 'q':
        arguments->quiet = true;
        return 0;
    case KEY_NO_FOLLOW_FORK:
        arguments->no_follow_fork = true;
        return 0;
    case KEY_NATIVE:
        arguments->native_frames = argument != NULL ? argument : NATIVE_FRAMES_DEFAULT;
        arguments_parse_number(arguments->native_frames, 1, MAX_NFRAME, "frames",
                               state);
        return 0;
    case KEY_ANY_PROGRAM:
        arguments->any_program = true;
        return 0;
    case ARGP_KEY_ARG:
        arguments->program = &state->argv[state->next - 1];
        state->next = state->argc; /* the rest is the program's own */
        return 0;
    case ARGP_KEY_NO_ARGS:
        arguments_error(state, "no program given");
        return 0;
    default:
        return trace_options_parse(key, argument, state, &arguments->trace);
    }
}

static char *list_variables(void) {
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (stream == NULL)
        return NULL;
    fputs("Environment variables:\n", stream);
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (options_table[i].help != NULL)
            fprintf(stream, "  %-26s %s\n", options_table[i].variable,
                    options_table[i].help);
    fclose(stream);
    return text;
}

static char *help_text(int key, const char *text, void *input) {
    (void)input;
    return key == ARGP_KEY_HELP_POST_DOC ? list_variables() : (char *)text;
}

static const struct argp argp = {
    .options = argp_options,
    .parser = parse,
    .args_doc = "[--] PROGRAM [ARGUMENT...]",
    .doc = "Runs a program under the tracer. The exit status is the program's or, if a "
           "signal killed it, 128 plus the number of the signal.\vVARIABLES",
    .help_filter = help_text,
};

static bool is_set(enum option_id option) {
    const char *text = getenv(options_table[option].variable);
    return text != NULL && *text != '\0';
}

static int set_variable(enum option_id option, const char *value) {
    return setenv(options_table[option].variable, value, 1) == 0 ? 0 : -ENOMEM;
}

/* An invalid value in the environment is left alone: the library reports it. */
static int set_output(const struct arguments *arguments, char *pattern, size_t size) {
    const char *fallback = options_table[OPTION_OUTPUT].fallback;
    const char *output = trace_options_output(&arguments->trace);
    struct options unused = {0};
    if (options_parse(OPTION_OUTPUT, output, &unused) < 0)
        return snprintf(pattern, size, "%s", fallback) > 0 ? 0 : -EINVAL;
    int error = dump_pattern_make_absolute(output, pattern, size);
    return error == 0 ? set_variable(OPTION_OUTPUT, pattern) : error;
}

/* An invalid value of another variable is left alone too, but with this one the program
 * would be traced without it. */
static bool has_bad_thresholds(void) {
    const struct option_row *row = &options_table[OPTION_SNAPSHOT_AT];
    const char *text = getenv(row->variable);
    struct options unused = {0};
    return text != NULL && *text != '\0' &&
           options_parse(OPTION_SNAPSHOT_AT, text, &unused) < 0;
}

static int set_run_id(uint64_t *run_id) {
    char text[20];
    do
        if (getrandom(run_id, sizeof *run_id, 0) != (ssize_t)sizeof *run_id)
            return -errno;
    while (*run_id == 0);
    snprintf(text, sizeof text, "%" PRIx64, *run_id);
    return set_variable(OPTION_RUN, text);
}

static int set_switches(const struct arguments *arguments) {
    int error =
        setenv("PYTHONTRACEMALLOC", arguments->trace.frames, 1) == 0 ? 0 : -ENOMEM;
    if (error == 0 && arguments->quiet)
        error = set_variable(OPTION_QUIET, "1");
    if (error == 0 && arguments->no_follow_fork)
        error = set_variable(OPTION_FOLLOW_FORK, "0");
    if (error == 0 && arguments->native_frames != NULL)
        error = set_variable(OPTION_NATIVE_FRAMES, arguments->native_frames);
    if (error == 0 && arguments->trace.sample != NULL)
        error = set_variable(OPTION_SAMPLE, arguments->trace.sample);
    if (error == 0 && arguments->trace.snapshot_at != NULL)
        error = set_variable(OPTION_SNAPSHOT_AT, arguments->trace.snapshot_at);
    return error;
}

/* A program without Python has only native frames. */
static int set_any_program(const struct arguments *arguments) {
    bool has_frames = arguments->native_frames != NULL || is_set(OPTION_NATIVE_FRAMES);
    if (!arguments->any_program)
        return 0;
    int error = set_variable(OPTION_ANY_PROGRAM, "1");
    if (error == 0 && !has_frames)
        error = set_variable(OPTION_NATIVE_FRAMES, NATIVE_FRAMES_DEFAULT);
    return error;
}

static int preload_library(void) {
    char path[PATH_MAX];
    if (library_path_find(path, sizeof path) != 0)
        return 1;
    int error = library_path_preload(path);
    if (error == -EINVAL)
        return failure_print(
            "LD_PRELOAD cannot contain %s, which has a space or a colon", path);
    return error < 0 ? failure_print("%s", strerror(-error)) : 0;
}

static bool is_quiet(void) {
    struct options options = {0};
    const char *text = getenv(options_table[OPTION_QUIET].variable);
    return text != NULL && options_parse(OPTION_QUIET, text, &options) == 0 &&
           options.quiet;
}

static void report_obstacle(const struct arguments *arguments) {
    if (arguments->obstacle == PRELOAD_WORKS || arguments->quiet || is_quiet())
        return;
    failure_note("%s %s: %s", arguments->program[0],
                 preload_obstacle_text(arguments->obstacle),
                 preload_obstacle_is_inherited(arguments->obstacle)
                     ? "only programs that it starts are traced"
                     : "it runs untraced");
}

static void report_dumps(const struct run_dumps *dumps,
                         enum preload_obstacle obstacle) {
    char names[3 * PATH_MAX];
    run_dumps_list(&dumps->own, names, sizeof names);
    if (dumps->own.count > 0)
        failure_note("wrote %s", names);
    else if (obstacle == PRELOAD_WORKS)
        failure_note("no dump was written: the program has no Python, or it cleared "
                     "its environment");
    run_dumps_list(&dumps->copies, names, sizeof names);
    if (dumps->copies.count > 0)
        failure_note("wrote %s when so much memory was in use", names);
    else if (dumps->own.count > 0 && is_set(OPTION_SNAPSHOT_AT))
        failure_note("wrote no snapshot");
}

static void complete_dumps(const struct run_end *end, const char *pattern,
                           uint64_t run_id, enum preload_obstacle obstacle) {
    struct run_dumps dumps;
    int error = run_dumps_find(&dumps, pattern, run_id);
    run_dumps_finish(&dumps, end);
    if (!is_quiet() && error == 0)
        report_dumps(&dumps, obstacle);
    run_dumps_free(&dumps);
}

static int oom_between(int64_t before, int64_t after) {
    return before < 0 || after < 0 ? -1 : after > before;
}

/* Reports why the program cannot be run. Returns the exit status of a shell. */
static int report_failure(const char *program, int error) {
    int failed = failure_print("%s: %s", program, strerror(error));
    return failed && error == ENOENT ? NOT_FOUND : NOT_EXECUTABLE;
}

static int run_program(const struct arguments *arguments, const char *pattern,
                       uint64_t run_id) {
    int64_t oom_before = oom_counter_read();
    pid_t child = child_start(arguments->program);
    if (child < 0)
        return report_failure(arguments->program[0], -child);
    report_obstacle(arguments);
    struct run_end end = {.pid = child, .wait_status = child_wait(child)};
    end.oom_killed = oom_between(oom_before, oom_counter_read());
    complete_dumps(&end, pattern, run_id, arguments->obstacle);
    return WIFSIGNALED(end.wait_status) ? SIGNAL_BASE + WTERMSIG(end.wait_status)
                                        : WEXITSTATUS(end.wait_status);
}

static int run(int argc, char **argv) {
    struct arguments arguments = {.trace.frames = DEFAULT_NFRAME_TEXT};
    char pattern[3 * PATH_MAX];
    uint64_t run_id = 0;
    argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &arguments);
    if (arguments.trace.snapshot_at == NULL && has_bad_thresholds())
        return failure_print("%s must be %s",
                             options_table[OPTION_SNAPSHOT_AT].variable,
                             options_table[OPTION_SNAPSHOT_AT].accepted);
    arguments.obstacle = preload_obstacle_find(arguments.program[0]);
    bool is_prepared = preload_obstacle_is_inherited(arguments.obstacle);
    int error = set_output(&arguments, pattern, sizeof pattern);
    if (error == 0 && is_prepared)
        error = set_switches(&arguments);
    if (error == 0 && is_prepared)
        error = set_any_program(&arguments);
    if (error == 0)
        error = set_run_id(&run_id);
    if (error < 0)
        return failure_print("%s", strerror(-error));
    if (is_prepared && preload_library() != 0)
        return 1;
    return run_program(&arguments, pattern, run_id);
}

const struct command command_run = {"run", "run a program and trace its memory", run};
