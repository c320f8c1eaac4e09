/* SPDX-License-Identifier: MIT */
#include "export/plain_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "output/unicode.h"

size_t plain_text_put(char *out, uint32_t point) {
    if (point != 0 && !unicode_is_surrogate(point))
        return unicode_put(out, point);
    return (size_t)snprintf(out, PLAIN_TEXT_MAX_BYTES, "\\u%04" PRIx32, point);
}

/* An invalid byte becomes six bytes, which is the maximum. */
char *plain_text_copy(struct dump_text text) {
    const char *end = text.bytes + text.length;
    char *copy = malloc(text.length * PLAIN_TEXT_MAX_BYTES + 1);
    if (copy == NULL)
        return NULL;
    size_t length = 0;
    for (const char *at = text.bytes; at < end;)
        length += plain_text_put(copy + length, unicode_next(&at, end));
    copy[length] = '\0';
    char *shorter = realloc(copy, length + 1);
    return shorter != NULL ? shorter : copy;
}
