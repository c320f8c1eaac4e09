/* SPDX-License-Identifier: MIT */
#include <stddef.h>

#include "export/page_template.h"

const char *const page_template_head = NULL;
const char *const page_template_tail = NULL;
