/* SPDX-License-Identifier: MIT */
/* Opens a dump for the command.
 *
 * For offline code, any thread, no locks; allocates. A dump is untrusted: it is copied
 * into private memory, so that no other program can change or truncate it, and every id
 * in it is checked once. Afterwards every id refers to an entry, and parents come
 * before their children. Invalid entries are cleared or repaired, and counted in
 * `damaged`.
 *
 * A live dump changes while it is read. Each section is read before those that it
 * refers to (buckets, sites, stacks, code, strings), with a count taken just before, so
 * that every id refers to an entry that was read.
 */
#pragma once

#include "base/compiler.h"
#include "dump/dump_contents.h"

/* Opens and checks the dump at `path`; never blocks on a FIFO. 0 or -errno: in addition
 * to the errors of open(2), -EISDIR; -EINVAL if it is not a regular file, -EBADMSG if
 * it is not a dump, -ENOTSUP if its byte order is another one, -EPROTONOSUPPORT if its
 * version is not the one that is read, -EUCLEAN if its header is damaged, -EFBIG if it
 * claims more entries than the file can contain, -ENOMEM. */
must_check int dump_reader_open(struct dump_reader **reader, const char *path);

/* The same for an open file, which stays open. */
must_check int dump_reader_open_fd(struct dump_reader **reader, int fd);

/* Whether the process may still be writing the dump: it is running, or cannot be seen
 * from here. */
static inline bool dump_reader_may_run(const struct dump_reader *reader) {
    return reader->state == TRACEMALLOC_DUMP_TRACING ||
           reader->state == DUMP_READER_UNKNOWN;
}

/* The most bytes that the sections of a file may have together, given its st_blocks. */
uint64_t dump_reader_budget(uint64_t blocks);

/* Describes an error of the last dump_reader_open of this thread, until the next. */
const char *dump_reader_strerror(int error);

/* `reader` may be NULL. */
void dump_reader_close(struct dump_reader *reader);
