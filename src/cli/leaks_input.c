/* SPDX-License-Identifier: MIT */
#include "cli/leaks_input.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/dump_report.h"
#include "cli/source_notes.h"
#include "output/failure.h"
#include "output/progress.h"
#include "process/process_request.h"

/* A number that is no file is a process. */
static bool is_process(const char *text) {
    return text[0] != '\0' && strspn(text, "0123456789") == strlen(text) &&
           access(text, F_OK) != 0;
}

static int read_process(struct dump_reader **reader, const char *text) {
    struct target target;
    long pid = strtol(text, NULL, 10);
    if (pid > INT_MAX)
        return failure_print("there is no process %s", text);
    if (target_open(&target, (pid_t)pid) != 0)
        return 1;
    int status = 0;
    if (!target_is_tracing(&target))
        status = failure_print("process %s is not being traced", text);
    else if (target.dump.is_memory)
        status = failure_print("the dump of process %s was deleted", text);
    if (status == 0) {
        int error = dump_reader_open_fd(reader, target.dump.fd);
        if (error < 0)
            status = failure_print("process %s: %s", text, dump_reader_strerror(error));
    }
    target_close(&target);
    return status;
}

static void drop(struct leaks_dump *dump) {
    dump_reader_close(dump->reader);
    dump_reader_close(dump->earlier);
    dump->reader = dump->earlier = NULL;
}

/* The later copy has the history of the earlier one; of the earlier ones, the first
 * says most. */
static void join_copies(struct leaks_dump *later, struct leaks_dump *copy) {
    if (leak_copies_time(later->reader) < leak_copies_time(copy->reader)) {
        struct dump_reader *reader = later->reader;
        later->reader = copy->reader;
        copy->reader = reader;
    }
    struct dump_reader *first = copy->earlier != NULL ? copy->earlier : copy->reader;
    if (first == copy->reader)
        copy->reader = NULL;
    copy->earlier = NULL;
    if (later->earlier != NULL &&
        leak_copies_time(later->earlier) <= leak_copies_time(first)) {
        dump_reader_close(first);
        first = later->earlier;
    } else {
        dump_reader_close(later->earlier);
    }
    later->earlier = first;
    drop(copy);
}

/* A merged dump has all that its parts say. */
static void drop_repeated(struct leaks_dump *first, struct leaks_dump *second) {
    if (first->reader == NULL || second->reader == NULL)
        return;
    bool are_copies = leak_copies_match(first->reader, second->reader);
    if (are_copies &&
        leak_copies_time(first->reader) != leak_copies_time(second->reader)) {
        join_copies(first, second);
        return;
    }
    bool first_has_all = leak_copies_contain(first->reader, second->reader);
    if (!first_has_all && !leak_copies_contain(second->reader, first->reader))
        return;
    struct leaks_dump *part = first_has_all ? second : first;
    failure_note("process %u is in two of the dumps: only one of them is used",
                 (unsigned)part->reader->header.pid);
    drop(part);
}

static int read_dump(struct leaks_dump *dump, const struct selection *selection) {
    progress_say("reading %s", dump->name);
    int status = is_process(dump->name) ? read_process(&dump->reader, dump->name)
                                        : dump_report_read(&dump->reader, dump->name);
    if (status == 0)
        dump->reader->hides_source =
            source_notes_hides(dump->reader, selection->source);
    return status;
}

int leaks_input_open(struct leaks_input *input, const struct selection *selection) {
    size_t count = (size_t)selection->file_count;
    *input = (struct leaks_input){
        .dumps = calloc(count, sizeof *input->dumps),
        .readers = calloc(count, sizeof *input->readers),
        .copies = calloc(count, sizeof *input->copies),
        .count = selection->file_count,
    };
    if (input->dumps == NULL || input->readers == NULL || input->copies == NULL ||
        frame_names_open(&input->names) < 0)
        return failure_print("%s", strerror(ENOMEM));
    int status = 0;
    for (int i = 0; i < input->count && status == 0; i++) {
        input->dumps[i].name = selection->files[i];
        status = read_dump(&input->dumps[i], selection);
    }
    for (int i = 0; i < input->count && status == 0; i++)
        for (int j = i + 1; j < input->count; j++)
            drop_repeated(&input->dumps[i], &input->dumps[j]);
    for (int i = 0; i < input->count; i++)
        if (input->dumps[i].reader != NULL)
            input->readers[input->reader_count++] = input->dumps[i].reader;
    return status;
}

static int compare_copies(struct leaks_input *input, struct leaks_dump *dump,
                          const struct selection *selection) {
    struct selection live = *selection;
    live.point = PROFILE_NOW;
    int status = dump_report_aggregate(&dump->before, dump->earlier, &input->names,
                                       &live, dump->name);
    if (status == 0)
        status = dump_report_aggregate(&dump->now, dump->reader, &input->names, &live,
                                       dump->name);
    if (status != 0)
        return status;
    struct leak_copies *copies = &input->copies[input->copies_count++];
    int error = leak_copies_open(copies, &dump->before, &dump->now);
    return error == 0 ? 0 : failure_print("%s", strerror(-error));
}

int leaks_input_aggregate(struct leaks_input *input,
                          const struct selection *selection) {
    int status = 0;
    for (int i = 0; i < input->count && status == 0; i++) {
        struct leaks_dump *dump = &input->dumps[i];
        if (dump->reader == NULL)
            continue;
        status = dump_report_aggregate(&dump->profile, dump->reader, &input->names,
                                       selection, dump->name);
        if (status == 0 && dump->earlier != NULL)
            status = compare_copies(input, dump, selection);
    }
    return status;
}

int leaks_input_report(const struct leaks_input *input, struct leak_report *report) {
    progress_say("looking for what grows");
    for (int i = 0; i < input->count; i++) {
        const struct leaks_dump *dump = &input->dumps[i];
        if (dump->reader == NULL)
            continue;
        leak_report_add_rss(report, dump->reader);
        for (uint32_t process = 0; process < dump->reader->process_count; process++)
            if (leak_report_add(report, &dump->profile, process) < 0)
                return failure_print("%s", strerror(ENOMEM));
    }
    leak_report_finish(report);
    progress_end();
    return 0;
}

static void close_dump(struct leaks_dump *dump) {
    profile_close(&dump->profile);
    profile_close(&dump->before);
    profile_close(&dump->now);
    drop(dump);
}

void leaks_input_close(struct leaks_input *input) {
    for (int i = 0; i < input->copies_count; i++)
        leak_copies_close(&input->copies[i]);
    for (int i = 0; i < input->count && input->dumps != NULL; i++)
        close_dump(&input->dumps[i]);
    frame_names_close(&input->names);
    free(input->dumps);
    free(input->readers);
    free(input->copies);
}
