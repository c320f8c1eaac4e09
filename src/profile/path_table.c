/* SPDX-License-Identifier: MIT */
#include "profile/path_table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "collection/array.h"

enum {
    PROCESS_NAME_SIZE = 32,
    MAX_FRAMES = 1000, /* of a whole stack: Python's default recursion limit */
};

/* The stacks of a dump whose paths are being added. */
struct stacks {
    const struct path_source *source;
    const struct dump_reader *reader;
    uint64_t *functions; /* by code object: function number | PATH_TABLE_NATIVE */
    uint32_t *frames;    /* by stack: frame number */
    uint32_t *depths;    /* by stack: frames */
    uint32_t *domains;   /* by domain of the dump: index in the table */
    uint32_t *inner;     /* by stack: Python frames inside it, to the innermost stack */
    uint32_t *processes; /* by process of the dump: frame number */
    uint32_t *calls;     /* by stack: its call + 1; joined dumps only */
    uint32_t nframe;     /* frames that a path may have */
};

static int64_t add_frame(struct path_table *table, uint32_t file,
                         struct dump_text function) {
    int64_t id = frame_names_add(&table->functions, function);
    if (id < 0)
        return id;
    return id_map_add(&table->frames,
                      (struct id_pair){(uint64_t)file << 32, (uint64_t)id});
}

static struct dump_text text_of(const char *word) {
    return (struct dump_text){word, strlen(word)};
}

static int64_t add_named_frame(struct path_table *table, const char *name) {
    int64_t nowhere = frame_names_add(table->names, text_of(""));
    return nowhere < 0 ? nowhere : add_frame(table, (uint32_t)nowhere, text_of(name));
}

int path_table_open(struct path_table *table, struct frame_names *names,
                    unsigned columns) {
    static const char *const own[PATH_TABLE_OWN_FRAMES] = {
        [PATH_TABLE_ALL] = "all",
        [PATH_TABLE_OTHER] = "other",
        [PATH_TABLE_CUT] = "older frames",
    };
    *table =
        (struct path_table){.names = names, .columns = columns, .nframe = UINT32_MAX};
    int error = frame_names_open(&table->functions);
    for (size_t i = 0; i < PATH_TABLE_OWN_FRAMES && error == 0; i++)
        error = add_named_frame(table, own[i]) < 0 ? -ENOMEM : 0;
    if (error < 0)
        path_table_close(table);
    return error;
}

void path_table_close(struct path_table *table) {
    frame_names_close(&table->functions);
    id_map_clear(&table->frames);
    free(table->steps);
    free(table->paths);
    free(table->values);
    free(table->deepest);
    id_map_clear(&table->calls);
    free(table->process_names);
    *table = (struct path_table){0};
}

/* Returns the domain's index in the table, where it is added if it is new. */
static uint32_t find_domain(struct path_table *table, const struct dump_reader *reader,
                            const struct tracemalloc_dump_domain *domain) {
    uint32_t i = 0;
    while (i < table->domain_count && table->domains[i].number != domain->number)
        i++;
    if (i == PATH_TABLE_MAX_DOMAINS)
        return i - 1;
    if (i == table->domain_count)
        table->domains[table->domain_count++] = (struct path_domain){
            domain->number, dump_reader_text(reader, domain->name)};
    return i;
}

static int name_functions(struct path_table *table, struct stacks *stacks) {
    const struct dump_reader *reader = stacks->reader;
    for (size_t i = 0; i < reader->code_count; i++) {
        int64_t id = frame_names_add(&table->functions,
                                     dump_reader_text(reader, reader->code[i].name));
        if (id < 0)
            return (int)id;
        stacks->functions[i] = (uint64_t)id;
        if (dump_reader_native(reader, (uint32_t)i) != NULL)
            stacks->functions[i] |= PATH_TABLE_NATIVE;
    }
    return 0;
}

