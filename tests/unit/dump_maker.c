/* SPDX-License-Identifier: MIT */
#include "dump_maker.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dump/dump_sections.h"

enum { PAGE = 4096, VERSION_3_11_7 = 0x030b07f0, LEAF_LINES = 5, SIZES_PER_LINE = 2 };

static uint32_t entry_size(int section) {
    return dump_sections_row((unsigned)section)->entry_size;
}

static void require(int holds, const char *what) {
    if (holds)
        return;
    perror(what);
    exit(2);
}

/* Appends bytes to a section; returns where they begin. */
static size_t append(struct dump_maker *maker, int section, const void *bytes,
                     size_t size) {
    size_t at = maker->sections[section].size, end = at + size;
    if (end > maker->sections[section].room) {
        maker->sections[section].room = end * 2;
        maker->sections[section].bytes =
            realloc(maker->sections[section].bytes, end * 2);
        require(maker->sections[section].bytes != NULL, "realloc");
    }
    memcpy(maker->sections[section].bytes + at, bytes, size);
    maker->sections[section].size = end;
    return at;
}

uint32_t dump_maker_append(struct dump_maker *maker, int section, const void *entry) {
    return (uint32_t)(append(maker, section, entry, entry_size(section)) /
                      entry_size(section));
}

uint32_t dump_maker_bytes(struct dump_maker *maker, const void *bytes, size_t length) {
    static const char zeros[4];
    uint32_t stored = (uint32_t)length;
    size_t at = append(maker, TRACEMALLOC_DUMP_STRINGS, &stored, sizeof stored);
    append(maker, TRACEMALLOC_DUMP_STRINGS, bytes, length);
    append(maker, TRACEMALLOC_DUMP_STRINGS, zeros, 4 - length % 4);
    return (uint32_t)at;
}

uint32_t dump_maker_text(struct dump_maker *maker, const char *text) {
    return dump_maker_bytes(maker, text, strlen(text));
}

uint32_t dump_maker_code(struct dump_maker *maker, const char *filename,
                         const char *name) {
    struct tracemalloc_dump_code code = {.filename = dump_maker_text(maker, filename),
                                         .name = dump_maker_text(maker, name)};
    return dump_maker_append(maker, TRACEMALLOC_DUMP_CODE, &code);
}

uint32_t dump_maker_stack(struct dump_maker *maker, uint32_t parent, uint32_t code,
                          uint32_t line) {
    struct tracemalloc_dump_stack stack = {
        .parent = parent, .code = code, .line = line};
    return dump_maker_append(maker, TRACEMALLOC_DUMP_STACKS, &stack);
}

uint32_t dump_maker_site(struct dump_maker *maker, uint32_t stack, uint32_t domain) {
    struct tracemalloc_dump_site site = {.stack = stack, .domain = domain};
    return dump_maker_append(maker, TRACEMALLOC_DUMP_SITES, &site);
}

void *dump_maker_entry(struct dump_maker *maker, int section, uint32_t id) {
    return maker->sections[section].bytes + (size_t)id * entry_size(section);
}

uint32_t dump_maker_bucket(struct dump_maker *maker, uint32_t site, uint64_t size,
                           uint32_t live, uint32_t at_exit) {
    struct tracemalloc_dump_site *sums =
        dump_maker_entry(maker, TRACEMALLOC_DUMP_SITES, site);
    struct tracemalloc_dump_bucket bucket = {
        .site = site | (sums->domain != 0 ? TRACEMALLOC_DUMP_NOT_PYTHON : 0),
        .live = live,
        .size = size,
        .at_exit = at_exit,
        .total = live + at_exit,
        .stamp = UINT32_MAX};
    maker->header.python_bytes += live * size;
    maker->header.peak_bytes += live * size;
    return dump_maker_append(maker, TRACEMALLOC_DUMP_BUCKETS, &bucket);
}

void dump_maker_peak(struct dump_maker *maker, uint32_t id, uint32_t live) {
    struct tracemalloc_dump_bucket *bucket =
        dump_maker_entry(maker, TRACEMALLOC_DUMP_BUCKETS, id);
    maker->header.peak_bytes += bucket->size * live - bucket->size * bucket->live;
    bucket->peak_live = live;
    bucket->stamp = maker->header.stamp = maker->header.peak_number;
}

void dump_maker_epoch(struct dump_maker *maker, uint64_t start, uint32_t stamp) {
    struct tracemalloc_dump_epoch epoch = {.start = start, .stamp = stamp};
    dump_maker_append(maker, TRACEMALLOC_DUMP_EPOCHS, &epoch);
    maker->header.stamp = stamp;
}

static void add_domain(struct dump_maker *maker, uint32_t number, const char *name) {
    struct tracemalloc_dump_domain domain = {number, dump_maker_text(maker, name)};
    dump_maker_append(maker, TRACEMALLOC_DUMP_DOMAINS, &domain);
}

static void fill_header(struct tracemalloc_dump_header *header) {
    memcpy(header->magic, TRACEMALLOC_DUMP_MAGIC, sizeof header->magic);
    header->byte_order = TRACEMALLOC_DUMP_BYTE_ORDER;
    header->version = TRACEMALLOC_DUMP_VERSION;
    header->header_size = sizeof *header;
    header->section_count = TRACEMALLOC_DUMP_SECTIONS;
    header->pid = 4194303;
    header->ppid = 1;
    header->start_time = 1700000000123456789u;
    header->end_time = 1700000001000000000u;
    header->implementation = TRACEMALLOC_DUMP_CPYTHON;
    header->python_version = VERSION_3_11_7;
    header->nframe = 25;
    header->state = TRACEMALLOC_DUMP_EXITED;
    header->oom_killed = -1;
}

