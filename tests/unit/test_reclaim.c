/* SPDX-License-Identifier: MIT */
#include "trace/reclaim.h"

#include <stdio.h>
#include <string.h>

#include "live_blocks.h"
#include "suite.h"
#include "trace/name_table.h"
#include "trace/reclaim_trigger.h"
#include "trace/bucket_table.h"
#include "trace/stack_table.h"

enum { DOMAINS = 2, BLOCKS = 500, CODES = 40, STACKS = 4000, LINES = 3 };

static struct dump_file file;

struct sum {
    uint64_t bytes, blocks;
};

/* A naive model: what each stack is and ever allocated. Stack 0 is the empty one. */
static struct model {
    struct code {
        uint32_t id, serial;
        bool lives;
    } codes[CODES];
    struct stack {
        struct sum sums[DOMAINS];
        uint32_t id, parent, code, serial, line;
        bool is_there;
    } stacks[STACKS];
    struct block {
        uint32_t stack, bucket;
    } blocks[BLOCKS];
    uint32_t serial, live;
} model;

static uint64_t count_of(unsigned section) {
    return file.header->sections[section].count;
}

static void open_tables(void) {
    ck_assert_int_eq(dump_file_open(&file, 64 << 20), 0);
    ck_assert_int_eq(name_table_open(&file), 0);
    ck_assert_int_eq(stack_table_open(&file), 0);
    ck_assert_int_eq(bucket_table_open(&file), 0);
    model.stacks[0].is_there = true;
}

/* --- code objects ----------------------------------------------------------------- */

static void name_of(uint32_t serial, char *name, size_t size) {
    snprintf(name, size, "%.*s%u", (int)(serial % 13), "abcdefghijklm", serial);
}

static void make_code(uint32_t index) {
    char name[40];
    struct code *code = &model.codes[index];
    code->serial = ++model.serial;
    code->lives = true;
    name_of(code->serial, name, sizeof name);
    tracemalloc_dump_string text = name_table_string(name, strlen(name));
    code->id = name_table_code(text, text, code->serial);
}

static void expect_name(uint32_t id, uint32_t serial) {
    char name[40];
    const struct tracemalloc_dump_code *code =
        (const struct tracemalloc_dump_code *)file.base[TRACEMALLOC_DUMP_CODE] + id;
    name_of(serial, name, sizeof name);
    ck_assert_uint_eq(code->first_line, serial);
    ck_assert_str_eq(
        (const char *)file.base[TRACEMALLOC_DUMP_STRINGS] + code->filename + 4, name);
}

/* --- stacks ----------------------------------------------------------------------- */

static bool may_run(const struct stack *stack) {
    const struct code *code = &model.codes[stack->code];
    if (stack == &model.stacks[0])
        return true;
    return stack->is_there && code->lives && code->serial == stack->serial &&
           may_run(&model.stacks[stack->parent]);
}

static const struct tracemalloc_dump_stack *node_at(uint32_t id) {
    return (const struct tracemalloc_dump_stack *)file.base[TRACEMALLOC_DUMP_STACKS] +
           id;
}

static void note_stack(uint32_t parent, uint32_t code, uint32_t line, uint32_t id) {
    struct stack *free = NULL;
    ck_assert_uint_gt(id, model.stacks[parent].id);
    for (uint32_t at = 1; at < STACKS; at++) {
        struct stack *stack = &model.stacks[at];
        bool same = stack->is_there && stack->parent == parent && stack->line == line &&
                    stack->serial == model.codes[code].serial;
        ck_assert(!stack->is_there || (stack->id == id) == same);
        if (same)
            return;
        if (!stack->is_there && free == NULL)
            free = stack;
    }
    ck_assert_ptr_nonnull(free);
    *free = (struct stack){.id = id,
                           .parent = parent,
                           .code = code,
                           .serial = model.codes[code].serial,
                           .line = line,
                           .is_there = true};
}

/* One that can run now. */
static uint32_t random_stack(uint64_t *seed) {
    for (int tries = 0; tries < 50; tries++) {
        uint32_t stack = random_below(seed, STACKS);
        if (may_run(&model.stacks[stack]))
            return stack;
    }
    return 0;
}

static void random_call(uint64_t *seed) {
    uint32_t parent = random_stack(seed), code = random_below(seed, CODES);
    uint32_t line = random_below(seed, LINES);
    if (!model.codes[code].lives)
        make_code(code);
    uint32_t id = stack_table_node(model.stacks[parent].id, model.codes[code].id, line);
    note_stack(parent, code, line, id);
}

/* --- blocks ----------------------------------------------------------------------- */

