/* SPDX-License-Identifier: MIT */
/* The bounds of a dump: whether what its entries name is there, and its numbers can be.
 *
 * For dump_reader, once for each dump, on the private copies that it made: a
 * wrong id becomes that of an empty entry, a wrong number 0. Any thread, no locks;
 * allocates.
 */
#pragma once

#include "base/compiler.h"
#include "dump/dump_contents.h"

/* Entries of zeros that follow those of each section; they stand in for what a cut file
 * does not hold. */
enum { DUMP_CHECK_SPARE = 16 };

/* Mends the entries, adds those that others fall back to, and counts what was wrong in
 * `damaged`. The header's fields and `state` have been read before. 0, or -ENOMEM. */
must_check int dump_check(struct dump_reader *reader);
