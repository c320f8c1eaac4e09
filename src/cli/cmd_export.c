/* SPDX-License-Identifier: MIT */
#include <argp.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/dump_report.h"
#include "cli/lake_export.h"
#include "cli/resource_variables.h"
#include "cli/selection_options.h"
#include "cli/source_notes.h"
#include "export/exporter.h"
#include "output/failure.h"
#include "output/output_file.h"
#include "output/progress.h"
#include "process/container_id.h"

enum { OPTION_FORMAT = 0x100, OPTION_PYTHON, MIN_MINOR = 4, MAX_MINOR = 255 };

struct export_arguments {
    const struct exporter *exporter;
    const char *output;
    struct selection selection;
    struct resource resource;
    struct export_input input;
};

static const struct argp_option argp_options[] = {
    {"format", OPTION_FORMAT, "FORMAT", 0, "What to write; see below", 0},
    {"output", 'o', "OUT", 0,
     "The file to write; an existing one is replaced. Of parquet: the directory", 0},
    {"limit", 'l', "LIMIT", 0,
     "Write the LIMIT largest tracebacks, and the rest as one; or 'all' (the default)",
     0},
    {"python", OPTION_PYTHON, "X.Y", 0,
     "The version of Python that will read the file (default: the traced one)", 0},
    {0},
};

static uint32_t parse_version(const char *text, struct argp_state *state) {
    unsigned major, minor;
    char rest;
    if (sscanf(text, "%1u.%3u%c", &major, &minor, &rest) != 2 || major != 3 ||
        minor < MIN_MINOR || minor > MAX_MINOR)
        arguments_error(state, "'%s' is not a version of Python 3, such as 3.8", text);
    return major << 24 | minor << 16;
}

/* Formats that list every block, and every process, cannot sum up the rest. */
static void check_blocks(const struct export_arguments *arguments,
                         struct argp_state *state) {
    const char *name = arguments->exporter->name;
    if (arguments->selection.point == PROFILE_TEMPORARY)
        arguments_error(state, "--temporary cannot be used with --format %s", name);
    if (arguments->input.limit != SIZE_MAX)
        arguments_error(state, "--limit cannot be used with --format %s", name);
    if (arguments->selection.by_process)
        arguments_error(state, "--by process cannot be used with --format %s", name);
}

/* Each row has the current, the peak and all allocated blocks of one process. */
static void check_lake(const struct export_arguments *arguments,
                       struct argp_state *state) {
    const struct selection *selection = &arguments->selection;
    if (selection->point != PROFILE_NOW || selection->born.is_set)
        arguments_error(state, "--at, --born and --temporary cannot be used with "
                               "--format parquet");
    check_blocks(arguments, state);
}

static void check_end(struct export_arguments *arguments, struct argp_state *state) {
    if (arguments->exporter == NULL)
        arguments_error(state, "no --format given");
    if (arguments->output == NULL)
        arguments_error(state, "no output file given: -o is missing");
    if (arguments->exporter->by_block)
        check_blocks(arguments, state);
    if (arguments->exporter->is_lake)
        check_lake(arguments, state);
    if (arguments->exporter->only_python)
        arguments->selection.native = SELECTION_NATIVE_NONE;
}

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct export_arguments *arguments = state->input;
    switch (key) {
    case OPTION_FORMAT:
        arguments->exporter = exporter_find(argument);
        if (arguments->exporter == NULL)
            arguments_error(state, "there is no format '%s'", argument);
        return 0;
    case 'o':
        arguments->output = argument;
        return 0;
    case 'l':
        arguments->input.limit = arguments_parse_limit(argument, state);
        return 0;
    case OPTION_PYTHON:
        arguments->input.python_version = parse_version(argument, state);
        return 0;
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &arguments->selection;
        return 0;
    case ARGP_KEY_END:
        check_end(arguments, state);
        return 0;
    default:
        return selection_parse_files(&arguments->selection, key, state);
    }
}

static char *list_formats(void) {
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (stream == NULL)
        return NULL;
    fputs("Formats:\n", stream);
    const struct exporter *exporter;
    for (size_t i = 0; (exporter = exporter_at(i)) != NULL; i++)
        fprintf(stream, "  %-11s %s\n", exporter->name, exporter->summary);
    fclose(stream);
    return text;
}

