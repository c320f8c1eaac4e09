/* SPDX-License-Identifier: MIT */
#include "trace/gate.h"

#include <sys/mman.h>

#include "base/sys.h"

struct gate gate __attribute__((aligned(MACHINE_MAX_PAGE)));

static bool prepared; /* outside the page, so that a child inherits it */

void gate_prepare(void) {
    prepared = sys_madvise(&gate, sizeof gate, MADV_WIPEONFORK) == 0;
    gate.is_own = true;
}

bool gate_is_wiped(void) {
    return prepared && !gate.is_own;
}

void gate_renew(void) {
    gate.is_own = true;
}
