/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "check_run.h"
#include "export/page.h"
#include "opened_dump.h"

static struct dump_maker maker;
static struct filter filter;
static struct page_options options;
static char *page;

static void set_up(void) {
    dump_maker_open(&maker);
    filter = (struct filter){0};
    options = (struct page_options){.name = "x.dump", .filter = &filter};
}

static void tear_down(void) {
    free(page);
    page = NULL;
    dump_reader_close((struct dump_reader *)options.reader);
    dump_maker_close(&maker);
}

static void hold(const char *filename) {
    uint32_t code = dump_maker_code(&maker, filename, "f");
    uint32_t stack = dump_maker_stack(&maker, 0, code, 3);
    dump_maker_bucket(&maker, dump_maker_site(&maker, stack, 0), 70001, 1, 0);
}

static int write_page(void) {
    size_t size;
    options.reader = opened_dump_read(&maker);
    FILE *out = open_memstream(&page, &size);
    int error = page_write(&options, out);
    fclose(out);
    return error;
}

static size_t count_of(const char *text) {
    size_t count = 0;
    for (const char *at = page; (at = strstr(at, text)) != NULL; at++)
        count++;
    return count;
}

START_TEST(the_page_is_one_document) {
    hold("/srv/app.py");
    ck_assert_int_eq(write_page(), 0);
    ck_assert_int_eq(strncasecmp(page, "<!DOCTYPE html>", 15), 0);
    ck_assert_uint_eq(count_of("</html>"), 1);
    ck_assert_uint_eq(count_of("/srv/app.py"), 1);
    ck_assert_ptr_nonnull(strstr(page, "70001"));
}
END_TEST

/* What is opened from a disk may not ask anybody for anything. */
START_TEST(the_page_loads_nothing) {
    hold("/srv/app.py");
    ck_assert_int_eq(write_page(), 0);
    ck_assert_uint_eq(count_of("<link"),
                      count_of("<link rel=\"icon\" href=\"data:,\">"));
    ck_assert_uint_eq(count_of("<script src="), 0);
    ck_assert_ptr_nonnull(strstr(page, "default-src 'none'"));
    ck_assert_uint_eq(count_of("@import"), 0);
}
END_TEST

START_TEST(no_name_ends_the_data) {
    hold("plain.py");
    ck_assert_int_eq(write_page(), 0);
    size_t scripts = count_of("</script");
    tear_down();
    set_up();
    hold("</script><script>alert(1)</script><!-- .py");
    ck_assert_int_eq(write_page(), 0);
    ck_assert_uint_eq(count_of("</script"), scripts);
    ck_assert_uint_eq(count_of("<!--"), 0);
    ck_assert_ptr_nonnull(strstr(page, "\\u003c/script>"));
}
END_TEST

/* Nothing of a page is written when there can be none. */
START_TEST(errors_come_first) {
    hold("/srv/app.py");
    filter.domain = "nonsense";
    ck_assert_int_eq(write_page(), -ENOENT);
    ck_assert_str_eq(page, "");
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("page");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, errors_come_first);
    if (page_is_built()) {
        tcase_add_test(tests, the_page_is_one_document);
        tcase_add_test(tests, the_page_loads_nothing);
        tcase_add_test(tests, no_name_ends_the_data);
    }
    return check_run("page", tests);
}
