/* SPDX-License-Identifier: MIT */
/* Once, when the interpreter was found, before there is a second thread: leads the
 * calls of its own PyTraceMalloc_Track and its relatives to ours. */
#pragma once

void public_api_install(void);
