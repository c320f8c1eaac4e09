/* SPDX-License-Identifier: MIT */
/* Opens a dump for the command.
 *
 * For offline code, any thread, no locks; allocates. A dump is data from a stranger: it
 * is copied into private memory, so that no other program can change or cut it
 * meanwhile, and every id in it is checked once, while it is opened. Afterwards each id
 * names an entry that is there, and parents come before their children. What was wrong
 * is emptied or replaced, and counted in `damaged`.
 *
 * A live dump changes while it is read. Sections are read from what refers to what is
 * referred to (buckets, sites, stacks, code, strings), each with a count taken just
 * before, so that nothing refers to an entry too new to be seen.
 */
#pragma once

#include "base/compiler.h"
#include "dump/dump_contents.h"

/* Opens and checks the dump at `path`, a regular file; never waits for a FIFO. 0, or
 * -errno: beside those of open(2) -EISDIR, -EINVAL for what is no file, -EBADMSG for
 * what is no dump, -ENOTSUP for a dump of another version, -EUCLEAN for a damaged
 * header, -EFBIG when it claims more than it holds, -ENOMEM. */
must_check int dump_reader_open(struct dump_reader **reader, const char *path);

/* The same for an open file, which stays open. */
must_check int dump_reader_open_fd(struct dump_reader **reader, int fd);

/* Whether its process may go on writing it: it runs, or cannot be seen from here. */
static inline bool dump_reader_may_run(const struct dump_reader *reader) {
    return reader->state == TRACEMALLOC_DUMP_TRACING ||
           reader->state == DUMP_READER_UNKNOWN;
}

/* The bytes that the sections of a file may have together, by its st_blocks. */
uint64_t dump_reader_budget(uint64_t blocks);

/* In words, for the errors of dump_reader_open. */
const char *dump_reader_strerror(int error);

/* NULL is allowed. */
void dump_reader_close(struct dump_reader *reader);
