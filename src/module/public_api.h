/* SPDX-License-Identifier: MIT */
/* Redirects calls of the interpreter's own PyTraceMalloc functions to ours. Once, when
 * the interpreter was found, before there is a second thread. */
#pragma once

/* The number of functions that could not be redirected: what modules report by them is
 * not recorded. */
unsigned public_api_install(void);
