/* SPDX-License-Identifier: MIT */
#include "tracing/x_option.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

long x_option_read_nframe(const char *text) {
    char *end;
    int saved_errno = errno;
    errno = 0;
    long number = strtol(text, &end, 10);
    bool bad = errno == ERANGE || end == text || *end != '\0' || number < 0 ||
               number > MAX_NFRAME;
    errno = saved_errno;
    return bad ? X_OPTION_BAD : number;
}

/* The frames that one -X option asks for. */
static long read_option(const char *option) {
    static const char name[] = "tracemalloc";
    size_t length = sizeof name - 1;
    if (option == NULL || strncmp(option, name, length) != 0)
        return X_OPTION_NOT_GIVEN;
    if (option[length] == '\0')
        return 1;
    return option[length] == '=' ? x_option_read_nframe(option + length + 1)
                                 : X_OPTION_NOT_GIVEN;
}

/* Reads one word of options, such as -BX, of which `next` may be the value. The number
 * of words used; 0 if the options end here. */
static int read_word(const char *word, const char *next, long *nframe) {
    for (const char *letter = word + 1; *letter != '\0'; letter++) {
        const char *value = letter[1] != '\0' ? letter + 1 : next;
        if (*letter == 'c' || *letter == 'm')
            return 0;
        if (*letter == 'X' && *nframe == X_OPTION_NOT_GIVEN)
            *nframe = read_option(value);
        if (*letter == 'X' || *letter == 'W')
            return letter[1] != '\0' ? 1 : 2;
    }
    return 1;
}

long x_option_nframe(int argc, char **argv) {
    long nframe = X_OPTION_NOT_GIVEN;
    for (int i = 1; i < argc && argv[i][0] == '-' && argv[i][1] != '\0';) {
        if (strcmp(argv[i], "--") == 0)
            break;
        if (argv[i][1] == '-') {
            i += strcmp(argv[i], "--check-hash-based-pycs") == 0 ? 2 : 1;
            continue;
        }
        int used = read_word(argv[i], i + 1 < argc ? argv[i + 1] : NULL, &nframe);
        if (used == 0)
            break;
        i += used;
    }
    return nframe;
}
