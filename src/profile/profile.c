/* SPDX-License-Identifier: MIT */
#include "profile/profile.h"

#include <errno.h>
#include <stdlib.h>

#include "dump/dump_temporary.h"
#include "profile/births.h"
#include "profile/estimate.h"

uint32_t profile_bucket_count(const struct dump_reader *reader,
                              const struct tracemalloc_dump_bucket *bucket,
                              enum profile_point point) {
    if (!births_include(reader, bucket))
        return 0;
    if (point == PROFILE_PEAK)
        return dump_bucket_peak(&reader->header, bucket);
    bool at_exit = point == PROFILE_EXIT ||
                   (point == PROFILE_NOW && reader->header.finalized != 0);
    return at_exit ? bucket->at_exit : bucket->live;
}

struct weight profile_bucket_weight(const struct dump_reader *reader,
                                    const struct tracemalloc_dump_bucket *bucket,
                                    enum profile_point point) {
    uint64_t count = profile_bucket_count(reader, bucket, point);
    if (count == 0) /* there may be no site at all */
        return (struct weight){0};
    if (!estimate_is_needed(reader))
        return (struct weight){.size = count * bucket->size, .count = count};
    struct estimate sum = {0};
    estimate_add(&sum, reader, bucket, count);
    return estimate_round(&sum, (size_t)(bucket - reader->buckets));
}

struct weight profile_census_weight(const struct dump_reader *reader, size_t entry) {
    const struct tracemalloc_dump_census *counted = &reader->census[entry];
    const struct tracemalloc_dump_bucket *bucket = &reader->buckets[counted->bucket];
    uint64_t count = births_include(reader, bucket) ? counted->blocks : 0;
    if (!estimate_is_needed(reader))
        return (struct weight){.size = count * bucket->size, .count = count};
    struct estimate sum = {0};
    estimate_add(&sum, reader, bucket, count);
    return estimate_round(&sum, entry);
}

static struct weight *count_census(const struct dump_reader *reader) {
    struct weight *weights = calloc(reader->site_count + 1, sizeof *weights);
    for (size_t i = 0; weights != NULL && i < reader->census_count; i++) {
        const struct tracemalloc_dump_bucket *bucket =
            &reader->buckets[reader->census[i].bucket];
        weight_add(&weights[dump_bucket_site(bucket)],
                   profile_census_weight(reader, i));
    }
    return weights;
}

static void add_blocks(struct weight *weights,
                       const struct tracemalloc_dump_bucket *bucket, uint64_t count) {
    if (count == 0)
        return;
    struct weight *weight = &weights[dump_bucket_site(bucket)];
    weight->size += count * bucket->size;
    weight->count += count;
}

static uint64_t recorded(const struct dump_reader *reader,
                         const struct tracemalloc_dump_bucket *bucket,
                         enum profile_point point) {
    if (point == PROFILE_TEMPORARY)
        return dump_temporary_get(bucket);
    return point == PROFILE_ALLOCATED ? bucket->total
                                      : profile_bucket_count(reader, bucket, point);
}

/* What a site has of buckets that are gone. */
static struct weight folded(const struct tracemalloc_dump_site *site,
                            enum profile_point point) {
    if (point == PROFILE_ALLOCATED)
        return (struct weight){.size = site->total_bytes, .count = site->total_blocks};
    if (point == PROFILE_TEMPORARY)
        return (struct weight){.size = site->temporary_bytes,
                               .count = site->temporary_blocks};
    return (struct weight){0};
}

static struct weight *count(const struct dump_reader *reader,
                            enum profile_point point) {
    struct weight *weights = calloc(reader->site_count + 1, sizeof *weights);
    if (weights == NULL)
        return NULL;
    for (size_t i = 0; i < reader->site_count; i++)
        weights[i] = folded(&reader->sites[i], point);
    for (size_t i = 0; i < reader->bucket_count; i++)
        add_blocks(weights, &reader->buckets[i],
                   recorded(reader, &reader->buckets[i], point));
    return weights;
}

/* Each bucket is scaled, and only the sums are rounded. */
static struct weight *estimate(const struct dump_reader *reader,
                               enum profile_point point) {
    struct weight *weights = calloc(reader->site_count + 1, sizeof *weights);
    struct estimate *sums = calloc(reader->site_count + 1, sizeof *sums);
    if (weights == NULL || sums == NULL) {
        free(sums);
        free(weights);
        return NULL;
    }
    for (size_t i = 0; i < reader->site_count && point == PROFILE_ALLOCATED; i++)
        estimate_add_site(&sums[i], reader, i);
    for (size_t i = 0; i < reader->bucket_count; i++) {
        const struct tracemalloc_dump_bucket *bucket = &reader->buckets[i];
        estimate_add(&sums[dump_bucket_site(bucket)], reader, bucket,
                     recorded(reader, bucket, point));
    }
    for (size_t i = 0; i < reader->site_count; i++)
        weights[i] = estimate_round(&sums[i], i);
    free(sums);
    return weights;
}

