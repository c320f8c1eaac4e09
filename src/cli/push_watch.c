/* SPDX-License-Identifier: MIT */
#include "cli/push_watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/stop_signals.h"
#include "output/failure.h"
#include "output/progress.h"
#include "process/process_family.h"

static const uint64_t second = 1000000000;

/* Of one round of requests. */
struct round {
    struct dump_reader **parts;
    struct family_dump **dumps; /* of the parts that have ended */
    int count, ended_count;
    const char *container; /* of all; empty if they differ */
};

static void read_dump(struct round *round, struct family_dump *dump) {
    struct dump_reader **part = &round->parts[round->count];
    progress_say("reading %s", dump->name);
    int error = dump_reader_open_fd(part, dump->fd);
    if (error < 0) {
        failure_note("%s: %s", dump->name, dump_reader_strerror(error));
        return;
    }
    if (!dump_reader_may_run(*part))
        round->dumps[round->ended_count++] = dump;
    if (round->count++ == 0)
        round->container = dump->container;
    else if (strcmp(round->container, dump->container) != 0)
        round->container = "";
}

static int send_round(struct push *push, struct round *round) {
    if (round->count == 0)
        return 0;
    int status = push_dumps_send(push, round->parts, round->count, round->container);
    if (status != 0)
        return status;
    trace_history_commit(&push->history);
    for (int i = 0; i < round->ended_count; i++)
        process_family_finish(round->dumps[i]);
    return 0;
}

static int send_all(struct push *push, struct process_family *family) {
    int error = process_family_scan(family);
    size_t count = family->dump_count + 1;
    struct round round = {.parts = calloc(count, sizeof *round.parts),
                          .dumps = calloc(count, sizeof *round.dumps),
                          .container = ""};
    push->retry_after = 0;
    if (round.parts == NULL || round.dumps == NULL)
        error = -ENOMEM;
    for (size_t i = 0; error == 0 && i < family->dump_count; i++)
        if (family->dumps[i].fd >= 0)
            read_dump(&round, &family->dumps[i]);
    int status =
        error < 0 ? failure_print("%s", strerror(-error)) : send_round(push, &round);
    progress_end();
    free(round.parts);
    free(round.dumps);
    return status;
}

/* Waits for the next round. Returns false if it is the last one: the processes have
 * ended, or the user asks. */
static bool wait_for_round(const struct push *push,
                           const struct process_family *family) {
    uint64_t asked = (uint64_t)push->retry_after * second;
    uint64_t left = push->interval > asked ? push->interval : asked;
    while (left > 0 && process_family_lives(family)) {
        uint64_t part = left < second ? left : second;
        if (stop_signals_wait(part))
            return false;
        left -= part;
    }
    return process_family_lives(family);
}

static int watch(struct push *push, struct process_family *family) {
    stop_signals_open();
    int status = send_all(push, family);
    if (status == 0) {
        while (wait_for_round(push, family))
            status = send_all(push, family);
        stop_signals_close();
        status = send_all(push, family);
    }
    stop_signals_close();
    return status;
}

int push_watch_run(struct push *push) {
    struct process_family family = {0};
    int status = 0;
    for (int i = 0; status == 0 && i < push->selection.file_count; i++)
        status = process_family_add(&family, push->selection.files[i]);
    if (status == 0)
        status = watch(push, &family);
    process_family_close(&family);
    return status;
}
