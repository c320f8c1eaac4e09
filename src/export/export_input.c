/* SPDX-License-Identifier: MIT */
#include "export/export_input.h"

void export_input_prepare(struct export_input *input) {
    *input = (struct export_input){
        .moment = PROFILE_NOW, .moment_name = "now", .limit = SIZE_MAX};
}

static int weigh(struct export_input *input, const struct filter *filter,
                 enum profile_moment moment, struct profile *profile) {
    int error = profile_open(profile, input->reader, &input->names, moment);
    return error < 0 ? error : filter_apply(filter, profile);
}

int export_input_open(struct export_input *input, const struct dump_reader *reader,
                      const struct filter *filter) {
    input->reader = reader;
    int error = frame_names_open(&input->names);
    if (error == 0)
        error = weigh(input, filter, input->moment, &input->shown);
    if (error == 0)
        error = weigh(input, filter, PROFILE_PEAK, &input->peak);
    if (error == 0)
        error = weigh(input, filter, PROFILE_ALLOCATED, &input->allocated);
    return error;
}

void export_input_close(struct export_input *input) {
    profile_close(&input->shown);
    profile_close(&input->peak);
    profile_close(&input->allocated);
    frame_names_close(&input->names);
}