static void random_block(uint64_t *seed) {
    uint32_t stack = random_stack(seed), domain = random_below(seed, DOMAINS);
    uint64_t size = 1 + random_below(seed, 9);
    if (model.live == BLOCKS)
        return;
    uint32_t bucket = bucket_table_find(model.stacks[stack].id, domain, size);
    ck_assert_uint_ne(bucket, 0);
    live_block_count(bucket);
    model.blocks[model.live++] = (struct block){stack, bucket};
    model.stacks[stack].sums[domain].bytes += size;
    model.stacks[stack].sums[domain].blocks++;
}

static void random_free(uint64_t *seed) {
    if (model.live == 0)
        return;
    uint32_t at = random_below(seed, model.live);
    live_block_uncount(model.blocks[at].bucket);
    model.blocks[at] = model.blocks[--model.live];
}

/* --- recycling -------------------------------------------------------------------- */

static void mark_live_codes(struct id_set *codes) {
    for (uint32_t at = 0; at < CODES; at++)
        if (model.codes[at].lives)
            id_set_remove(codes, model.codes[at].id);
}

static bool holds(uint32_t id) {
    for (uint64_t at = 1; at < count_of(TRACEMALLOC_DUMP_BUCKETS); at++) {
        const struct tracemalloc_dump_bucket *bucket = bucket_table.buckets + at;
        if (!bucket_table_is_dead(bucket) && bucket_site(bucket)->stack == id)
            return true;
    }
    return false;
}

/* Marks the stacks that stay. */
static void find_staying(bool *stays) {
    memset(stays, 0, STACKS);
    stays[0] = true;
    for (uint32_t at = 1; at < STACKS; at++) {
        const struct stack *stack = &model.stacks[at];
        bool stay = may_run(stack) || (stack->is_there && holds(stack->id));
        for (uint32_t kept = at; stay && kept != 0; kept = model.stacks[kept].parent)
            stays[kept] = true;
    }
}

static void give_to_caller(struct stack *stack, const bool *stays) {
    uint32_t caller = stack->parent;
    while (!stays[caller])
        caller = model.stacks[caller].parent;
    for (int domain = 0; domain < DOMAINS; domain++) {
        model.stacks[caller].sums[domain].bytes += stack->sums[domain].bytes;
        model.stacks[caller].sums[domain].blocks += stack->sums[domain].blocks;
    }
}

static void forget_stacks(const struct id_set *stacks) {
    static bool stays[STACKS];
    find_staying(stays);
    for (uint32_t at = 0; at < STACKS; at++) {
        struct stack *stack = &model.stacks[at];
        if (!stack->is_there)
            continue;
        ck_assert_int_eq(id_set_has(stacks, stack->id), !stays[at]);
        if (!stays[at])
            give_to_caller(stack, stays);
    }
    for (uint32_t at = 0; at < STACKS; at++)
        if (model.stacks[at].is_there && !stays[at])
            model.stacks[at].is_there = false;
}

static const struct reclaim_callbacks callbacks = {mark_live_codes, forget_stacks};

/* --- what the dump says ----------------------------------------------------------- */

static void add_ever(struct sum *sums, uint32_t site, uint64_t bytes, uint64_t blocks) {
    const struct tracemalloc_dump_site *of = bucket_table.sites + site;
    ck_assert_uint_lt(site, count_of(TRACEMALLOC_DUMP_SITES));
    ck_assert_uint_lt(of->stack, count_of(TRACEMALLOC_DUMP_STACKS));
    sums[of->stack * DOMAINS + of->domain % DOMAINS].bytes += bytes;
    sums[of->stack * DOMAINS + of->domain % DOMAINS].blocks += blocks;
}

static void read_sums(struct sum *sums) {
    for (uint32_t id = 1; id < count_of(TRACEMALLOC_DUMP_SITES); id++)
        add_ever(sums, id, bucket_table.sites[id].total_bytes,
                 bucket_table.sites[id].total_blocks);
    for (uint32_t id = 1; id < count_of(TRACEMALLOC_DUMP_BUCKETS); id++) {
        const struct tracemalloc_dump_bucket *bucket = bucket_table.buckets + id;
        if (bucket->total > 0)
            add_ever(sums, bucket->site & ~TRACEMALLOC_DUMP_NOT_PYTHON,
                     bucket->total * bucket->size, bucket->total);
    }
}

static void expect_stack(const struct stack *stack, struct sum *sums) {
    const struct tracemalloc_dump_stack *node = node_at(stack->id);
    ck_assert_mem_eq(sums + stack->id * DOMAINS, stack->sums, sizeof stack->sums);
    memset(sums + stack->id * DOMAINS, 0, sizeof stack->sums);
    if (stack->id == 0)
        return;
    ck_assert_uint_eq(node->parent, model.stacks[stack->parent].id);
    ck_assert_uint_eq(node->line, stack->line);
    expect_name(node->code, stack->serial);
}

