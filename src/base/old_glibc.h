/* SPDX-License-Identifier: MIT */
/* Binds what glibc 2.34 moved into libc.so.6 by the versions that it had before, so
 * that one build of the library runs with glibc 2.17 and later. The compiler includes
 * this file before every other if libc is glibc; a lint reads the versions that the
 * library needs.
 *
 * Each of these functions is the same in all versions. Those of libdl.so.2 and
 * libpthread.so.0 are found because the library names these objects too; since 2.34
 * they are empty. Without libpthread a program that has no threads would lack what our
 * hooks of pthread_key_create and pthread_sigmask call. */
#pragma once

/* No header of libc may come before a file's own macros. */
#if defined(__x86_64__) && !defined(PORTABLE_GLIBC)
#define OLD_GLIBC(name, version) __asm__(".symver " #name ", " #name "@GLIBC_" version);
OLD_GLIBC(dladdr, "2.2.5")
OLD_GLIBC(dladdr1, "2.3.3")
OLD_GLIBC(dlclose, "2.2.5")
OLD_GLIBC(dlerror, "2.2.5")
OLD_GLIBC(dlopen, "2.2.5")
OLD_GLIBC(dlsym, "2.2.5")
OLD_GLIBC(dlvsym, "2.2.5")
OLD_GLIBC(pthread_setspecific, "2.2.5")
#undef OLD_GLIBC
#endif
