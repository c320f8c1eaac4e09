/* SPDX-License-Identifier: MIT */
/* What a page is asked to show. For offline code. */
#pragma once

#include <stdbool.h>

#include "dump/dump_reader.h"
#include "profile/filter.h"
#include "profile/profile.h"

struct page_options {
    const struct dump_reader *reader;
    const struct dump_reader *old; /* to compare with; NULL: none */
    const char *name;              /* of the dump, for the title */
    enum profile_point point;      /* that the page opens with */
    const struct filter *filter;
    bool by_process; /* the first frame is the process */
    double share;    /* of the total: what is below is folded */
};
