/* SPDX-License-Identifier: MIT */
/* Where no thread can be made to call a function: see meson.build. */
#include "output/failure.h"
#include "process/attach.h"

int attach_process(const struct attach_request *request) {
    return failure_print(
        "cannot attach to process %d: only on x86-64; start the program "
        "with tracemalloc run",
        (int)request->pid);
}
