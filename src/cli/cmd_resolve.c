/* SPDX-License-Identifier: MIT */
#include <argp.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/command.h"
#include "cli/dump_report.h"
#include "cli/module_notes.h"
#include "dump/dump_writer.h"
#include "output/failure.h"
#include "output/output_file.h"
#include "output/progress.h"
#include "symbols/recorded_symbols.h"
#include "symbols/symbols.h"

struct resolve_options {
    const char *file;
    const char *output; /* NULL: the file itself */
};

enum { PERMISSIONS = 0777 };

static const struct argp_option argp_options[] = {
    {"output", 'o', "OUT", 0,
     "The dump to write; one of that name is replaced (default: FILE itself)", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct resolve_options *options = state->input;
    switch (key) {
    case 'o':
        options->output = argument;
        return 0;
    case ARGP_KEY_ARG:
        if (options->file != NULL)
            argp_error(state, "one dump at a time");
        options->file = argument;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which dump?");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .options = argp_options,
    .parser = parse,
    .args_doc = "FILE [-o OUT]",
    .doc =
        "Writes the names, files and lines of a dump's native frames into it, so that "
        "it reads the same on a machine that has not its libraries. The dump is "
        "replaced as a whole or not at all.",
};

/* A dump is its owner's alone, and stays so. */
static int write_stream(const struct dump_reader *reader, FILE *stream,
                        const struct stat *status) {
    int fd = fileno(stream);
    if (fchmod(fd, status->st_mode & PERMISSIONS) != 0)
        return -errno;
    return dump_writer_write(reader, fd);
}

static int write_dump(const struct dump_reader *reader,
                      const struct resolve_options *options) {
    const char *path = options->output != NULL ? options->output : options->file;
    struct output_file file;
    struct stat status;
    if (stat(options->file, &status) != 0)
        return failure_print("%s: %s", options->file, strerror(errno));
    progress_say("writing %s", path);
    int error = output_file_open(&file, path);
    if (error < 0)
        return failure_print("%s: %s", path, strerror(-error));
    error = write_stream(reader, file.stream, &status);
    if (error < 0)
        output_file_abandon(&file);
    else
        error = output_file_commit(&file);
    return error < 0 ? failure_print("%s: %s", path, strerror(-error)) : 0;
}

static int name_frames(struct dump_reader *reader, const char *name,
                       struct recorded_counts *counts) {
    struct symbols *symbols;
    progress_say("naming the frames of %s", name);
    int error = symbols_open(&symbols);
    if (error < 0)
        return failure_print("%s", strerror(-error));
    error = recorded_symbols_fill(reader, symbols, counts);
    module_notes_print(symbols);
    symbols_close(symbols);
    return error < 0 ? failure_print("%s: %s", name, strerror(-error)) : 0;
}

/* What a process still writes to must not be replaced beneath it. */
static int check_dump(const struct dump_reader *reader, const char *name) {
    if (reader->state != TRACEMALLOC_DUMP_TRACING)
        return 0;
    return failure_print("%s: process %u still writes to it; take a snapshot first",
                         name, (unsigned)reader->header.pid);
}

static int resolve(struct dump_reader *reader, const struct resolve_options *options) {
    struct recorded_counts counts;
    if (check_dump(reader, options->file) != 0 ||
        name_frames(reader, options->file, &counts) != 0 ||
        write_dump(reader, options) != 0)
        return 1;
    progress_end();
    printf("%zu of %zu native addresses named\n", counts.named, counts.addresses);
    return command_close_output();
}

static int run(int argc, char **argv) {
    struct resolve_options options = {0};
    struct dump_reader *reader;
    argp_parse(&argp, argc, argv, 0, NULL, &options);
    if (dump_report_read(&reader, options.file) != 0)
        return 1;
    int status = resolve(reader, &options);
    progress_end();
    dump_reader_close(reader);
    return status;
}

const struct command command_resolve = {
    "resolve", "the names of native frames, into the dump", run};
