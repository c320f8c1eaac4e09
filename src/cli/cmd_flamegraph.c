/* SPDX-License-Identifier: MIT */
#include <argp.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/dump_report.h"
#include "cli/selection_options.h"
#include "cli/source_notes.h"
#include "export/page.h"
#include "output/failure.h"
#include "output/output_file.h"
#include "output/progress.h"
#include "output/terminal_text.h"

enum { OPTION_DIFF = 0x100, OPTION_THRESHOLD };

/* folded_tree chooses the share, so that at most 5 % are folded. */
static const double default_share = -1;

struct flamegraph_arguments {
    struct selection selection;
    char *old;
    const char *output;
    double share;
};

static const struct argp_option argp_options[] = {
    {"output", 'o', "OUT", 0,
     "The page to write; an existing one is replaced (default: the first dump's name "
     "with .html, which must not exist)",
     0},
    {"diff", OPTION_DIFF, "OLD", 0, "Show what grew and shrank since this dump", 0},
    {"threshold", OPTION_THRESHOLD, "PERCENT", 0,
     "Fold calls with a smaller share into \"other\" (default: 0.001, or less if that "
     "would fold more than 5 percent)",
     0},
    {0},
};

static const struct argp_child children[] = {{.argp = &selection_argp}, {0}};

static void parse_end(const struct flamegraph_arguments *arguments,
                      struct argp_state *state) {
    if (arguments->old != NULL && arguments->selection.by_process)
        arguments_error(state, "--diff and --by process cannot be used together");
}

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct flamegraph_arguments *arguments = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &arguments->selection;
        return 0;
    case 'o':
        arguments->output = argument;
        return 0;
    case OPTION_DIFF:
        arguments->old = argument;
        return 0;
    case OPTION_THRESHOLD:
        arguments->share = arguments_parse_share(argument, state);
        return 0;
    case ARGP_KEY_END:
        parse_end(arguments, state);
        return 0;
    default:
        return selection_parse_files(&arguments->selection, key, state);
    }
}

static const struct argp argp = {
    .options = argp_options,
    .parser = parse,
    .args_doc = "FILE...",
    .doc = "Writes a page for a browser: a flame graph of what holds the memory, the "
           "heap over time, and a table of the top lines. The page is one file and "
           "needs no network.",
    .children = children,
};

/* Returns the dump's name with .html in place of .dump; the caller frees it. */
static char *default_output(const char *path) {
    size_t length = strlen(path);
    static const char ending[] = ".dump";
    size_t end = sizeof ending - 1;
    char *output = NULL;
    if (length > end && memcmp(path + length - end, ending, end) == 0)
        length -= end;
    return asprintf(&output, "%.*s.html", (int)length, path) < 0 ? NULL : output;
}

static bool is_a_dump(const struct flamegraph_arguments *arguments,
                      const char *output) {
    bool same = arguments->old != NULL && output_file_is(arguments->old, output);
    for (size_t i = 0; i < (size_t)arguments->selection.file_count; i++)
        same |= output_file_is(arguments->selection.files[i], output);
    return same;
}

static int explain(const struct flamegraph_arguments *arguments, const char *output,
                   int error) {
    const struct selection *selection = &arguments->selection;
    if (error == -ENODATA || error == -ENOENT)
        return dump_report_explain(selection, selection->files[0], error);
    if (error == -EFBIG)
        return failure_print("%s: the dump is too large for a page",
                             selection->files[0]);
    return failure_print("%s: %s", output, strerror(-error));
}

static int write_page(const struct flamegraph_arguments *arguments,
                      const struct page_options *page, const char *output) {
    struct output_file file;
    struct copied_rights rights = source_notes_rights(page->reader);
    if (page->old != NULL)
        copied_rights_join(&rights, source_notes_rights(page->old));
    int error = output_file_open(&file, output, &rights);
    if (error < 0)
        return failure_print("%s: %s", output, strerror(-error));
    progress_say("writing %s", output);
    error = page_write(page, file.stream);
    if (error < 0) {
        output_file_abandon(&file);
        return explain(arguments, output, error);
    }
    error = output_file_commit(&file);
    return error < 0 ? failure_print("%s: %s", output, strerror(-error)) : 0;
}

/* Without -o, an existing file is not replaced. */
static int write_output(const struct flamegraph_arguments *arguments,
                        const struct page_options *page) {
    if (arguments->output != NULL)
        return is_a_dump(arguments, arguments->output)
                   ? failure_print("%s: the output would overwrite the dump",
                                   arguments->output)
                   : write_page(arguments, page, arguments->output);
    char *output = default_output(arguments->selection.files[0]);
    if (output == NULL)
        return failure_print("%s", strerror(ENOMEM));
    int status;
    if (access(output, F_OK) == 0)
        status = failure_print("%s exists; use -o to name another file", output);
    else
        status = write_page(arguments, page, output);
    if (status == 0) {
        progress_end();
        terminal_text_line(stdout, output);
        status = command_close_output();
    }
    free(output);
    return status;
}

static int report(const struct flamegraph_arguments *arguments) {
    struct dump_reader *reader = NULL, *old = NULL;
    const struct selection *selection = &arguments->selection;
    char *old_file = arguments->old;
    const struct dump_report_stacks stacks = {
        .native = SHOWN_NATIVE_FOLDED,
        .to_file = true,
        .whole = true,
        .with_source = true,
    };
    int status = dump_report_read_shown(&reader, selection->files,
                                        selection->file_count, selection, stacks);
    if (status == 0 && old_file != NULL)
        status = dump_report_read_shown(&old, &old_file, 1, selection, stacks);
    const struct page_options page = {
        .reader = reader,
        .old = old,
        .name = selection->files[0],
        .point = selection->point,
        .filter = &selection->filter,
        .by_process = selection->by_process,
        .share = arguments->share,
    };
    if (status == 0)
        status = write_output(arguments, &page);
    dump_reader_close(old);
    dump_reader_close(reader);
    return status;
}

static int run(int argc, char **argv) {
    struct flamegraph_arguments arguments = {.share = default_share};
    selection_open(&arguments.selection);
    arguments.selection.shows_imports = true; /* the page folds them */
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    if (!page_is_built())
        return failure_print("this build has no page: it was built without Node");
    int status = report(&arguments);
    progress_end();
    return status;
}

const struct command command_flamegraph = {
    "flamegraph", "write a flame graph as a page for a browser", run};
