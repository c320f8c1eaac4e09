/* SPDX-License-Identifier: MIT */
#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/dump_report.h"
#include "cli/selection_options.h"
#include "cli/source_notes.h"
#include "leak/leak_report.h"
#include "output/failure.h"
#include "output/progress.h"
#include "process/process_request.h"
#include "show/leaks_json.h"
#include "show/leaks_text.h"
#include "show/process_list.h"
#include "show/text_report.h"

enum {
    OPTION_JSON = 0x100,
    OPTION_FAIL,
    OPTION_ALL_FRAMES,
    ENTRIES = 3,
    STATUS_VERDICT = 3,
};

struct leaks_options {
    struct selection selection;
    size_t limit;
    bool json, fail, verbose, has_limit;
};

/* The dumps that are examined. */
struct leaks_input {
    struct dump_reader **readers;
    struct profile *profiles;
    int count;
    struct frame_names names;
};

static const struct argp_option argp_options[] = {
    {"json", OPTION_JSON, NULL, 0, "Print JSON", 0},
    {"fail", OPTION_FAIL, NULL, 0, "Exit with status 3 if there is a leak or a backlog",
     0},
    {"verbose", 'v', NULL, 0, "Show all entries, and all lines of each", 0},
    {"limit", 'l', "N", 0, "Show N entries, or `all' (default: 3)", 0},
    {"all-frames", OPTION_ALL_FRAMES, NULL, 0, "Match patterns against all frames", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct leaks_options *options = state->input;
    switch (key) {
    case OPTION_JSON:
        options->json = true;
        return 0;
    case OPTION_FAIL:
        options->fail = true;
        return 0;
    case 'v':
        options->verbose = true;
        return 0;
    case 'l':
        options->limit = arguments_parse_limit(argument, state);
        options->has_limit = true;
        return 0;
    case OPTION_ALL_FRAMES:
        options->selection.filter.all_frames = true;
        return 0;
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &options->selection;
        return 0;
    default:
        return selection_parse_files(&options->selection, key, state);
    }
}

static const struct argp_child argp_children[] = {{.argp = &selection_pattern_argp},
                                                  {0}};

static const struct argp argp = {
    .options = argp_options,
    .parser = parse,
    .children = argp_children,
    .args_doc = "FILE|PID...",
    .doc = "Names the lines of a program that leak, from its dump or while it runs, "
           "with what speaks for it and against it. No snapshot is needed.",
};

/* A number that is no file is a process. */
static bool is_process(const char *text) {
    return text[0] != '\0' && strspn(text, "0123456789") == strlen(text) &&
           access(text, F_OK) != 0;
}

static int read_process(struct dump_reader **reader, const char *text) {
    struct target target;
    long pid = strtol(text, NULL, 10);
    if (pid > INT_MAX)
        return failure_print("there is no process %s", text);
    if (target_open(&target, (pid_t)pid) != 0)
        return 1;
    int status = 0;
    if (!target_is_tracing(&target))
        status = failure_print("process %s is not being traced", text);
    else if (target.dump.is_memory)
        status = failure_print("the dump of process %s was deleted", text);
    if (status == 0) {
        int error = dump_reader_open_fd(reader, target.dump.fd);
        if (error < 0)
            status = failure_print("process %s: %s", text, dump_reader_strerror(error));
    }
    target_close(&target);
    return status;
}

static bool has_process(const struct dump_reader *reader,
                        const struct tracemalloc_dump_process *process) {
    for (uint32_t i = 0; i < reader->process_count; i++)
        if (reader->processes[i].pid == process->pid &&
            reader->processes[i].start_time == process->start_time)
            return true;
    return false;
}

static bool has_processes_of(const struct dump_reader *reader,
                             const struct dump_reader *part) {
    for (uint32_t i = 0; i < part->process_count; i++)
        if (!has_process(reader, &part->processes[i]))
            return false;
    return true;
}

static uint64_t last_time(const struct dump_reader *reader) {
    size_t count = reader->timeline_count;
    return count > 0 ? reader->timeline[count - 1].time : 0;
}

/* Of two dumps of one process, the later one has all that the earlier one says; a
 * merged dump has all that its parts say. */
static void drop_copy(struct leaks_input *input, int i, int j) {
    const struct dump_reader *first = input->readers[i], *second = input->readers[j];
    if (first == NULL || second == NULL)
        return;
    bool first_has_all = has_processes_of(first, second);
    bool second_has_all = has_processes_of(second, first);
    if (!first_has_all && !second_has_all)
        return;
    bool keeps_first =
        first_has_all && (!second_has_all || last_time(first) >= last_time(second));
    int dropped = keeps_first ? j : i;
    failure_note("process %u is in two of the dumps: only the one with more history "
                 "is used",
                 (unsigned)input->readers[dropped]->header.pid);
    dump_reader_close(input->readers[dropped]);
    input->readers[dropped] = NULL;
}

static void drop_copies(struct leaks_input *input) {
    for (int i = 0; i < input->count; i++)
        for (int j = i + 1; j < input->count; j++)
            drop_copy(input, i, j);
}

static int read_dumps(struct leaks_input *input, const struct leaks_options *options) {
    char *const *files = options->selection.files;
    int status = 0;
    for (int i = 0; i < input->count && status == 0; i++) {
        progress_say("reading %s", files[i]);
        status = is_process(files[i]) ? read_process(&input->readers[i], files[i])
                                      : dump_report_read(&input->readers[i], files[i]);
        if (status == 0)
            input->readers[i]->hides_source =
                source_notes_hides(input->readers[i], options->selection.source);
    }
    if (status == 0)
        drop_copies(input);
    return status;
}

static int examine_dump(struct leak_report *report, struct leaks_input *input, int i,
                        const struct leaks_options *options) {
    const struct dump_reader *reader = input->readers[i];
    struct profile *profile = &input->profiles[i];
    const struct selection *selection = &options->selection;
    int status = dump_report_aggregate(profile, reader, &input->names, selection,
                                       selection->files[i]);
    if (status != 0)
        return status;
    leak_report_add_rss(report, reader);
    for (uint32_t process = 0; process < reader->process_count; process++)
        if (leak_report_add(report, profile, process) < 0)
            return failure_print("%s", strerror(ENOMEM));
    return 0;
}

static int print(const struct leak_report *report, const struct leaks_input *input,
                 const struct leaks_options *options) {
    if (options->json) {
        int error = leaks_json_print(stdout, report, &input->names, input->readers,
                                     input->count);
        return error == 0 ? 0
                          : failure_print("cannot write JSON: %s", strerror(-error));
    }
    struct terminal terminal;
    terminal_open(&terminal, stdout);
    char several[64], *title = NULL;
    for (int i = 0; i < input->count && title == NULL && report->processes == 1; i++)
        if (input->readers[i] != NULL)
            title = process_list_title(input->readers[i], 0);
    snprintf(several, sizeof several, "%u processes", (unsigned)report->processes);
    size_t limit = options->has_limit ? options->limit
                   : options->verbose ? SIZE_MAX
                                      : ENTRIES;
    leaks_text_print(&terminal, report, &input->names, title != NULL ? title : several,
                     limit, options->verbose);
    free(title);
    for (int i = 0; i < input->count; i++)
        if (input->readers[i] != NULL)
            text_report_print_completeness(
                &terminal, input->readers[i],
                input->count > 1 ? options->selection.files[i] : NULL);
    return 0;
}

static int examine(struct leaks_input *input, const struct leaks_options *options) {
    struct leak_report report = {0};
    int status = read_dumps(input, options);
    if (status == 0 && frame_names_open(&input->names) < 0)
        status = failure_print("%s", strerror(ENOMEM));
    for (int i = 0; i < input->count && status == 0; i++) {
        progress_say("looking for what grows");
        if (input->readers[i] != NULL)
            status = examine_dump(&report, input, i, options);
    }
    progress_end();
    if (status == 0 && report.untimed > 0)
        failure_note("%u of %u processes have no history", (unsigned)report.untimed,
                     (unsigned)report.processes);
    leak_report_finish(&report);
    if (status == 0)
        status = print(&report, input, options);
    if (status == 0 && options->fail && leak_report_has_verdict(&report))
        status = STATUS_VERDICT;
    leak_report_close(&report);
    return status;
}

static void close_input(struct leaks_input *input) {
    for (int i = 0; i < input->count; i++) {
        if (input->profiles != NULL)
            profile_close(&input->profiles[i]);
        if (input->readers != NULL)
            dump_reader_close(input->readers[i]);
    }
    frame_names_close(&input->names);
    free(input->profiles);
    free(input->readers);
}

static int run(int argc, char **argv) {
    struct leaks_options options = {0};
    selection_open(&options.selection);
    options.selection.point = PROFILE_ALLOCATED;
    argp_parse(&argp, argc, argv, 0, NULL, &options);
    size_t count = (size_t)options.selection.file_count;
    struct leaks_input input = {
        .readers = calloc(count, sizeof *input.readers),
        .profiles = calloc(count, sizeof *input.profiles),
        .count = (int)count,
    };
    int status = input.readers == NULL || input.profiles == NULL
                     ? failure_print("%s", strerror(ENOMEM))
                     : examine(&input, &options);
    close_input(&input);
    int closed = command_close_output();
    return status != 0 ? status : closed;
}

const struct command command_leaks = {"leaks", "name the lines that leak", run};
