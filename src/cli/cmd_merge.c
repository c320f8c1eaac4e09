/* SPDX-License-Identifier: MIT */
#include <argp.h>
#include <errno.h>
#include <string.h>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/dump_report.h"
#include "cli/selection_options.h"
#include "cli/source_notes.h"
#include "dump/dump_writer.h"
#include "merge/merged_dump.h"
#include "output/failure.h"
#include "output/new_file.h"
#include "output/progress.h"

struct merge_options {
    struct selection selection; /* only the files */
    const char *output;
};

static const struct argp_option argp_options[] = {
    {"output", 'o', "OUT", 0, "The merged dump, a new file", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct merge_options *options = state->input;
    switch (key) {
    case 'o':
        options->output = argument;
        return 0;
    case ARGP_KEY_END:
        if (options->output == NULL)
            arguments_error(state, "no output file given: -o is missing");
        return 0;
    default:
        return selection_parse_files(&options->selection, key, state);
    }
}

static const struct argp argp = {
    .options = argp_options,
    .parser = parse,
    .args_doc = "-o OUT FILE...",
    .doc =
        "Merges the dumps of a program's processes into one dump, which every report "
        "accepts. It still distinguishes the processes, for --by process. An "
        "existing file is not overwritten.",
};

static int write_dump(void *input, int fd) {
    struct dump_reader *reader = input;
    const struct copied_rights rights = source_notes_rights(reader);
    /* A dump of several users belongs to none of them. */
    if (reader->header.foreign == 0 && !copied_rights_give(fd, &rights))
        reader->header.foreign = 1;
    return dump_writer_write(input, fd);
}

static int write_file(struct dump_reader *reader, const char *path) {
    int error = new_file_write(path, write_dump, reader);
    if (error == -EEXIST)
        return failure_print("%s exists and is not overwritten", path);
    return error < 0 ? failure_print("%s: %s", path, strerror(-error)) : 0;
}

/* A single dump is merged too: a live one becomes a snapshot. */
static int merge_one(struct dump_reader **reader) {
    struct dump_reader *part = *reader;
    int error = merged_dump_open(reader, &part, 1);
    if (error < 0)
        return failure_print("%s", strerror(-error));
    (*reader)->owner = part->owner;
    (*reader)->group = part->group;
    (*reader)->mode = part->mode;
    dump_reader_close(part);
    return 0;
}

static int run(int argc, char **argv) {
    struct merge_options options = {0};
    struct dump_reader *reader;
    argp_parse(&argp, argc, argv, 0, NULL, &options);
    int count = options.selection.file_count;
    if (dump_report_read_files(&reader, options.selection.files, count) != 0)
        return 1;
    int status = count == 1 ? merge_one(&reader) : 0;
    if (status == 0) {
        progress_say("writing %s", options.output);
        status = write_file(reader, options.output);
    }
    progress_end();
    dump_reader_close(reader);
    return status;
}

const struct command command_merge = {
    "merge", "merge the dumps of several processes into one", run};
