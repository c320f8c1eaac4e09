/* SPDX-License-Identifier: MIT */
/* What traces had allocated when they were last sent, so that a server that adds up
 * profiles gets each allocation once.
 *
 * A trace is the same as one of another reading if the process, its frames, domain and
 * thread are: ids of a live dump may be reused. For offline code; allocates; one
 * thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "collection/id_map.h"
#include "export/trace_table.h"

struct trace_record {
    struct weight sent;
    struct weight pending; /* as last read */
    uint32_t reading;      /* in which it was last seen */
};

/* Empty when all zeros. */
struct trace_history {
    struct id_map ids; /* of traces, by two hashes */
    struct trace_record *records;
    size_t capacity;
    uint32_t reading;       /* number of the current one */
    uint64_t sent_until;    /* nanoseconds since the epoch; 0: nothing was sent */
    uint64_t pending_until; /* when the dumps were last read */
};

/* Begins a reading of dumps, at this time. */
void trace_history_begin(struct trace_history *history, uint64_t time);

/* Fills in `sent` of the traces, and notes what they allocated. May be repeated within
 * a reading. 0 or -ENOMEM. */
must_check int trace_history_apply(struct trace_history *history,
                                   struct trace_table *table);

/* The server took what was noted. Forgets traces that are gone, such as those of
 * processes that ended. */
void trace_history_commit(struct trace_history *history);

void trace_history_close(struct trace_history *history);