/* Whether the line of a stack's frame is certain for all blocks allocated inside it. */
static bool has_line(const struct path_table *table, const struct stacks *stacks,
                     uint32_t stack) {
    if (stacks->calls != NULL)
        return table->deepest[stacks->calls[stack]] < table->limit;
    return stacks->inner[stack] < stacks->reader->header.nframe;
}

static int64_t number_frame(struct path_table *table, const struct stacks *stacks,
                            uint32_t stack) {
    const struct profile *profile = stacks->source->ever;
    struct frame frame = profile_frame(profile, stack);
    uint64_t function = stacks->functions[profile_code(profile, stack)];
    bool native = (function & PATH_TABLE_NATIVE) != 0;
    if (!native && !has_line(table, stacks, stack))
        frame.line = 0;
    struct id_pair pair = {(uint64_t)frame.name << 32 | frame.line, function};
    return id_map_add(&table->frames, pair);
}

/* Unlike inner_frames_count, this includes stacks that hold nothing. Callees come after
 * their callers. */
static void count_inner_frames(struct stacks *stacks) {
    const struct dump_reader *reader = stacks->reader;
    for (size_t id = reader->stack_count; stacks->source->whole && id-- > 1;) {
        uint32_t *caller = &stacks->inner[reader->stacks[id].parent];
        bool python = profile_native(stacks->source->ever, (uint32_t)id) == NULL;
        if (*caller < stacks->inner[id] + python)
            *caller = stacks->inner[id] + python;
    }
}

/* Callers come before their callees. */
static int find_calls(struct path_table *table, struct stacks *stacks) {
    const struct profile *profile = stacks->source->ever;
    const struct dump_reader *reader = stacks->reader;
    stacks->calls = calloc(reader->stack_count, sizeof *stacks->calls);
    if (stacks->calls == NULL)
        return -ENOMEM;
    for (uint32_t id = 0; id < reader->stack_count; id++) {
        uint32_t caller = id == 0 ? 0 : stacks->calls[reader->stacks[id].parent];
        struct id_pair pair = {(uint64_t)caller << 32 | profile_frame(profile, id).name,
                               stacks->functions[profile_code(profile, id)]};
        size_t next_call = table->calls.count;
        int64_t call = id_map_add(&table->calls, pair);
        if (call < 0 || array_reserve(&table->deepest, &table->deepest_capacity,
                                      (size_t)call + 2, sizeof *table->deepest) < 0)
            return -ENOMEM;
        uint32_t *deepest = &table->deepest[call + 1];
        if ((size_t)call == next_call || *deepest < stacks->inner[id])
            *deepest = stacks->inner[id];
        stacks->calls[id] = (uint32_t)call + 1;
    }
    return 0;
}

/* Callers come before their callees. */
static int number_frames(struct path_table *table, struct stacks *stacks) {
    for (uint32_t id = 0; id < stacks->reader->stack_count; id++) {
        int64_t frame = number_frame(table, stacks, id);
        if (frame < 0)
            return (int)frame;
        stacks->frames[id] = (uint32_t)frame;
        stacks->depths[id] =
            id == 0 ? 0 : stacks->depths[stacks->reader->stacks[id].parent] + 1;
    }
    return 0;
}

static int name_processes(struct path_table *table, struct stacks *stacks) {
    const struct dump_reader *reader = stacks->reader;
    stacks->processes = calloc(reader->process_count, sizeof *stacks->processes);
    table->process_names = calloc(reader->process_count, PROCESS_NAME_SIZE);
    if (stacks->processes == NULL || table->process_names == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < reader->process_count; i++) {
        char *name = table->process_names + i * PROCESS_NAME_SIZE;
        snprintf(name, PROCESS_NAME_SIZE, "process %" PRIu32, reader->processes[i].pid);
        int64_t frame = add_named_frame(table, name);
        if (frame < 0)
            return (int)frame;
        stacks->processes[i] = (uint32_t)frame;
    }
    return 0;
}

