/* SPDX-License-Identifier: MIT */
/* Chooses one sentence of advice, from what stands out in a dump. For offline code;
 * pure; any thread. */
#pragma once

#include "show/summary.h"

/* Sets `advice` of a summary that is open. */
void summary_advice_give(struct summary *summary);