static char *help_text(int key, const char *text, void *input) {
    (void)input;
    return key == ARGP_KEY_HELP_POST_DOC ? list_formats() : (char *)text;
}

static const struct argp_child argp_children[] = {{&selection_argp, 0, NULL, 0}, {0}};

static const struct argp argp = {
    .options = argp_options,
    .parser = parse,
    .args_doc = "--format FORMAT FILE... -o OUT",
    .doc = "Writes dumps in a format that other tools read.\vFORMATS",
    .children = argp_children,
    .help_filter = help_text,
};

static int check_output(const struct export_arguments *arguments) {
    for (int i = 0; i < arguments->selection.file_count; i++)
        if (output_file_is(arguments->selection.files[i], arguments->output))
            return failure_print("%s: the output would overwrite the dump",
                                 arguments->output);
    return 0;
}

static int explain(const struct export_arguments *arguments, int error) {
    if (error == -EFBIG)
        return failure_print("%s: the dump is too large for the format %s",
                             arguments->selection.files[0], arguments->exporter->name);
    return failure_print("%s: %s", arguments->output, strerror(-error));
}

static int write_output(struct export_arguments *arguments) {
    struct output_file file;
    progress_say("writing %s", arguments->output);
    const struct copied_rights rights = source_notes_rights(arguments->input.reader);
    int error = output_file_open(&file, arguments->output, &rights);
    if (error < 0)
        return explain(arguments, error);
    error = arguments->exporter->write(&arguments->input, file.stream);
    if (error < 0) {
        output_file_abandon(&file);
        return explain(arguments, error);
    }
    error = output_file_commit(&file);
    return error < 0 ? failure_print("%s: %s", arguments->output, strerror(-error)) : 0;
}

/* The input must be closed even if this fails. */
static int open_input(struct export_arguments *arguments,
                      const struct dump_reader *reader) {
    const struct selection *selection = &arguments->selection;
    arguments->input.resource = &arguments->resource;
    arguments->input.point = selection->point;
    arguments->input.point_name = selection->point_name;
    arguments->input.by_process = selection->by_process;
    progress_say("counting the blocks");
    int error = export_input_open(&arguments->input, reader, &selection->filter);
    return error == 0 ? 0 : dump_report_explain(selection, *selection->files, error);
}

/* Of several processes each may run in its own. */
static int add_container(struct export_arguments *arguments,
                         const struct dump_reader *reader) {
    struct resource *resource = &arguments->resource;
    char id[CONTAINER_ID_SIZE] = "";
    if (reader->process_count == 1 && resource_find(resource, "container.id") == NULL)
        container_id_find(id, &reader->header);
    if (id[0] == '\0' || resource_set(resource, "container.id", id) == 0)
        return 0;
    return failure_print("%s", strerror(ENOMEM));
}

static int export_lake(struct export_arguments *arguments) {
    int status = resource_variables_read(&arguments->resource);
    return status != 0 ? status
                       : lake_export_run(&arguments->selection, &arguments->resource,
                                         arguments->output);
}

static int export(struct export_arguments *arguments) {
    struct dump_reader *reader;
    const struct selection *selection = &arguments->selection;
    const struct dump_report_stacks stacks = {
        .native = SHOWN_NATIVE_FOLDED, .to_file = !arguments->exporter->only_leaf};
    if (check_output(arguments) != 0 ||
        (arguments->exporter->has_resource &&
         resource_variables_read(&arguments->resource) != 0) ||
        dump_report_read_shown(&reader, selection->files, selection->file_count,
                               selection, stacks) != 0)
        return 1;
    int status = 0;
    if (arguments->exporter->has_resource)
        status = add_container(arguments, reader);
    if (status == 0)
        status = open_input(arguments, reader);
    if (status == 0)
        status = write_output(arguments);
    if (status == 0)
        dump_report_note(reader, selection->files[0]);
    export_input_close(&arguments->input);
    dump_reader_close(reader);
    return status;
}

static int run(int argc, char **argv) {
    struct export_arguments arguments = {0};
    selection_open(&arguments.selection);
    arguments.selection.shows_imports = true;
    export_input_prepare(&arguments.input);
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    int status =
        arguments.exporter->is_lake ? export_lake(&arguments) : export(&arguments);
    resource_close(&arguments.resource);
    progress_end();
    return status;
}

const struct command command_export = {
    "export", "write dumps in the formats of other tools", run};
