/* SPDX-License-Identifier: MIT */
#include "cli/push_dumps.h"

#include <errno.h>
#include <string.h>

#include "base/process.h"
#include "cli/dump_report.h"
#include "cli/push_sender.h"
#include "output/failure.h"

/* A merged dump does not say which of its processes run. */
static void set_ends(struct dump_reader **parts, int count) {
    for (int i = 0; i < count; i++) {
        struct dump_reader *part = parts[i];
        if (!dump_reader_may_run(part))
            continue;
        part->header.end_time = process_clock();
        for (uint32_t j = 0; j < part->process_count; j++)
            if (part->processes[j].end_time == 0)
                part->processes[j].end_time = part->header.end_time;
    }
}

/* Attributes of the user go before what is found out. */
static int fill_resource(struct resource *resource, const struct push *push,
                         const char *container) {
    int error = 0;
    if (container[0] != '\0')
        error = resource_set(resource, "container.id", container);
    for (size_t i = 0; error == 0 && i < push->resource.count; i++) {
        const struct resource_attribute *known = &push->resource.attributes[i];
        error = resource_set(resource, known->key, known->value);
    }
    return error;
}

static int send(struct push *push, const struct dump_reader *reader,
                const struct resource *resource) {
    const struct selection *selection = &push->selection;
    struct push_sender sender = {.target = &push->target, .name = selection->files[0]};
    struct export_input *input = &push->input;
    export_input_prepare(input);
    input->resource = resource;
    if (push->interval > 0) {
        input->history = &push->history;
        input->sent_until = push->history.sent_until;
    }
    input->point = selection->point;
    input->point_name = selection->point_name;
    int error = export_input_open(input, reader, &selection->filter);
    int status = error == 0
                     ? push_sender_send(&sender, input)
                     : dump_report_explain(selection, selection->files[0], error);
    export_input_close(input);
    push->retry_after = sender.retry_after;
    return status;
}

int push_dumps_send(struct push *push, struct dump_reader **parts, int count,
                    const char *container) {
    const struct dump_report_stacks stacks = {.native = SHOWN_NATIVE_FOLDED,
                                              .to_file = true};
    struct resource resource = {0};
    struct dump_reader *reader = NULL;
    set_ends(parts, count);
    trace_history_begin(&push->history, process_clock());
    int status = fill_resource(&resource, push, container) < 0
                     ? failure_print("%s", strerror(ENOMEM))
                     : dump_report_join(&reader, parts, count);
    for (int i = 0; i < count; i++)
        dump_reader_close(parts[i]);
    if (status == 0)
        status = dump_report_show(&reader, &push->selection, stacks);
    if (status == 0)
        status = send(push, reader, &resource);
    dump_reader_close(reader);
    resource_close(&resource);
    return status;
}
