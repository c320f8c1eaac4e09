/* SPDX-License-Identifier: MIT */
#include "export/export_input.h"

#include <errno.h>
#include <stdlib.h>

int export_input_open(struct export_input *input) {
    *input = (struct export_input){
        .moment = PROFILE_NOW, .moment_name = "now", .limit = SIZE_MAX};
    return frame_names_open(&input->names);
}

static void close_process(struct export_process *process) {
    profile_close(&process->shown);
    profile_close(&process->peak);
    profile_close(&process->allocated);
}

void export_input_close(struct export_input *input) {
    for (size_t i = 0; i < input->count; i++)
        close_process(&input->processes[i]);
    free(input->processes);
    frame_names_close(&input->names);
    *input = (struct export_input){0};
}

static int weigh(struct export_input *input, const struct dump_reader *reader,
                 const struct filter *filter, enum profile_moment moment,
                 struct profile *profile) {
    int error = profile_open(profile, reader, &input->names, moment);
    return error < 0 ? error : filter_apply(filter, profile);
}

int export_input_add(struct export_input *input, const struct dump_reader *reader,
                     const struct filter *filter) {
    size_t size = (input->count + 1) * sizeof *input->processes;
    struct export_process *processes = realloc(input->processes, size);
    if (processes == NULL)
        return -ENOMEM;
    input->processes = processes;
    struct export_process *process = &processes[input->count++];
    *process = (struct export_process){.reader = reader};
    int error = weigh(input, reader, filter, input->moment, &process->shown);
    if (error == 0)
        error = weigh(input, reader, filter, PROFILE_PEAK, &process->peak);
    if (error == 0)
        error = weigh(input, reader, filter, PROFILE_ALLOCATED, &process->allocated);
    return error;
}

struct weight export_input_total(const struct export_input *input) {
    struct weight total = {0};
    for (size_t i = 0; i < input->count; i++) {
        total.size += input->processes[i].shown.total.size;
        total.count += input->processes[i].shown.total.count;
    }
    return total;
}