static int open_stacks(struct path_table *table, struct stacks *stacks) {
    const struct dump_reader *reader = stacks->reader;
    stacks->functions = calloc(reader->code_count, sizeof *stacks->functions);
    stacks->frames = calloc(reader->stack_count, sizeof *stacks->frames);
    stacks->depths = calloc(reader->stack_count, sizeof *stacks->depths);
    stacks->inner = calloc(reader->stack_count, sizeof *stacks->inner);
    stacks->domains = calloc(reader->domain_count, sizeof *stacks->domains);
    if (stacks->functions == NULL || stacks->frames == NULL || stacks->depths == NULL ||
        stacks->inner == NULL || stacks->domains == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < reader->domain_count; i++)
        stacks->domains[i] = find_domain(table, reader, &reader->domains[i]);
    count_inner_frames(stacks);
    int error = name_functions(table, stacks);
    if (error == 0 && table->limit > 0)
        error = find_calls(table, stacks);
    if (error == 0)
        error = number_frames(table, stacks);
    if (error == 0 && stacks->source->by_process)
        error = name_processes(table, stacks);
    return error;
}

static void close_stacks(struct stacks *stacks) {
    free(stacks->functions);
    free(stacks->frames);
    free(stacks->depths);
    free(stacks->inner);
    free(stacks->calls);
    free(stacks->domains);
    free(stacks->processes);
}

static bool holds_something(const struct path_source *source, size_t site) {
    bool holds = source->ever->sites[site].count > 0;
    for (size_t i = 0; i < source->profile_count; i++)
        holds |= source->profiles[i].sites[site].count > 0;
    return holds;
}

/* The empty stack has one frame, `<unknown>`. */
static uint32_t window_of(const struct stacks *stacks, uint32_t stack) {
    uint32_t depth = stacks->depths[stack] > 0 ? stacks->depths[stack] : 1;
    return limits_window(depth, stacks->nframe);
}

static uint32_t path_length(const struct stacks *stacks, uint32_t stack) {
    uint32_t window = window_of(stacks, stack);
    return window + (window < stacks->depths[stack]) + (stacks->processes != NULL);
}

/* Returns the number of steps of all the dump's paths; *paths is how many there are. */
static size_t count_steps(const struct stacks *stacks, size_t *paths) {
    size_t steps = 0;
    *paths = 0;
    for (size_t i = 0; i < stacks->reader->site_count; i++) {
        if (!holds_something(stacks->source, i))
            continue;
        steps += path_length(stacks, stacks->reader->sites[i].stack);
        *paths += 1;
    }
    return steps;
}

static void *grow(void *array, size_t count, size_t size) {
    return realloc(array, (count + 1) * size);
}

/* If the stacks are too deep, the paths are cut to fit PATH_TABLE_MAX_STEPS. */
static int reserve_paths(struct path_table *table, struct stacks *stacks) {
    size_t paths, steps = count_steps(stacks, &paths);
    while (table->step_count + steps > PATH_TABLE_MAX_STEPS && stacks->nframe > 1) {
        stacks->nframe /= 2;
        steps = count_steps(stacks, &paths);
    }
    if (table->step_count + steps > PATH_TABLE_MAX_STEPS)
        return -EFBIG;
    uint32_t *all_steps =
        grow(table->steps, table->step_count + steps, sizeof *table->steps);
    table->steps = all_steps != NULL ? all_steps : table->steps;
    size_t count = table->count + paths;
    struct path *all_paths = grow(table->paths, count, sizeof *table->paths);
    table->paths = all_paths != NULL ? all_paths : table->paths;
    uint64_t *values =
        grow(table->values, count * table->columns, sizeof *table->values);
    table->values = values != NULL ? values : table->values;
    bool failed = all_steps == NULL || all_paths == NULL || values == NULL;
    return failed ? -ENOMEM : 0;
}

