/* SPDX-License-Identifier: MIT */
/* What a filter of system calls (seccomp(2)) does with a call, found without making
 * it: an interpreter of the instructions that the kernel accepts in one. libpcap's
 * reads its input as a network packet.
 *
 * Offline code, any thread; allocates nothing.
 */
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>

/* SECCOMP_RET_KILL_PROCESS if the program is none that the kernel accepts. */
uint32_t seccomp_filter_run(const struct sock_filter *program, size_t count,
                            const struct seccomp_data *data);
