/* SPDX-License-Identifier: MIT */
#include "show/sampling.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { DISTANCE_TEXT = 24 };

/* In the largest unit of which it is a whole number. */
static void format_distance(char text[DISTANCE_TEXT], uint32_t bytes) {
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB"};
    int unit = 0;
    for (; unit < 3 && bytes % 1024 == 0; unit++)
        bytes /= 1024;
    snprintf(text, DISTANCE_TEXT, "%" PRIu32 " %s", bytes, units[unit]);
}

bool sampling_is_uniform(const struct dump_reader *reader, uint32_t *distance) {
    *distance = reader->processes[0].sample_distance;
    for (size_t i = 1; i < reader->process_count; i++)
        if (reader->processes[i].sample_distance != *distance)
            return false;
    return true;
}

bool sampling_describe(const struct dump_reader *reader,
                       char text[SAMPLING_TEXT_SIZE]) {
    char least_text[DISTANCE_TEXT], most_text[DISTANCE_TEXT];
    uint32_t least = UINT32_MAX, most = 0;
    size_t sampled = 0;
    for (size_t i = 0; i < reader->process_count; i++) {
        uint32_t distance = reader->processes[i].sample_distance;
        sampled += distance > 0;
        least = distance > 0 && distance < least ? distance : least;
        most = distance > most ? distance : most;
    }
    text[0] = '\0';
    if (sampled == 0)
        return false;
    size_t length = 0;
    if (sampled < reader->process_count)
        length = (size_t)snprintf(text, SAMPLING_TEXT_SIZE, "%zu of %zu processes ",
                                  sampled, reader->process_count);
    format_distance(least_text, least);
    format_distance(most_text, most);
    snprintf(text + length, SAMPLING_TEXT_SIZE - length, "sampled, one in %s%s%s",
             least_text, least < most ? " to " : "", least < most ? most_text : "");
    return true;
}
