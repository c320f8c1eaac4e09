/* SPDX-License-Identifier: MIT */
/* libtracemalloc, for programs that embed Python and for allocators of their own.
 *
 * The library is preloaded; a program need not be linked with it. Each function is
 * declared weak, and is NULL if the library is absent:
 *
 *     if (tracemalloc_is_tracing != NULL && tracemalloc_is_tracing())
 *         tracemalloc_snapshot("before.dump");
 *
 * All functions may be called from any thread, with or without the GIL, but not from a
 * signal handler. They return 0 or more, or -errno; errno is unchanged. Sizes are in
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
 * dump. -EALREADY if tracing is on, -EINVAL for a bad number, -ENOTSUP in a process
 * without Python, -ENOMEM. */
TRACEMALLOC_API int tracemalloc_start(unsigned nframe);

/* Stops tracing and seals the dump. -EALREADY if tracing is off. */
TRACEMALLOC_API int tracemalloc_stop(void);

/* 1 if tracing is on, else 0. */
TRACEMALLOC_API int tracemalloc_is_tracing(void);

/* Forgets all blocks that were traced so far. -EALREADY if tracing is off. */
TRACEMALLOC_API int tracemalloc_clear(void);

/* Bytes in traced blocks of the Python domains, now and at the peak so far; both 0 if
 * tracing is off. Pointers may be NULL. */
TRACEMALLOC_API void tracemalloc_get_traced_memory(uint64_t *current, uint64_t *peak);

/* All domains together. */
struct tracemalloc_totals {
    uint64_t bytes;       /* in traced blocks now */
    uint64_t peak_bytes;  /* at the peak since the start or tracemalloc_reset_peak */
    uint64_t allocations; /* so far, also of blocks that were freed */
};

/* In a sampled process bytes are estimates, and allocations those of the sample.
 * -EALREADY if tracing is off. Takes a millisecond for 100,000 allocation sites. */
TRACEMALLOC_API int tracemalloc_get_totals(struct tracemalloc_totals *totals);

/* The peaks begin anew with what is live now: those of the functions above and that of
 * the dump, which reports show. -EALREADY if tracing is off. */
TRACEMALLOC_API int tracemalloc_reset_peak(void);

/* Writes the dump as it is now to a new file, with mode 0600 and the state "snapshot".
 * -EEXIST if the file exists, -EALREADY if tracing is off, or the error of the file
 * system. */
TRACEMALLOC_API int tracemalloc_snapshot(const char *path);

/* Records a block of the caller's own allocator, [pointer, pointer + size), with the
 * current stack, in the domain of this number. Replaces a block that is already tracked
 * there; a block of malloc moves to the domain, and counts once. -EALREADY if tracing
 * is off, -ENOMEM. */
TRACEMALLOC_API int tracemalloc_track(unsigned domain, uintptr_t pointer, size_t size);

/* Forgets the block: called before it is freed. 0, also if it is not tracked; -EALREADY
 * if tracing is off. */
TRACEMALLOC_API int tracemalloc_untrack(unsigned domain, uintptr_t pointer);

#ifdef __cplusplus
}
#endif
