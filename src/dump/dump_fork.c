/* SPDX-License-Identifier: MIT */
#include "dump/dump_fork.h"

#include <errno.h>
#include <linux/memfd.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "base/machine.h"
#include "base/sys.h"
#include "dump/dump_growth.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u /* Linux 6.3 */
#endif

enum {
    NO_HOLDER = 0,
    UNKNOWN_HOLDER = -1, /* a child that has not come to its handler, or failed to */
};

/* In the first page of an image that is kept, shared by parent and child. */
struct dump_fork_holder {
    int parent;
    _Atomic int
        pid; /* of the child whose tables are in the view, or one of the above */
};

static uint64_t used_bytes(const struct dump_file *file, unsigned section) {
    const struct tracemalloc_dump_section *entry = &file->header->sections[section];
    return entry->count * entry->entry_size;
}

static uint64_t size_of(const struct dump_file *file) {
    uint64_t size = dump_memory_header();
    for (unsigned section = 0; section < TRACEMALLOC_DUMP_SECTIONS; section++)
        size += file->mapped[section];
    return size;
}

static void drop(struct dump_fork_image *fork) {
    unsigned char *start = fork->holder != NULL ? (void *)fork->holder : fork->image;
    if (fork->image != NULL)
        sys_munmap(start, (uint64_t)(fork->image - start) + fork->size);
    if (fork->image != NULL && fork->view != fork->image)
        sys_munmap(fork->view, fork->size);
    memset(fork, 0, sizeof *fork);
}

/* To fresh pages. They cost less if they come all at once, which kernels before 5.14
 * cannot do. */
static int copy_entries(unsigned char *to, const unsigned char *from, uint64_t length,
                        uint64_t present) {
    if (length > present) {
        int error = sys_madvise(to, length, MADV_POPULATE_WRITE);
        if (error < 0 && error != -EINVAL)
            return -ENOMEM;
    }
    memcpy(to, from, length);
    return 0;
}

static int copy_tables(struct dump_fork_image *fork, const struct dump_file *file) {
    unsigned char *to = fork->image + dump_memory_header();
    int error = 0;
    memcpy(fork->image, file->header, TRACEMALLOC_DUMP_HEADER_SIZE);
    for (unsigned section = 0; section < TRACEMALLOC_DUMP_SECTIONS && error == 0;
         section++) {
        uint64_t used = used_bytes(file, section);
        error = copy_entries(to, file->base[section], used, fork->used[section]);
        fork->used[section] = used;
        fork->mapped[section] = file->mapped[section];
        to += file->mapped[section];
    }
    return error;
}

/* A descriptor of a file in memory, of this size; -errno. */
static int memory_file(const struct dump_file *file, uint64_t size) {
    if (sys_confined || dump_growth_check(file, size) < 0)
        return -EPERM;
    int fd =
        (int)sys_call(SYS_memfd_create, "tracemalloc", MFD_CLOEXEC | MFD_NOEXEC_SEAL);
    if (fd == -EINVAL)
        fd = (int)sys_call(SYS_memfd_create, "tracemalloc", MFD_CLOEXEC);
    if (fd < 0)
        return fd;
    int error = (int)sys_call(SYS_ftruncate, fd, size);
    if (error < 0)
        sys_close(fd);
    return error < 0 ? error : fd;
}

/* The view has no rights in the parent, where a page that was touched, or locked in
 * memory, would stay as it was then. */
