/* SPDX-License-Identifier: MIT */
/* What a tree of a page holds, by the epoch of its birth: the page sums the epochs of
 * the range that is drawn on its timeline. For offline code; allocates; one thread at a
 * time. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "collection/id_map.h"
#include "export/page_input.h"
#include "output/json_writer.h"
#include "profile/estimate.h"

struct page_births {
    /* Entries of the tree (first) and epochs of the dump (second), by number. */
    struct id_map pairs;
    struct estimate *sums; /* by number and point in time */
    size_t capacity;       /* numbers */
    size_t points;
};

/* 0 or -ENOMEM; to be closed in both cases. The page is of one dump. */
must_check int page_births_open(struct page_births *births,
                                const struct page_input *input,
                                const struct folded_tree *tree);
/* Adds the key `births` (see page_data.h). */
void page_births_write(const struct page_births *births, struct json_writer *writer);
void page_births_close(struct page_births *births);
