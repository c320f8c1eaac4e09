/* SPDX-License-Identifier: MIT */
/* The environment variables of the library, all in one table.
 *
 * The library reads them once when it starts, `tracemalloc run` sets them for its
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
    OPTION_SAMPLE,
    OPTION_TYPES,
    OPTION_SNAPSHOT_AT,
    OPTION_RUN,
    OPTION_COUNT,
};

/* The distance of samples if only `--sample` is given. */
#define OPTIONS_SAMPLE "512K"

/* When objects of free lists count at the line that takes them. */
enum options_free_lists {
    OPTIONS_FREE_LISTS_NEVER,
    OPTIONS_FREE_LISTS_ALWAYS,
    OPTIONS_FREE_LISTS_EXACT, /* or samples are at most 16 KiB apart */
};

/* How much memory the process has in use when it writes a copy of its dump. */
struct options_threshold {
    uint64_t number;
    char unit; /* '%': of a memory limit. Else of resident bytes: 'M', 'G' or 'T' for
                  that many MiB, GiB or TiB; 'K'; 0 */
};

enum { OPTIONS_MAX_THRESHOLDS = 8, OPTIONS_THRESHOLD_SIZE = 24 };
struct options_thresholds {
    struct options_threshold entries[OPTIONS_MAX_THRESHOLDS];
    uint32_t count;
};

struct options {
    const char *output; /* pattern; points into the environment, or to a constant */
    uint64_t max_file;  /* bytes */
    uint64_t run_id;    /* 0 if not started by `tracemalloc run` */
    uint32_t signal;
    uint32_t native_frames;
    uint32_t sample_distance; /* bytes; 0: every block is recorded */
    uint32_t free_lists;      /* enum options_free_lists */
    bool follow_fork;
    bool quiet;
    bool native_domain;
    bool any_program; /* trace programs without Python too */
    bool types;       /* count objects by type before the interpreter ends */
    struct options_thresholds snapshot_at;
};

/* How a value is written. */
enum option_type {
    OPTION_IS_PATTERN,  /* const char *, see options_expand_pattern */
    OPTION_IS_SIGNAL,   /* uint32_t; USR2, SIGUSR2, 12, RTMIN+3 or RTMAX-3 */
    OPTION_IS_BOOL,     /* bool; 0 or 1 */
    OPTION_IS_WHEN,     /* uint32_t, enum options_free_lists; 0, 1 or exact */
    OPTION_IS_SIZE,     /* uint64_t; bytes, or with the suffix K, M, G or T */
    OPTION_IS_FRAMES,   /* uint32_t; 1 stands for DEFAULT_NATIVE_NFRAME */
    OPTION_IS_DISTANCE, /* uint32_t; as a size */
    OPTION_IS_ID,       /* uint64_t; 1 to 16 hexadecimal digits, not 0 */
    OPTION_IS_AMOUNTS,  /* struct options_thresholds; percentages and sizes */
};

struct option_row {
    const char *variable;
    const char *fallback; /* the value if the variable is unset or empty; NULL: the
                             field is 0 */
    const char *accepted; /* ends the message of a wrong value */
    const char *help;     /* one line; NULL for what users do not set themselves */
    enum option_type type;
    uint32_t offset; /* of the field in struct options */
    uint64_t min;    /* of a size or number */
    uint64_t max;
};

extern const struct option_row options_table[OPTION_COUNT];

/* Reads all variables by `get`, which answers like getenv. 0; or -EINVAL with a message
 * of one line, without newline, in `message`: then only `quiet` of `out` is valid. If
 * only TRACEMALLOC_SNAPSHOT_AT is wrong, 0 with a message and no thresholds; else the
 * message is empty. */
must_check int options_read(struct options *out, const char *(*get)(const char *name),
                            char *message, size_t size);

/* Reads a number of bytes up to `max`, such as 200M, in units of 1024. 0 or -EINVAL. */
must_check int options_parse_size(const char *text, uint64_t max, uint64_t *out);

/* The bytes that a threshold means; 0 for a percentage. */
uint64_t options_threshold_bytes(const struct options_threshold *threshold);
/* Writes it as in a file's name: 80 for 80%, 1500M. */
void options_threshold_text(const struct options_threshold *threshold,
                            char text[OPTIONS_THRESHOLD_SIZE]);

/* Reads one value into the row's field. 0 or -EINVAL. */
must_check int options_parse(enum option_id option, const char *text,
                             struct options *out);

/* What the sequences of a pattern stand for. A slash in a name becomes an
 * underscore. */
struct pattern_values {
    uint32_t pid;        /* %p */
    const char *command; /* %c */
    const char *host;    /* %h */
    uint64_t start_time; /* %t, seconds since the epoch */
};

/* Writes the name that a pattern stands for. 0; -EINVAL for an empty pattern, one that
 * ends in a slash, or a sequence other than these four and %%; -ENAMETOOLONG if the
 * name and its NUL do not fit in `size` bytes. */
must_check int options_expand_pattern(const char *pattern,
                                      const struct pattern_values *values, char *out,
                                      size_t size);
