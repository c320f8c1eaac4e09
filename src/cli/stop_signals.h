/* SPDX-License-Identifier: MIT */
/* How a command ends that works in rounds: the first SIGINT, SIGTERM or SIGHUP asks it
 * to end after the round, the second one ends it at once. One thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

/* From here on the signals only ask, unless they are ignored. */
void stop_signals_open(void);

/* Waits, in nanoseconds, unless it was asked before. Returns whether it has been
 * asked: never before stop_signals_open. */
bool stop_signals_wait(uint64_t time);

/* Ends this process as the signal that asked would have done. */
void stop_signals_end(void);

/* From here on the signals end this process. */
void stop_signals_close(void);
