/* SPDX-License-Identifier: MIT */
/* dlclose, after which other code may be where a module was, and dl_iterate_phdr, which
 * libunwind calls in the middle of an event: there it may not wait for the loader's
 * lock, whose holder may be waiting for the tracer's. */
#include <dlfcn.h>
#include <link.h>

#include "base/compiler.h"
#include "preload/libc_real.h"
#include "stack/native_rows.h"
#include "stack/native_unwind.h"

exported int dlclose(void *handle) {
    if (!libc_real_ready())
        return -1;
    native_rows_closing(true);
    int status = libc_real.dlclose(handle);
    native_rows_closing(false);
    return status;
}

exported int dl_iterate_phdr(int (*callback)(struct dl_phdr_info *info, size_t size,
                                             void *data),
                             void *data) {
    if (unlikely(native_unwind_address != 0))
        return native_unwind_iterate(callback, data);
    return libc_real_ready() ? libc_real.dl_iterate_phdr(callback, data) : 0;
}
