/* SPDX-License-Identifier: MIT */
#include "base/id_set.h"

#include <errno.h>

#include "base/arena.h"
#include "suite.h"

enum { LIMIT = 20000 };

START_TEST(a_set_begins_empty) {
    struct id_set set;
    ck_assert_int_eq(id_set_open(&set, LIMIT), 0);
    ck_assert_uint_eq(id_set_next(&set, 0), ID_SET_END);
    ck_assert(!id_set_has(&set, 0) && !id_set_has(&set, LIMIT - 1));
    ck_assert(!id_set_has(&set, LIMIT) && !id_set_has(&set, UINT32_MAX));
}
END_TEST

START_TEST(no_memory_no_set) {
    const struct id_set none = {0};
    struct id_set set;
    ck_assert_uint_eq(id_set_next(&none, 0), ID_SET_END);
    ck_assert(!id_set_has(&none, 0));
    ck_assert_int_eq(id_set_open(&set, UINT32_MAX), -ENOMEM);
    ck_assert_uint_eq(id_set_next(&set, 0), ID_SET_END);
    id_set_close(&set);
}
END_TEST

START_TEST(closing_gives_the_memory_back) {
    struct id_set set;
    uint64_t before = arena_bytes();
    ck_assert_int_eq(id_set_open(&set, 1 << 20), 0);
    ck_assert_uint_gt(arena_bytes(), before);
    id_set_close(&set);
    ck_assert_uint_eq(arena_bytes(), before);
}
END_TEST

START_TEST(the_next_member_may_be_far_away) {
    static const uint32_t members[] = {0, 63, 64, 4095, 4096, 12345, LIMIT - 1};
    enum { MEMBERS = sizeof members / sizeof *members };
    struct id_set set;
    ck_assert_int_eq(id_set_open(&set, LIMIT), 0);
    for (int at = 0; at < MEMBERS; at++)
        id_set_add(&set, members[at]);
    for (int at = 0; at < MEMBERS - 1; at++) {
        ck_assert_uint_eq(id_set_next(&set, members[at]), members[at]);
        ck_assert_uint_eq(id_set_next(&set, members[at] + 1), members[at + 1]);
    }
    ck_assert_uint_eq(id_set_next(&set, LIMIT), ID_SET_END);
    ck_assert_uint_eq(id_set_next(&set, UINT32_MAX), ID_SET_END);
}
END_TEST

START_TEST(filled_from_an_id_on) {
    for (uint32_t limit = 1; limit < 300; limit += 7) {
        struct id_set set;
        ck_assert_int_eq(id_set_open(&set, limit), 0);
        id_set_fill(&set, 2);
        for (uint32_t id = 0; id < 320; id++)
            ck_assert_int_eq(id_set_has(&set, id), id >= 2 && id < limit);
        id_set_close(&set);
    }
}
END_TEST

/* Sparse at times and dense at others. */
START_TEST(random_changes_agree_with_a_model) {
    static bool model[LIMIT];
    struct id_set set;
    uint64_t seed = 5;
    ck_assert_int_eq(id_set_open(&set, LIMIT), 0);
    for (int round = 0; round < 300000; round++) {
        uint32_t id = random_below(&seed, LIMIT), next = random_below(&seed, LIMIT);
        bool member = random_below(&seed, 100) < (round / 30000 % 2 ? 2 : 60);
        model[id] = member;
        if (member)
            id_set_add(&set, id);
        else
            id_set_remove(&set, id);
        ck_assert_int_eq(id_set_has(&set, next), model[next]);
        uint32_t found = id_set_next(&set, next);
        while (next < LIMIT && !model[next])
            next++;
        ck_assert_uint_eq(found, next < LIMIT ? next : ID_SET_END);
    }
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        a_set_begins_empty,
        no_memory_no_set,
        filled_from_an_id_on,
        closing_gives_the_memory_back,
        the_next_member_may_be_far_away,
        random_changes_agree_with_a_model,
    };
    return suite_run("id_set", tests, sizeof tests / sizeof *tests);
}
