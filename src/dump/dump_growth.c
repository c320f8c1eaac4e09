/* SPDX-License-Identifier: MIT */
#include "dump/dump_growth.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/io.h"
#include "base/machine.h"
#include "base/sys.h"

/* Growing a file beyond RLIMIT_FSIZE would send SIGXFSZ to the program, so the limit is
 * checked first. */
static uint64_t size_limit(void) {
    struct rlimit limit;
    if (sys_call(SYS_prlimit64, 0, RLIMIT_FSIZE, NULL, &limit) < 0)
        return UINT64_MAX;
    return limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : limit.rlim_cur;
}

int dump_growth_check(const struct dump_file *file, uint64_t size) {
    if (size > file->max_size)
        return -EFBIG;
    return size > size_limit() ? -EDOM : 0;
}

static int write_zeros(int fd, uint64_t offset, uint64_t length) {
    static const char zeros[MACHINE_MIN_PAGE];
    int error = 0;
    for (; length > 0 && error == 0; offset += sizeof zeros, length -= sizeof zeros)
        error = io_write_all(fd, zeros, sizeof zeros, offset);
    return error;
}

int dump_growth_allocate(const struct dump_file *file, int fd, uint64_t offset,
                         uint64_t length) {
    int error = dump_growth_check(file, offset + length);
    if (error < 0)
        return error;
    do
        error = (int)sys_call(SYS_fallocate, fd, 0, offset, length);
    while (error == -EINTR);
    if (error == -EOPNOTSUPP || error == -ENOSYS)
        error = write_zeros(fd, offset, length);
    return error;
}

static uint64_t allocated_bytes(int fd) {
    struct stat status;
    return sys_fstat(fd, &status) == 0 ? (uint64_t)status.st_blocks * 512 : 0;
}

/* A file system without holes would allocate the range: then the file must end with the
 * dump. */
void dump_growth_reach(struct dump_file *file, int fd, uint64_t reach) {
    uint64_t size = file->header->file_size, limit = size_limit();
    if (reach > file->max_size)
        reach = file->max_size;
    if (reach > limit)
        reach = limit;
    reach = machine_page_of(reach);
    if (reach <= file->reach || reach <= size || file->no_holes)
        return;
    uint64_t before = allocated_bytes(fd);
    if (sys_call(SYS_ftruncate, fd, reach) < 0)
        return;
    file->reach = reach;
    if (allocated_bytes(fd) <= before + (reach - size) / 2)
        return;
    file->no_holes = true;
    if (sys_call(SYS_ftruncate, fd, size) == 0)
        file->reach = size;
}

static bool is_same(const struct dump_file *file, const struct stat *status) {
    return status->st_dev == file->device && status->st_ino == file->inode &&
           (uint64_t)status->st_size >= file->header->file_size;
}

/* Opens the file by name, if it is still the one that was created: opening anything
 * else could have side effects. Never blocks, whatever has the name now. Returns a
 * descriptor or -errno. */
static int reopen(const struct dump_file *file) {
    struct stat status;
    if (sys_confined)
        return -EPERM;
    int saved = errno;
    int found = (int)sys_call(SYS_newfstatat, AT_FDCWD, file->path, &status,
                              AT_SYMLINK_NOFOLLOW);
    if (found < 0)
        return found;
    if (S_ISLNK(status.st_mode))
        return -ELOOP;
    if (!is_same(file, &status))
        return -ESTALE;
    int fd = sys_open(file->path,
                      O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0)
        return fd;
    bool same = sys_fstat(fd, &status) == 0 && is_same(file, &status);
    errno = saved;
    if (same)
        return fd;
    sys_close(fd);
    return -ESTALE;
}

void dump_growth_reach_all(struct dump_file *file) {
    int fd = file->attached ? reopen(file) : -EBADF;
    if (fd < 0)
        return;
    dump_growth_reach(file, fd, file->max_size);
    sys_close(fd);
}

void dump_growth_trim(struct dump_file *file) {
    bool ahead = file->attached && file->reach > file->header->file_size;
    int fd = ahead ? reopen(file) : -EBADF;
    if (fd < 0)
        return;
    if (sys_call(SYS_ftruncate, fd, file->header->file_size) == 0)
        file->reach = file->header->file_size;
    sys_close(fd);
}

static int map_by_name(struct dump_file *file, int fd, void *to, uint64_t length) {
    uint64_t offset = file->header->file_size;
    int error = dump_growth_allocate(file, fd, offset, length);
    if (error == 0 && sys_failed(sys_mmap(to, length, PROT_READ | PROT_WRITE,
                                          MAP_SHARED | MAP_FIXED, fd, offset)))
        error = -ENOMEM;
    if (error == 0 && file->reach < offset + length)
        file->reach = offset + length;
    if (error == 0)
        dump_growth_reach(file, fd, offset + length + DUMP_GROWTH_AHEAD);
    return error;
}

/* Whether -EFAULT means that the disk is full: the kernel reports only that there was
 * no page. If statfs fails, it is the only explanation left, as the file was long
 * enough. */
static bool is_disk_full(const struct dump_file *file, uint64_t length) {
    struct statfs system;
    return sys_call(SYS_statfs, file->path, &system) < 0 ||
           system.f_bavail < length / (uint64_t)system.f_bsize;
}

static int populate(const struct dump_file *file, void *memory, uint64_t length) {
    int error;
    do
        error = sys_madvise(memory, length, MADV_POPULATE_WRITE);
    while (error == -EINTR || error == -EAGAIN);
    return error == -EFAULT && is_disk_full(file, length) ? -ENOSPC : error;
}

/* Duplicates the mapping of the last page, extends the duplicate over the hole, and
 * moves the new part to its address. */
static int map_by_mapping(struct dump_file *file, void *to, uint64_t length) {
    uint64_t offset = file->header->file_size;
    int error = dump_growth_check(file, offset + length);
    if (error < 0)
        return error;
    if (offset + length > file->reach || file->last_page == NULL)
        return -ESPIPE;
    unsigned char *window = sys_mremap(file->last_page, 0, machine_page_size() + length,
                                       MREMAP_MAYMOVE, NULL);
    if (sys_failed(window))
        return -ENOMEM;
    error = populate(file, window + machine_page_size(), length);
    if (error == 0 && sys_failed(sys_mremap(window + machine_page_size(), length,
                                            length, MREMAP_MAYMOVE | MREMAP_FIXED, to)))
        error = -ENOMEM;
    sys_munmap(window, error == 0 ? machine_page_size() : machine_page_size() + length);
    return error;
}

int dump_growth_map(struct dump_file *file, void *to, uint64_t length) {
    int fd = reopen(file);
    int error = fd;
    if (fd >= 0) {
        error = map_by_name(file, fd, to, length);
        sys_close(fd);
    } else {
        int mapped = map_by_mapping(file, to, length);
        /* Otherwise the error of opening by name is the one to report. */
        if (mapped == 0 || mapped == -ENOSPC || mapped == -EFBIG || mapped == -EDOM)
            error = mapped;
    }
    if (error == 0)
        file->last_page = (unsigned char *)to + length - machine_page_size();
    return error;
}
