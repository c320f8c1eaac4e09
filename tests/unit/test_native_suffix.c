/* SPDX-License-Identifier: MIT */
#include "stack/native/native_suffix.h"

#include <string.h>
#include <sys/mman.h>

#include "suite.h"

/* A stack of words, whose addresses fall from the root to the leaf. The page above it
 * cannot be read. */
enum { PAGE = 4096, WORDS = PAGE / 8, MOST = 64 };
enum { ROOT, BASE, EVALUATION, CALL, SECOND, LEAF, DEPTH };

static const uint32_t places[DEPTH] = {440, 430, 420, 410, 407, 404};
static uint64_t *words;
static struct native_slot slots[MOST];
static struct native_frame frames[MOST];
static struct native_stack stack = {.slots = slots, .frames = frames};
static struct native_registers leaf;
static struct native_suffixes suffixes;

/* Code of hooks: the CFA is 24 bytes above rsp, 16 above rbp, or hard to say. Never
 * run. */
extern const char native_suffix_by_rsp[], native_suffix_by_rbp[], native_suffix_odd[];
__asm__(".text\n"
        "native_suffix_code:\n"
        ".cfi_startproc\n"
        ".cfi_def_cfa_offset 24\n"
        "native_suffix_by_rsp:\n"
        "nop\n"
        ".cfi_def_cfa %rbp, 16\n"
        ".cfi_offset %rbp, -16\n"
        "native_suffix_by_rbp:\n"
        "nop\n"
        ".cfi_def_cfa %rbx, 16\n"
        "native_suffix_odd:\n"
        "nop\n"
        "ret\n"
        ".cfi_endproc\n");

static uint32_t give_id(const struct native_object *object) {
    (void)object;
    return 1;
}

static void set_leaf(const char *code) {
    leaf = (struct native_registers){
        .ip = (uintptr_t)code + 1,
        .sp = (uintptr_t)(words + places[LEAF] + 1),
        .rbp = (uintptr_t)(words + places[LEAF] + 2),
        .slot = words + places[LEAF],
    };
    words[places[LEAF]] = leaf.ip;
}

/* The entries are what the words are now. */
static void set_stack(void) {
    memset(frames, 0, sizeof frames);
    for (uint32_t at = 0; at < DEPTH; at++) {
        slots[at] = (struct native_slot){words + places[at], words[places[at]]};
        frames[at].key = 1000 + at;
    }
    frames[LEAF].rbp = leaf.rbp;
    stack.depth = DEPTH;
    stack.epoch = unwind_table.epoch;
}

static void open_tails(const char *code) {
    words = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                 -1, 0);
    ck_assert_ptr_ne(words, MAP_FAILED);
    mprotect(words + WORDS, PAGE, PROT_NONE);
    for (uint32_t at = 0; at < DEPTH; at++)
        words[places[at]] = 100 + at;
    ck_assert_int_eq(native_object_prepare(), 0);
    ck_assert_int_eq(native_window_prepare(), 0);
    ck_assert_int_eq(unwind_table_open(give_id), 0);
    set_leaf(code);
    set_stack();
}

static struct native_suffix *find(void) {
    return native_suffix_find(&suffixes, &leaf, &stack, BASE);
}

static struct native_suffix *note(void) {
    struct native_suffix *suffix = native_suffix_note(&suffixes, &stack, BASE);
    ck_assert_ptr_nonnull(suffix);
    return suffix;
}

/* A suffix is found with this word as it is, and not with another one. */
static void expect_needed(uint64_t *word) {
    struct native_suffix *suffix = find();
    ck_assert_ptr_nonnull(suffix);
    ++*word;
    ck_assert_ptr_null(find());
    --*word;
    ck_assert_ptr_eq(find(), suffix);
}

START_TEST(a_noted_tail_is_found) {
    open_tails(native_suffix_by_rsp);
    ck_assert_ptr_null(find());
    struct native_suffix *suffix = note();
    ck_assert_ptr_eq(find(), suffix);
    ck_assert_uint_eq(suffix->count, DEPTH - EVALUATION);
    for (uint32_t at = 0; at < suffix->count; at++)
        ck_assert_uint_eq(suffix->keys[at], 1000 + EVALUATION + at);
}
END_TEST

START_TEST(a_hook_may_have_a_frame_pointer) {
    open_tails(native_suffix_by_rbp);
    struct native_suffix *suffix = note();
    ck_assert_ptr_eq(find(), suffix);
}
END_TEST

