/* SPDX-License-Identifier: MIT */
#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/dump_pattern.h"
#include "cli/library_path.h"
#include "cli/trace_options.h"
#include "control/options.h"
#include "output/failure.h"
#include "output/terminal_text.h"
#include "process/attach.h"
#include "process/live_dump.h"

enum { MAX_OPTIONS = 16000 };

struct arguments {
    pid_t pid;
    struct trace_options trace;
};

static const struct argp_option argp_options[] = {TRACE_OPTIONS, {0}};

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct arguments *arguments = state->input;
    error_t status = trace_options_parse(key, argument, state, &arguments->trace);
    return status == ARGP_ERR_UNKNOWN
               ? arguments_parse_pid(key, argument, state, &arguments->pid)
               : status;
}

static const struct argp argp = {
    .options = argp_options,
    .parser = parse,
    .args_doc = "PID",
    .doc = "Begins to trace a process that was started without the library, and prints "
           "the name of its dump. Blocks allocated before are not known. `tracemalloc "
           "detach` ends the tracing.",
};

/* What the library is to do, as lines of NAME=VALUE; the variables are those of this
 * command's environment. */
struct lines {
    char text[MAX_OPTIONS];
    size_t length;
    bool failed;
};

static void add(struct lines *lines, const char *name, const char *value) {
    size_t room = sizeof lines->text - lines->length;
    int length = snprintf(lines->text + lines->length, room, "%s=%s\n", name, value);
    lines->failed |=
        length < 0 || (size_t)length >= room || strchr(value, '\n') != NULL;
    lines->length += lines->failed ? 0 : (size_t)length;
}

static void add_environment(struct lines *lines) {
    for (int option = 0; option < OPTION_COUNT; option++) {
        const char *name = options_table[option].variable, *value = getenv(name);
        if (value != NULL && option != OPTION_OUTPUT && option != OPTION_QUIET &&
            option != OPTION_RUN)
            add(lines, name, value);
    }
}

static int add_output(struct lines *lines, const struct trace_options *trace) {
    char pattern[3 * PATH_MAX];
    int error = dump_pattern_make_absolute(trace_options_output(trace), pattern,
                                           sizeof pattern);
    if (error == 0)
        add(lines, options_table[OPTION_OUTPUT].variable, pattern);
    return error;
}

static const char *find_value(const char *name) {
    return getenv(name);
}

static int write_options(const struct trace_options *trace, struct lines *lines) {
    struct options unused;
    char message[256];
    if (options_read(&unused, find_value, message, sizeof message) < 0 ||
        message[0] != '\0')
        return failure_print("%s", message);
    /* The first line of a name counts. */
    if (trace->sample != NULL)
        add(lines, options_table[OPTION_SAMPLE].variable, trace->sample);
    if (trace->snapshot_at != NULL)
        add(lines, options_table[OPTION_SNAPSHOT_AT].variable, trace->snapshot_at);
    add_environment(lines);
    /* The command says itself what there is to say. */
    add(lines, options_table[OPTION_QUIET].variable, "1");
    add(lines, "PYTHONTRACEMALLOC", trace->frames);
    int error = add_output(lines, trace);
    if (error == 0 && lines->failed)
        error = -ENAMETOOLONG;
    return error < 0 ? failure_print("the options: %s", strerror(-error)) : 0;
}

static int print_dump(pid_t pid) {
    struct process_status process;
    struct live_dump dump = {.fd = -1};
    int error = process_status_read(pid, &process);
    if (error == 0)
        error = live_dump_open(&dump, &process);
    if (error == 0 && dump.path != NULL && !dump.is_memory)
        terminal_text_line(stdout, dump.path);
    else
        failure_note("process %d is traced, but could not create a dump", (int)pid);
    live_dump_close(&dump);
    return command_close_output();
}

static int run(int argc, char **argv) {
    struct arguments arguments = {.trace.frames = DEFAULT_NFRAME_TEXT};
    static struct lines lines;
    char library[PATH_MAX];
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    if (write_options(&arguments.trace, &lines) != 0)
        return 1;
    if (library_path_find(library, sizeof library) != 0)
        return 1;
    struct attach_request request = {arguments.pid, library, lines.text};
    return attach_process(&request) != 0 ? 1 : print_dump(arguments.pid);
}

const struct command command_attach = {
    "attach", "trace a process that runs without the library", run};
