/* SPDX-License-Identifier: MIT */
#include "dump/dump_file.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/machine.h"
#include "base/sys.h"
#include "dump/dump_fork.h"
#include "dump/dump_growth.h"
#include "dump/dump_name.h"
#include "dump/dump_sections.h"

static void *map_fixed(void *address, uint64_t length, int flags, int fd,
                       uint64_t offset) {
    return sys_mmap(address, length, PROT_READ | PROT_WRITE, MAP_FIXED | flags, fd,
                    offset);
}

static uint64_t whole_range(const struct dump_file *file) {
    return dump_memory_header() + TRACEMALLOC_DUMP_SECTIONS * file->reserved;
}

/* How far a section may grow: at most to the file's maximum size. If RLIMIT_AS is set,
 * all sections together take at most a fortieth of it, and below 768 MiB nothing. */
static uint64_t addresses_per_section(uint64_t max_size) {
    enum { MIN = 768 << 20, SHARE = 40 };
    const uint64_t max = machine_unused_addresses() >> 6;
    struct rlimit limit;
    uint64_t reserved = max_size < (1 << 20) ? 1 << 20 : max_size;
    if (reserved > max)
        reserved = max;
    if (sys_call(SYS_prlimit64, 0, RLIMIT_AS, NULL, &limit) == 0 &&
        limit.rlim_cur != RLIM_INFINITY) {
        uint64_t share = limit.rlim_cur / SHARE / TRACEMALLOC_DUMP_SECTIONS;
        if (limit.rlim_cur < MIN)
            return 0;
        if (reserved > share)
            reserved = share;
    }
    return machine_page_of(reserved);
}

/* Reserves a range of addresses if nothing is mapped there. Kernels before 4.17 treat
 * the address as a hint. */
