/* SPDX-License-Identifier: MIT */
/* The text of a page before and after its data; NULL in a build without the page.
 * Constants; any thread. */
#pragma once

extern const char *const page_template_head;
extern const char *const page_template_tail;
