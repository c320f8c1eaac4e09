/* SPDX-License-Identifier: MIT */
/* How `push --every` ends: the first SIGINT, SIGTERM or SIGHUP asks it to send once
 * more, the second one ends it at once. One thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

/* From here on the signals only ask, unless they are ignored. */
void push_stop_open(void);

/* Waits, in nanoseconds, unless it was asked before. Returns whether it has been
 * asked: never before push_stop_open. */
bool push_stop_wait(uint64_t time);

/* From here on the signals end this process. */
void push_stop_close(void);
