/* SPDX-License-Identifier: MIT */
/* Leads the calls that one library makes to a function of another one to a function of
 * ours: in its own table of addresses, which nobody else uses. Outside hooks. */
#pragma once

#include "base/compiler.h"

/* `inside` is an address in the library. 0; -ENOENT when it does not call that; else
 * what mprotect says. */
must_check int native_redirect(const void *inside, const char *name, void *to);
