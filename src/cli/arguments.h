/* SPDX-License-Identifier: MIT */
/* Arguments that several commands take, for their argp parsers. An invalid one is a
 * usage error and ends the process. */
#pragma once

#include <argp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/limits.h"

/* The help of --frames. */
#define ARGUMENTS_FRAMES_HELP                                                          \
    "Store at most N frames of each traceback, 1 to " MAX_NFRAME_TEXT                  \
    " (default: " DEFAULT_NFRAME_TEXT ")"

/* Like argp_error, but makes arguments within the text safe to print. */
void arguments_error(struct argp_state *state, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Parses the only argument, PID. Returns ARGP_ERR_UNKNOWN for other keys. */
error_t arguments_parse_pid(int key, char *argument, struct argp_state *state,
                            pid_t *pid);

/* Parses a whole number from `min` to `max`; `what` names its unit in the error. */
uint32_t arguments_parse_number(const char *text, uint32_t min, uint32_t max,
                                const char *what, struct argp_state *state);

/* Parses a mean distance of samples in bytes; 0 is no sampling. Replaces a `*text` of
 * NULL by OPTIONS_SAMPLE. */
uint32_t arguments_parse_sample(char **text, struct argp_state *state);

/* Parses how many entries to show; SIZE_MAX for `all`. */
size_t arguments_parse_limit(const char *text, struct argp_state *state);

/* Parses a percentage. Returns it as a share, 0 to 1. */
double arguments_parse_share(const char *text, struct argp_state *state);

/* Parses the interval of --every, from 1s to 1d. Returns nanoseconds. */
uint64_t arguments_parse_interval(const char *text, struct argp_state *state);
