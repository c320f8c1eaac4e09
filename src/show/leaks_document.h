/* SPDX-License-Identifier: MIT */
/* What `leaks` prints: the report of some dumps, and of those that were given in
 * several copies what differs. All of it belongs to the caller. */
#pragma once

#include "dump/dump_reader.h"
#include "dump/frame_names.h"
#include "leak/leak_copies.h"
#include "leak/leak_report.h"

struct leaks_document {
    const struct leak_report *report;
    const struct frame_names *names;
    struct dump_reader *const *readers;
    int reader_count;
    const struct leak_copies *copies;
    int copies_count;
};