START_TEST(each_address_is_compared) {
    open_tails(native_suffix_by_rsp);
    note();
    for (uint32_t at = EVALUATION; at < DEPTH; at++)
        expect_needed(&words[places[at]]);
}
END_TEST

/* So many that some are looked for in the suffix's set. */
START_TEST(another_call_of_the_evaluation_is_another_tail) {
    open_tails(native_suffix_by_rsp);
    note();
    for (uint32_t at = 0; at < 100 * NATIVE_SUFFIX_SETS; at++) {
        words[places[EVALUATION]]++;
        ck_assert_ptr_null(find());
    }
}
END_TEST

/* All leaves with the same caller, so that many are looked for in the suffix's set. */
START_TEST(another_leaf_ends_another_tail) {
    open_tails(native_suffix_by_rsp);
    note();
    for (uint32_t at = 0; at < places[LEAF]; at++) {
        leaf.slot = words + at;
        ck_assert_ptr_null(find());
    }
}
END_TEST

START_TEST(another_caller_of_the_evaluation_begins_another_tail) {
    open_tails(native_suffix_by_rsp);
    note();
    expect_needed(&slots[BASE].value);
    slots[BASE].at++;
    ck_assert_ptr_null(find());
}
END_TEST

/* Below the evaluation, nothing is this module's to compare. */
START_TEST(what_is_below_may_change) {
    open_tails(native_suffix_by_rsp);
    struct native_suffix *suffix = note();
    words[places[BASE]]++;
    words[places[ROOT]]++;
    slots[ROOT].value++;
    ck_assert_ptr_eq(find(), suffix);
}
END_TEST

START_TEST(an_epoch_ends_all) {
    open_tails(native_suffix_by_rsp);
    note();
    stack.epoch++;
    ck_assert_ptr_null(find());
}
END_TEST

START_TEST(rbp_counts_where_a_frame_depends_on_it) {
    static const uint32_t depending[] = {ROOT, BASE, CALL, LEAF};
    open_tails(native_suffix_by_rsp);
    struct native_suffix *suffix = note();
    leaf.rbp++;
    ck_assert_ptr_eq(find(), suffix);
    leaf.rbp--;
    for (size_t at = 0; at < sizeof depending / sizeof *depending; at++) {
        set_stack();
        frames[depending[at]].flags = NATIVE_BY_REGISTER;
        memset(&suffixes, 0, sizeof suffixes);
        note();
        expect_needed(&leaf.rbp);
    }
}
END_TEST

START_TEST(a_saved_rbp_is_compared) {
    static const uint32_t saved[] = {EVALUATION, SECOND};
    open_tails(native_suffix_by_rsp);
    for (size_t at = 0; at < sizeof saved / sizeof *saved; at++) {
        frames[saved[at]].rbp_at = words + places[saved[at]] - 1;
        frames[saved[at]].rbp = words[places[saved[at]] - 1] = 7 + at;
    }
    for (int turn = 0; turn < 2 * NATIVE_SUFFIX_WAYS; turn++)
        ck_assert_uint_eq(note()->rbp_count, 2);
    for (size_t at = 0; at < sizeof saved / sizeof *saved; at++)
        expect_needed(&words[places[saved[at]] - 1]);
}
END_TEST

/* Such a hook's caller would have to be unwound. */
START_TEST(a_leaf_of_another_kind_is_not_found) {
    open_tails(native_suffix_by_rbp);
    note();
    ck_assert_ptr_nonnull(find());
    leaf.rbp = (uintptr_t)(words + places[SECOND] + 1);
    leaf.ip = (uintptr_t)native_suffix_odd + 1;
    ck_assert_ptr_null(find());
    leaf.ip = (uintptr_t)words;
    ck_assert_ptr_null(find());
}
END_TEST

START_TEST(nothing_above_the_evaluation_is_read) {
    open_tails(native_suffix_by_rbp);
    note();
    leaf.rbp = (uintptr_t)(words + WORDS);
    ck_assert_ptr_null(find());
}
END_TEST

/* `count` frames above the base, then a few words with no frames, and the leaf. */
static struct native_suffix *note_many(uint32_t count) {
    for (uint32_t at = EVALUATION; at <= BASE + count; at++)
        slots[at] = (struct native_slot){words + places[BASE] - at, at};
    stack.depth = BASE + 1 + count;
    return native_suffix_note(&suffixes, &stack, BASE);
}

