/* SPDX-License-Identifier: MIT */
#include "random_dump.h"

#include <stdbool.h>
#include <stdlib.h>

enum { CODES = 12, STACKS = 60, NATIVE_STACKS = 16, SITES = 40, TYPES = 6 };

static uint32_t below(uint32_t limit) {
    return (uint32_t)rand() % limit;
}

static void add_native_frame(struct dump_maker *maker) {
    struct tracemalloc_dump_module module = {.start = 0x1000, .end = 0x9000};
    module.path = dump_maker_text(maker, "/usr/lib/libc.so.6");
    dump_maker_append(maker, TRACEMALLOC_DUMP_MODULES, &module);
    maker->header.native_nframe = below(3);
    for (uint32_t line = 0x1000; line < 0x1000 + NATIVE_STACKS; line++) {
        struct tracemalloc_dump_symbol symbol = {
            .function = module.path, .line = below(3), .address = line - line % 3};
        dump_maker_append(maker, TRACEMALLOC_DUMP_SYMBOLS, &symbol);
        dump_maker_stack(maker, 2 + below(STACKS - 2), TRACEMALLOC_DUMP_NATIVE, line);
    }
}

static void add_stacks(struct dump_maker *maker) {
    static const char *const names[] = {
        "/lib/a.py", "b.py", "caf\xc3\xa9.py", "\xed\xb3\xbf.py",
        "<string>",  "",     "\xff",           "<frozen importlib._bootstrap>"};
    uint32_t codes[CODES];
    for (uint32_t i = 0; i < CODES; i++)
        codes[i] = dump_maker_code(maker, names[below(8)], "function");
    for (uint32_t id = 2; id < STACKS; id++) {
        uint32_t parent = below(3) != 0 ? id - 1 : below(id);
        dump_maker_stack(maker, parent == 1 ? 0 : parent, codes[below(CODES)],
                         below(5));
    }
}

static void add_processes(struct dump_maker *maker) {
    struct tracemalloc_dump_process process = {
        .pid = 1 + below(1000), .argv = maker->header.argv, .state = 1 + below(6)};
    for (uint32_t count = below(3); count > 0; count--)
        dump_maker_append(maker, TRACEMALLOC_DUMP_PROCESSES, &process);
}

static void add_moments(struct dump_maker *maker) {
    for (uint64_t time = 0; time < 50; time++) {
        struct tracemalloc_dump_timeline_sample moment = {
            time * 1000000000, below(10000), below(10000), below(100000)};
        dump_maker_append(maker, TRACEMALLOC_DUMP_TIMELINE, &moment);
    }
}

static void add_bucket(struct dump_maker *maker, uint32_t site, bool falls) {
    uint64_t size = below(3) != 0 ? below(5) : below(300000);
    uint32_t bucket = dump_maker_bucket(maker, site, size, below(4), below(4));
    if (falls)
        dump_maker_peak(maker, bucket, below(6));
}

static void add_census(struct dump_maker *maker, uint32_t buckets) {
    static const char *const names[TYPES] = {"",     "dict", "a.B", "caf\xc3\xa9",
                                             "\xff", "b"};
    for (size_t i = 0; i < TYPES; i++) {
        struct tracemalloc_dump_type type = {.name = dump_maker_text(maker, names[i])};
        dump_maker_append(maker, TRACEMALLOC_DUMP_TYPES, &type);
    }
    for (uint32_t i = 0; i < buckets; i++) {
        struct tracemalloc_dump_census entry = {1 + i, below(TYPES), below(4)};
        dump_maker_append(maker, TRACEMALLOC_DUMP_CENSUS, &entry);
    }
    maker->header.census_time = maker->header.start_time;
    maker->header.census_unread = below(3);
}

void random_dump_fill(struct dump_maker *maker, unsigned seed) {
    srand(seed);
    maker->header.nframe = 1 + below(30);
    maker->header.finalized = below(2);
    maker->header.state = 1 + below(6);
    bool falls = below(2);
    add_stacks(maker);
    add_native_frame(maker);
    for (uint32_t i = 0; i < SITES; i++) {
        uint32_t site = dump_maker_site(maker, below(STACKS + NATIVE_STACKS), below(3));
        for (uint32_t buckets = 1 + below(3); buckets > 0; buckets--)
            add_bucket(maker, site, falls);
    }
    add_census(maker, SITES);
    add_moments(maker);
    add_processes(maker);
}
