/* SPDX-License-Identifier: MIT */
/* The environment variables of the library: one table says all of them.
 *
 * The library reads them once at its start, `tracemalloc run` writes them for its
 * program, and `tracemalloc run --help` prints the table. No function here allocates,
 * uses stdio or the locale, or changes errno; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

enum option_id {
    OPTION_OUTPUT,
    OPTION_SIGNAL,
    OPTION_FOLLOW_FORK,
    OPTION_QUIET,
    OPTION_FREE_LISTS,
    OPTION_MAX_FILE,
    OPTION_NATIVE_DOMAIN,
    OPTION_NATIVE_FRAMES,
    OPTION_ANY_PROGRAM,
    OPTION_RUN,
    OPTION_COUNT,
};

struct options {
    const char *output; /* pattern; the environment's string, or a constant */
    uint64_t max_file;  /* bytes */
    uint64_t run_id;    /* 0 when not started by `tracemalloc run` */
    uint32_t signal;
    uint32_t native_frames;
    bool follow_fork;
    bool quiet;
    bool free_lists;
    bool native_domain;
    bool any_program; /* trace what has no Python, too */
};

/* How a value is written. */
enum option_type {
    OPTION_IS_PATTERN, /* const char *, see options_expand_pattern */
    OPTION_IS_SIGNAL,  /* uint32_t; USR2, SIGUSR2, 12, RTMIN+3 or RTMAX-3 */
    OPTION_IS_BOOL,    /* bool; 0 or 1 */
    OPTION_IS_SIZE,    /* uint64_t; bytes, or with the suffix K, M, G or T */
    OPTION_IS_FRAMES,  /* uint32_t; 1 stands for DEFAULT_NATIVE_NFRAME */
    OPTION_IS_ID,      /* uint64_t; 1 to 16 hexadecimal digits, not 0 */
};

struct option_row {
    const char *variable;
    const char *fallback; /* the value when the variable is unset or empty; NULL: the
                             field is 0 */
    const char *accepted; /* ends the message of a wrong value */
    const char *help;     /* one line; NULL for what is not the user's business */
    enum option_type type;
    uint32_t offset; /* of the field in struct options */
    uint64_t least;  /* smallest and largest of a size or number */
    uint64_t most;
};

extern const struct option_row options_table[OPTION_COUNT];

/* Reads all variables with `get`, which answers like getenv. 0; or -EINVAL with a
 * message of one line, without newline, in `error`: what of `out` is filled then is
 * unspecified, except that `quiet` is valid. */
must_check int options_read(struct options *out, const char *(*get)(const char *name),
                            char *error, size_t size);

/* Reads one value into the row's field. 0 or -EINVAL. */
must_check int options_parse(enum option_id option, const char *text,
                             struct options *out);

/* What the sequences of a pattern stand for. A slash in a name becomes an underscore.
 */
struct pattern_values {
    uint32_t pid;        /* %p */
    const char *command; /* %c */
    const char *host;    /* %h */
    uint64_t start_time; /* %t, seconds since the epoch */
};

/* Writes the name that a pattern stands for. 0; -EINVAL for an empty pattern or a
 * sequence other than these four and %%; -ENAMETOOLONG when `size` bytes, with the NUL,
 * do not hold it. */
must_check int options_expand_pattern(const char *pattern,
                                      const struct pattern_values *values, char *out,
                                      size_t size);
