/* SPDX-License-Identifier: MIT */
/* Writes a dump that was read or merged to a file. For offline code; one thread at a
 * time. */
#pragma once

#include "base/compiler.h"
#include "dump/dump_contents.h"

/* Writes to an empty file, the header last, so that an incomplete file is not a dump.
 * The header counts what the reader found missing or damaged. 0 or -errno. */
must_check int dump_writer_write(const struct dump_reader *reader, int fd);
