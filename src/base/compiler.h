/* SPDX-License-Identifier: MIT */
/* The compiler attributes that the code uses. Nothing here generates code. */
#pragma once

#define likely(condition) __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)

#define always_inline inline __attribute__((always_inline))
/* Keeps a rare path out of the registers and cache lines of a hot one. */
#define never_inline __attribute__((noinline))
#define cold_path __attribute__((noinline, cold))
#define must_check __attribute__((warn_unused_result))
#define exported __attribute__((visibility("default")))
/* Data of another file of this library, which no other library can replace: accessed
 * directly, without the global offset table. */
#define internal __attribute__((visibility("hidden")))

/* A thread-local variable of a preloaded library, at a fixed distance from the thread
 * pointer: access never allocates. */
#define thread_local_fixed __thread __attribute__((tls_model("initial-exec")))
