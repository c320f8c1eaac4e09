/* SPDX-License-Identifier: MIT */
#include <argp.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/dump_report.h"
#include "cli/output_file.h"
#include "export/page.h"

enum {
    OPTION_AT = 0x100,
    OPTION_DIFF,
    OPTION_NO_SOURCE,
    OPTION_THRESHOLD,
    OPTION_BY,
    OPTION_DOMAIN,
    OPTION_INCLUDE,
    OPTION_EXCLUDE,
    OPTION_ALL_FRAMES,
    MOST_FILES = 1024,
};

/* In percent. What is smaller is less than a tenth of a pixel. */
static const double default_threshold = 0.005;

struct flamegraph_arguments {
    struct page_options page;
    struct filter filter;
    const char *old;
    const char *output;
    const char *files[MOST_FILES];
    size_t file_count;
};

static const struct argp_option argp_options[] = {
    {"output", 'o', "OUT", 0,
     "The page to write; one of that name is replaced (default: the first dump's name "
     "with .html, unless that is there)",
     0},
    {"at", OPTION_AT, "MOMENT", 0,
     "Open with now (the default; for a program that ended: exit), peak, exit (before "
     "the interpreter's teardown) or end (after it)",
     0},
    {"diff", OPTION_DIFF, "OLD", 0, "Show what grew and shrank since this dump", 0},
    {"no-source", OPTION_NO_SOURCE, NULL, 0, "Leave lines of source out of the page",
     0},
    {"threshold", OPTION_THRESHOLD, "PERCENT", 0,
     "Fold calls with a smaller share into \"other\" (default: 0.005)", 0},
    {"by", OPTION_BY, "process", 0, "Show each process by itself", 0},
    {"domain", OPTION_DOMAIN, "DOMAIN", 0,
     "Only blocks of a domain: python, libc, mmap, or a number", 0},
    {"include", OPTION_INCLUDE, "PATTERN[:LINE]", 0,
     "Only blocks whose most recent frame is in such a file; may be repeated", 0},
    {"exclude", OPTION_EXCLUDE, "PATTERN[:LINE]", 0,
     "No blocks whose most recent frame is in such a file; may be repeated", 0},
    {"all-frames", OPTION_ALL_FRAMES, NULL, 0,
     "Let --include and --exclude look at every frame of a traceback", 0},
    {0},
};

static enum profile_moment parse_moment(const char *text, struct argp_state *state) {
    static const char *const names[] = {
        [PROFILE_NOW] = "now",
        [PROFILE_PEAK] = "peak",
        [PROFILE_EXIT] = "exit",
        [PROFILE_END] = "end",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], text) == 0)
            return (enum profile_moment)i;
    argp_error(state, "'%s' is not a moment", text);
    return PROFILE_NOW;
}

static double parse_threshold(const char *text, struct argp_state *state) {
    char *end;
    double percent = strtod(text, &end);
    if (end == text || *end != '\0' || !(percent >= 0 && percent <= 100))
        argp_error(state, "'%s' is not a percentage", text);
    return percent / 100;
}

static void add_pattern(struct filter *filter, const char *text, bool inclusive,
                        struct argp_state *state) {
    if (filter_add(filter, text, inclusive) < 0)
        argp_error(state, "too many patterns");
}

static void add_file(struct flamegraph_arguments *arguments, const char *path,
                     struct argp_state *state) {
    if (arguments->file_count == MOST_FILES)
        argp_error(state, "too many dumps");
    arguments->files[arguments->file_count++] = path;
}

