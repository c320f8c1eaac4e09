/* SPDX-License-Identifier: MIT */
#include "report/profile.h"

#include <errno.h>
#include <stdlib.h>

uint32_t profile_site_count(const struct dump_reader *reader,
                            const struct tracemalloc_dump_site *site,
                            enum profile_moment moment) {
    bool at_exit = moment == PROFILE_EXIT ||
                   (moment == PROFILE_NOW && reader->header.finalized != 0);
    return at_exit ? site->at_exit : site->live;
}

static void weigh_sites(struct profile *profile, enum profile_moment moment) {
    const struct dump_reader *reader = profile->reader;
    for (size_t i = 0; i < reader->site_count; i++) {
        const struct tracemalloc_dump_site *site = &reader->sites[i];
        uint64_t count = profile_site_count(reader, site, moment);
        if (count == 0)
            continue;
        profile->tallies[site->tally].size += count * site->size;
        profile->tallies[site->tally].count += count;
    }
}

static void weigh_peak(struct profile *profile) {
    const struct dump_reader *reader = profile->reader;
    bool now = reader->header.rising != 0;
    for (size_t i = 0; i < reader->tally_count; i++) {
        const struct tracemalloc_dump_tally *tally = &reader->tallies[i];
        bool changed = !now && tally->peak_number == reader->header.peak_number;
        profile->tallies[i].size = changed ? tally->peak_bytes : tally->bytes;
        profile->tallies[i].count = changed ? tally->peak_blocks : tally->blocks;
    }
}

static void weigh_allocated(struct profile *profile) {
    const struct dump_reader *reader = profile->reader;
    for (size_t i = 0; i < reader->tally_count; i++)
        profile->tallies[i] = (struct weight){reader->tallies[i].total_bytes,
                                              reader->tallies[i].total_blocks};
}

void profile_add_up(struct profile *profile) {
    profile->total = (struct weight){0};
    for (size_t i = 0; i < profile->reader->tally_count; i++) {
        profile->total.size += profile->tallies[i].size;
        profile->total.count += profile->tallies[i].count;
    }
}

/* The two codes of the format that are no code have names of their own; so has a file
 * without a name. */
static int64_t add_code_name(const struct dump_reader *reader,
                             struct frame_names *names, size_t code) {
    if (code == 0)
        return FRAME_NAMES_UNKNOWN;
    if (code == 1)
        return FRAME_NAMES_OVERFLOW;
    return frame_names_add(names,
                           dump_reader_text(reader, reader->code[code].filename));
}

static int name_frames(struct profile *profile, struct frame_names *names) {
    const struct dump_reader *reader = profile->reader;
    for (size_t i = 0; i < reader->code_count; i++) {
        int64_t name = add_code_name(reader, names, i);
        if (name < 0)
            return (int)name;
        profile->code_names[i] = (uint32_t)name;
    }
    for (size_t i = 0; i < reader->module_count; i++) {
        int64_t name =
            frame_names_add(names, dump_reader_text(reader, reader->modules[i].path));
        if (name < 0)
            return (int)name;
        profile->module_names[i] = (uint32_t)name;
    }
    return 0;
}

static int fill(struct profile *profile, struct frame_names *names,
                enum profile_moment moment) {
    const struct dump_reader *reader = profile->reader;
    if (moment == PROFILE_EXIT && reader->header.finalized == 0)
        return -ENODATA;
    profile->tallies = calloc(reader->tally_count + 1, sizeof *profile->tallies);
    profile->code_names = calloc(reader->code_count, sizeof *profile->code_names);
    profile->module_names =
        calloc(reader->module_count + 1, sizeof *profile->module_names);
    if (profile->tallies == NULL || profile->code_names == NULL ||
        profile->module_names == NULL)
        return -ENOMEM;
    int error = name_frames(profile, names);
    if (error < 0)
        return error;
    if (moment == PROFILE_PEAK)
        weigh_peak(profile);
    else if (moment == PROFILE_ALLOCATED)
        weigh_allocated(profile);
    else
        weigh_sites(profile, moment);
    profile_add_up(profile);
    return 0;
}

int profile_open(struct profile *profile, const struct dump_reader *reader,
                 struct frame_names *names, enum profile_moment moment) {
    *profile = (struct profile){.reader = reader, .names = names};
    int error = fill(profile, names, moment);
    if (error < 0)
        profile_close(profile);
    return error;
}

void profile_close(struct profile *profile) {
    free(profile->tallies);
    free(profile->code_names);
    free(profile->module_names);
    *profile = (struct profile){0};
}

struct dump_text profile_function(const struct profile *profile, uint32_t stack) {
    const struct dump_reader *reader = profile->reader;
    uint32_t code = reader->stacks[stack].code;
    if ((code & TRACEMALLOC_DUMP_NATIVE) != 0)
        code = 0;
    return dump_reader_text(reader, reader->code[code].name);
}

struct weight *profile_domains(const struct profile *profile) {
    const struct dump_reader *reader = profile->reader;
    struct weight *domains = calloc(reader->domain_count, sizeof *domains);
    for (size_t i = 0; domains != NULL && i < reader->tally_count; i++) {
        struct weight *domain = &domains[reader->tallies[i].domain];
        domain->size += profile->tallies[i].size;
        domain->count += profile->tallies[i].count;
    }
    return domains;
}
