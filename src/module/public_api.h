/* SPDX-License-Identifier: MIT */
/* Once, when the interpreter was found, before there is a second thread: leads the
 * calls of its own PyTraceMalloc_Track and its relatives to ours. */
#pragma once

/* How many functions could not be led to us: modules that call them report memory in
 * vain. */
unsigned public_api_install(void);
