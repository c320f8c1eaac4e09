/* SPDX-License-Identifier: MIT */
/* A summary for people, on one screen. For offline code; one thread; write errors stay
 * in the stream. */
#pragma once

#include "output/terminal.h"
#include "show/summary.h"

void summary_text_print(const struct terminal *terminal, const struct summary *summary);
