/* SPDX-License-Identifier: MIT */
#include "export/page_births.h"

#include "opened_dump.h"
#include "suite.h"

enum { EPOCHS = 4 };

static const uint64_t second = 1000000000, start = 1700000000000000000;

static struct dump_maker maker;
static struct filter filter;
static struct dump_reader *reader;
static struct page_options options;
static struct page_input input;

static void open_page(void) {
    reader = opened_dump_read(&maker);
    options = (struct page_options){
        .reader = reader, .name = "x.dump", .filter = &filter, .share = 0.01};
    ck_assert_int_eq(page_input_open(&input, &options), 0);
}

static void close_page(void) {
    page_input_close(&input);
    dump_reader_close(reader);
    dump_maker_close(&maker);
}

static void begin(void) {
    dump_maker_open(&maker);
    maker.header.start_time = start;
    for (uint32_t i = 0; i < EPOCHS; i++)
        dump_maker_epoch(&maker, start + i * second, i + 1);
}

static void keep(uint32_t site, uint64_t size, uint32_t birth, uint32_t live) {
    uint32_t id = dump_maker_bucket(&maker, site, size, live, 0);
    struct tracemalloc_dump_bucket *bucket =
        dump_maker_entry(&maker, TRACEMALLOC_DUMP_BUCKETS, id);
    bucket->birth = (uint8_t)birth;
    bucket->stamp = birth + 1;
}

/* Bytes now of all entries that were born in an epoch. */
static double sum_of(const struct page_births *births, uint32_t epoch) {
    double sum = 0;
    for (size_t i = 0; i < births->pairs.count; i++)
        if (births->pairs.pairs[i].second == epoch)
            sum += births->sums[i * births->points].size;
    return sum;
}

/* Bytes now of one entry, of all epochs. */
static double sum_of_entry(const struct page_births *births, size_t entry) {
    double sum = 0;
    for (size_t i = 0; i < births->pairs.count; i++)
        if (births->pairs.pairs[i].first == entry)
            sum += births->sums[i * births->points].size;
    return sum;
}

/* Some calls are folded into `other`, and one site is of two domains. */
START_TEST(each_entry_is_the_sum_of_its_births) {
    begin();
    uint32_t code = dump_maker_code(&maker, "app.py", "work");
    for (uint32_t line = 1; line < 40; line++) {
        uint32_t stack = dump_maker_stack(&maker, 0, code, line);
        for (uint32_t domain = 0; domain < 1 + line % 2; domain++)
            for (uint32_t epoch = line % 3; epoch < EPOCHS; epoch++)
                keep(dump_maker_site(&maker, stack, domain), line, epoch, epoch + line);
    }
    open_page();
    for (int direction = 0; direction < PAGE_INPUT_TREES; direction++) {
        const struct folded_tree *tree = &input.trees[direction];
        struct page_births births;
        ck_assert_int_eq(page_births_open(&births, &input, tree), 0);
        ck_assert_uint_gt(tree->folded[0], 0);
        for (size_t i = 0; i < tree->entry_count; i++)
            ck_assert_double_eq(sum_of_entry(&births, i),
                                (double)tree->values[i * input.columns]);
        double whole = 0;
        for (uint32_t epoch = 0; epoch < EPOCHS; epoch++)
            whole += sum_of(&births, epoch);
        ck_assert_double_eq(whole, (double)input.table.totals[0]);
        page_births_close(&births);
    }
    close_page();
}
END_TEST

START_TEST(what_is_filtered_out_or_has_no_birth_is_missing) {
    begin();
    uint32_t a = dump_maker_code(&maker, "a.py", "a");
    uint32_t b = dump_maker_code(&maker, "b.py", "b");
    keep(dump_maker_site(&maker, dump_maker_stack(&maker, 0, a, 1), 0), 1, 1, 5);
    keep(dump_maker_site(&maker, dump_maker_stack(&maker, 0, b, 1), 0), 1, 1, 70);
    keep(dump_maker_site(&maker, TRACEMALLOC_DUMP_OVERFLOW_STACK, 0), 1, 1, 900);
    ck_assert_int_eq(filter_add(&filter, "b.py", false), 0);
    open_page();
    struct page_births births;
    ck_assert_int_eq(page_births_open(&births, &input, &input.trees[0]), 0);
    ck_assert_double_eq(sum_of(&births, 1), 5);
    page_births_close(&births);
    close_page();
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        each_entry_is_the_sum_of_its_births,
        what_is_filtered_out_or_has_no_birth_is_missing,
    };
    return suite_run("page_births", tests, sizeof tests / sizeof *tests);
}
