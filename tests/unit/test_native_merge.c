/* SPDX-License-Identifier: MIT */
#include "stack/native/native_merge.h"

#include <string.h>

#include "base/arena.h"
#include "native_leaf.h"
#include "suite.h"

/* The interpreter that this test plays: evaluations are C functions, and each has a
 * word on its stack that stands for what CPython leaves there: from 3.12 on an entry
 * frame. */
enum { MAX_NODES = 100000, MAX_PYTHON = 64 };

#define no_inline __attribute__((noipa))

static struct native_merge *merge;
static struct python_stack python;
static struct python_frame frames[MAX_PYTHON];

/* The tree that the sink makes, and that of Python stacks. */
static struct node {
    uint32_t parent;
    char name; /* '.' for native frames */
} nodes[MAX_NODES], python_nodes[MAX_NODES];
static uint32_t node_count, python_count = 1;

static uint32_t add_node(uint32_t parent, char name) {
    ck_assert_uint_lt(node_count, MAX_NODES);
    nodes[node_count] = (struct node){parent, name};
    return node_count++;
}

static uint32_t add_native(uint32_t parent, uint32_t module, uint64_t address) {
    (void)module;
    (void)address;
    return add_node(parent, '.');
}

static uint32_t add_python(uint32_t parent, uint32_t node) {
    return add_node(parent, python_nodes[node].name);
}

static const struct native_merge_sink sink = {add_native, add_python};

static uint32_t give_id(const struct native_object *object) {
    (void)object;
    return 1;
}

static void open_merge(unsigned version) {
    struct python_layout layout = {.version = (uint16_t)version};
    node_count = 2;
    python.frames = frames;
    python.depth = 0;
    ck_assert_int_eq(native_object_prepare(), 0);
    ck_assert_int_eq(native_window_prepare(), 0);
    ck_assert_int_eq(unwind_table_open(give_id), 0);
    native_merge_open(&sink, &layout, 30);
    merge = arena_map(sizeof *merge);
    native_merge_refresh(merge);
}

static uint32_t python_node(uint32_t parent, char name) {
    uint32_t at = 1;
    while (at < python_count &&
           (python_nodes[at].parent != parent || python_nodes[at].name != name))
        at++;
    if (at == python_count)
        python_nodes[python_count++] = (struct node){parent, name};
    return at;
}

/* A Python frame above those that run; a space is an entry frame. */
static void push(char name, const void *address) {
    uint32_t below = python.depth > 0 ? frames[python.depth - 1].node : 0;
    frames[python.depth++] = (struct python_frame){
        .address = address,
        .parent = below,
        .node = name == ' ' ? below : python_node(below, name),
    };
}

/* The letters of the present stack, root first. */
static no_inline const char *look(void) {
    static char text[MAX_PYTHON];
    char reversed[MAX_PYTHON];
    struct native_registers leaf = native_leaf(__builtin_frame_address(0));
    uint32_t node = native_merge_find(merge, &leaf, &python, NULL);
    size_t count = 0;
    for (; node != 0; node = nodes[node].parent)
        if (nodes[node].name != '.')
            reversed[count++] = nodes[node].name;
    for (size_t at = 0; at < count; at++)
        text[at] = reversed[count - 1 - at];
    text[count] = '\0';
    return text;
}

static void expect(const char *letters) {
    ck_assert_str_eq(look(), letters);
}

/* Runs the code of an evaluation: letters are calls within it, '(' begins another one
 * by way of C, '!' is an event, '<' a return within it. */
static no_inline const char *evaluate(const char *code, char *seen, unsigned version);

static no_inline const char *call_by_c(const char *code, char *seen, unsigned version) {
    const char *end = evaluate(code, seen, version);
    __asm__ volatile("" ::: "memory");
    return end;
}

static char heap[256];

