/* SPDX-License-Identifier: MIT */
#include "profile/pattern.h"

#include <stdint.h>

#include "output/unicode.h"

/* Returns the `]` that ends the set beginning at `at`, after its `[`; or NULL. A `]`
 * that comes first belongs to the set. */
static const char *find_set_end(const char *at, const char *end) {
    if (at < end && *at == '!')
        at++;
    if (at < end && *at == ']')
        at++;
    while (at < end && *at != ']')
        at++;
    return at < end ? at : NULL;
}

static bool set_holds(const char *at, const char *end, uint32_t point) {
    while (at < end) {
        uint32_t low = unicode_next(&at, end), high = low;
        if (end - at >= 2 && *at == '-') {
            at++;
            high = unicode_next(&at, end);
        }
        if (low <= point && point <= high)
            return true;
    }
    return false;
}

/* Whether the pattern's element at *at, which is not `*`, matches a character. Advances
 * *at past the element. */
static bool element_matches(const char **at, const char *end, uint32_t point) {
    uint32_t element = unicode_next(at, end);
    if (element == '?')
        return true;
    const char *set_end = element == '[' ? find_set_end(*at, end) : NULL;
    if (set_end == NULL)
        return element == point;
    bool negated = **at == '!';
    bool holds = set_holds(*at + negated, set_end, point);
    *at = set_end + 1;
    return holds != negated;
}

bool pattern_matches(const char *pattern, size_t pattern_length, const char *text,
                     size_t length) {
    const char *pattern_end = pattern + pattern_length, *text_end = text + length;
    const char *after_star = NULL, *retry = NULL;
    while (text < text_end) {
        if (pattern < pattern_end && *pattern == '*') {
            after_star = ++pattern;
            retry = text;
            continue;
        }
        const char *following = text;
        uint32_t point = unicode_next(&following, text_end);
        if (pattern < pattern_end && element_matches(&pattern, pattern_end, point)) {
            text = following;
            continue;
        }
        if (after_star == NULL)
            return false;
        /* Let the last `*` match one more character; earlier ones need no retry. */
        unicode_next(&retry, text_end);
        text = retry;
        pattern = after_star;
    }
    while (pattern < pattern_end && *pattern == '*')
        pattern++;
    return pattern == pattern_end;
}
