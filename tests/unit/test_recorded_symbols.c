/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <unistd.h>

#include "check_run.h"
#include "compiled_library.h"
#include "dump/dump_writer.h"
#include "merge/merged_dump.h"
#include "opened_dump.h"
#include "symbols/recorded_symbols.h"

static struct compiled_library library;
static struct dump_maker maker;
static struct symbols *symbols;
static uint32_t module;
static uint64_t address;

static void set_up(void) {
    compiled_library_make(&library, "int first(void) { return 1; }\n"
                                    "int second(void) { return 2; }\n");
    address = compiled_library_address(&library, "second");
    dump_maker_open(&maker);
    struct tracemalloc_dump_module entry = {
        .path = dump_maker_text(&maker, library.path),
        .build_id = dump_maker_text(&maker, library.build_id)};
    module = dump_maker_append(&maker, TRACEMALLOC_DUMP_MODULES, &entry);
    uint32_t node = TRACEMALLOC_DUMP_NATIVE | module;
    uint32_t root = dump_maker_stack(&maker, 0, node, 0x7fffff);
    uint32_t stack = dump_maker_stack(&maker, root, node, (uint32_t)address);
    dump_maker_bucket(&maker, dump_maker_site(&maker, stack, 1), 10, 1, 0);
    ck_assert_int_eq(symbols_open(&symbols), 0);
}

static void tear_down(void) {
    symbols_close(symbols);
    dump_maker_close(&maker);
    compiled_library_remove(&library);
}

static void ck_second(const struct dump_reader *reader) {
    const struct tracemalloc_dump_symbol *found;
    ck_assert_uint_eq(recorded_symbols_find(reader, module, address, &found), 1);
    ck_assert(recorded_symbols_have_name(reader, found, 1));
    ck_assert_str_eq(dump_reader_text(reader, found->function).bytes, "second");
    ck_assert_uint_eq(found->line, 2);
}

static struct dump_reader *resolved(void) {
    struct recorded_counts counts;
    struct dump_reader *reader = opened_dump_read(&maker);
    ck_assert_int_eq(recorded_symbols_fill(reader, symbols, &counts), 0);
    ck_assert_uint_eq(counts.addresses, 2);
    ck_assert_uint_eq(counts.named, 1);
    return reader;
}

START_TEST(they_are_found_and_kept) {
    struct dump_reader *reader = resolved();
    const struct tracemalloc_dump_symbol *found;
    ck_second(reader);
    ck_assert_uint_eq(reader->symbol_count, 2);
    ck_assert_uint_eq(recorded_symbols_find(reader, module, 0x7fffff, &found), 1);
    ck_assert(!recorded_symbols_have_name(reader, found, 1));
    ck_assert_uint_eq(recorded_symbols_find(reader, module, address + 1, &found), 0);
    dump_reader_close(reader);
}
END_TEST

START_TEST(doing_it_twice_changes_nothing) {
    struct recorded_counts counts;
    struct dump_reader *reader = resolved();
    size_t bytes = reader->string_bytes;
    compiled_library_run(&library, "rm libx.so");
    ck_assert_int_eq(recorded_symbols_fill(reader, symbols, &counts), 0);
    ck_assert_uint_eq(counts.named, 1);
    ck_assert_uint_eq(reader->string_bytes, bytes);
    ck_assert_uint_eq(reader->symbol_count, 2);
    ck_second(reader);
    dump_reader_close(reader);
}
END_TEST

START_TEST(a_file_and_a_merged_dump_hold_them) {
    struct dump_reader *reader = resolved(), *merged, *again;
    struct dump_reader *plain = opened_dump_read(&maker);
    struct dump_reader *parts[] = {plain, reader, reader};
    ck_assert_int_eq(merged_dump_open(&merged, parts, 3), 0);
    ck_assert_uint_eq(merged->symbol_count, 2);
    ck_second(merged);
    int fd = dump_maker_memory_file("", 0);
    ck_assert_int_eq(dump_writer_write(merged, fd), 0);
    ck_assert_int_eq(dump_reader_open_fd(&again, fd), 0);
    ck_assert_uint_eq(again->damaged, 0);
    ck_second(again);
    close(fd);
    dump_reader_close(again);
    dump_reader_close(merged);
    dump_reader_close(plain);
    dump_reader_close(reader);
}
END_TEST

/* What is out of order, or names what is not there, is left out. */
START_TEST(damaged_ones_are_dropped) {
    struct tracemalloc_dump_symbol entry = {.module = module, .address = 5};
    dump_maker_append(&maker, TRACEMALLOC_DUMP_SYMBOLS, &entry);
    entry.function = UINT32_MAX;
    dump_maker_append(&maker, TRACEMALLOC_DUMP_SYMBOLS, &entry);
    entry = (struct tracemalloc_dump_symbol){.module = module, .address = 4};
    dump_maker_append(&maker, TRACEMALLOC_DUMP_SYMBOLS, &entry);
    struct dump_reader *reader = opened_dump_read(&maker);
    ck_assert_uint_eq(reader->symbol_count, 2);
    ck_assert_uint_eq(reader->symbols[1].function, 0);
    ck_assert_uint_eq(reader->damaged, 2);
    dump_reader_close(reader);
    *(struct tracemalloc_dump_symbol *)dump_maker_entry(&maker,
                                                        TRACEMALLOC_DUMP_SYMBOLS, 0) =
        (struct tracemalloc_dump_symbol){.module = module + 1};
    reader = opened_dump_read(&maker);
    ck_assert_uint_eq(reader->symbol_count, 0);
    dump_reader_close(reader);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("recorded_symbols");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, they_are_found_and_kept);
    tcase_add_test(tests, doing_it_twice_changes_nothing);
    tcase_add_test(tests, a_file_and_a_merged_dump_hold_them);
    tcase_add_test(tests, damaged_ones_are_dropped);
    return check_run("recorded_symbols", tests);
}
