/* SPDX-License-Identifier: MIT */
/* Which build this is: constants of the library and of the command, which need not come
 * from the same build. Any thread. */
#pragma once

extern const char build_version[];     /* such as 0.2.0 */
extern const char build_description[]; /* its commit or `release`, its compiler, and
                                        * what else distinguishes it */
extern const char build_machine[];     /* the architecture: x86_64, aarch64 */
