/* SPDX-License-Identifier: MIT */
#include "process/memory_map.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "suite.h"

enum { MIB = 1 << 20, SLACK = 256 << 10 };

static struct memory_map before, after;

static void measure(struct memory_map *map) {
    ck_assert_int_eq(memory_map_read(map, getpid(), 0), 0);
    ck_assert_uint_eq(map->whole, map->modules + map->files + map->shared +
                                      map->stacks + map->heap + map->anonymous +
                                      map->tracer);
}

static void ck_grown(uint64_t old, uint64_t new, uint64_t by) {
    ck_assert_uint_ge(new + SLACK, old + by);
    ck_assert_uint_le(new, old + by + SLACK);
}

static void *map_and_fill(size_t size, int flags, int fd) {
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);
    ck_assert_ptr_ne(memory, MAP_FAILED);
    memset(memory, 1, size);
    return memory;
}

START_TEST(mappings_are_told_apart) {
    int memfd = memfd_create("test", MFD_CLOEXEC);
    char path[] = "test_memory_map.XXXXXX";
    int file = mkstemp(path);
    ck_assert_int_eq(ftruncate(memfd, 3 * MIB), 0);
    ck_assert_int_eq(ftruncate(file, 5 * MIB), 0);
    measure(&before);
    ck_assert_uint_gt(before.modules, 100000);
    ck_assert_uint_gt(before.stacks, 0);
    void *private = map_and_fill(8 * MIB, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    void *shared = map_and_fill(2 * MIB, MAP_SHARED | MAP_ANONYMOUS, -1);
    void *memory = map_and_fill(3 * MIB, MAP_SHARED, memfd);
    void *dirty = map_and_fill(5 * MIB, MAP_SHARED, file);
    measure(&after);
    ck_grown(before.anonymous, after.anonymous, 8 * MIB);
    ck_grown(before.shared_anonymous, after.shared_anonymous, 2 * MIB);
    ck_grown(before.shared, after.shared, 10 * MIB);
    ck_grown(before.whole, after.whole, 18 * MIB);
    munmap(private, 8 * MIB);
    munmap(shared, 2 * MIB);
    munmap(memory, 3 * MIB);
    munmap(dirty, 5 * MIB);
    unlink(path);
    close(file);
    close(memfd);
}
END_TEST

static pthread_barrier_t barrier;

static void *allocate_in_thread(void *kept) {
    volatile char stack[2 * MIB];
    for (size_t i = 0; i < sizeof stack; i += 4096)
        stack[i] = 1;
    for (int i = 0; i < 4000; i++)
        ((char **)kept)[i] = memset(malloc(1000), 1, 1000);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    return NULL;
}

START_TEST(a_thread_has_a_stack_and_a_heap) {
    static char *kept[4000];
    pthread_t thread;
    pthread_barrier_init(&barrier, NULL, 2);
    measure(&before);
    ck_assert_int_eq(pthread_create(&thread, NULL, allocate_in_thread, kept), 0);
    pthread_barrier_wait(&barrier);
    measure(&after);
    ck_grown(before.stacks, after.stacks, 2 * MIB);
    ck_assert_uint_eq(after.stack_count, before.stack_count + 1);
    ck_grown(before.heap, after.heap, 4000 * 1016);
    ck_assert_uint_eq(after.arena_count, before.arena_count + 1);
    pthread_barrier_wait(&barrier);
    pthread_join(thread, NULL);
    for (int i = 0; i < 4000; i++)
        free(kept[i]);
}
END_TEST

START_TEST(the_dump_is_the_tracers) {
    char path[] = "test_memory_map.XXXXXX";
    int file = mkstemp(path);
    struct stat status;
    ck_assert_int_eq(ftruncate(file, 2 * MIB), 0);
    ck_assert_int_eq(fstat(file, &status), 0);
    void *dump = map_and_fill(2 * MIB, MAP_SHARED, file);
    ck_assert_int_eq(memory_map_read(&after, getpid(), status.st_ino), 0);
    ck_grown(0, after.tracer, 2 * MIB);
    munmap(dump, 2 * MIB);
    unlink(path);
    close(file);
}
END_TEST

START_TEST(a_process_that_is_gone_is_an_error) {
    ck_assert_int_lt(memory_map_read(&after, 0x7fffffff, 0), 0);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        mappings_are_told_apart,
        a_thread_has_a_stack_and_a_heap,
        the_dump_is_the_tracers,
        a_process_that_is_gone_is_an_error,
    };
    return suite_run("memory_map", tests, sizeof tests / sizeof *tests);
}
