/* SPDX-License-Identifier: MIT */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/module_notes.h"
#include "cli/selection_options.h"
#include "cli/source_notes.h"
#include "dump/dump_writer.h"
#include "output/failure.h"
#include "output/output_file.h"
#include "output/progress.h"
#include "output/replaced_file.h"
#include "symbols/recorded_symbols.h"
#include "symbols/symbols.h"

struct resolve_options {
    const char *file;
    const char *output; /* NULL: the file itself */
    bool open;          /* also modules named by another user's dump */
};

enum { OPTION_OPEN_MODULES = 0x100 };

static const struct argp_option argp_options[] = {
    {"output", 'o', "OUT", 0,
     "The dump to write; an existing one is replaced (default: FILE itself)", 0},
    {"open-modules", OPTION_OPEN_MODULES, NULL, 0, SELECTION_OPEN_MODULES_HELP, 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct resolve_options *options = state->input;
    switch (key) {
    case 'o':
        options->output = argument;
        return 0;
    case OPTION_OPEN_MODULES:
        options->open = true;
        return 0;
    case ARGP_KEY_ARG:
        if (options->file != NULL)
            arguments_error(state, "more than one dump given");
        options->file = argument;
        return 0;
    case ARGP_KEY_NO_ARGS:
        arguments_error(state, "no dump given");
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
        "Writes the function names, files and lines of a dump's native frames into the "
        "dump, so that it can be read on machines without the traced libraries. The "
        "dump is replaced completely or not at all.",
};

/* A copy has the rights of its dump. */
static int write_copy(struct dump_reader *reader, const char *path) {
    struct output_file file;
    const struct copied_rights rights = source_notes_rights(reader);
    int error = output_file_open(&file, path, &rights);
    if (error < 0)
        return error;
    if (!copied_rights_give(fileno(file.stream), &rights))
        reader->header.foreign = 1;
    error = dump_writer_write(reader, fileno(file.stream));
    if (error == 0)
        return output_file_commit(&file);
    output_file_abandon(&file);
    return error;
}

static int rewrite(const struct dump_reader *reader, int dump) {
    struct replaced_file file;
    int error = replaced_file_open(&file, dump);
    if (error < 0)
        return error;
    error = dump_writer_write(reader, replaced_file_descriptor(&file));
    if (error == 0)
        return replaced_file_commit(&file);
    replaced_file_abandon(&file);
    return error;
}

static bool is_same_file(int dump, const char *path) {
    struct stat first, second;
    return fstat(dump, &first) == 0 && stat(path, &second) == 0 &&
           output_file_is_same(&first, &second);
}

static int write_dump(struct dump_reader *reader, int dump,
                      const struct resolve_options *options) {
    const char *path = options->output != NULL ? options->output : options->file;
    progress_say("writing %s", path);
    int error =
        is_same_file(dump, path) ? rewrite(reader, dump) : write_copy(reader, path);
    return error < 0 ? failure_print("%s: %s", path, strerror(-error)) : 0;
}

static int name_frames(struct dump_reader *reader,
                       const struct resolve_options *options,
                       struct recorded_counts *counts) {
    struct symbols *symbols;
    progress_say("naming the frames of %s", options->file);
    int error = module_notes_open(&symbols, reader, options->file, options->open);
    if (error < 0)
        return failure_print("%s", strerror(-error));
    error = recorded_symbols_fill(reader, symbols, counts);
    module_notes_print(symbols);
    symbols_close(symbols);
    return error < 0 ? failure_print("%s: %s", options->file, strerror(-error)) : 0;
}

/* A dump that its process still writes to must not be replaced. */
static int check_dump(const struct dump_reader *reader, const char *name) {
    unsigned pid = reader->header.pid;
    if (!dump_reader_may_run(reader))
        return 0;
    if (reader->state == DUMP_READER_UNKNOWN)
        return failure_print(
            "%s: process %u, in another PID namespace or on another machine, may still "
            "be writing to it; resolve a copy instead",
            name, pid);
    return failure_print("%s: process %u is still writing to it; take a snapshot first",
                         name, pid);
}

static int resolve(struct dump_reader *reader, int dump,
                   const struct resolve_options *options) {
    struct recorded_counts counts;
    if (check_dump(reader, options->file) != 0 ||
        name_frames(reader, options, &counts) != 0 ||
        write_dump(reader, dump, options) != 0)
        return 1;
    progress_end();
    printf("%zu of %zu native addresses named\n", counts.named, counts.addresses);
    return command_close_output();
}

static int run(int argc, char **argv) {
    struct resolve_options options = {0};
    struct dump_reader *reader;
    argp_parse(&argp, argc, argv, 0, NULL, &options);
    int dump = open(options.file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (dump < 0)
        return failure_print("%s: %s", options.file, strerror(errno));
    int error = dump_reader_open_fd(&reader, dump), status = 1;
    if (error < 0)
        status = failure_print("%s: %s", options.file, dump_reader_strerror(error));
    else
        status = resolve(reader, dump, &options);
    progress_end();
    if (error == 0)
        dump_reader_close(reader);
    close(dump);
    return status;
}

const struct command command_resolve = {
    "resolve", "write the names of native frames into a dump", run};
