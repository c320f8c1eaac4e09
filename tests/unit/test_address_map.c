/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdlib.h>

#include "check_run.h"
#include "trace/address_map.h"

static struct address_map map;

static void tear_down(void) {
    address_map_clear(&map);
}

/* Blocks whose addresses are spread over a terabyte, many with one bit. */
static uintptr_t address_of(uint32_t number) {
    uint64_t mixed = number * 0x9e3779b97f4a7c15u;
    return (uintptr_t)((mixed >> 20 & 0xffffffffff0u) | 0x10000000000u);
}

static void insert(uintptr_t address, uint32_t value) {
    uint32_t *slot = address_map_make(&map, address);
    ck_assert_ptr_nonnull(slot);
    *slot = value;
}

static void remove_address(uintptr_t address) {
    uint32_t *slot = address_map_find(&map, address);
    ck_assert_ptr_nonnull(slot);
    *slot = 0;
    address_map_remove_empty(&map, address);
}

START_TEST(an_empty_map_has_nothing) {
    ck_assert(!address_map_passes(&map, 0x1000));
    ck_assert(!address_map_may_have(&map, 0x1000));
    ck_assert_ptr_null(address_map_find(&map, 0x1000));
    address_map_remove_empty(&map, 0x1000);
}
END_TEST

START_TEST(what_was_made_is_found) {
    enum { MANY = 20000 };
    for (uint32_t i = 1; i <= MANY; i++)
        insert(address_of(i), i);
    ck_assert_uint_eq(map.count, MANY);
    for (uint32_t i = 1; i <= MANY; i++) {
        ck_assert(address_map_passes(&map, address_of(i)));
        ck_assert(address_map_may_have(&map, address_of(i)));
        ck_assert_uint_eq(*address_map_find(&map, address_of(i)), i);
        ck_assert_ptr_eq(address_map_make(&map, address_of(i)),
                         address_map_find(&map, address_of(i)));
    }
    for (uint32_t i = 1; i <= MANY; i++)
        remove_address(address_of(i));
    ck_assert_uint_eq(map.count, 0);
    for (size_t word = 0; word < ADDRESS_MAP_WORDS; word++)
        ck_assert_uint_eq(map.filter[word], 0);
}
END_TEST

START_TEST(neighbours_of_one_bit_stay_apart) {
    const uintptr_t first = 0x7f0000000010, second = first + 16 * ADDRESS_MAP_BITS;
    insert(first, 1);
    insert(second, 2);
    ck_assert_ptr_null(address_map_find(&map, second + 16 * ADDRESS_MAP_BITS));
    ck_assert(!address_map_may_have(&map, second + 16 * ADDRESS_MAP_BITS));
    remove_address(first);
    ck_assert(address_map_passes(&map, second));
    ck_assert_uint_eq(*address_map_find(&map, second), 2);
    ck_assert_ptr_null(address_map_find(&map, first));
    remove_address(second);
    ck_assert(!address_map_passes(&map, first));
}
END_TEST

START_TEST(what_holds_something_is_not_removed) {
    insert(0x5000, 7);
    address_map_remove_empty(&map, 0x5000);
    ck_assert_uint_eq(*address_map_find(&map, 0x5000), 7);
}
END_TEST

/* The memory is that of the addresses that are there at one time. */
START_TEST(churn_takes_no_memory) {
    for (uint32_t i = 1; i <= 200000; i++) {
        insert(address_of(i), i);
        if (i > 100)
            remove_address(address_of(i - 100));
    }
    ck_assert_uint_eq(map.count, 100);
    ck_assert_uint_le(map.used, 101);
}
END_TEST

START_TEST(a_cleared_map_is_used_again) {
    insert(0x5000, 7);
    address_map_clear(&map);
    ck_assert(!address_map_passes(&map, 0x5000));
    ck_assert_ptr_null(address_map_find(&map, 0x5000));
    insert(0x6000, 8);
    ck_assert_uint_eq(map.count, 1);
    ck_assert_uint_eq(*address_map_find(&map, 0x6000), 8);
}
END_TEST

static bool stop;

static void *change(void *argument) {
    (void)argument;
    for (uint32_t i = 1; !__atomic_load_n(&stop, __ATOMIC_RELAXED); i++) {
        insert(address_of(i), i);
        if (i > 1000)
            remove_address(address_of(i - 1000));
    }
    return NULL;
}

/* Its owner is never given a wrong no, while another thread changes the lists. */
START_TEST(readers_need_no_lock) {
    const uintptr_t own = 0x7fff00000040;
    pthread_t writer;
    insert(own, 1);
    ck_assert_int_eq(pthread_create(&writer, NULL, change, NULL), 0);
    for (int i = 0; i < 2000000; i++)
        if (!address_map_passes(&map, own) || !address_map_may_have(&map, own))
            ck_abort_msg("round %d: not found", i);
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    pthread_join(writer, NULL);
}
END_TEST

static bool add_up(uintptr_t address, const uint32_t *slots, unsigned count,
                   void *context) {
    uint32_t *sum = context;
    ck_assert_uint_eq(count, 1);
    ck_assert_ptr_eq(address_map_find(&map, address), slots);
    *sum += *slots;
    return *slots != 3;
}

START_TEST(a_visit_ends_where_its_caller_wants) {
    uint32_t sum = 0;
    insert(0x5000, 1);
    insert(0x6000, 0);
    insert(0x7000, 2);
    ck_assert(address_map_visit(&map, add_up, &sum));
    ck_assert_uint_eq(sum, 3);
    insert(0x8000, 3);
    insert(0x9000, 4);
    ck_assert(!address_map_visit(&map, add_up, &sum));
    ck_assert_uint_eq(sum, 3 + 6);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("address_map");
    tcase_add_checked_fixture(tests, NULL, tear_down);
    tcase_add_test(tests, an_empty_map_has_nothing);
    tcase_add_test(tests, what_was_made_is_found);
    tcase_add_test(tests, neighbours_of_one_bit_stay_apart);
    tcase_add_test(tests, what_holds_something_is_not_removed);
    tcase_add_test(tests, churn_takes_no_memory);
    tcase_add_test(tests, a_cleared_map_is_used_again);
    tcase_add_test(tests, readers_need_no_lock);
    tcase_add_test(tests, a_visit_ends_where_its_caller_wants);
    return check_run("address_map", tests);
}
