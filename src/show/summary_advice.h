/* SPDX-License-Identifier: MIT */
/* A plain sentence on what to look at next, from what stands out in a dump. For offline
 * code; pure; any thread. */
#pragma once

#include "show/summary.h"

/* Fills `advice` of a summary that is filled in otherwise. */
void summary_advice_give(struct summary *summary);
