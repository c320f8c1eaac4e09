/* SPDX-License-Identifier: MIT */
/* Writes what grows into the data of a page (see page_data.h). For offline code;
 * allocates; one thread at a time. */
#pragma once

#include "export/page_input.h"
#include "output/json_writer.h"

void page_growing_write(const struct page_input *input, struct json_writer *writer);
