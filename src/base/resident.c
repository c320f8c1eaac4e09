/* SPDX-License-Identifier: MIT */
#include "base/resident.h"

#include <fcntl.h>
#include <sys/ioctl.h>

#include "base/machine.h"
#include "base/sys.h"

enum { PIECE = 512, REGIONS = 16 };

/* The ioctl PAGEMAP_SCAN as in <linux/fs.h> from Linux 6.7 on; see the kernel's
 * Documentation/admin-guide/mm/pagemap.rst. */
enum { PRESENT = 1 << 3, ZERO_PAGE = 1 << 5 };
struct region {
    uint64_t start, end, categories;
};
struct scan {
    uint64_t size, flags, start, end, walk_end, regions, region_count, max_pages;
    uint64_t inverted, all_of, any_of, returned;
};
#define SCAN_PAGEMAP _IOWR('f', 16, struct scan)

void resident_open(struct resident *resident) {
    resident->fd = sys_open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC, 0);
}

void resident_close(struct resident *resident) {
    if (resident->fd >= 0)
        sys_close(resident->fd);
    resident->fd = -EBADF;
}

/* Bytes of the pages that are present, without the shared page of zeros. -errno if the
 * kernel has no such ioctl. */
static int64_t scan_pages(int fd, uintptr_t start, uintptr_t end) {
    struct region regions[REGIONS] = {{0}}; /* valgrind does not know this ioctl */
    uint64_t bytes = 0;
    while (start < end) {
        struct scan scan = {.size = sizeof scan,
                            .start = start,
                            .end = end,
                            .regions = (uintptr_t)regions,
                            .region_count = REGIONS,
                            .inverted = ZERO_PAGE,
                            .all_of = PRESENT | ZERO_PAGE,
                            .returned = PRESENT};
        long found = sys_call(SYS_ioctl, fd, SCAN_PAGEMAP, &scan);
        if (found == -EINTR)
            continue;
        if (found < 0)
            return found;
        for (long i = 0; i < found; i++)
            bytes += regions[i].end - regions[i].start;
        if (scan.walk_end <= start)
            return -EIO;
        start = scan.walk_end;
    }
    return (int64_t)bytes;
}

/* mincore writes one byte for each page. A piece with an unmapped page counts
 * nothing. */
static uint64_t core_bytes(uintptr_t start, uintptr_t end) {
    unsigned char present[PIECE];
    uint64_t pages = 0;
    for (size_t count; start < end; start += count * machine_page_size()) {
        count = (end - start) / machine_page_size() < PIECE
                    ? (end - start) / machine_page_size()
                    : PIECE;
        if (sys_call(SYS_mincore, start, count * machine_page_size(), present) < 0)
            continue;
        for (size_t i = 0; i < count; i++)
            pages += present[i] & 1;
    }
    return pages * machine_page_size();
}

uint64_t resident_bytes(const struct resident *resident, uintptr_t start,
                        size_t length) {
    uintptr_t end = start + machine_page_of(length);
    int64_t bytes = resident->fd >= 0 ? scan_pages(resident->fd, start, end) : -EBADF;
    return bytes >= 0 ? (uint64_t)bytes : core_bytes(start, end);
}