static void add_steps(struct path_table *table, const struct stacks *stacks,
                      const struct tracemalloc_dump_site *site) {
    uint32_t stack = site->stack;
    uint32_t window = window_of(stacks, stack), length = path_length(stacks, stack);
    uint32_t *steps = table->steps + table->step_count, at = length;
    if (stacks->processes != NULL)
        steps[0] = stacks->processes[site->process];
    if (window < stacks->depths[stack])
        steps[stacks->processes != NULL] = PATH_TABLE_CUT;
    for (uint32_t left = window; left > 0; left--) {
        steps[--at] = stacks->frames[stack];
        stack = stacks->reader->stacks[stack].parent;
    }
    table->step_count += length;
}

static void add_values(struct path_table *table, const struct path_source *source,
                       size_t site) {
    uint64_t *values = table->values + table->count * table->columns;
    memset(values, 0, table->columns * sizeof *values);
    values += source->column;
    for (size_t i = 0; i < source->profile_count; i++) {
        *values++ = source->profiles[i].sites[site].size;
        *values++ = source->profiles[i].sites[site].count;
    }
    *values = source->ever->sites[site].count;
}

static void add_path(struct path_table *table, const struct stacks *stacks,
                     size_t site) {
    const struct tracemalloc_dump_site *entry = &stacks->reader->sites[site];
    struct path *path = &table->paths[table->count];
    *path = (struct path){.first = (uint32_t)table->step_count,
                          .length = path_length(stacks, entry->stack),
                          .domain = stacks->domains[entry->domain],
                          .site = (uint32_t)site};
    add_steps(table, stacks, entry);
    add_values(table, stacks->source, site);
    table->count++;
}

static int add_paths(struct path_table *table, struct stacks *stacks) {
    int error = reserve_paths(table, stacks);
    if (error < 0)
        return error;
    for (size_t i = 0; i < stacks->reader->site_count; i++)
        if (holds_something(stacks->source, i))
            add_path(table, stacks, i);
    if (stacks->nframe < table->nframe)
        table->nframe = stacks->nframe;
    return 0;
}

int path_table_join(struct path_table *table, const struct path_source *source) {
    const struct dump_reader *reader = source->ever->reader;
    struct stacks stacks = {.source = source, .reader = reader};
    uint32_t limit = reader->header.nframe;
    table->limit = table->limit == 0 || limit < table->limit ? limit : table->limit;
    stacks.functions = calloc(reader->code_count, sizeof *stacks.functions);
    stacks.inner = calloc(reader->stack_count, sizeof *stacks.inner);
    int error = stacks.functions == NULL || stacks.inner == NULL ? -ENOMEM : 0;
    if (error == 0) {
        count_inner_frames(&stacks);
        error = name_functions(table, &stacks);
    }
    if (error == 0)
        error = find_calls(table, &stacks);
    close_stacks(&stacks);
    return error;
}

int path_table_add(struct path_table *table, const struct path_source *source) {
    const struct dump_reader *reader = source->ever->reader;
    struct stacks stacks = {
        .source = source, .reader = reader, .nframe = reader->header.nframe};
    if (source->whole && stacks.nframe < MAX_FRAMES)
        stacks.nframe = MAX_FRAMES;
    int error = open_stacks(table, &stacks);
    if (error == 0)
        error = add_paths(table, &stacks);
    close_stacks(&stacks);
    return error;
}

static void sum_columns(struct path_table *table) {
    memset(table->totals, 0, sizeof table->totals);
    const uint64_t *values = table->values;
    for (size_t i = 0; i < table->count; i++)
        for (unsigned column = 0; column < table->columns; column++)
            table->totals[column] += *values++;
}

void path_table_aggregate(struct path_table *table) {
    sum_columns(table);
    double parts[PATH_TABLE_MAX_COLUMNS];
    for (unsigned column = 0; column < table->columns; column++)
        parts[column] =
            table->totals[column] > 0 ? 1 / (double)table->totals[column] : 0;
    const uint64_t *values = table->values;
    for (size_t i = 0; i < table->count; i++) {
        double max = 0;
        for (unsigned column = 0; column < table->columns; column++) {
            double share = (double)*values++ * parts[column];
            max = share > max ? share : max;
        }
        table->paths[i].share = (float)max;
    }
}
