/* SPDX-License-Identifier: MIT */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/dump_report.h"
#include "cli/push_dumps.h"
#include "cli/push_watch.h"
#include "cli/resource_variables.h"
#include "cli/selection_options.h"
#include "output/failure.h"
#include "output/progress.h"
#include "process/container_id.h"
#include "process/watched.h"

enum {
    OPTION_FORMAT = 0x100,
    OPTION_URL,
    OPTION_LABEL,
    OPTION_EVERY,
};

static const struct argp_option argp_options[] = {
    {"format", OPTION_FORMAT, "FORMAT", 0,
     "What to send: otlp to a Collector (the default), or pprof to Pyroscope", 0},
    {"url", OPTION_URL, "URL", 0, "Where to send it, with http or https", 0},
    {"label", OPTION_LABEL, "KEY=VALUE", 0,
     "An attribute of the profile's source; may be given several times", 0},
    {"every", OPTION_EVERY, "INTERVAL", 0,
     "Send again and again, such as every 60s, what the processes and their "
     "descendants "
     "hold, and what those held that died",
     0},
    {0},
};

static void parse_label(struct push *push, char *text, struct argp_state *state) {
    char *value = strchr(text, '=');
    if (value == NULL || value == text)
        arguments_error(state, "'%s' is not KEY=VALUE", text);
    *value = '\0';
    if (resource_set(&push->labels, text, value + 1) < 0)
        arguments_error(state, "%s", strerror(ENOMEM));
}

static error_t parse(int key, char *argument, struct argp_state *state) {
    static const char *const formats[] = {"otlp", "pprof", NULL};
    struct push *push = state->input;
    switch (key) {
    case OPTION_FORMAT:
        selection_choose(formats, argument, "format to push", state);
        push->target.exporter = exporter_find(argument);
        return 0;
    case OPTION_URL:
        push->target.url = argument;
        return 0;
    case OPTION_LABEL:
        parse_label(push, argument, state);
        return 0;
    case OPTION_EVERY:
        push->interval = arguments_parse_interval(argument, state);
        return 0;
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &push->selection;
        return 0;
    case ARGP_KEY_NO_ARGS:
        arguments_error(state, "no process id or dump given");
        return 0;
    default:
        return selection_parse_files(&push->selection, key, state);
    }
}

static const struct argp_child argp_children[] = {{&selection_argp, 0, NULL, 0}, {0}};

static const struct argp argp = {
    .options = argp_options,
    .parser = parse,
    .args_doc = "PID|FILE...",
    .doc = "Sends the profiles of running processes and of dumps to an OpenTelemetry "
           "Collector or to Pyroscope.",
    .children = argp_children,
};

/* Labels go before the variables. */
static int prepare_resource(struct push *push) {
    int status = resource_variables_read(&push->resource);
    for (size_t i = 0; status == 0 && i < push->labels.count; i++) {
        const struct resource_attribute *label = &push->labels.attributes[i];
        if (resource_set(&push->resource, label->key, label->value) < 0)
            status = failure_print("%s", strerror(ENOMEM));
    }
    return status;
}

static int read_process(struct dump_reader **reader, const char *name) {
    struct watched watched;
    if (watched_open(&watched, name) != 0)
        return 1;
    int error = watched_read(&watched, false, reader);
    watched_close(&watched);
    if (error == 0)
        return 0;
    *reader = NULL;
    return failure_print("process %s: %s", name, dump_reader_strerror(error));
}

static int read_all(struct dump_reader **parts, const struct selection *selection) {
    int status = 0;
    for (int i = 0; status == 0 && i < selection->file_count; i++) {
        const char *name = selection->files[i];
        progress_say("reading %s", name);
        status = watched_is_process(name) ? read_process(&parts[i], name)
                                          : dump_report_read(&parts[i], name);
    }
    return status;
}

static int push_once(struct push *push) {
    const int count = push->selection.file_count;
    struct dump_reader **parts = calloc((size_t)count, sizeof *parts);
    char container[CONTAINER_ID_SIZE];
    if (parts == NULL)
        return failure_print("%s", strerror(ENOMEM));
    int status = read_all(parts, &push->selection);
    if (status == 0) {
        container_id_find_common(container, parts, (size_t)count);
        status = push_dumps_send(push, parts, count, container);
    } else {
        for (int i = 0; i < count; i++)
            dump_reader_close(parts[i]);
    }
    free(parts);
    return status;
}

static int run(int argc, char **argv) {
    struct push push = {.target = {.exporter = &export_otlp}};
    selection_open(&push.selection);
    push.selection.shows_imports = true;
    argp_parse(&argp, argc, argv, 0, NULL, &push);
    int status = prepare_resource(&push);
    if (status == 0)
        status = push_target_open(&push.target);
    if (status == 0)
        status = push.interval > 0 ? push_watch_run(&push) : push_once(&push);
    trace_history_close(&push.history);
    push_target_close(&push.target);
    resource_close(&push.resource);
    resource_close(&push.labels);
    progress_end();
    return status;
}

const struct command command_push = {"push", "send profiles to a server", run};
