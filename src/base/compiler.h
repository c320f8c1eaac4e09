/* SPDX-License-Identifier: MIT */
/* What the code needs to know of the compiler and the build. Nothing generates
 * code. */
#pragma once

/* Whether assertions are on, and with them the checks that are more than one. */
#ifdef NDEBUG
#define DEVELOPER_BUILD 0
#else
#define DEVELOPER_BUILD 1
#endif

#define likely(condition) __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)

#define always_inline inline __attribute__((always_inline))
/* Keeps a rare path out of the registers and cache lines of a hot one. */
#define never_inline __attribute__((noinline))
#define cold_path __attribute__((noinline, cold))
/* Placed with other hot code, at the start of a cache line. */
#define hot_path __attribute__((hot, aligned(64)))
#define must_check __attribute__((warn_unused_result))
#define exported __attribute__((visibility("default")))
/* Data of another file of this library, which no other library can replace: accessed
 * directly, without the global offset table. */
#define internal __attribute__((visibility("hidden")))

/* A thread-local variable of a preloaded library, at a fixed distance from the thread
 * pointer: access never allocates. */
#define thread_local_fixed __thread __attribute__((tls_model("initial-exec")))
