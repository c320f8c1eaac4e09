/* SPDX-License-Identifier: MIT */
/* The options that say which blocks of which dumps a report is about: its files, the
 * moment, domain and patterns, and whether processes are told apart. One thread; a
 * wrong option is a usage error and ends the process. */
#pragma once

#include <argp.h>
#include <stdbool.h>

#include "base/compiler.h"
#include "profile/filter.h"
#include "profile/profile.h"

/* Of --open-modules, which other commands have as well. */
#define SELECTION_OPEN_MODULES_HELP                                                    \
    "Open the modules that a dump of another user names, for their symbols"

/* What is shown of native frames. */
enum selection_native {
    SELECTION_NATIVE_USUAL, /* as fits the command, the interpreter's folded */
    SELECTION_NATIVE_ALL,
    SELECTION_NATIVE_NONE,
};

/* Whether lines of source are shown. */
enum selection_source {
    SELECTION_SOURCE_USUAL, /* unless a dump is another user's */
    SELECTION_SOURCE_SHOWN, /* of what the dump's owner may read */
    SELECTION_SOURCE_HIDDEN,
};

struct selection {
    enum profile_point point;
    const char *point_name;
    struct filter filter;
    bool by_process;
    enum selection_native native;
    enum selection_source source;
    bool shows_imports; /* the frames of the import system too */
    bool open_modules;  /* also those that a dump of another user names */
    char **files;       /* in the program's arguments */
    int file_count;
};

/* Nothing but `now`. */
void selection_open(struct selection *selection);

/* A child parser for --at, --domain, --include, --exclude, --all-frames, --by,
 * --native, --source and --open-modules; its input is a struct selection. */
extern const struct argp selection_argp;

/* For the parser of the command: takes the files at ARGP_KEY_ARGS, complains at
 * ARGP_KEY_NO_ARGS. ARGP_ERR_UNKNOWN for other keys. */
error_t selection_parse_files(struct selection *selection, int key,
                              struct argp_state *state);

/* The options of all that shows native frames, and for commands that have them without
 * the rest of the child parser. */
#define SELECTION_NATIVE_HELP "Show every native frame, those of the interpreter too"
#define SELECTION_NO_NATIVE_HELP "Leave native frames out"
#define SELECTION_SOURCE_HELP                                                          \
    "Show lines of source for a dump of another user too: of what its owner may read"
#define SELECTION_NO_SOURCE_HELP "Leave lines of source out"

/* For commands that have --by without the rest of the child parser. */
void selection_parse_by(struct selection *selection, const char *argument,
                        struct argp_state *state);

/* Lets `tell` have all files together; or each alone, where processes are told apart:
 * then JSON documents stand one behind the other, and other texts have an empty line
 * between them. Returns the first exit status that is not 0. */
must_check int selection_report(const struct selection *selection, bool json,
                                int (*tell)(const void *options, char *const *files,
                                            int count),
                                const void *options);

/* The place of a word in a list that ends with NULL; a usage error if it has none.
 * `what` names it. */
int selection_choose(const char *const *words, const char *word, const char *what,
                     struct argp_state *state);
