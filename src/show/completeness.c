/* SPDX-License-Identifier: MIT */
#include "show/completeness.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "show/dump_info.h"

/* By enum tracemalloc_dump_reason; %s is the count. */
static const char *const reasons[TRACEMALLOC_DUMP_REASONS] = {
    [TRACEMALLOC_DUMP_LOST_STACKS] = "%s allocations are shown as <overflow>",
    [TRACEMALLOC_DUMP_LOST_BLOCKS] = "%s blocks were not recorded",
    [TRACEMALLOC_DUMP_LOST_FILE] = "%s parts of the file are missing",
    [TRACEMALLOC_DUMP_LOST_NAMES] = "%s names were cut or replaced",
    [TRACEMALLOC_DUMP_LOST_PYTHON] =
        "Python frames were turned off because a check of the interpreter failed (%s)",
    [TRACEMALLOC_DUMP_LOST_NESTED] =
        "%s blocks that signal handlers allocated inside the tracer were not recorded",
    [TRACEMALLOC_DUMP_LOST_MEMORY] =
        "the tracer could not get memory for its tables (%s times)",
    [TRACEMALLOC_DUMP_LOST_NATIVE] =
        "%s native stacks could not be unwound to their end",
    [TRACEMALLOC_DUMP_LOST_DAMAGE] =
        "another program truncated the file while it was being written: %s pages",
    [TRACEMALLOC_DUMP_LOST_VERSION] =
        "this version of Python is not supported: native blocks only (%s)",
    [TRACEMALLOC_DUMP_LOST_CRAMPED] =
        "%s events have no native frames: the stack had too little room to unwind it",
    [TRACEMALLOC_DUMP_LOST_MALLOC] = "the process uses another allocator: some or all "
                                     "of libc's blocks are not recorded "
                                     "(%s functions)",
    [TRACEMALLOC_DUMP_LOST_TRACK] = "the interpreter's code could not be patched: "
                                    "memory that modules report, such as NumPy's, is "
                                    "not recorded (%s functions)",
    [TRACEMALLOC_DUMP_LOST_LATE] =
        "%s addresses by which libc is called could not be changed",
};

/* The cause of a reason, unless the header's `growth` names another one. */
static const char *const causes[TRACEMALLOC_DUMP_REASONS] = {
    [TRACEMALLOC_DUMP_LOST_STACKS] = "the table of stacks was full",
    [TRACEMALLOC_DUMP_LOST_BLOCKS] = "a table could not grow",
    [TRACEMALLOC_DUMP_LOST_FILE] = "the file could not grow",
    [TRACEMALLOC_DUMP_LOST_NAMES] = "the table of names was full",
};

/* By enum tracemalloc_dump_growth. */
static const char *const growths[] = {
    [TRACEMALLOC_DUMP_GROWTH_BOUND] =
        "the file reached its maximum size (TRACEMALLOC_MAX_FILE)",
    [TRACEMALLOC_DUMP_GROWTH_LIMIT] =
        "the file reached the process's file size limit (RLIMIT_FSIZE)",
    [TRACEMALLOC_DUMP_GROWTH_FULL] = "the disk was full",
    [TRACEMALLOC_DUMP_GROWTH_QUOTA] = "the disk quota was used up",
    [TRACEMALLOC_DUMP_GROWTH_NAME] = "the process could not reopen the file",
    [TRACEMALLOC_DUMP_GROWTH_MEMORY] =
        "there was no memory or address space left to map the file",
    [TRACEMALLOC_DUMP_GROWTH_IO] = "the file system could not store the file",
};

enum {
    BY_READER_MISSING = TRACEMALLOC_DUMP_REASONS,
    LOADED_LATE,
    BY_READER_DAMAGED,
    OVERFLOW_SEEN,
    END_OF_REASONS,
};

/* Whether `<overflow>` holds blocks although the header counts no lost stacks. */
static bool has_overflow(const struct dump_reader *reader) {
    if (reader->header.lost[TRACEMALLOC_DUMP_LOST_STACKS] != 0)
        return false;
    for (size_t i = 0; i < reader->bucket_count; i++) {
        uint32_t site = dump_bucket_site(&reader->buckets[i]);
        if (reader->buckets[i].live > 0 &&
            reader->sites[site].stack == TRACEMALLOC_DUMP_OVERFLOW_STACK)
            return true;
    }
    return false;
}

static uint64_t count_lost(const struct dump_reader *reader, size_t reason) {
    switch (reason) {
    case BY_READER_MISSING:
        return reader->missing;
    case LOADED_LATE:
        return reader->header.loaded_late;
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
    case LOADED_LATE:
        return "loaded late, at %s: what was allocated before is not known";
    case BY_READER_MISSING:
        return "the file is truncated: %s entries are missing";
    case BY_READER_DAMAGED:
        return "the file is damaged: %s of its entries are invalid";
    case OVERFLOW_SEEN:
        return "the table of stacks was full: what did not fit is shown as <overflow>";
    default:
        return reasons[reason] != NULL
                   ? reasons[reason]
                   : "data of a kind unknown to this version is missing (%s)";
    }
}

/* Writes `CAUSE: `, or the empty text. */
static void format_cause(const struct dump_reader *reader, size_t reason,
                         char text[COMPLETENESS_TEXT_SIZE]) {
    uint16_t growth = reader->header.growth, error = reader->header.growth_error;
    const char *cause = reason < TRACEMALLOC_DUMP_REASONS ? causes[reason] : NULL;
    bool known = growth > 0 && growth < sizeof growths / sizeof *growths;
    const char *detail =
        known && growth == TRACEMALLOC_DUMP_GROWTH_NAME ? strerrordesc_np(error) : NULL;
    text[0] = '\0';
    if (cause == NULL)
        return;
    if (known)
        cause = growths[growth];
    if (detail != NULL)
        snprintf(text, COMPLETENESS_TEXT_SIZE, "%s (%s): ", cause, detail);
    else
        snprintf(text, COMPLETENESS_TEXT_SIZE, "%s: ", cause);
}

bool completeness_next(const struct dump_reader *reader, size_t *at,
                       char text[COMPLETENESS_TEXT_SIZE]) {
    while (*at < END_OF_REASONS) {
        size_t reason = (*at)++;
        uint64_t lost = count_lost(reader, reason);
        if (lost == 0)
            continue;
        char number[DUMP_INFO_TIME_SIZE];
        if (reason == LOADED_LATE)
            dump_info_time(lost, number);
        else
            snprintf(number, sizeof number, "%" PRIu64, lost);
        format_cause(reader, reason, text);
        size_t length = strlen(text);
        /* The format is one of the constants above. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(text + length, COMPLETENESS_TEXT_SIZE - length, reason_format(reason),
                 number);
#pragma GCC diagnostic pop
        return true;
    }
    return false;
}
