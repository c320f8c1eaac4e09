/* SPDX-License-Identifier: MIT */
#include <argp.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/build.h"
#include "base/compiler.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "output/failure.h"

static const struct command *const commands[] = {
    &command_run,   &command_attach,     &command_detach,   &command_ps,
    &command_stop,  &command_start,      &command_snapshot, &command_clear,
    &command_info,  &command_stats,      &command_compare,  &command_export,
    &command_push,  &command_merge,      &command_tree,     &command_summary,
    &command_top,   &command_flamegraph, &command_resolve,  &command_leaks,
    &command_check, &command_watch,
};
enum { COMMAND_COUNT = sizeof commands / sizeof *commands, USAGE_ERROR = 2 };

static void print_version(FILE *out, struct argp_state *state) {
    (void)state;
    fprintf(out, "tracemalloc %s (%s) %s\n", build_version, build_description,
            build_machine);
}

/* argp calls it for --version. */
exported void (*argp_program_version_hook)(FILE *, struct argp_state *) = print_version;

struct choice {
    const struct command *command;
    int index; /* of the command's name in argv */
};

static const struct command *find_command(const char *name) {
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static error_t parse_option(int key, char *argument, struct argp_state *state) {
    struct choice *choice = state->input;
    switch (key) {
    case ARGP_KEY_ARG:
        choice->command = find_command(argument);
        if (choice->command == NULL)
            arguments_error(state, "there is no command '%s'", argument);
        choice->index = state->next - 1;
        state->next = state->argc; /* the rest is the command's own */
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_usage(state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static char *list_commands(void) {
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (stream == NULL)
        return NULL;
    fputs("Commands:\n", stream);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(stream, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    fputs("\nRun `tracemalloc COMMAND --help` for details.", stream);
    fclose(stream);
    return text;
}

static char *help_text(int key, const char *text, void *input) {
    (void)input;
    return key == ARGP_KEY_HELP_POST_DOC ? list_commands() : (char *)text;
}

static const struct argp main_argp = {
    .parser = parse_option,
    .args_doc = "COMMAND [ARGUMENT...]",
    .doc = "Traces the memory of unmodified Python programs, and reports on the dumps."
           "\vCOMMANDS",
    .help_filter = help_text,
};

/* If the caller closed a standard descriptor, a file opened later must not take its
 * place. Opened for reading only, so that writing a report to it fails visibly. */
static void occupy_standard_descriptors(void) {
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != fd)
            abort();
}

int main(int argc, char **argv) {
    static char program[] = "tracemalloc";
    static char name[64];
    struct choice choice = {0};
    occupy_standard_descriptors();
    setlocale(LC_CTYPE, "");
    argp_err_exit_status = USAGE_ERROR;
    if (argc > 0)
        argv[0] = program;
    error_t error = argp_parse(&main_argp, argc, argv, ARGP_IN_ORDER, NULL, &choice);
    if (error != 0 || choice.command == NULL)
        return failure_print("%s", strerror(error));
    snprintf(name, sizeof name, "tracemalloc %s", choice.command->name);
    argv[choice.index] = name;
    return choice.command->run(argc - choice.index, argv + choice.index);
}
