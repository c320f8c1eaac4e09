/* SPDX-License-Identifier: MIT */
/* What stands before and behind the data in a page; NULL in a build without the page.
 * Constants; any thread. */
#pragma once

extern const char *const page_template_head;
extern const char *const page_template_tail;
