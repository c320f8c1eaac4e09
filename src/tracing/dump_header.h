/* SPDX-License-Identifier: MIT */
/* Writes into the dump's header whose memory it is. The lock of tracing's life is held
 * (traced_process_lock). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Everything, for a tracing that begins. frames_work: Python frames can be walked. */
void dump_header_describe(uint32_t nframe, bool frames_work);
/* What differs in the child of a fork: process, times, signal. */
void dump_header_describe_process(void);
