/* SPDX-License-Identifier: MIT */
/* Redirects the calls that one library makes to a function of another to a function of
 * ours, in its own table of addresses, which no other library uses. Outside hooks,
 * after native_object_prepare. */
#pragma once

#include "base/compiler.h"

/* `inside` is an address in the library; `*before` becomes what its calls led to. 0;
 * -ENOENT if it makes no such call through a table; else what mprotect says. */
must_check int native_redirect(const void *inside, const char *name, void *to,
                               void **before);