START_TEST(a_tail_has_room_for_some_frames) {
    open_tails(native_suffix_by_rsp);
    ck_assert_ptr_null(note_many(0));
    ck_assert_ptr_null(note_many(1));
    for (uint32_t count = 2; count <= NATIVE_SUFFIX_MAX; count++)
        ck_assert_uint_eq(note_many(count)->count, count);
    ck_assert_ptr_null(note_many(NATIVE_SUFFIX_MAX + 1));
    ck_assert_ptr_null(note_many(MOST - BASE - 1));
}
END_TEST

START_TEST(frames_of_two_stacks_are_no_tail) {
    open_tails(native_suffix_by_rsp);
    for (uint32_t at = EVALUATION; at < DEPTH; at++) {
        set_stack();
        slots[at].at = slots[at - 1].at;
        ck_assert_ptr_null(native_suffix_note(&suffixes, &stack, BASE));
        set_stack();
        frames[at].exact = true;
        ck_assert_ptr_null(native_suffix_note(&suffixes, &stack, BASE));
    }
    set_stack();
    frames[BASE].exact = true;
    note();
}
END_TEST

/* In one set are those that differ in the middle. */
static struct native_suffix *find_by(uint64_t call) {
    words[places[CALL]] = call;
    return find();
}

static void note_by(uint64_t call) {
    words[places[CALL]] = call;
    set_stack();
    note();
}

START_TEST(the_older_way_is_used_again) {
    open_tails(native_suffix_by_rsp);
    note_by(1);
    note_by(2);
    ck_assert_ptr_nonnull(find_by(1));
    ck_assert_ptr_nonnull(find_by(2));
    ck_assert_ptr_ne(find_by(1), find_by(2));
    note_by(3);
    ck_assert_ptr_null(find_by(1));
    ck_assert_ptr_nonnull(find_by(2));
    note_by(1);
    ck_assert_ptr_null(find_by(2));
    ck_assert_ptr_nonnull(find_by(3));
    ck_assert_ptr_nonnull(find_by(1));
}
END_TEST

/* Of those that differ only in one of the words that choose a set, more are found than
 * a few sets would have. */
static void expect_many_found(uint32_t place) {
    enum { TAILS = NATIVE_SUFFIX_SETS / 4, FEW_SETS = 2 };
    uint64_t state = 5, values[TAILS];
    uint32_t found = 0;
    for (size_t at = 0; at < TAILS; at++) {
        words[place] = values[at] = 0x7f0000000000 + random_below(&state, 1 << 20);
        set_stack();
        note();
    }
    for (size_t at = 0; at < TAILS; at++) {
        words[place] = values[at];
        found += find() != NULL;
    }
    ck_assert_uint_gt(found, FEW_SETS * NATIVE_SUFFIX_WAYS);
}

START_TEST(tails_are_spread_over_the_sets) {
    open_tails(native_suffix_by_rsp);
    expect_many_found(places[SECOND]);
    expect_many_found(places[EVALUATION]);
}
END_TEST

START_TEST(results_stay_as_long_as_the_tail) {
    open_tails(native_suffix_by_rsp);
    note_by(1);
    find()->results[1].parent = 5;
    find()->results[1].node = 9;
    note_by(2);
    ck_assert_uint_eq(find_by(1)->results[1].node, 9);
    ck_assert_uint_eq(find_by(2)->results[1].node, 0);
    note_by(3);
    for (size_t at = 0; at < NATIVE_SUFFIX_RESULTS; at++) {
        ck_assert_uint_eq(find_by(3)->results[at].parent, 0);
        ck_assert_uint_eq(find_by(3)->results[at].node, 0);
    }
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        a_noted_tail_is_found,
        a_hook_may_have_a_frame_pointer,
        each_address_is_compared,
        another_call_of_the_evaluation_is_another_tail,
        another_leaf_ends_another_tail,
        another_caller_of_the_evaluation_begins_another_tail,
        what_is_below_may_change,
        an_epoch_ends_all,
        rbp_counts_where_a_frame_depends_on_it,
        a_saved_rbp_is_compared,
        a_leaf_of_another_kind_is_not_found,
        nothing_above_the_evaluation_is_read,
        a_tail_has_room_for_some_frames,
        frames_of_two_stacks_are_no_tail,
        the_older_way_is_used_again,
        tails_are_spread_over_the_sets,
        results_stay_as_long_as_the_tail,
    };
    return suite_run("native_suffix", tests, sizeof tests / sizeof *tests);
}
