/* SPDX-License-Identifier: MIT */
/* Checks that every id in a dump refers to an entry, and that its numbers are
 * plausible.
 *
 * For dump_reader, once for each dump, on its private copy: an invalid id is replaced
 * by that of an empty entry, an invalid number by 0. Any thread, no locks; allocates.
 */
#pragma once

#include "base/compiler.h"
#include "dump/dump_contents.h"

/* Zeroed entries allocated after those of each section. They replace the entries that
 * every dump must have if a truncated file lacks them. */
enum { DUMP_CHECK_SPARE = 16 };

/* Repairs the entries, adds those that invalid ids are replaced by, and counts the
 * invalid ones in `damaged`. The header and `state` must be set. 0 or -ENOMEM. */
must_check int dump_check(struct dump_reader *reader);
