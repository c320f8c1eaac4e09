/* SPDX-License-Identifier: MIT */
/* The functions of <tracemalloc.h> in a program without Python: all refuse, and it runs
 * on. The status is 0 when each says what the header promises; without the library
 * there is none to ask. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>

#include "tracemalloc.h"

static int refused(void) {
    uint64_t current = 1, peak = 1;
    struct tracemalloc_totals totals = {1, 1, 1};
    tracemalloc_get_traced_memory(&current, &peak);
    return tracemalloc_start(25) == -ENOTSUP && tracemalloc_start(0) == -EINVAL &&
           tracemalloc_start(65536) == -EINVAL && tracemalloc_stop() == -EALREADY &&
           tracemalloc_is_tracing() == 0 && tracemalloc_clear() == -EALREADY &&
           tracemalloc_snapshot("never.dump") == -EALREADY &&
           tracemalloc_reset_peak() == -EALREADY &&
           tracemalloc_get_totals(&totals) == -EALREADY && totals.bytes == 0 &&
           tracemalloc_track(1, 64, 64) == -EALREADY &&
           tracemalloc_untrack(1, 64) == -EALREADY && current == 0 && peak == 0;
}

int main(void) {
    errno = EXDEV;
    int present = tracemalloc_start != NULL;
    int well = !present || refused();
    well = well && errno == EXDEV;
    puts(present ? "with" : "without");
    return !well;
}