static error_t parse_filter(struct filter *filter, int key, const char *argument,
                            struct argp_state *state) {
    switch (key) {
    case OPTION_DOMAIN:
        filter->domain = argument;
        return 0;
    case OPTION_INCLUDE:
    case OPTION_EXCLUDE:
        add_pattern(filter, argument, key == OPTION_INCLUDE, state);
        return 0;
    case OPTION_ALL_FRAMES:
        filter->all_frames = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse_view(struct flamegraph_arguments *arguments, int key,
                          const char *argument, struct argp_state *state) {
    switch (key) {
    case OPTION_AT:
        arguments->page.moment = parse_moment(argument, state);
        return 0;
    case OPTION_NO_SOURCE:
        arguments->page.without_source = true;
        return 0;
    case OPTION_THRESHOLD:
        arguments->page.share = parse_threshold(argument, state);
        return 0;
    case OPTION_BY:
        if (strcmp(argument, "process") != 0)
            argp_error(state, "'%s' is not process", argument);
        arguments->page.by_process = true;
        return 0;
    default:
        return parse_filter(&arguments->filter, key, argument, state);
    }
}

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct flamegraph_arguments *arguments = state->input;
    switch (key) {
    case 'o':
        arguments->output = argument;
        return 0;
    case OPTION_DIFF:
        arguments->old = argument;
        return 0;
    case ARGP_KEY_ARG:
        add_file(arguments, argument, state);
        return 0;
    case ARGP_KEY_END:
        if (arguments->file_count == 0)
            argp_error(state, "which dump?");
        if (arguments->old != NULL && arguments->page.by_process)
            argp_error(state, "--diff compares programs, not their processes");
        return 0;
    default:
        return parse_view(arguments, key, argument, state);
    }
}

static const struct argp argp = {
    .options = argp_options,
    .parser = parse,
    .args_doc = "FILE...",
    .doc = "Writes a page for a browser: a flame graph of what holds the memory, with "
           "the heap over time and a table of the top lines. It is one file and needs "
           "no network.",
};

/* The first dump's name with .html in place of .dump. */
static char *default_output(const char *path) {
    size_t length = strlen(path);
    static const char ending[] = ".dump";
    size_t end = sizeof ending - 1;
    char *output = NULL;
    if (length > end && memcmp(path + length - end, ending, end) == 0)
        length -= end;
    return asprintf(&output, "%.*s.html", (int)length, path) < 0 ? NULL : output;
}

static bool is_same_file(const char *first, const char *second) {
    struct stat a, b;
    return stat(first, &a) == 0 && stat(second, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

static bool is_a_dump(const struct flamegraph_arguments *arguments,
                      const char *output) {
    bool same = arguments->old != NULL && is_same_file(arguments->old, output);
    for (size_t i = 0; i < arguments->file_count; i++)
        same |= is_same_file(arguments->files[i], output);
    return same;
}

static int explain(const struct flamegraph_arguments *arguments, const char *output,
                   int error) {
    switch (error) {
    case -ENODATA:
        return command_fail(
            "there is no exit to report on: a program did not get there");
    case -ENOENT:
        return command_fail("there is no domain '%s'", arguments->filter.domain);
    case -EFBIG:
        return command_fail("%s: there is more than a page can hold",
                            arguments->files[0]);
    default:
        return command_fail("%s: %s", output, strerror(-error));
    }
}

static int write_page(const struct flamegraph_arguments *arguments,
                      const struct page_options *page, const char *output) {
    struct output_file file;
    int error = output_file_open(&file, output);
    if (error < 0)
        return command_fail("%s: %s", output, strerror(-error));
    error = page_write(page, file.stream);
    if (error < 0) {
        output_file_abandon(&file);
        return explain(arguments, output, error);
    }
    error = output_file_commit(&file);
    return error < 0 ? command_fail("%s: %s", output, strerror(-error)) : 0;
}

/* Where nothing was said, the page gets a name that nothing has yet. */
static int write_output(const struct flamegraph_arguments *arguments,
                        const struct page_options *page) {
    if (arguments->output != NULL)
        return is_a_dump(arguments, arguments->output)
                   ? command_fail("%s: a dump is not replaced", arguments->output)
                   : write_page(arguments, page, arguments->output);
    char *output = default_output(arguments->files[0]);
    if (output == NULL)
        return command_fail("%s", strerror(ENOMEM));
    int status;
    if (access(output, F_OK) == 0)
        status = command_fail("%s is there already; -o names another file", output);
    else
        status = write_page(arguments, page, output);
    if (status == 0) {
        printf("%s\n", output);
        status = command_close_output();
    }
    free(output);
    return status;
}

static int read_dump(struct page_dump *dump, struct dump_reader **reader,
                     const char *path) {
    int status = dump_report_read(reader, path);
    *dump = (struct page_dump){*reader, path};
    return status;
}

static int read_and_write(const struct flamegraph_arguments *arguments,
                          struct page_dump *dumps, struct dump_reader **readers) {
    struct page_options page = arguments->page;
    size_t count = arguments->file_count;
    int status = 0;
    for (size_t i = 0; i < count && status == 0; i++)
        status = read_dump(&dumps[i], &readers[i], arguments->files[i]);
    if (status == 0 && arguments->old != NULL)
        status = read_dump(&dumps[count], &readers[count], arguments->old);
    page.dumps = dumps;
    page.dump_count = count;
    page.old = arguments->old != NULL ? &dumps[count] : NULL;
    page.filter = &arguments->filter;
    return status != 0 ? status : write_output(arguments, &page);
}

static int run(int argc, char **argv) {
    struct flamegraph_arguments arguments = {.page.share = default_threshold / 100};
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    if (!page_is_built())
        return command_fail("this build has no page: it was made without Node");
    size_t count = arguments.file_count + 1;
    struct page_dump *dumps = calloc(count, sizeof *dumps);
    struct dump_reader **readers = calloc(count, sizeof *readers);
    int status = dumps != NULL && readers != NULL
                     ? read_and_write(&arguments, dumps, readers)
                     : command_fail("%s", strerror(ENOMEM));
    for (size_t i = 0; readers != NULL && i < count; i++)
        dump_reader_close(readers[i]);
    free(readers);
    free(dumps);
    return status;
}

const struct command command_flamegraph = {"flamegraph", "a page to look at",
                                           run};