static struct weight *sum_buckets(const struct dump_reader *reader,
                                  enum profile_point point) {
    if (point == PROFILE_CENSUS)
        return count_census(reader);
    bool is_exact = point == PROFILE_TEMPORARY || !estimate_is_needed(reader);
    return is_exact ? count(reader, point) : estimate(reader, point);
}

struct weight *profile_allocated(const struct dump_reader *reader) {
    return sum_buckets(reader, PROFILE_ALLOCATED);
}

void profile_update_total(struct profile *profile) {
    profile->total = (struct weight){.estimated = estimate_is_needed(profile->reader)};
    for (size_t i = 0; i < profile->reader->site_count; i++) {
        weight_add(&profile->total, profile->sites[i]);
    }
}

/* The format's codes 0 and 1 are no code objects: the name table has fixed names for
 * them. */
static int64_t add_code_name(const struct dump_reader *reader,
                             struct frame_names *names, size_t code) {
    if (code == 0)
        return FRAME_NAMES_UNKNOWN;
    if (code == 1)
        return FRAME_NAMES_OVERFLOW;
    return frame_names_add(names,
                           dump_reader_text(reader, reader->code[code].filename));
}

/* Module 0, code that belongs to no module, has no path. */
static int64_t add_module_name(const struct dump_reader *reader,
                               struct frame_names *names, size_t module) {
    static const struct dump_text none = {"<unknown code>", 14};
    struct dump_text path = dump_reader_text(reader, reader->modules[module].path);
    return frame_names_add(names, path.length > 0 ? path : none);
}

/* Type 0 is none. */
static int name_types(struct profile *profile, struct frame_names *names) {
    static const struct dump_text none = {"<not an object>", 15};
    const struct dump_reader *reader = profile->reader;
    for (size_t i = 0; i < reader->type_count; i++) {
        struct dump_text text = dump_reader_text(reader, reader->types[i].name);
        int64_t name = frame_names_add(names, i == 0 ? none : text);
        if (name < 0)
            return (int)name;
        profile->type_names[i] = (uint32_t)name;
    }
    return 0;
}

static int name_frames(struct profile *profile, struct frame_names *names) {
    const struct dump_reader *reader = profile->reader;
    for (size_t i = 0; i < reader->code_count; i++) {
        int64_t name = add_code_name(reader, names, i);
        if (name < 0)
            return (int)name;
        profile->code_names[i] = (uint32_t)name;
        name = frame_names_add(names, dump_reader_text(reader, reader->code[i].name));
        if (name < 0)
            return (int)name;
        profile->function_names[i] = (uint32_t)name;
    }
    for (size_t i = 0; i < reader->module_count; i++) {
        int64_t name = add_module_name(reader, names, i);
        if (name < 0)
            return (int)name;
        profile->module_names[i] = (uint32_t)name;
    }
    return name_types(profile, names);
}

static int fill(struct profile *profile, struct frame_names *names,
                enum profile_point point) {
    const struct dump_reader *reader = profile->reader;
    if (point == PROFILE_EXIT && reader->header.finalized == 0)
        return -ENODATA;
    if (point == PROFILE_CENSUS && reader->header.census_time == 0)
        return -ENODATA;
    profile->sites = sum_buckets(reader, point);
    profile->code_names = calloc(reader->code_count, sizeof *profile->code_names);
    profile->function_names =
        calloc(reader->code_count, sizeof *profile->function_names);
    profile->module_names =
        calloc(reader->module_count + 1, sizeof *profile->module_names);
    profile->type_names = calloc(reader->type_count + 1, sizeof *profile->type_names);
    if (profile->sites == NULL || profile->code_names == NULL ||
        profile->function_names == NULL || profile->module_names == NULL ||
        profile->type_names == NULL)
        return -ENOMEM;
    int error = name_frames(profile, names);
    if (error < 0)
        return error;
    profile_update_total(profile);
    return 0;
}

int profile_open(struct profile *profile, const struct dump_reader *reader,
                 struct frame_names *names, enum profile_point point) {
    *profile = (struct profile){.reader = reader, .names = names};
    int error = fill(profile, names, point);
    if (error < 0)
        profile_close(profile);
    return error;
}

void profile_close(struct profile *profile) {
    free(profile->sites);
    free(profile->code_names);
    free(profile->function_names);
    free(profile->module_names);
    free(profile->type_names);
    *profile = (struct profile){0};
}

struct dump_text profile_function(const struct profile *profile, uint32_t stack) {
    return profile->names->texts[profile->function_names[profile_code(profile, stack)]];
}

struct weight *profile_domains(const struct profile *profile) {
    const struct dump_reader *reader = profile->reader;
    struct weight *domains = calloc(reader->domain_count, sizeof *domains);
    for (size_t i = 0; domains != NULL && i < reader->site_count; i++) {
        struct weight *domain = &domains[reader->sites[i].domain];
        weight_add(domain, profile->sites[i]);
    }
    return domains;
}
