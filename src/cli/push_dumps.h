/* SPDX-License-Identifier: MIT */
/* What `push` sends of dumps that are open. Allocates; one thread. */
#pragma once

#include "base/compiler.h"
#include "cli/push_target.h"
#include "cli/selection_options.h"
#include "dump/dump_reader.h"
#include "export/export_input.h"
#include "export/resource.h"
#include "export/trace_history.h"

struct push {
    struct push_target target;
    struct selection selection;
    struct resource labels;   /* of the options */
    struct resource resource; /* of the variables, and the labels */
    struct export_input input;
    struct trace_history history; /* with --every */
    uint64_t interval;            /* nanoseconds; 0: send once */
    long retry_after; /* seconds that a busy server asked for; 0: it did not */
};

/* Sends the profiles of one or more dumps together; `container` is the id of the one in
 * which all of their processes run, or empty. Reading moves a running process's end to
 * now. The parts are closed. 0, or 1 after failure_print. */
must_check int push_dumps_send(struct push *push, struct dump_reader **parts, int count,
                               const char *container);