static int map_kept(struct dump_fork_image *fork, const struct dump_file *file,
                    uint64_t size) {
    int fd = size <= DUMP_FORK_MAX_KEPT ? memory_file(file, machine_page_size() + size)
                                        : -EFBIG;
    if (fd < 0)
        return fd;
    unsigned char *image = sys_mmap(NULL, machine_page_size() + size,
                                    PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    unsigned char *view =
        sys_mmap(NULL, size, PROT_NONE, MAP_PRIVATE, fd, machine_page_size());
    sys_close(fd);
    if (!sys_failed(image) && !sys_failed(view)) {
        fork->holder = (void *)image;
        fork->image = image + machine_page_size();
        fork->view = view;
        fork->size = size;
        return 0;
    }
    if (!sys_failed(image))
        sys_munmap(image, machine_page_size() + size);
    if (!sys_failed(view))
        sys_munmap(view, size);
    return -ENOMEM;
}

static int map_private(struct dump_fork_image *fork, uint64_t size) {
    unsigned char *image = sys_mmap(NULL, size, PROT_READ | PROT_WRITE,
                                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (sys_failed(image))
        return -ENOMEM;
    fork->image = fork->view = image;
    fork->size = size;
    return 0;
}

/* A number that is no process's any more was that of the child: until then it is not
 * given out again. */
static bool is_in_use(struct dump_fork_holder *holder) {
    int pid = holder->pid;
    if (pid == NO_HOLDER)
        return false;
    return pid == UNKNOWN_HOLDER || sys_call(SYS_kill, pid, 0) != -ESRCH;
}

/* What is behind the entries that are copied is still zero. */
static bool fits(const struct dump_fork_image *fork, const struct dump_file *file) {
    bool fits = fork->holder != NULL;
    for (unsigned section = 0; section < TRACEMALLOC_DUMP_SECTIONS && fits; section++)
        fits = fork->mapped[section] == file->mapped[section] &&
               fork->used[section] <= used_bytes(file, section);
    return fits;
}

static int make_image(struct dump_file *file) {
    struct dump_fork_image *fork = &file->fork;
    uint64_t size = size_of(file);
    drop(fork);
    if (map_kept(fork, file, size) == 0 && copy_tables(fork, file) == 0)
        return 0;
    drop(fork);
    int error = map_private(fork, size);
    if (error == 0)
        error = copy_tables(fork, file);
    return error;
}

/* This process's tables are in its parent's image, and its children would not be known
 * to the parent. Each page that was not written yet is made its own. */
static void leave_view(struct dump_file *file) {
    volatile unsigned char *header = (void *)file->header;
    for (uint64_t at = 0; at < dump_memory_header(); at += machine_page_size())
        header[at] = header[at];
    for (unsigned section = 0; section < TRACEMALLOC_DUMP_SECTIONS; section++) {
        volatile unsigned char *entries = file->base[section];
        for (uint64_t at = 0; at < file->mapped[section]; at += machine_page_size())
            entries[at] = entries[at];
    }
    dump_fork_release(file);
}

int dump_fork_before(struct dump_file *file) {
    struct dump_fork_image *fork = &file->fork;
    if (!file->attached) {
        if (fork->is_child)
            leave_view(file);
        return 0;
    }
    bool is_kept = fits(fork, file) && !sys_confined && !is_in_use(fork->holder);
    int error = is_kept ? copy_tables(fork, file) : make_image(file);
    if (error < 0)
        drop(fork);
    if (fork->holder != NULL) {
        fork->holder->parent = sys_getpid();
        fork->holder->pid = UNKNOWN_HOLDER;
    }
    return error;
}

void dump_fork_in_parent(struct dump_file *file) {
    if (file->attached && file->fork.holder == NULL)
        drop(&file->fork);
}

static int adopt(unsigned char **from, void *to, uint64_t length) {
    if (length != 0 && sys_failed(sys_mremap(*from, length, length,
                                             MREMAP_MAYMOVE | MREMAP_FIXED, to)))
        return -ENOMEM;
    *from += length;
    return 0;
}

/* The parent is to find this process by its number. In a namespace of its own it has
 * another one there, and sees no parent. */
static int hold(struct dump_fork_image *fork) {
    struct dump_fork_holder *holder = fork->holder;
    sys_munmap(fork->image, fork->size);
    fork->is_child = true;
    if (sys_call(SYS_getppid) == holder->parent)
        holder->pid = sys_getpid();
    return (int)sys_call(SYS_mprotect, fork->view, fork->size, PROT_READ | PROT_WRITE);
}

int dump_fork_in_child(struct dump_file *file) {
    struct dump_fork_image *fork = &file->fork;
    if (!file->attached)
        return 0;
    file->attached = false;
    if (fork->image == NULL)
        return -ENOMEM;
    int error = fork->holder != NULL ? hold(fork) : 0;
    unsigned char *view = fork->view;
    fork->image = fork->view = NULL;
    if (error == 0)
        error = adopt(&view, file->header, dump_memory_header());
    for (unsigned section = 0; section < TRACEMALLOC_DUMP_SECTIONS && error == 0;
         section++)
        error = adopt(&view, file->base[section], file->mapped[section]);
    return error;
}

void dump_fork_release(struct dump_file *file) {
    struct dump_fork_image *fork = &file->fork;
    if (fork->is_child) {
        int own = sys_getpid();
        atomic_compare_exchange_strong(&fork->holder->pid, &own, NO_HOLDER);
        sys_munmap(fork->holder, machine_page_size());
        memset(fork, 0, sizeof *fork);
    } else
        drop(fork);
}
