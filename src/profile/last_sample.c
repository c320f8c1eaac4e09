/* SPDX-License-Identifier: MIT */
#include "profile/last_sample.h"

#include "profile/profile.h"

static uint64_t live_bytes(const struct dump_reader *reader) {
    uint64_t bytes = 0;
    for (size_t id = 1; id < reader->bucket_count; id++)
        bytes += profile_bucket_weight(reader, &reader->buckets[id], PROFILE_NOW).size;
    return bytes;
}

size_t last_sample_find(const struct dump_reader *reader) {
    if (reader->process_count != 1)
        return reader->timeline_count;
    uint64_t bytes = live_bytes(reader);
    size_t count = reader->timeline_count;
    for (; count > 0; count--) {
        const struct tracemalloc_dump_timeline_sample *sample =
            &reader->timeline[count - 1];
        if (sample->python_bytes + sample->native_bytes >= bytes - bytes / 10)
            break;
    }
    return count;
}