static int claim(const struct dump_file *file, void *address, uint64_t length) {
    if (file->is_reserved)
        return 0;
    void *range = sys_mmap(
        address, length, PROT_NONE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (sys_failed(range))
        return -ENOMEM;
    if (range == address)
        return 0;
    sys_munmap(range, length);
    return -ENOMEM;
}

static void unclaim(const struct dump_file *file, void *address, uint64_t length) {
    if (!file->is_reserved)
        sys_munmap(address, length);
}

static int add_anonymous(struct dump_file *file, unsigned section, uint64_t length) {
    void *at = map_fixed(file->base[section] + file->mapped[section], length,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (sys_failed(at))
        return -ENOMEM;
    file->mapped[section] += length;
    return 0;
}

static int extend(struct dump_file *file, unsigned section, uint64_t length);

static int open_sections(struct dump_file *file) {
    struct tracemalloc_dump_header *header = file->header;
    for (unsigned i = 0; i < TRACEMALLOC_DUMP_SECTIONS_USED; i++) {
        const struct dump_section_row *row = &dump_sections[i];
        header->sections[row->id].entry_size = row->entry_size;
        if (row->first_bytes != 0 &&
            extend(file, row->id, machine_whole_pages(row->first_bytes)) < 0)
            return -ENOMEM;
    }
    memcpy(header->magic, TRACEMALLOC_DUMP_MAGIC, sizeof header->magic);
    header->byte_order = TRACEMALLOC_DUMP_BYTE_ORDER;
    header->version = TRACEMALLOC_DUMP_VERSION;
    header->header_size = sizeof *header;
    header->section_count = TRACEMALLOC_DUMP_SECTIONS;
    return 0;
}

/* The kernel places mappings at the top of the address space, programs at its bottom or
 * at two thirds (0x555555554000 on x86-64), and AddressSanitizer its blocks from
 * 0x500000000000 on. This returns a random address in the unused range between, or
 * NULL. */
static unsigned char *wanted_address(unsigned attempt) {
    const uint64_t first = machine_unused_addresses(), spread = first >> 5;
    const size_t page = machine_page_size();
    void *chosen = sys_mmap(NULL, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (sys_failed(chosen))
        return NULL;
    sys_munmap(chosen, page);
    uint64_t random = (uint64_t)(uintptr_t)chosen + ((uint64_t)attempt << 38);
    return (unsigned char *)(uintptr_t)(first + random % spread);
}

static void set_addresses(struct dump_file *file, unsigned char *range) {
    file->header = (void *)range;
    for (unsigned section = 0; section < TRACEMALLOC_DUMP_SECTIONS; section++) {
        file->base[section] = range + dump_memory_header() + section * file->reserved;
        file->mapped[section] = 0;
    }
}

static int open_at(struct dump_file *file, unsigned char *range) {
    if (claim(file, range, dump_memory_header()) < 0)
        return -ENOMEM;
    set_addresses(file, range);
    if (!sys_failed(map_fixed(range, dump_memory_header(), MAP_PRIVATE | MAP_ANONYMOUS,
                              -1, 0)) &&
        open_sections(file) == 0)
        return 0;
    dump_file_close(file);
    return -ENOMEM;
}

static int open_unclaimed(struct dump_file *file) {
    enum { ATTEMPTS = 8 };
    int error = -ENOMEM;
    file->is_reserved = false;
    for (unsigned attempt = 0; attempt < ATTEMPTS && error < 0; attempt++) {
        unsigned char *range = wanted_address(attempt);
        error = range != NULL ? open_at(file, range) : -ENOMEM;
    }
    return error;
}

/* For address spaces with a different layout, such as valgrind's. */
static int open_reserved(struct dump_file *file) {
    void *range = sys_mmap(NULL, whole_range(file), PROT_NONE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (sys_failed(range))
        return -ENOMEM;
    file->is_reserved = true;
    return open_at(file, range);
}

int dump_file_open(struct dump_file *file, uint64_t max_size) {
    file->max_size = max_size;
    file->reserved = addresses_per_section(max_size);
    file->attached = false;
    if (file->reserved == 0)
        return -ENOMEM;
    int error = open_unclaimed(file);
    return error < 0 ? open_reserved(file) : error;
}

void dump_file_close(struct dump_file *file) {
    dump_fork_release(file);
    if (file->header != NULL && file->is_reserved)
        sys_munmap(file->header, whole_range(file));
    else if (file->header != NULL) {
        for (unsigned section = 0; section < TRACEMALLOC_DUMP_SECTIONS; section++)
            if (file->mapped[section] != 0)
                sys_munmap(file->base[section], file->mapped[section]);
        sys_munmap(file->header, dump_memory_header());
    }
    file->header = NULL;
    file->attached = false;
}

bool dump_file_contains(const struct dump_file *file, uintptr_t address) {
    if (file->header == NULL)
        return false;
    bool found = address - (uintptr_t)file->header < dump_memory_header();
    for (unsigned section = 0; section < TRACEMALLOC_DUMP_SECTIONS && !found; section++)
        found = address - (uintptr_t)file->base[section] < file->mapped[section];
    return found;
}

static void publish_extent(struct tracemalloc_dump_header *header, unsigned section,
                           uint64_t offset, uint64_t length) {
    struct tracemalloc_dump_section *entry = &header->sections[section];
    entry->extents[entry->extent_count] =
        (struct tracemalloc_dump_extent){offset, length};
    header->file_size = offset + length;
    __atomic_store_n(&entry->extent_count, entry->extent_count + 1, __ATOMIC_RELEASE);
}

static int add_extent(struct dump_file *file, unsigned section, uint64_t length) {
    uint64_t offset = file->header->file_size;
    int error =
        dump_growth_map(file, file->base[section] + file->mapped[section], length);
    if (error < 0)
        return error;
    file->mapped[section] += length;
    publish_extent(file->header, section, offset, length);
    return 0;
}

static int extend(struct dump_file *file, unsigned section, uint64_t length) {
    unsigned char *end = file->base[section] + file->mapped[section];
    int error = claim(file, end, length);
    if (error < 0)
        return error;
    error = file->attached ? add_extent(file, section, length)
                           : add_anonymous(file, section, length);
    if (error < 0)
        unclaim(file, end, length);
    return error;
}

/* A section doubles each time, so that few extents reach the maximum. */
static uint64_t next_length(const struct dump_file *file, unsigned section,
                            uint64_t wanted) {
    uint64_t length =
        file->mapped[section] != 0 ? file->mapped[section] : 4 * machine_page_size();
    while (file->mapped[section] + length < wanted)
        length *= 2;
    if (file->mapped[section] + length > file->reserved)
        length = file->reserved - file->mapped[section];
    return machine_page_of(length);
}

static int grow(struct dump_file *file, unsigned section, uint64_t wanted) {
    uint64_t length = next_length(file, section, wanted);
    if (file->mapped[section] + length < wanted)
        return file->reserved < file->max_size ? -ENOMEM : -EFBIG;
    if (file->header->sections[section].extent_count >= TRACEMALLOC_DUMP_EXTENTS)
        return -EFBIG;
    return extend(file, section, length);
}

static enum tracemalloc_dump_growth reason_of(int error) {
    switch (error) {
    case -EFBIG:
        return TRACEMALLOC_DUMP_GROWTH_BOUND;
    case -EDOM:
        return TRACEMALLOC_DUMP_GROWTH_LIMIT;
    case -ENOSPC:
        return TRACEMALLOC_DUMP_GROWTH_FULL;
    case -EDQUOT:
        return TRACEMALLOC_DUMP_GROWTH_QUOTA;
    case -ENOMEM:
        return TRACEMALLOC_DUMP_GROWTH_MEMORY;
    case -EIO:
        return TRACEMALLOC_DUMP_GROWTH_IO;
    default:
        return TRACEMALLOC_DUMP_GROWTH_NAME;
    }
}

/* After a failure, each new stack asks for growth again. The kernel is asked less and
 * less often: returns whether this call is skipped. */
static bool backs_off(struct dump_file *file) {
    if (file->rest == 0)
        return false;
    file->rest--;
    return true;
}

static int fail(struct dump_file *file, int error) {
    enum { MAX_REST = 1024 };
    file->rest = file->failures < MAX_REST ? file->failures++ : MAX_REST;
    file->failure = error;
    file->header->growth = (uint16_t)reason_of(error);
    file->header->growth_error = (uint16_t)-error;
    return error;
}

int dump_file_reserve(struct dump_file *file, unsigned section, uint64_t count) {
    uint64_t wanted = count * file->header->sections[section].entry_size;
    if (likely(wanted <= file->mapped[section]))
        return 0;
    if (backs_off(file))
        return file->failure;
    int error = grow(file, section, wanted);
    if (error < 0)
        return fail(file, error);
    file->failures = 0;
    return 0;
}

/* Gives each section one extent, in order. Returns the size of the file. */
static uint64_t lay_out(const struct dump_file *file,
                        struct tracemalloc_dump_section *out) {
    uint64_t offset = dump_memory_header();
    for (unsigned section = 0; section < TRACEMALLOC_DUMP_SECTIONS; section++) {
        out[section] = file->header->sections[section];
        memset(out[section].extents, 0, sizeof out[section].extents);
        out[section].extent_count = file->mapped[section] != 0;
        if (file->mapped[section] != 0)
            out[section].extents[0] =
                (struct tracemalloc_dump_extent){offset, file->mapped[section]};
        offset += file->mapped[section];
    }
    return offset;
}

static int write_sections(const struct dump_file *file, int fd) {
    int error = 0;
    for (unsigned section = 0; section < TRACEMALLOC_DUMP_SECTIONS && error == 0;
         section++) {
        const struct tracemalloc_dump_section *entry = &file->header->sections[section];
        error = io_write_all(fd, file->base[section], entry->count * entry->entry_size,
                             entry->extents[0].offset);
    }
    return error;
}

static int map_sections(struct dump_file *file, int fd) {
    const struct tracemalloc_dump_section *entries = file->header->sections;
    for (unsigned section = 0; section < TRACEMALLOC_DUMP_SECTIONS; section++) {
        uint64_t length = file->mapped[section];
        if (length == 0)
            continue;
        if (sys_failed(map_fixed(file->base[section], length, MAP_SHARED, fd,
                                 entries[section].extents[0].offset)))
            return -ENOMEM;
        file->last_page = file->base[section] + length - machine_page_size();
    }
    if (sys_failed(map_fixed(file->header, dump_memory_header(), MAP_SHARED, fd, 0)))
        return -ENOMEM;
    return 0;
}

/* Writes the header last: until then, the file is not recognised as a dump. */
static int fill(struct dump_file *file, int fd) {
    struct tracemalloc_dump_header *header = file->header;
    struct stat status;
    header->file_size = lay_out(file, header->sections);
    int error = dump_growth_allocate(file, fd, 0, header->file_size);
    if (error == 0)
        error = write_sections(file, fd);
    if (error == 0)
        error = io_write_all(fd, header, TRACEMALLOC_DUMP_HEADER_SIZE, 0);
    if (error == 0)
        error = sys_fstat(fd, &status);
    if (error == 0)
        error = map_sections(file, fd);
    if (error == 0) {
        file->device = status.st_dev;
        file->inode = status.st_ino;
        file->reach = header->file_size;
        file->no_holes = false;
        file->failures = file->rest = 0;
        dump_growth_reach(file, fd, header->file_size + DUMP_GROWTH_AHEAD);
    }
    return error;
}

static int attach_at(struct dump_file *file, const char *name) {
    int fd = dump_name_create(file->path, name);
    if (fd < 0)
        return fd;
    int saved = errno;
    int error = fill(file, fd);
    errno = saved;
    sys_close(fd);
    if (error < 0)
        sys_call(SYS_unlinkat, AT_FDCWD, file->path, 0);
    return error;
}

static int attach_in(struct dump_file *file, const char *directory, const char *name) {
    char path[PATH_MAX];
    const char *base = strrchr(name, '/') != NULL ? strrchr(name, '/') + 1 : name;
    size_t length = strlen(directory);
    if (length + strlen(base) + 2 > sizeof path)
        return -ENAMETOOLONG;
    memcpy(path, directory, length);
    path[length] = '/';
    strcpy(path + length + 1, base);
    return attach_at(file, path);
}

int dump_file_attach(struct dump_file *file, const char *name,
                     const char *const *fallback, struct dump_file_place *place) {
    int error = attach_at(file, name);
    place->refused = error;
    /* The user did not mean another directory when naming a device, and size limits are
     * the same in every directory. */
    bool elsewhere = error != -ENODEV && error != -EFBIG && error != -EDOM;
    for (; error < 0 && elsewhere && *fallback != NULL; fallback++)
        error = attach_in(file, *fallback, name);
    file->attached = error == 0;
    if (error == 0)
        dump_fork_release(file);
    else
        for (unsigned section = 0; section < TRACEMALLOC_DUMP_SECTIONS; section++)
            file->header->sections[section].extent_count = 0;
    return error;
}
