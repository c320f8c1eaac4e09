/* SPDX-License-Identifier: MIT */
#include "base/hash.h"

#include <string.h>

#include "suite.h"

/* As id_table has them: two thirds full, beginning at the low bits of a hash's high
 * half. */
enum { SLOTS = 1 << 16, ENTRIES = SLOTS / 3 * 2, MOST_PROBES = 8 };

static unsigned char used[SLOTS];
static uint64_t probes;

static void enter(uint64_t hash) {
    uint32_t at = (uint32_t)(hash >> 32) % SLOTS;
    for (probes++; used[at]; probes++)
        at = (at + 1) % SLOTS;
    used[at] = 1;
}

static void expect_short_probes(void) {
    ck_assert_uint_le(probes, (uint64_t)MOST_PROBES * ENTRIES);
}

START_TEST(neighbours_are_spread) {
    for (uint64_t at = 0; at < ENTRIES; at++)
        enter(hash_mix(at));
    expect_short_probes();
}
END_TEST

START_TEST(addresses_are_spread) {
    for (uint64_t at = 0; at < ENTRIES; at++)
        enter(hash_mix(0x7f0012340000u + at * 64));
    expect_short_probes();
}
END_TEST

START_TEST(pairs_are_spread) {
    for (uint64_t at = 0; at < ENTRIES; at++)
        enter(hash_pair(at / 256, at % 256));
    expect_short_probes();
    ck_assert_uint_ne(hash_pair(1, 2), hash_pair(2, 1));
}
END_TEST

START_TEST(names_are_spread) {
    char name[32];
    for (int at = 0; at < ENTRIES; at++) {
        int length = snprintf(name, sizeof name, "/usr/lib/python3/m%d.py", at);
        enter(hash_bytes(name, (size_t)length, (size_t)length));
    }
    expect_short_probes();
}
END_TEST

START_TEST(bytes_hash_by_their_contents) {
    char text[64], shifted[65];
    for (size_t length = 0; length < sizeof text; length++) {
        memset(text, 'a', sizeof text);
        memcpy(shifted + 1, text, sizeof text);
        uint64_t hash = hash_bytes(text, length, 0);
        ck_assert_uint_eq(hash, hash_bytes(shifted + 1, length, 0));
        for (size_t at = 0; at < length; at++) {
            text[at] ^= 1;
            ck_assert_uint_ne(hash_bytes(text, length, 0), hash);
            text[at] ^= 1;
        }
        ck_assert_uint_ne(hash_bytes(text, length, 1), hash);
    }
}
END_TEST

int main(void) {
    const TTest *const tests[] = {neighbours_are_spread, addresses_are_spread,
                                  pairs_are_spread, names_are_spread,
                                  bytes_hash_by_their_contents};
    return suite_run("hash", tests, sizeof tests / sizeof *tests);
}
