/* SPDX-License-Identifier: MIT */
#include "profile/native_details.h"

#include <errno.h>
#include <stdlib.h>

#include "collection/array.h"

/* The name id of native_details_location. */
static uint32_t location_of(const struct profile *profile, uint32_t stack) {
    const struct dump_native *native = profile_native(profile, stack);
    bool has_source = native == NULL || native->has_source;
    return has_source ? profile_frame(profile, stack).name
                      : profile->module_names[native->module];
}

static int add(struct array *entries, struct id_map *ids,
               const struct native_detail *detail, const struct profile *profile) {
    uint32_t function = profile->function_names[profile_code(profile, detail->stack)];
    struct id_pair key = {(uint64_t)detail->group << 32 | function,
                          location_of(profile, detail->stack)};
    int64_t id = id_map_add(ids, key);
    if (id < 0)
        return -ENOMEM;
    if ((size_t)id == entries->count)
        return array_append(entries, detail, 1) < 0 ? -ENOMEM : 0;
    struct native_detail *entry = (struct native_detail *)entries->entries + id;
    weight_add(&entry->weight, detail->weight);
    return 0;
}

static int compare(const void *first, const void *second) {
    const struct native_detail *a = first, *b = second;
    if (a->group != b->group)
        return a->group < b->group ? -1 : 1;
    if (a->weight.size != b->weight.size)
        return a->weight.size > b->weight.size ? -1 : 1;
    return (a->stack > b->stack) - (a->stack < b->stack);
}

int native_details_open(struct native_details *details,
                        const struct grouping *grouping) {
    const struct dump_reader *reader = grouping->profile->reader;
    struct array entries = {.entry_size = sizeof(struct native_detail)};
    struct id_map ids = {0};
    int error = 0;
    *details = (struct native_details){0};
    if (reader->details == NULL || grouping->of_sites == NULL)
        return 0;
    for (size_t i = 0; i < reader->site_count && error == 0; i++) {
        uint32_t group = grouping->of_sites[i], stack = reader->details[i];
        struct native_detail detail = {group - 1, stack, grouping->profile->sites[i]};
        if (group > 0 && stack > 0)
            error = add(&entries, &ids, &detail, grouping->profile);
    }
    id_map_clear(&ids);
    if (entries.count > 0)
        qsort(entries.entries, entries.count, sizeof(struct native_detail), compare);
    *details = (struct native_details){entries.entries, entries.count};
    return error;
}

void native_details_close(struct native_details *details) {
    free(details->entries);
    *details = (struct native_details){0};
}

const struct native_detail *native_details_find(const struct native_details *details,
                                                uint32_t group, size_t *count) {
    size_t low = 0, high = details->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (details->entries[middle].group < group)
            low = middle + 1;
        else
            high = middle;
    }
    *count = 0;
    while (low + *count < details->count &&
           details->entries[low + *count].group == group)
        ++*count;
    return *count > 0 ? details->entries + low : NULL;
}

struct dump_text native_details_location(const struct profile *profile,
                                         const struct native_detail *detail) {
    return profile->names->texts[location_of(profile, detail->stack)];
}

bool native_details_is_interpreter(const struct profile *profile,
                                   const struct native_detail *detail) {
    const struct dump_native *native = profile_native(profile, detail->stack);
    return native != NULL && native->is_interpreter;
}
