/* SPDX-License-Identifier: MIT */
#include "profile/filter.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "profile/pattern.h"

enum { NO_MATCH = MAX_NFRAME + 1 }; /* larger than any window */

/* Which names match, and how far outwards from each stack the nearest match is. */
struct matches {
    const struct filter *filter;
    const struct profile *profile;
    unsigned char *names; /* by pattern and name: whether the file matches */
    uint32_t *included;   /* by stack: frames to the nearest inclusive match */
    uint32_t *excluded;   /* by stack: frames to the nearest exclusive match */
};

/* `.pyc` counts as `.py`, in patterns and names. */
static size_t source_length(const char *text, size_t length) {
    bool compiled = length >= 4 && memcmp(text + length - 4, ".pyc", 4) == 0;
    return length - compiled;
}

/* Removes `:LINE` from the end of the pattern, if there is one. */
static void split_line(struct filter_pattern *pattern) {
    const char *colon = strrchr(pattern->text, ':');
    if (colon == NULL || colon[1] == '\0' ||
        strspn(colon + 1, "0123456789") != strlen(colon + 1))
        return;
    unsigned long line = strtoul(colon + 1, NULL, 10);
    pattern->line = line < UINT32_MAX ? (int64_t)line : UINT32_MAX;
    pattern->length = (size_t)(colon - pattern->text);
}

int filter_add(struct filter *filter, const char *text, bool inclusive) {
    if (filter->pattern_count == FILTER_MAX_PATTERNS)
        return -E2BIG;
    struct filter_pattern *pattern = &filter->patterns[filter->pattern_count++];
    *pattern = (struct filter_pattern){text, strlen(text), -1, inclusive};
    split_line(pattern);
    pattern->length = source_length(text, pattern->length);
    return 0;
}

static void match_names(struct matches *matches) {
    const struct frame_names *names = matches->profile->names;
    for (size_t i = 0; i < matches->filter->pattern_count; i++) {
        const struct filter_pattern *pattern = &matches->filter->patterns[i];
        for (size_t name = 0; name < names->count; name++) {
            struct dump_text text = names->texts[name];
            matches->names[i * names->count + name] =
                pattern_matches(pattern->text, pattern->length, text.bytes,
                                source_length(text.bytes, text.length));
        }
    }
}

static bool frame_matches(const struct matches *matches, struct frame frame,
                          bool inclusive) {
    for (size_t i = 0; i < matches->filter->pattern_count; i++) {
        const struct filter_pattern *pattern = &matches->filter->patterns[i];
        if (pattern->inclusive == inclusive &&
            (pattern->line < 0 || pattern->line == frame.line) &&
            matches->names[i * matches->profile->names->count + frame.name] != 0)
            return true;
    }
    return false;
}

/* Callers come before their callees. */
static void find_distances(const struct matches *matches, uint32_t *distances,
                           bool inclusive) {
    const struct dump_reader *reader = matches->profile->reader;
    for (uint32_t id = 0; id < reader->stack_count; id++) {
        if (frame_matches(matches, profile_frame(matches->profile, id), inclusive)) {
            distances[id] = 0;
            continue;
        }
        uint32_t caller = reader->stacks[id].parent;
        /* The empty stack counts as a frame only if it is the whole stack. */
        uint32_t distance = caller == 0 ? NO_MATCH : distances[caller];
        distances[id] = distance < NO_MATCH ? distance + 1 : NO_MATCH;
    }
}

/* Patterns are matched against the stack as it is shown and as it was recorded. */
static bool is_selected(const struct matches *matches, size_t site,
                        bool any_inclusive) {
    const struct dump_reader *reader = matches->profile->reader;
    uint32_t reach = 1, shown = reader->sites[site].stack;
    uint32_t recorded = dump_reader_recorded(reader, site);
    if (matches->filter->all_frames)
        reach = reader->header.nframe + reader->header.native_nframe;
    if (any_inclusive && matches->included[shown] >= reach &&
        matches->included[recorded] >= reach)
        return false;
    return matches->excluded[shown] >= reach && matches->excluded[recorded] >= reach;
}

static void drop_sites(const struct matches *matches) {
    const struct dump_reader *reader = matches->profile->reader;
    bool any_inclusive = false;
    for (size_t i = 0; i < matches->filter->pattern_count; i++)
        any_inclusive |= matches->filter->patterns[i].inclusive;
    for (size_t i = 0; i < reader->site_count; i++)
        if (!is_selected(matches, i, any_inclusive))
            matches->profile->sites[i] = (struct weight){0};
}

static int apply_patterns(const struct filter *filter, struct profile *profile) {
    if (filter->pattern_count == 0)
        return 0;
    size_t stacks = profile->reader->stack_count;
    struct matches matches = {
        .filter = filter,
        .profile = profile,
        .names = calloc(filter->pattern_count, profile->names->count),
        .included = calloc(stacks, sizeof *matches.included),
        .excluded = calloc(stacks, sizeof *matches.excluded),
    };
    int error = -ENOMEM;
    if (matches.names != NULL && matches.included != NULL && matches.excluded != NULL) {
        match_names(&matches);
        find_distances(&matches, matches.included, true);
        find_distances(&matches, matches.excluded, false);
        drop_sites(&matches);
        error = 0;
    }
    free(matches.names);
    free(matches.included);
    free(matches.excluded);
    return error;
}

/* Returns the number of the domain with this name or number, or -1 if there is none. */
static int64_t domain_number(const char *text, const struct dump_reader *reader) {
    static const char *const known[] = {
        [TRACEMALLOC_DUMP_DOMAIN_PYTHON] = "python",
        [TRACEMALLOC_DUMP_DOMAIN_LIBC] = "libc",
        [TRACEMALLOC_DUMP_DOMAIN_MMAP] = "mmap",
    };
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    if (isdigit((unsigned char)text[0]) && *end == '\0')
        return number < UINT32_MAX ? (int64_t)number : UINT32_MAX;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(text, known[i]) == 0)
            return (int64_t)i;
    for (size_t i = 0; i < reader->domain_count; i++)
        if (strcmp(text, dump_reader_text(reader, reader->domains[i].name).bytes) == 0)
            return reader->domains[i].number;
    return -1;
}

static int apply_domain(const struct filter *filter, struct profile *profile) {
    if (filter->domain == NULL)
        return 0;
    const struct dump_reader *reader = profile->reader;
    int64_t number = domain_number(filter->domain, reader);
    if (number < 0)
        return -ENOENT;
    for (size_t i = 0; i < reader->site_count; i++)
        if (reader->domains[reader->sites[i].domain].number != number)
            profile->sites[i] = (struct weight){0};
    return 0;
}

int filter_apply(const struct filter *filter, struct profile *profile) {
    int error = apply_domain(filter, profile);
    if (error == 0)
        error = apply_patterns(filter, profile);
    profile_update_total(profile);
    return error;
}
