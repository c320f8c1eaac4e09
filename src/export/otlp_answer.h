/* SPDX-License-Identifier: MIT */
/* What a Collector answers to profiles that it takes. For offline code; allocates; any
 * thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* Returns how many profiles it rejected, with its reason in `text`; 0 if it took all,
 * -EBADMSG if the bytes are no such answer. */
must_check int64_t otlp_answer_read(const void *bytes, size_t size, char *text,
                                    size_t text_size);