void dump_maker_open(struct dump_maker *maker) {
    static const char arguments[] = "python3\0app.py";
    struct tracemalloc_dump_stack overflow = {.code = 1};
    *maker = (struct dump_maker){0};
    fill_header(&maker->header);
    dump_maker_text(maker, "");
    dump_maker_code(maker, "", "");
    dump_maker_code(maker, "<overflow>", "");
    dump_maker_stack(maker, 0, 0, 0);
    dump_maker_append(maker, TRACEMALLOC_DUMP_STACKS, &overflow);
    add_domain(maker, TRACEMALLOC_DUMP_DOMAIN_PYTHON, "python");
    add_domain(maker, TRACEMALLOC_DUMP_DOMAIN_LIBC, "libc");
    add_domain(maker, TRACEMALLOC_DUMP_DOMAIN_MMAP, "mmap");
    dump_maker_append(maker, TRACEMALLOC_DUMP_BUCKETS,
                      &(struct tracemalloc_dump_bucket){0});
    maker->header.argv = dump_maker_bytes(maker, arguments, sizeof arguments);
    maker->header.executable = dump_maker_text(maker, "/usr/bin/python3");
}

void dump_maker_close(struct dump_maker *maker) {
    for (int section = 0; section < TRACEMALLOC_DUMP_SECTIONS; section++)
        free(maker->sections[section].bytes);
}

static uint64_t round_up(uint64_t size) {
    return (size + PAGE - 1) / PAGE * PAGE;
}

/* The first page of a section is one extent, the rest another. */
static uint64_t lay_out(struct tracemalloc_dump_section *section, uint64_t size,
                        uint64_t at) {
    uint64_t first = size < PAGE ? size : PAGE;
    for (uint64_t part = first; part > 0; part = size - first) {
        struct tracemalloc_dump_extent *extent =
            &section->extents[section->extent_count++];
        *extent = (struct tracemalloc_dump_extent){at, round_up(part)};
        at += extent->length;
        if (section->extent_count == 2)
            break;
    }
    return at;
}

static void copy_section(unsigned char *image,
                         const struct tracemalloc_dump_section *section,
                         const unsigned char *bytes, size_t size) {
    for (uint32_t i = 0; i < section->extent_count; i++) {
        uint64_t length = section->extents[i].length;
        length = length < size ? length : size;
        memcpy(image + section->extents[i].offset, bytes, length);
        bytes += length;
        size -= length;
    }
}

unsigned char *dump_maker_image(const struct dump_maker *maker, size_t *size) {
    struct tracemalloc_dump_header header = maker->header;
    uint64_t at = TRACEMALLOC_DUMP_HEADER_SIZE;
    for (int id = 0; id < TRACEMALLOC_DUMP_SECTIONS_USED; id++) {
        struct tracemalloc_dump_section *section = &header.sections[id];
        section->entry_size = entry_size(id);
        if (maker->sections[id].size == 0)
            continue;
        section->count = maker->sections[id].size / entry_size(id);
        at = lay_out(section, maker->sections[id].size, at);
    }
    header.file_size = at;
    unsigned char *image = calloc(at, 1);
    require(image != NULL, "calloc");
    memcpy(image, &header, sizeof header);
    for (int id = 0; id < TRACEMALLOC_DUMP_SECTIONS; id++)
        copy_section(image, &header.sections[id], maker->sections[id].bytes,
                     maker->sections[id].size);
    *size = at;
    return image;
}

static void write_all(int fd, const unsigned char *bytes, size_t size) {
    while (size > 0) {
        ssize_t written = write(fd, bytes, size);
        require(written > 0, "write");
        bytes += written;
        size -= (size_t)written;
    }
}

int dump_maker_memory_file(const void *bytes, size_t size) {
    int fd = memfd_create("dump", MFD_CLOEXEC);
    require(fd >= 0, "memfd_create");
    write_all(fd, bytes, size);
    return fd;
}

void dump_maker_write(const struct dump_maker *maker, const char *path) {
    size_t size;
    unsigned char *image = dump_maker_image(maker, &size);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    require(fd >= 0, path);
    write_all(fd, image, size);
    close(fd);
    free(image);
}

void dump_maker_fill(struct dump_maker *maker, uint32_t buckets) {
    uint32_t code = dump_maker_code(maker, "generated/deep.py", "deep"), root = 0;
    for (uint32_t i = 0; i < 20; i++)
        root = dump_maker_stack(maker, root, code, i + 1);
    for (uint32_t made = 0; made < buckets;) {
        char name[40];
        snprintf(name, sizeof name, "generated/leaf_%u.py", made % 97);
        if (made % 1000 == 0)
            code = dump_maker_code(maker, name, "leaf");
        uint32_t caller = root;
        for (uint32_t level = 0; level < 4; level++)
            caller = dump_maker_stack(maker, caller, code, made % 1000 + level);
        for (uint32_t line = 0; line < LEAF_LINES && made < buckets; line++) {
            uint32_t stack =
                dump_maker_stack(maker, caller, code, 10 + made % 500 + line);
            uint32_t site =
                dump_maker_site(maker, stack, TRACEMALLOC_DUMP_DOMAIN_PYTHON);
            for (uint32_t size = 0; size < SIZES_PER_LINE && made < buckets;
                 size++, made++)
                dump_maker_bucket(maker, site, 40 + 500 * size + made % 89, 1, 0);
        }
    }
}
