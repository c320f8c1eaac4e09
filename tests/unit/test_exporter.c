/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "check_run.h"
#include "export/exporter.h"
#include "exported_dump.h"

START_TEST(each_format_has_a_name) {
    static const char *const names[] = {"collapsed", "csv",   "json",     "otlp",
                                        "parquet",   "pprof", "snapshot", "speedscope"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct exporter *exporter = exporter_find(names[i]);
        ck_assert_ptr_nonnull(exporter);
        ck_assert_ptr_eq(exporter, exporter_at(i));
        ck_assert_str_eq(exporter->name, names[i]);
    }
    ck_assert_ptr_null(exporter_find("nonsense"));
    ck_assert_ptr_null(exporter_at(1000));
}
END_TEST

START_TEST(twice_gives_the_same_bytes) {
    struct dump_maker maker;
    const struct exporter *exporter;
    dump_maker_open(&maker);
    dump_maker_fill(&maker, 3000);
    for (size_t i = 0; (exporter = exporter_at(i)) != NULL; i++) {
        if (exporter->is_lake)
            continue;
        struct exported_dump first = exported_dump_make_all(&maker, exporter->name);
        struct exported_dump second = exported_dump_make_all(&maker, exporter->name);
        ck_assert_int_eq(first.error, 0);
        ck_assert_uint_gt(first.size, 0);
        ck_assert_uint_eq(first.size, second.size);
        ck_assert_mem_eq(first.bytes, second.bytes, first.size);
        exported_dump_free(&first);
        exported_dump_free(&second);
    }
    dump_maker_close(&maker);
}
END_TEST

START_TEST(an_empty_dump_is_no_trouble) {
    struct dump_maker maker;
    const struct exporter *exporter;
    dump_maker_open(&maker);
    for (size_t i = 0; (exporter = exporter_at(i)) != NULL; i++) {
        if (exporter->is_lake)
            continue;
        struct exported_dump result = exported_dump_make_all(&maker, exporter->name);
        ck_assert_int_eq(result.error, 0);
        exported_dump_free(&result);
    }
    dump_maker_close(&maker);
}
END_TEST

/* Windows of up to 40000 frames each: 8e8 frames from a small file. */
START_TEST(a_small_file_makes_no_huge_one) {
    static const char *const names[] = {"collapsed", "json", "otlp", "pprof",
                                        "speedscope"};
    struct dump_maker maker;
    dump_maker_open(&maker);
    uint32_t code = dump_maker_code(&maker, "x.py", "f"), stack = 0;
    maker.header.nframe = 65535;
    for (uint32_t i = 0; i < 40000; i++) {
        stack = dump_maker_stack(&maker, stack, code, 1);
        dump_maker_bucket(&maker, dump_maker_site(&maker, stack, 0), 1, 1, 0);
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct exported_dump result = exported_dump_make_all(&maker, names[i]);
        ck_assert_int_eq(result.error, -EFBIG);
        ck_assert_uint_eq(result.size, 0);
        exported_dump_free(&result);
    }
    dump_maker_close(&maker);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("exporter");
    tcase_add_test(tests, each_format_has_a_name);
    tcase_add_test(tests, twice_gives_the_same_bytes);
    tcase_add_test(tests, an_empty_dump_is_no_trouble);
    tcase_add_test(tests, a_small_file_makes_no_huge_one);
    return check_run("exporter", tests);
}
