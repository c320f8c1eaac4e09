/* SPDX-License-Identifier: MIT */
/* An allocator that tells libtracemalloc of its blocks, and runs as well without it.
 *
 * One large block of malloc is cut into pieces, so that a tracer of malloc alone sees
 * nothing of who takes them. A program that embeds Python does the same; here Python
 * loads this file by ctypes. The functions of <tracemalloc.h> are weak: each is NULL
 * where the library is not preloaded.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "tracemalloc.h"

#define visible __attribute__((visibility("default")))

/* Of the allocator's own choosing; NumPy's, for one, is 389047. */
enum { DOMAIN_NUMBER = 4711, PIECES = 64, PIECE = 1024 };

static char *pool;
static unsigned char taken[PIECES];

int example_is_traced(void);
void *example_take(size_t size);
void example_give_back(void *pointer);
int example_start(unsigned nframe);
int example_stop(void);
int example_clear(void);
int example_snapshot(const char *path);
int64_t example_traced_bytes(void);

visible int example_is_traced(void) {
    return tracemalloc_is_tracing != NULL && tracemalloc_is_tracing();
}

/* NULL when the pool is full or the size too large. That a block could not be tracked
 * is no reason to fail. */
visible void *example_take(size_t size) {
    if (pool == NULL)
        pool = malloc((size_t)PIECES * PIECE);
    if (pool == NULL || size > PIECE)
        return NULL;
    for (size_t at = 0; at < PIECES; at++)
        if (!taken[at]) {
            taken[at] = 1;
            if (tracemalloc_track != NULL)
                (void)tracemalloc_track(DOMAIN_NUMBER, (uintptr_t)pool + at * PIECE,
                                        size);
            return pool + at * PIECE;
        }
    return NULL;
}

/* The block is forgotten before somebody else can get its address. */
visible void example_give_back(void *pointer) {
    if (tracemalloc_untrack != NULL)
        (void)tracemalloc_untrack(DOMAIN_NUMBER, (uintptr_t)pointer);
    taken[((char *)pointer - pool) / PIECE] = 0;
}

visible int example_start(unsigned nframe) {
    return tracemalloc_start != NULL ? tracemalloc_start(nframe) : -ENOSYS;
}

visible int example_stop(void) {
    return tracemalloc_stop != NULL ? tracemalloc_stop() : -ENOSYS;
}

visible int example_clear(void) {
    return tracemalloc_clear != NULL ? tracemalloc_clear() : -ENOSYS;
}

visible int example_snapshot(const char *path) {
    return tracemalloc_snapshot != NULL ? tracemalloc_snapshot(path) : -ENOSYS;
}

visible int64_t example_traced_bytes(void) {
    uint64_t current = 0;
    if (tracemalloc_get_traced_memory != NULL)
        tracemalloc_get_traced_memory(&current, NULL);
    return (int64_t)current;
}