static void expect_model(void) {
    static struct sum sums[1 << 18];
    memset(sums, 0, sizeof sums);
    read_sums(sums);
    for (uint32_t at = 0; at < STACKS; at++)
        if (model.stacks[at].is_there)
            expect_stack(&model.stacks[at], sums);
    for (uint64_t at = 0; at < count_of(TRACEMALLOC_DUMP_STACKS) * DOMAINS; at++)
        ck_assert_uint_eq(sums[at].blocks + sums[at].bytes, 0);
    for (uint32_t id = 2; id < count_of(TRACEMALLOC_DUMP_STACKS); id++)
        ck_assert_uint_lt(node_at(id)->parent, id);
    ck_assert_uint_eq(live_blocks(), model.live);
    for (int reason = 0; reason < TRACEMALLOC_DUMP_REASONS; reason++)
        ck_assert_uint_eq(file.header->lost[reason], 0);
}

static void random_event(uint64_t *seed, bool shrinks) {
    uint32_t kind = random_below(seed, 100);
    if (kind < 2)
        model.codes[random_below(seed, CODES)].lives = false;
    else if (kind < 20)
        random_call(seed);
    else if (kind < (shrinks ? 50 : 65))
        random_block(seed);
    else
        random_free(seed);
}

START_TEST(random_lives_agree_with_a_model) {
    uint64_t seed = 29;
    open_tables();
    for (int round = 0; round < 60000; round++) {
        random_event(&seed, round / 3000 % 2);
        if (random_below(&seed, 300) == 0) {
            reclaim(&file, &callbacks);
            expect_model();
        }
    }
    expect_model();
}
END_TEST

/* --- room ------------------------------------------------------------------------- */

static struct code running[2]; /* one that stays, and one that is replaced */

static void mark_running(struct id_set *codes) {
    id_set_remove(codes, running[0].id);
    id_set_remove(codes, running[1].id);
}

static void forget_nothing(const struct id_set *stacks) {
    (void)stacks;
}

static const struct reclaim_callbacks running_callbacks = {mark_running,
                                                           forget_nothing};

static uint32_t new_code(uint32_t serial) {
    char name[40];
    snprintf(name, sizeof name, "path_%u.py", serial);
    tracemalloc_dump_string text = name_table_string(name, strlen(name));
    return name_table_code(text, text, 1);
}

/* New code for ever, of which each calls a few levels deep and frees what it made. */
START_TEST(new_code_for_ever_does_not_fill_the_dump) {
    enum { ROUNDS = 30000, LEVELS = 8, ENOUGH = 300 << 10 };
    uint64_t looks = 0;
    open_tables();
    running[0].id = new_code(0);
    uint32_t root = stack_table_node(0, running[0].id, 1);
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        running[1].id = new_code(round);
        uint32_t stack = root;
        for (uint32_t level = 0; level < LEVELS; level++)
            stack = stack_table_node(stack, running[1].id, level);
        uint32_t bucket = bucket_table_find(stack, 0, 100);
        live_block_count(bucket);
        live_block_uncount(bucket);
        looks += reclaim_trigger.requested;
        if (reclaim_trigger.requested)
            reclaim(&file, &running_callbacks);
    }
    ck_assert_uint_gt(looks, 10);
    ck_assert_uint_lt(looks, ROUNDS * LEVELS / 500);
    ck_assert_uint_le(file.mapped[TRACEMALLOC_DUMP_STACKS], ENOUGH);
    ck_assert_uint_le(file.mapped[TRACEMALLOC_DUMP_SITES], ENOUGH);
    ck_assert_uint_le(file.mapped[TRACEMALLOC_DUMP_CODE], ENOUGH);
    ck_assert_uint_le(file.mapped[TRACEMALLOC_DUMP_STRINGS], ENOUGH);
}
END_TEST

START_TEST(after_the_end_of_the_interpreter_all_stays) {
    open_tables();
    uint32_t node = stack_table_node(0, new_code(1), 1);
    bucket_table_freeze();
    reclaim(&file, &running_callbacks);
    ck_assert_uint_eq(node_at(node)->line, 1);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        random_lives_agree_with_a_model,
        new_code_for_ever_does_not_fill_the_dump,
        after_the_end_of_the_interpreter_all_stays,
    };
    return suite_run("reclaim", tests, sizeof tests / sizeof *tests);
}
