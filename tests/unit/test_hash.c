/* SPDX-License-Identifier: MIT */
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

#include "suite.h"

/* The tables begin to look at the low bits of a hash's high half. */
enum { BUCKETS = 1 << 16 };

static unsigned char used[BUCKETS];

static bool is_spread(void) {
    unsigned count = 0;
    for (size_t at = 0; at < BUCKETS; at++)
        count += used[at];
    /* Throwing as many balls as there are bins leaves 1/e of them empty. */
    return count > BUCKETS * 0.58;
}

static void throw_at(uint64_t hash) { used[hash >> 32 & (BUCKETS - 1)] = 1; }

START_TEST(neighbours_are_spread) {
    for (uint64_t at = 0; at < BUCKETS; at++)
        throw_at(hash_mix(at));
    ck_assert(is_spread());
}
END_TEST

START_TEST(addresses_are_spread) {
    for (uint64_t at = 0; at < BUCKETS; at++)
        throw_at(hash_mix(0x7f0012340000u + at * 64));
    ck_assert(is_spread());
}
END_TEST

START_TEST(pairs_are_spread) {
    for (uint64_t first = 0; first < 256; first++)
        for (uint64_t second = 0; second < 256; second++)
            throw_at(hash_pair(first, second));
    ck_assert(is_spread());
    ck_assert_uint_ne(hash_pair(1, 2), hash_pair(2, 1));
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

START_TEST(names_are_spread) {
    char name[32];
    for (int at = 0; at < BUCKETS; at++) {
        int length = snprintf(name, sizeof name, "/usr/lib/python3/m%d.py", at);
        throw_at(hash_bytes(name, (size_t)length, (size_t)length));
    }
    ck_assert(is_spread());
}
END_TEST

int main(void) {
    const TTest *const tests[] = {neighbours_are_spread, addresses_are_spread,
                                  pairs_are_spread, bytes_hash_by_their_contents,
                                  names_are_spread};
    return suite_run("hash", tests, sizeof tests / sizeof *tests);
}
