/* SPDX-License-Identifier: MIT */
#include "profile/last_epoch.h"

/* The end of the timeline; but that of a merged dump goes on with other processes, so
 * there the last epoch is as long as the others. */
static uint64_t last_seen(const struct dump_reader *reader, struct dump_epochs epochs) {
    size_t samples = reader->timeline_count;
    uint64_t first = epochs.entries[0].start, end = 0;
    uint64_t last = epochs.entries[epochs.count - 1].start;
    if (samples > 0)
        end = reader->header.start_time + reader->timeline[samples - 1].time;
    if (reader->process_count == 1 || epochs.count == 1)
        return end;
    uint64_t expected = last + (last - first) / (epochs.count - 1);
    return end < expected ? end : expected;
}

uint64_t last_epoch_end(const struct dump_reader *reader, uint32_t process,
                        struct dump_epochs epochs) {
    uint64_t last = epochs.entries[epochs.count - 1].start;
    uint64_t end = reader->processes[process].end_time;
    if (end == 0)
        end = last_seen(reader, epochs);
    return end > last ? end : last;
}
