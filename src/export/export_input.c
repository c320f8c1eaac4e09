/* SPDX-License-Identifier: MIT */
#include "export/export_input.h"

void export_input_prepare(struct export_input *input) {
    *input = (struct export_input){
        .point = PROFILE_NOW, .point_name = "now", .limit = SIZE_MAX, .parts = 1};
}

static int aggregate(struct export_input *input, const struct filter *filter,
                     enum profile_point point, struct profile *profile) {
    int error = profile_open(profile, input->reader, &input->names, point);
    return error < 0 ? error : filter_apply(filter, profile);
}

int export_input_open(struct export_input *input, const struct dump_reader *reader,
                      const struct filter *filter) {
    input->reader = reader;
    int error = frame_names_open(&input->names);
    if (error == 0)
        error = aggregate(input, filter, input->point, &input->shown);
    if (error == 0)
        error = aggregate(input, filter, PROFILE_PEAK, &input->peak);
    if (error == 0)
        error = aggregate(input, filter, PROFILE_ALLOCATED, &input->allocated);
    return error;
}

void export_input_close(struct export_input *input) {
    profile_close(&input->shown);
    profile_close(&input->peak);
    profile_close(&input->allocated);
    frame_names_close(&input->names);
}

uint64_t export_input_time(const struct export_input *input, uint32_t process) {
    const struct dump_reader *reader = input->reader;
    const struct tracemalloc_dump_process *entry = &reader->processes[process];
    if (entry->end_time > entry->start_time)
        return entry->end_time;
    uint64_t last = reader->header.start_time;
    if (reader->timeline_count > 0)
        last += reader->timeline[reader->timeline_count - 1].time;
    return last > entry->start_time ? last : entry->start_time;
}

uint64_t export_input_since(const struct export_input *input, uint32_t process) {
    uint64_t start = input->reader->processes[process].start_time;
    uint64_t end = export_input_time(input, process);
    if (input->sent_until > start)
        start = input->sent_until;
    return start < end ? start : end;
}