static no_inline const char *evaluate(const char *code, char *seen, unsigned version) {
    volatile uint64_t entry[4] = {0};
    uint32_t depth = python.depth;
    size_t length = strlen(seen);
    if (version >= 0x30c)
        push(' ', (const void *)entry);
    for (; *code != ')' && *code != '\0'; code++) {
        size_t now = strlen(seen);
        if (*code == '(')
            code = call_by_c(code + 1, seen, version);
        else if (*code == '<') {
            seen[now - 1] = '\0';
            python.depth--;
        } else if (*code == '!')
            expect(seen);
        else {
            seen[now] = *code;
            seen[now + 1] = '\0';
            push(*code, &heap[python.depth]);
        }
    }
    seen[length] = '\0';
    python.depth = depth;
    __asm__ volatile("" ::: "memory");
    return code;
}

static void run(const char *code, unsigned version) {
    char seen[MAX_PYTHON] = "";
    evaluate(code, seen, version);
}

START_TEST(calls_within_an_evaluation_follow_one_another) {
    open_merge(0x30c);
    run("A!B!C!<!D!<<!", 0x30c);
}
END_TEST

START_TEST(an_evaluation_within_another_is_above_it) {
    open_merge(0x30c);
    run("A!(B!C!(D!)!)!E!(F!)!", 0x30c);
    run("A!(B!(C!(D!)!)!)!", 0x30c);
}
END_TEST

START_TEST(the_same_code_elsewhere_is_another_stack) {
    open_merge(0x30c);
    run("AB!(C!)<!(C!)", 0x30c);
    run("A(B!(C!))(C!)", 0x30c);
}
END_TEST

START_TEST(random_programs_are_right_at_each_event) {
    uint64_t state = 7;
    open_merge(0x30c);
    for (int turn = 0; turn < 3000; turn++) {
        char code[64] = "A";
        int open = 0, here[64] = {1};
        for (size_t at = 1; at < 40; at++) {
            uint32_t dice = random_below(&state, 10);
            if (dice < 3)
                code[at] = '!';
            else if (dice < 5 && open < 8) {
                code[at] = '(';
                here[++open] = 0;
            } else if (dice < 6 && open > 0) {
                code[at] = ')';
                open--;
            } else if (dice < 7 && here[open] > 1) {
                code[at] = '<';
                here[open]--;
            } else {
                code[at] = (char)('A' + random_below(&state, 26));
                here[open]++;
            }
        }
        run(code, 0x30c);
    }
}
END_TEST

START_TEST(without_python_there_are_native_frames_alone) {
    open_merge(0x30c);
    expect("");
    ck_assert_uint_gt(merge->native.depth, 2);
}
END_TEST

START_TEST(frames_of_no_evaluation_come_first) {
    open_merge(0x30c);
    push('X', &heap[1]);
    push('Y', &heap[2]);
    expect("XY");
    push('Z', &heap[3]);
    expect("XYZ");
}
END_TEST

START_TEST(a_new_dump_forgets_all) {
    open_merge(0x30c);
    run("A!(B!)!", 0x30c);
    native_merge_forget();
    node_count = 2;
    native_merge_refresh(merge);
    run("B!(A!)!", 0x30c);
}
END_TEST

START_TEST(memory_is_given_back) {
    uint64_t before = arena_bytes();
    open_merge(0x30c);
    run("A!(B!(C!))", 0x30c);
    native_merge_release(merge);
    native_merge_release(NULL);
    native_merge_close();
    unwind_table_close();
    ck_assert_uint_eq(arena_bytes(), before);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        calls_within_an_evaluation_follow_one_another,
        an_evaluation_within_another_is_above_it,
        the_same_code_elsewhere_is_another_stack,
        random_programs_are_right_at_each_event,
        without_python_there_are_native_frames_alone,
        frames_of_no_evaluation_come_first,
        a_new_dump_forgets_all,
        memory_is_given_back,
    };
    return suite_run("native_merge", tests, sizeof tests / sizeof *tests);
}
