/* SPDX-License-Identifier: MIT */
/* libtracemalloc, for programs that embed Python and for allocators of their own.
 *
 * The library is preloaded; a program need not be linked with it. Declared weak, each
 * function is NULL where the library is absent:
 *
 *     if (tracemalloc_is_tracing != NULL && tracemalloc_is_tracing())
 *         tracemalloc_snapshot("before.dump");
 *
 * All functions may be called from any thread, with or without the GIL, but not from a
 * signal handler. They return 0 or more, or -errno; errno stays as it was. Sizes are in
 * bytes.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef TRACEMALLOC_API
#define TRACEMALLOC_API __attribute__((weak))
#endif

/* Starts tracing, with tracebacks of at most nframe frames (1 to 65535), into a new
 * dump. -EALREADY when tracing, -EINVAL for a bad number, -ENOTSUP in a process without
 * Python, -ENOMEM. */
TRACEMALLOC_API int tracemalloc_start(unsigned nframe);

/* Stops tracing and seals the dump. -EALREADY when not tracing. */
TRACEMALLOC_API int tracemalloc_stop(void);

/* 1 or 0. */
TRACEMALLOC_API int tracemalloc_is_tracing(void);

/* Forgets all blocks that were traced so far. -EALREADY when not tracing. */
TRACEMALLOC_API int tracemalloc_clear(void);

/* Bytes in traced blocks of the Python domains, now and at most so far; both 0 when not
 * tracing. Pointers may be NULL. */
TRACEMALLOC_API void tracemalloc_get_traced_memory(uint64_t *current, uint64_t *peak);

/* Writes the dump as it is now to a new file, of mode 0600 and in state "snapshot".
 * -EEXIST when there is such a file, -EALREADY when not tracing, or what the file
 * system says. */
TRACEMALLOC_API int tracemalloc_snapshot(const char *path);

/* A block of an allocator of the caller's: [pointer, pointer + size) belongs to the
 * present stack, in a domain of the caller's own number. A block that is already
 * tracked in that domain is replaced; one that malloc gave is moved to the domain, and
 * counted once. -EALREADY when not tracing, -ENOMEM. */
TRACEMALLOC_API int tracemalloc_track(unsigned domain, uintptr_t pointer, size_t size);

/* Before the block is given back. 0, also when it is not tracked; -EALREADY when not
 * tracing. */
TRACEMALLOC_API int tracemalloc_untrack(unsigned domain, uintptr_t pointer);

#ifdef __cplusplus
}
#endif
