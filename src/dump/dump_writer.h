/* SPDX-License-Identifier: MIT */
/* Writes a dump that was read, or merged in memory, as a file again. For offline code;
 * one thread at a time. */
#pragma once

#include "base/compiler.h"
#include "dump/dump_contents.h"

/* Writes to an empty file; the header last, so that a broken one is no dump. What the
 * reader found missing or damaged is counted in it. 0 or -errno. */
must_check int dump_writer_write(const struct dump_reader *reader, int fd);
