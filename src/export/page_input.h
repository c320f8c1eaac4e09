/* SPDX-License-Identifier: MIT */
/* The content of a page: two folded trees of its dumps, aggregated at each point in
 * time that all of them have. For offline code; allocates; one thread at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "dump/frame_names.h"
#include "export/page_options.h"
#include "leak/leak_report.h"
#include "profile/folded_tree.h"
#include "profile/path_table.h"
#include "profile/profile.h"

enum { PAGE_INPUT_POINTS = 5, PAGE_INPUT_TREES = 2 };

struct page_input {
    const struct page_options *options;
    enum profile_point points[PAGE_INPUT_POINTS];
    size_t point_count;
    /* Columns of the table: bytes and blocks at each point in time and the allocations,
     * then, in a comparison, the same for the old dump. */
    unsigned columns;
    struct frame_names names;
    struct path_table table;
    struct folded_tree trees[PAGE_INPUT_TREES]; /* by direction */
    struct profile allocated;                   /* of the dump, or the newer one */
    struct leak_report leaks;                   /* the same dump's */
};

/* 0, or an error of page_write. Options and readers must outlive the input. */
must_check int page_input_open(struct page_input *input,
                               const struct page_options *options);

void page_input_close(struct page_input *input);
