/* SPDX-License-Identifier: MIT */
#include "show/completeness.h"

#include <inttypes.h>
#include <stdio.h>

/* By enum tracemalloc_dump_reason; %s is the count. */
static const char *const reasons[TRACEMALLOC_DUMP_REASONS] = {
    [TRACEMALLOC_DUMP_LOST_STACKS] =
        "the table of stacks was full: %s allocations are shown as <overflow>",
    [TRACEMALLOC_DUMP_LOST_BLOCKS] =
        "a table could not grow: %s blocks were not recorded",
    [TRACEMALLOC_DUMP_LOST_FILE] =
        "the file could not grow: %s parts of it are missing",
    [TRACEMALLOC_DUMP_LOST_PYTHON] =
        "Python frames were switched off, for a check of the interpreter failed (%s)",
    [TRACEMALLOC_DUMP_LOST_NESTED] =
        "%s blocks that signal handlers made inside the tracer were not recorded",
    [TRACEMALLOC_DUMP_LOST_MEMORY] =
        "the tracer found no memory for its tables (%s times)",
    [TRACEMALLOC_DUMP_LOST_NAMES] =
        "the table of names was full: %s names were cut or replaced",
    [TRACEMALLOC_DUMP_LOST_NATIVE] =
        "%s native stacks could not be unwound to their end",
    [TRACEMALLOC_DUMP_LOST_DAMAGE] =
        "somebody cut the file while it was written: %s pages",
    [TRACEMALLOC_DUMP_LOST_VERSION] =
        "this interpreter's Python frames are not known: native blocks only (%s)",
};

enum {
    BY_READER_MISSING = TRACEMALLOC_DUMP_REASONS,
    BY_READER_DAMAGED,
    OVERFLOW_SEEN,
    END_OF_REASONS,
};

/* Something was counted on `<overflow>`, though the header does not say so. */
static bool has_overflow(const struct dump_reader *reader) {
    if (reader->header.lost[TRACEMALLOC_DUMP_LOST_STACKS] != 0)
        return false;
    for (size_t i = 0; i < reader->site_count; i++) {
        uint32_t tally = dump_site_tally(&reader->sites[i]);
        if (reader->sites[i].live > 0 &&
            reader->tallies[tally].stack == TRACEMALLOC_DUMP_OVERFLOW_STACK)
            return true;
    }
    return false;
}

static uint64_t count_lost(const struct dump_reader *reader, size_t reason) {
    switch (reason) {
    case BY_READER_MISSING:
        return reader->missing;
    case BY_READER_DAMAGED:
        return reader->damaged;
    case OVERFLOW_SEEN:
        return has_overflow(reader);
    default:
        return reader->header.lost[reason];
    }
}

static const char *reason_format(size_t reason) {
    switch (reason) {
    case BY_READER_MISSING:
        return "the file is cut off: %s entries are missing";
    case BY_READER_DAMAGED:
        return "the file is damaged: %s entries of it make no sense";
    case OVERFLOW_SEEN:
        return "the table of stacks was full: what did not fit is shown as <overflow>";
    default:
        return reasons[reason] != NULL ? reasons[reason]
                                       : "something of an unknown kind is missing (%s)";
    }
}

bool completeness_next(const struct dump_reader *reader, size_t *at,
                       char text[COMPLETENESS_TEXT_SIZE]) {
    while (*at < END_OF_REASONS) {
        size_t reason = (*at)++;
        uint64_t lost = count_lost(reader, reason);
        if (lost == 0)
            continue;
        char number[24];
        snprintf(number, sizeof number, "%" PRIu64, lost);
        /* The format is one of the constants above. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(text, COMPLETENESS_TEXT_SIZE, reason_format(reason), number);
#pragma GCC diagnostic pop
        return true;
    }
    return false;
}
