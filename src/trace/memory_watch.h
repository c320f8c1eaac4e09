/* SPDX-License-Identifier: MIT */
/* Notices when the memory in use reaches a threshold of TRACEMALLOC_SNAPSHOT_AT.
 *
 * There is no thread and no timer: it is asked whenever the timeline reads its clock.
 * Without thresholds it is not open, and asks nothing. Under the tracer's lock, or with
 * one thread. A forked child goes on with the thresholds that its parent had not
 * reached.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "control/options.h"
#include "dump/dump_file.h"
#include "trace/memory_use.h"

/* Called for each threshold when it is reached, once. */
typedef void memory_watch_reached(const struct options_threshold *threshold,
                                  const struct memory_use *use);

/* Whether there are thresholds. After the last one, what is in use is read on: the end
 * may be near. */
extern internal bool memory_watch_is_open;

/* Begins anew, with what is in use in the dump's header from now on. */
void memory_watch_open(struct dump_file *file,
                       const struct options_thresholds *thresholds,
                       memory_watch_reached *reached);
void memory_watch_close(void);
/* `now`: nanoseconds, of a clock that may be late; `events`: how many there were since
 * the last call. Whether to ask again at the next event, because there were
 * large blocks. */
bool memory_watch_ask(uint64_t now, uint32_t events);
