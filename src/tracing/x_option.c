/* SPDX-License-Identifier: MIT */
#include "tracing/x_option.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

/* CPython reads the number by wcstol, base 10. */
static long read_number(const char *text) {
    char *end;
    int saved = errno;
    errno = 0;
    long number = strtol(text, &end, 10);
    bool bad = errno == ERANGE || end == text || *end != '\0' || number < 0 ||
               number > MAX_NFRAME;
    errno = saved;
    return bad ? X_OPTION_BAD : number;
}

/* Of one -X option. */
static long read_option(const char *option) {
    static const char name[] = "tracemalloc";
    size_t length = sizeof name - 1;
    if (option == NULL || strncmp(option, name, length) != 0)
        return X_OPTION_NOT_GIVEN;
    if (option[length] == '\0')
        return 1;
    return option[length] == '=' ? read_number(option + length + 1)
                                 : X_OPTION_NOT_GIVEN;
}

/* One word of options, such as -BX; `next` is the word behind it. The number of words
 * used; 0 where options end. */
static int read_word(const char *word, const char *next, long *nframe) {
    for (const char *at = word + 1; *at != '\0'; at++) {
        const char *value = at[1] != '\0' ? at + 1 : next;
        if (*at == 'c' || *at == 'm')
            return 0;
        if (*at == 'X' && *nframe == X_OPTION_NOT_GIVEN)
            *nframe = read_option(value);
        if (*at == 'X' || *at == 'W')
            return at[1] != '\0' ? 1 : 2;
    }
    return 1;
}

long x_option_nframe(int argc, char **argv) {
    long nframe = X_OPTION_NOT_GIVEN;
    for (int at = 1; at < argc && argv[at][0] == '-' && argv[at][1] != '\0';) {
        if (strcmp(argv[at], "--") == 0)
            break;
        if (argv[at][1] == '-') {
            at += strcmp(argv[at], "--check-hash-based-pycs") == 0 ? 2 : 1;
            continue;
        }
        int used = read_word(argv[at], at + 1 < argc ? argv[at + 1] : NULL, &nframe);
        if (used == 0)
            break;
        at += used;
    }
    return nframe;
}
