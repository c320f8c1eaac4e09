/* SPDX-License-Identifier: MIT */
/* Where native stacks cannot be walked: see src/stack/meson.build. */
#include "event/event_native.h"

#include "base/message.h"
#include "tracemalloc_dump.h"

struct event_native event_native;

void event_native_prepare(const struct options *options) {
    if (options->native_frames != 0)
        message("native frames need x86-64; there are none", NULL);
}

uint32_t event_native_limit(void) {
    return 0;
}

void event_native_open(const struct python_layout *layout) {
    (void)layout;
}

void event_native_close(void) {}

void event_native_forget(void) {}

/* Never called: nothing enables native frames. */
uint32_t event_native_capture(struct event_guard guard, bool with_gil) {
    (void)guard;
    (void)with_gil;
    return TRACEMALLOC_DUMP_EMPTY_STACK;
}
