/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "check_run.h"
#include "profile/pattern.h"

static bool matches(const char *pattern, const char *text) {
    return pattern_matches(pattern, strlen(pattern), text, strlen(text));
}

START_TEST(stars_and_question_marks) {
    ck_assert(matches("*", ""));
    ck_assert(matches("*", "/usr/lib/x.py"));
    ck_assert(matches("*.py", "a/b.py"));
    ck_assert(!matches("*.py", "a/b.pyc"));
    ck_assert(matches("a?c", "abc"));
    ck_assert(!matches("a?c", "ac"));
    ck_assert(matches("a?c", "a\xc3\xa9"
                             "c"));
    ck_assert(matches("*a*b*c*", "xxaxxbxxcxx"));
    ck_assert(!matches("*a*b*c", "xxaxxbxxcxx"));
    ck_assert(!matches("", "a"));
    ck_assert(matches("", ""));
}
END_TEST

START_TEST(sets) {
    ck_assert(matches("[abc]", "b"));
    ck_assert(!matches("[!abc]", "b"));
    ck_assert(matches("[!abc]", "d"));
    ck_assert(matches("[a-c]x", "bx"));
    ck_assert(!matches("[a-c]", "d"));
    ck_assert(matches("[]a]", "]"));
    ck_assert(matches("[!]a]", "b"));
    ck_assert(matches("[a-]", "-"));
    ck_assert(matches("[^a]", "^"));
    ck_assert(matches("[a", "[a"));
    ck_assert(matches("[", "["));
    ck_assert(matches("\\*", "\\anything"));
    ck_assert(!matches("[z-a]", "b"));
}
END_TEST

START_TEST(the_time_stays_bounded) {
    enum { LENGTH = 100000 };
    char *text = malloc(LENGTH);
    memset(text, 'a', LENGTH);
    ck_assert(!pattern_matches("*a*a*a*a*a*b", 12, text, LENGTH));
    free(text);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("pattern");
    tcase_add_test(tests, stars_and_question_marks);
    tcase_add_test(tests, sets);
    tcase_add_test(tests, the_time_stays_bounded);
    return check_run("pattern", tests);
}
