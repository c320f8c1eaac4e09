/* SPDX-License-Identifier: MIT */
/* Small dumps with a bit of everything, for the fuzzer's corpus and for tests. One
 * thread. */
#pragma once

#include "dump_maker.h"

/* Fills an open maker; the same seed makes the same dump. */
void random_dump_fill(struct dump_maker *maker, unsigned seed);
