/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "check_run.h"
#include "export/script_stream.h"

/* Written in one piece, and byte by byte. */
static void ck_written(const char *text, const char *expected) {
    for (size_t piece = 1; piece <= strlen(text); piece += strlen(text) - 1) {
        char *bytes = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&bytes, &size);
        FILE *script = script_stream_open(out);
        ck_assert_ptr_nonnull(script);
        setvbuf(script, NULL, _IONBF, 0);
        for (size_t at = 0; at < strlen(text); at += piece)
            fwrite(text + at, 1, piece, script);
        ck_assert_int_eq(fclose(script), 0);
        fclose(out);
        ck_assert_str_eq(bytes, expected);
        free(bytes);
    }
}

START_TEST(nothing_can_end_the_element) {
    ck_written("[\"</script><!--\"]", "[\"\\u003c/script>\\u003c!--\"]");
}
END_TEST

START_TEST(characters_become_ascii) {
    ck_written("a\x7f", "a\\u007f");
    ck_written("\xc2\x85z", "\\u0085z");
    ck_written("\xc3\xa9\xe2\x82\xac", "\\u00e9\\u20ac");
    ck_written("\xf0\x9f\x90\x8dz", "\\ud83d\\udc0dz");
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("script_stream");
    tcase_add_test(tests, nothing_can_end_the_element);
    tcase_add_test(tests, characters_become_ascii);
    return check_run("script_stream", tests);
}
