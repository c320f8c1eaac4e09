/* SPDX-License-Identifier: MIT */
/* The options that select what a report covers: files, point in time, domain, patterns,
 * and whether it is split by process. One thread; an invalid option is a usage error
 * and ends the process. */
#pragma once

#include <argp.h>
#include <stdbool.h>

#include "base/compiler.h"
#include "profile/birth_range.h"
#include "profile/filter.h"
#include "profile/profile.h"
#include "symbols/shown_stacks.h"

/* The help of --open-modules, which `resolve` has too. */
#define SELECTION_OPEN_MODULES_HELP                                                    \
    "Open modules named by another user's dump, to read their symbols"

/* Which native frames are shown. */
enum selection_native {
    SELECTION_NATIVE_DEFAULT, /* depends on the command; the interpreter's are folded */
    SELECTION_NATIVE_ALL,
    SELECTION_NATIVE_NONE,
};

/* Whether source lines are shown. */
enum selection_source {
    SELECTION_SOURCE_DEFAULT, /* unless a dump belongs to another user */
    SELECTION_SOURCE_SHOWN,   /* those that the dump's owner may read */
    SELECTION_SOURCE_HIDDEN,
};

struct selection {
    enum profile_point point;
    const char *point_name; /* argument of --at */
    struct filter filter;
    struct birth_range born;
    const char *born_text; /* argument of --born */
    bool by_process;
    enum selection_native native;
    enum selection_source source;
    bool shows_imports; /* show the frames of the import system */
    bool open_modules;  /* also those named by another user's dump */
    char **files;       /* in the program's arguments */
    int file_count;
};

/* Selects all blocks, now. */
void selection_open(struct selection *selection);

/* A child parser for --at, --domain, --born, --include, --exclude, --all-frames and
 * --by, and for the options of selection_shown_argp. Its input is a struct
 * selection. */
extern const struct argp selection_argp;

/* A child parser for --native, --no-native, --source, --no-source and --open-modules.
 * Its input is a struct selection. */
extern const struct argp selection_shown_argp;

/* A child parser for --include and --exclude. Its input is a struct selection. */
extern const struct argp selection_pattern_argp;

/* A child parser for --born. Its input is a struct selection. */
extern const struct argp selection_born_argp;

/* At ARGP_KEY_END: a usage error if options contradict each other. */
void selection_check(const struct selection *selection, struct argp_state *state);

/* For the parser of the command: takes the files at ARGP_KEY_ARGS; a usage error at
 * ARGP_KEY_NO_ARGS. Returns ARGP_ERR_UNKNOWN for other keys. */
error_t selection_parse_files(struct selection *selection, int key,
                              struct argp_state *state);

/* For commands that have --by without the rest of selection_argp. */
void selection_parse_by(struct selection *selection, const char *argument,
                        struct argp_state *state);

/* Which native frames to show, if the command shows `usual` ones by default. */
enum shown_native selection_shown_native(const struct selection *selection,
                                         enum shown_native usual);

/* Calls `report` once for all files or, with --by process, once for each; texts other
 * than JSON are then separated by an empty line. Returns the first exit status that is
 * not 0. */
must_check int selection_report(const struct selection *selection, bool json,
                                int (*report)(const void *options, char *const *files,
                                              int count),
                                const void *options);

/* Returns the index of a word in a list that ends with NULL; a usage error if it is not
 * there. `what` says what it should be. */
int selection_choose(const char *const *words, const char *word, const char *what,
                     struct argp_state *state);
