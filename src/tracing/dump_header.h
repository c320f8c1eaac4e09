/* SPDX-License-Identifier: MIT */
/* Describes the traced process in the dump's header. Under traced_process_lock. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Writes everything, when tracing begins. frames_work: Python frames can be walked. */
void dump_header_describe(uint32_t nframe, bool frames_work);
/* Writes what differs in the child of a fork: process, times, signal. */
void dump_header_describe_process(void);
