/* SPDX-License-Identifier: MIT */
/* Arguments that several commands take, for their argp parsers: a wrong one is a usage
 * error and ends the process. */
#pragma once

#include <argp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/limits.h"

/* --frames, wherever a command takes it. */
#define ARGUMENTS_FRAMES_HELP                                                          \
    "Frames of a traceback at most, 1 to " MAX_NFRAME_TEXT                             \
    " (default " DEFAULT_NFRAME_TEXT ")"

/* As argp_error, with a text that may hold an argument. */
void arguments_error(struct argp_state *state, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The one argument PID, 1 or more. ARGP_ERR_UNKNOWN for keys that are not the
 * argument's. */
error_t arguments_parse_pid(int key, char *argument, struct argp_state *state,
                            pid_t *pid);

/* A whole number from `min` to `max`; `what` names it in the error. */
uint32_t arguments_parse_number(const char *text, uint32_t min, uint32_t max,
                                const char *what, struct argp_state *state);

/* How many entries to show; SIZE_MAX for `all`. */
size_t arguments_parse_limit(const char *text, struct argp_state *state);
