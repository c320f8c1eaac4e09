/* SPDX-License-Identifier: MIT */
#include "hooks/bootstrap.h"

#include <pthread.h>
#include <string.h>

#include "suite.h"

enum { THREADS = 4, BLOCKS = 200 };

START_TEST(blocks_are_aligned_zeroed_and_apart) {
    unsigned char *last = NULL;
    for (size_t size = 0; size < 200; size++) {
        unsigned char *block = bootstrap_allocate(size);
        ck_assert_ptr_nonnull(block);
        ck_assert_uint_eq((uintptr_t)block % 16, 0);
        ck_assert_uint_eq(bootstrap_size(block), size);
        for (size_t at = 0; at < size; at++)
            ck_assert_uint_eq(block[at], 0);
        memset(block, 0xff, size);
        if (last != NULL)
            ck_assert_uint_eq(bootstrap_size(last), size - 1);
        last = block;
    }
}
END_TEST

START_TEST(it_knows_its_own) {
    int other;
    char *block = bootstrap_allocate(100);
    ck_assert(bootstrap_owns(block));
    ck_assert(bootstrap_owns(block + 99));
    ck_assert(!bootstrap_owns(&other));
    ck_assert(!bootstrap_owns(NULL));
}
END_TEST

START_TEST(it_ends) {
    size_t total = 0;
    ck_assert_ptr_null(bootstrap_allocate(SIZE_MAX));
    ck_assert_ptr_null(bootstrap_allocate((128 << 10) + 1));
    while (bootstrap_allocate(1000) != NULL)
        total += 1000;
    ck_assert_uint_ge(total, 64 << 10);
    ck_assert_ptr_null(bootstrap_allocate(1000));
}
END_TEST

static void *allocate(void *argument) {
    unsigned char **blocks = argument;
    for (size_t at = 0; at < BLOCKS; at++) {
        blocks[at] = bootstrap_allocate(16);
        memset(blocks[at], (int)at, 16);
    }
    return NULL;
}

START_TEST(threads_get_blocks_of_their_own) {
    static unsigned char *blocks[THREADS][BLOCKS];
    pthread_t threads[THREADS];
    for (int at = 0; at < THREADS; at++)
        pthread_create(&threads[at], NULL, allocate, blocks[at]);
    for (int at = 0; at < THREADS; at++)
        pthread_join(threads[at], NULL);
    for (int thread = 0; thread < THREADS; thread++)
        for (int at = 0; at < BLOCKS; at++)
            for (int byte = 0; byte < 16; byte++)
                ck_assert_uint_eq(blocks[thread][at][byte], (unsigned char)at);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {blocks_are_aligned_zeroed_and_apart, it_knows_its_own,
                                  it_ends, threads_get_blocks_of_their_own};
    return suite_run("bootstrap", tests, sizeof tests / sizeof *tests);
}
