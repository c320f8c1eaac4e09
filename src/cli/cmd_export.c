/* SPDX-License-Identifier: MIT */
#include <argp.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/command.h"
#include "cli/dump_report.h"
#include "cli/output_file.h"
#include "export/exporter.h"

enum { OPTION_FORMAT = 0x100, OPTION_PYTHON, LEAST_MINOR = 4, MOST_MINOR = 255 };

struct export_arguments {
    const struct exporter *exporter;
    struct export_options options;
    const char *input;
    const char *output;
};

static const struct argp_option argp_options[] = {
    {"format", OPTION_FORMAT, "FORMAT", 0, "What to write; see below", 0},
    {"output", 'o', "OUT", 0, "The file to write; one of that name is replaced", 0},
    {"python", OPTION_PYTHON, "X.Y", 0,
     "The Python that shall read it (default: the one that was traced)", 0},
    {0},
};

static uint32_t parse_version(const char *text, struct argp_state *state) {
    unsigned major, minor;
    char rest;
    if (sscanf(text, "%1u.%3u%c", &major, &minor, &rest) != 2 || major != 3 ||
        minor < LEAST_MINOR || minor > MOST_MINOR)
        argp_error(state, "'%s' is not a version of Python 3, such as 3.8", text);
    return major << 24 | minor << 16;
}

static void check_end(const struct export_arguments *arguments,
                      struct argp_state *state) {
    if (arguments->input == NULL)
        argp_error(state, "which dump?");
    if (arguments->exporter == NULL)
        argp_error(state, "which --format?");
    if (arguments->output == NULL)
        argp_error(state, "to which file? -o is missing");
}

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct export_arguments *arguments = state->input;
    switch (key) {
    case OPTION_FORMAT:
        arguments->exporter = exporter_find(argument);
        if (arguments->exporter == NULL)
            argp_error(state, "there is no format '%s'", argument);
        return 0;
    case 'o':
        arguments->output = argument;
        return 0;
    case OPTION_PYTHON:
        arguments->options.python_version = parse_version(argument, state);
        return 0;
    case ARGP_KEY_ARG:
        if (arguments->input != NULL)
            argp_error(state, "'%s' is one dump too many", argument);
        arguments->input = argument;
        return 0;
    case ARGP_KEY_END:
        check_end(arguments, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
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

static const struct argp argp = {
    .options = argp_options,
    .parser = parse,
    .args_doc = "--format FORMAT FILE -o OUT",
    .doc = "Writes a dump in a format that other tools read.\vFORMATS",
    .help_filter = help_text,
};

static bool is_same_file(const char *first, const char *second) {
    struct stat a, b;
    return stat(first, &a) == 0 && stat(second, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

static int explain(const struct export_arguments *arguments, int error) {
    if (error == -EFBIG)
        return command_fail("%s: it holds more than the format %s can",
                            arguments->input, arguments->exporter->name);
    return command_fail("%s: %s", arguments->output, strerror(-error));
}

static int write_output(const struct export_arguments *arguments,
                        const struct dump_reader *reader) {
    struct output_file file;
    int error = output_file_open(&file, arguments->output);
    if (error < 0)
        return explain(arguments, error);
    error = arguments->exporter->write(reader, &arguments->options, file.stream);
    if (error < 0) {
        output_file_abandon(&file);
        return explain(arguments, error);
    }
    error = output_file_commit(&file);
    return error < 0 ? command_fail("%s: %s", arguments->output, strerror(-error)) : 0;
}

static int run(int argc, char **argv) {
    struct export_arguments arguments = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    struct dump_reader *reader;
    if (dump_report_read(&reader, arguments.input) != 0)
        return 1;
    int status =
        is_same_file(arguments.input, arguments.output)
            ? command_fail("%s: the dump itself is not replaced", arguments.output)
            : write_output(&arguments, reader);
    dump_reader_close(reader);
    return status;
}

const struct command command_export = {"export", "a dump in a format of other tools",
                                       run};
