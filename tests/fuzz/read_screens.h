/* SPDX-License-Identifier: MIT */
/* The terminal's reports on a dump that may hold anything. For the fuzzer and its unit
 * test; one thread. */
#pragma once

#include <stdio.h>

#include "profile/profile.h"

/* Trees, the live view and their printing, of one profile. */
void read_screens(const struct profile *profile, FILE *out);

/* The dump merged with itself, and its summaries. */
void read_merged(struct dump_reader *reader, FILE *out);
