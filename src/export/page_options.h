/* SPDX-License-Identifier: MIT */
/* The options of a page. For offline code. */
#pragma once

#include <stdbool.h>

#include "dump/dump_reader.h"
#include "profile/filter.h"
#include "profile/profile.h"

struct page_options {
    const struct dump_reader *reader;
    const struct dump_reader *old; /* to compare with; NULL if there is none */
    const char *name;              /* of the dump, for the title */
    enum profile_point point;      /* selected when the page opens */
    const struct filter *filter;
    bool by_process; /* the outermost frame is the process */
    double share;    /* of the total; smaller calls are folded */
};
