/* SPDX-License-Identifier: MIT */
/* Makes dumps for tests: small ones by hand, a large one, and damaged ones.
 *
 * Allocates; one thread. Ids are those of the format; entry 0 of each section and
 * `<overflow>` are there from the start, and so are the domains python, libc and mmap.
 * What cannot be made ends the test program.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "tracemalloc_dump.h"

struct dump_maker {
    struct tracemalloc_dump_header header;
    struct {
        unsigned char *bytes;
        size_t size;
        size_t room;
    } sections[TRACEMALLOC_DUMP_SECTIONS];
};

/* A dump of a program that exited with status 0, Python 3.11.7, 25 frames. */
void dump_maker_open(struct dump_maker *maker);
void dump_maker_close(struct dump_maker *maker);

uint32_t dump_maker_bytes(struct dump_maker *maker, const void *bytes, size_t length);
uint32_t dump_maker_text(struct dump_maker *maker, const char *text);
uint32_t dump_maker_code(struct dump_maker *maker, const char *filename,
                         const char *name);
uint32_t dump_maker_stack(struct dump_maker *maker, uint32_t parent, uint32_t code,
                          uint32_t line);
uint32_t dump_maker_site(struct dump_maker *maker, uint32_t stack, uint32_t domain);

/* An entry of any section. */
uint32_t dump_maker_append(struct dump_maker *maker, int section, const void *entry);

/* Blocks of one size, as many at the peak as are live; the header's sums follow. */
uint32_t dump_maker_bucket(struct dump_maker *maker, uint32_t site, uint64_t size,
                           uint32_t live, uint32_t at_exit);

/* An epoch of the header's process, after those that there are. */
void dump_maker_epoch(struct dump_maker *maker, uint64_t start, uint32_t stamp);

/* Blocks that a bucket held at the peak, which was before: all buckets together have to
 * have held as many bytes then as are live, or readers take the present for the
 * peak. */
void dump_maker_peak(struct dump_maker *maker, uint32_t bucket, uint32_t live);

/* An entry by its id, to be changed; valid until the next one is made. */
void *dump_maker_entry(struct dump_maker *maker, int section, uint32_t id);

/* The dump as bytes, each section in two extents; to be freed. */
unsigned char *dump_maker_image(const struct dump_maker *maker, size_t *size);

/* Files for such bytes: without a name, or with one. */
int dump_maker_memory_file(const void *bytes, size_t size);
void dump_maker_write(const struct dump_maker *maker, const char *path);

/* `buckets` blocks of different sizes and tracebacks, 25 frames deep and more. */
void dump_maker_fill(struct dump_maker *maker, uint32_t buckets);
