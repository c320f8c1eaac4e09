/* SPDX-License-Identifier: MIT */
/* Loads the library by the interpreter itself, where it runs scripts of others
 * (remote_script.h): as an extension module whose initialization begins to trace and
 * then fails.
 *
 * Offline code, one thread.
 */
#pragma once

#include <stdbool.h>

#include "process/attach_target.h"

/* Whether the process traces. If not, it is as it was: the interpreter has no such
 * interface, or the user turned that off, or its first thread runs no Python code for
 * half a second. */
bool attach_script_run(const struct attach_target *target,
                       const struct attach_request *request,
                       const volatile bool *is_interrupted);
