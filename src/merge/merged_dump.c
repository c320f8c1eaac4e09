/* SPDX-License-Identifier: MIT */
#include "merge/merged_dump.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collection/array.h"
#include "collection/id_map.h"
#include "dump/dump_sections.h"
#include "dump/frame_names.h"
#include "merge/merged_header.h"
#include "merge/merged_symbols.h"
#include "merge/merged_timeline.h"

/* In the key of one of the first entries of a section, which are never merged with
 * others. */
static const uint64_t fixed_entry = (uint64_t)1 << 63;

enum { FIXED_ENTRIES = 2, TEXT_UNIT = 4, MERGED_STAMP = 1 };

struct merging {
    struct array sections[TRACEMALLOC_DUMP_SECTIONS];
    struct frame_names texts;
    struct array offsets; /* uint32_t: id in the section, by text; or not_stored */
    struct id_map code, stacks, modules, domains, types;
    struct id_map addresses; /* module and address of each symbol */
    bool finalized;          /* whether any part was */
};

static const uint32_t not_stored = UINT32_MAX;

/* One dump, with arrays that map its ids to those of the merged dump. */
struct part {
    const struct dump_reader *reader;
    uint32_t *code, *stacks, *modules, *domains, *types;
    uint32_t *buckets; /* 0: left out */
    uint32_t first_site, first_process;
    bool skips_symbols; /* an earlier part has symbols for the current address */
};

static int64_t append(struct merging *merging, int section, const void *entry) {
    return array_append(&merging->sections[section], entry, 1);
}

static int64_t store_text(struct merging *merging, struct dump_text text) {
    static const char zeros[TEXT_UNIT];
    struct array *bytes = &merging->sections[TRACEMALLOC_DUMP_STRINGS];
    uint32_t length = (uint32_t)text.length;
    int64_t offset = array_append(bytes, &length, sizeof length);
    if (offset < 0 || array_append(bytes, text.bytes, length) < 0 ||
        array_append(bytes, zeros, TEXT_UNIT - length % TEXT_UNIT) < 0)
        return -ENOMEM;
    return offset < (int64_t)not_stored ? offset : -EFBIG;
}

/* Returns the id in the merged dump of a part's string, or -errno. */
static int64_t merge_text(struct merging *merging, const struct dump_reader *reader,
                          tracemalloc_dump_string id) {
    struct dump_text text = dump_reader_text(reader, id);
    int64_t number = frame_names_add(&merging->texts, text);
    while (number >= (int64_t)merging->offsets.count)
        if (array_append(&merging->offsets, &not_stored, 1) < 0)
            return -ENOMEM;
    if (number < 0)
        return number;
    uint32_t *offset = (uint32_t *)merging->offsets.entries + number;
    if (*offset == not_stored) {
        int64_t stored = store_text(merging, text);
        if (stored < 0)
            return stored;
        *offset = (uint32_t)stored;
    }
    return *offset;
}

/* Returns the id of the entry with this key, which is appended if it is new. */
static int64_t merge_entry(struct merging *merging, int section, struct id_map *ids,
                           struct id_pair key, const void *entry) {
    size_t next_id = ids->count;
    int64_t id = id_map_add(ids, key);
    if (id >= 0 && (size_t)id == next_id && append(merging, section, entry) < 0)
        return -ENOMEM;
    return id;
}

static int merge_code(struct merging *merging, struct part *part, uint32_t id) {
    struct tracemalloc_dump_code code = part->reader->code[id];
    int64_t filename = merge_text(merging, part->reader, code.filename);
    int64_t name = merge_text(merging, part->reader, code.name);
    if (filename < 0 || name < 0)
        return (int)(filename < 0 ? filename : name);
    code.filename = (uint32_t)filename;
    code.name = (uint32_t)name;
    struct id_pair key = {(uint64_t)filename << 32 | code.name, code.first_line};
    if (id < FIXED_ENTRIES)
        key = (struct id_pair){id, fixed_entry};
    int64_t merged =
        merge_entry(merging, TRACEMALLOC_DUMP_CODE, &merging->code, key, &code);
    part->code[id] = (uint32_t)merged;
    return merged < 0 ? (int)merged : 0;
}

static int merge_module(struct merging *merging, struct part *part, uint32_t id) {
    struct tracemalloc_dump_module module = part->reader->modules[id];
    int64_t path = merge_text(merging, part->reader, module.path);
    int64_t build_id = merge_text(merging, part->reader, module.build_id);
    if (path < 0 || build_id < 0)
        return (int)(path < 0 ? path : build_id);
    module.path = (uint32_t)path;
    module.build_id = (uint32_t)build_id;
    struct id_pair key = {module.path, module.build_id};
    int64_t merged =
        merge_entry(merging, TRACEMALLOC_DUMP_MODULES, &merging->modules, key, &module);
    part->modules[id] = (uint32_t)merged;
    return merged < 0 ? (int)merged : 0;
}

static bool begins_address(const struct tracemalloc_dump_symbol *symbols, uint32_t id) {
    return id == 0 || symbols[id].module != symbols[id - 1].module ||
           symbols[id].address != symbols[id - 1].address;
}

/* If several parts have symbols for an address, those of the first part are kept. */
static int merge_symbol(struct merging *merging, struct part *part, uint32_t id) {
    struct tracemalloc_dump_symbol symbol = part->reader->symbols[id];
    size_t next_address = merging->addresses.count;
    symbol.module = part->modules[symbol.module];
    int64_t address = id_map_add(&merging->addresses,
                                 (struct id_pair){symbol.module, symbol.address});
    if (begins_address(part->reader->symbols, id))
        part->skips_symbols = (size_t)address < next_address;
    if (address < 0 || part->skips_symbols)
        return address < 0 ? (int)address : 0;
    int64_t function = merge_text(merging, part->reader, symbol.function);
    int64_t filename = merge_text(merging, part->reader, symbol.filename);
    if (function < 0 || filename < 0)
        return (int)(function < 0 ? function : filename);
    symbol.function = (uint32_t)function;
    symbol.filename = (uint32_t)filename;
    return append(merging, TRACEMALLOC_DUMP_SYMBOLS, &symbol) < 0 ? -ENOMEM : 0;
}

static int merge_domain(struct merging *merging, struct part *part, uint32_t id) {
    struct tracemalloc_dump_domain domain = part->reader->domains[id];
    int64_t name = merge_text(merging, part->reader, domain.name);
    if (name < 0)
        return (int)name;
    domain.name = (uint32_t)name;
    struct id_pair key = {domain.number, domain.name};
    int64_t merged =
        merge_entry(merging, TRACEMALLOC_DUMP_DOMAINS, &merging->domains, key, &domain);
    part->domains[id] = (uint32_t)merged;
    return merged < 0 ? (int)merged : 0;
}

static int merge_type(struct merging *merging, struct part *part, uint32_t id) {
    struct tracemalloc_dump_type type = part->reader->types[id];
    int64_t name = merge_text(merging, part->reader, type.name);
    if (name < 0)
        return (int)name;
    type.name = (uint32_t)name;
    struct id_pair key = {type.name, id == 0 ? fixed_entry : 0};
    int64_t merged =
        merge_entry(merging, TRACEMALLOC_DUMP_TYPES, &merging->types, key, &type);
    part->types[id] = (uint32_t)merged;
    return merged < 0 ? (int)merged : 0;
}

/* Parents come before their children, so they have been merged. */
static int merge_stack(struct merging *merging, struct part *part, uint32_t id) {
    struct tracemalloc_dump_stack stack = part->reader->stacks[id];
    bool native = (stack.code & TRACEMALLOC_DUMP_NATIVE) != 0;
    stack.parent = part->stacks[stack.parent];
    stack.code = native ? TRACEMALLOC_DUMP_NATIVE |
                              part->modules[stack.code & ~TRACEMALLOC_DUMP_NATIVE]
                        : part->code[stack.code];
    struct id_pair key = {(uint64_t)stack.parent << 32 | stack.code,
                          (uint64_t)stack.high << 32 | stack.line};
    if (id < FIXED_ENTRIES)
        key = (struct id_pair){id, fixed_entry};
    int64_t merged =
        merge_entry(merging, TRACEMALLOC_DUMP_STACKS, &merging->stacks, key, &stack);
    part->stacks[id] = (uint32_t)merged;
    return merged < 0 ? (int)merged : 0;
}

static int merge_site(struct merging *merging, struct part *part, uint32_t id) {
    struct tracemalloc_dump_site site = part->reader->sites[id];
    site.stack = part->stacks[site.stack];
    site.domain = part->domains[site.domain];
    site.process += part->first_process;
    return append(merging, TRACEMALLOC_DUMP_SITES, &site) < 0 ? -ENOMEM : 0;
}

static int merge_epoch(struct merging *merging, struct part *part, uint32_t id) {
    struct tracemalloc_dump_epoch epoch = part->reader->epochs[id];
    epoch.process += part->first_process;
    epoch.stamp = MERGED_STAMP;
    return append(merging, TRACEMALLOC_DUMP_EPOCHS, &epoch) < 0 ? -ENOMEM : 0;
}

/* Completes the history of the bucket's site, because the stamps of the parts are lost
 * in the merged dump. */
static void complete_history(struct merging *merging, struct part *part,
                             struct tracemalloc_dump_bucket *bucket) {
    const struct dump_reader *reader = part->reader;
    struct tracemalloc_dump_site *sites =
        merging->sections[TRACEMALLOC_DUMP_SITES].entries;
    uint32_t site = dump_bucket_site(bucket);
    struct dump_epochs epochs = dump_reader_epochs(reader, reader->sites[site].process);
    if (reader->header.finalized == 0 && epochs.count > 0)
        dump_history_add(&sites[part->first_site + site], bucket,
                         dump_site_distance(reader, site),
                         dump_history_epoch(epochs, bucket->stamp));
    bucket->live_before = bucket->live;
    bucket->stamp = MERGED_STAMP;
}

/* The parts have different peak numbers, so peak_live is computed for each bucket. */
static int merge_bucket(struct merging *merging, struct part *part, uint32_t id) {
    struct tracemalloc_dump_bucket bucket = part->reader->buckets[id];
    bucket.peak_live = dump_bucket_peak(&part->reader->header, &bucket);
    complete_history(merging, part, &bucket);
    if (merging->finalized && part->reader->header.finalized == 0)
        bucket.at_exit = bucket.live;
    if (bucket.live == 0 && bucket.at_exit == 0 && bucket.peak_live == 0 &&
        bucket.total == 0)
        return 0;
    bucket.site += part->first_site;
    int64_t merged = append(merging, TRACEMALLOC_DUMP_BUCKETS, &bucket);
    part->buckets[id] = merged < 0 ? 0 : (uint32_t)merged;
    return merged < 0 ? -ENOMEM : 0;
}

static int merge_census(struct merging *merging, struct part *part, uint32_t id) {
    struct tracemalloc_dump_census entry = part->reader->census[id];
    entry.bucket = part->buckets[entry.bucket];
    entry.type = part->types[entry.type];
    if (entry.bucket == 0 || entry.blocks == 0)
        return 0;
    return append(merging, TRACEMALLOC_DUMP_CENSUS, &entry) < 0 ? -ENOMEM : 0;
}

static int merge_process(struct merging *merging, struct part *part, uint32_t id) {
    struct tracemalloc_dump_process process = part->reader->processes[id];
    int64_t argv = merge_text(merging, part->reader, process.argv);
    int64_t executable = merge_text(merging, part->reader, process.executable);
    if (argv < 0 || executable < 0)
        return (int)(argv < 0 ? argv : executable);
    process.argv = (uint32_t)argv;
    process.executable = (uint32_t)executable;
    if (process.state == TRACEMALLOC_DUMP_TRACING ||
        process.state == DUMP_READER_UNKNOWN)
        process.state = TRACEMALLOC_DUMP_SNAPSHOT;
    return append(merging, TRACEMALLOC_DUMP_PROCESSES, &process) < 0 ? -ENOMEM : 0;
}

typedef int (*merge_function)(struct merging *merging, struct part *part, uint32_t id);

static int merge_section(struct merging *merging, struct part *part,
                         merge_function merge, size_t count) {
    int error = 0;
    for (uint32_t id = 0; id < count && error == 0; id++)
        error = merge(merging, part, id);
    return error;
}

/* Merges one section of a part; each section comes after those that it refers to.
 * Returns 1 after the last one. */
static int merge_step(struct merging *merging, struct part *part, size_t step) {
    const struct dump_reader *reader = part->reader;
    const struct {
        merge_function merge;
        size_t count;
    } steps[] = {
        {merge_code, reader->code_count},     {merge_module, reader->module_count},
        {merge_symbol, reader->symbol_count}, {merge_domain, reader->domain_count},
        {merge_stack, reader->stack_count},   {merge_process, reader->process_count},
        {merge_epoch, reader->epoch_count},   {merge_site, reader->site_count},
        {merge_bucket, reader->bucket_count}, {merge_type, reader->type_count},
        {merge_census, reader->census_count},
    };
    /* Strings are merged with what names them, the timeline by time. */
    static_assert(sizeof steps / sizeof *steps + 2 == TRACEMALLOC_DUMP_SECTIONS_USED,
                  "each other section has a step");
    if (step == sizeof steps / sizeof *steps)
        return 1;
    return merge_section(merging, part, steps[step].merge, steps[step].count);
}

/* Merges each section of all parts before the next section. Strings are then in the
 * order in which merging the result again adds them, so that it is unchanged by
 * that. */
static int merge_sections(struct merging *merging, struct part *parts, size_t count) {
    int error = 0;
    for (size_t step = 0; error == 0; step++)
        for (size_t i = 0; i < count && error == 0; i++)
            error = merge_step(merging, &parts[i], step);
    return error < 0 ? error : 0;
}

static bool open_part(struct part *part, const struct dump_reader *reader) {
    *part = (struct part){
        .reader = reader,
        .code = calloc(reader->code_count, sizeof *part->code),
        .stacks = calloc(reader->stack_count, sizeof *part->stacks),
        .modules = calloc(reader->module_count + 1, sizeof *part->modules),
        .domains = calloc(reader->domain_count, sizeof *part->domains),
        .types = calloc(reader->type_count, sizeof *part->types),
        .buckets = calloc(reader->bucket_count + 1, sizeof *part->buckets),
    };
    return part->code != NULL && part->stacks != NULL && part->modules != NULL &&
           part->domains != NULL && part->types != NULL && part->buckets != NULL;
}

static void close_part(struct part *part) {
    free(part->code);
    free(part->stacks);
    free(part->modules);
    free(part->domains);
    free(part->types);
    free(part->buckets);
}

static int merge_parts(struct merging *merging, struct dump_reader *const *readers,
                       size_t count) {
    struct part *parts = calloc(count, sizeof *parts);
    if (parts == NULL)
        return -ENOMEM;
    bool opened = true;
    for (size_t i = 0; i < count; i++)
        opened &= open_part(&parts[i], readers[i]);
    /* Sites and processes are never merged with others: part follows part. */
    for (size_t i = 1; i < count; i++) {
        parts[i].first_site =
            parts[i - 1].first_site + (uint32_t)readers[i - 1]->site_count;
        parts[i].first_process =
            parts[i - 1].first_process + (uint32_t)readers[i - 1]->process_count;
    }
    int error = opened ? merge_sections(merging, parts, count) : -ENOMEM;
    for (size_t i = 0; i < count; i++)
        close_part(&parts[i]);
    free(parts);
    return error;
}

/* Live blocks of the first domain: those of a part without a census were not
 * counted. */
static uint64_t count_uncounted(const struct dump_reader *reader) {
    uint64_t blocks = 0;
    if (reader->header.census_time != 0)
        return 0;
    for (size_t i = 0; i < reader->bucket_count; i++)
        if ((reader->buckets[i].site & TRACEMALLOC_DUMP_NOT_PYTHON) == 0)
            blocks += reader->header.finalized != 0 ? reader->buckets[i].at_exit
                                                    : reader->buckets[i].live;
    return blocks;
}

static int merge_header(struct merging *merging, struct dump_reader *out,
                        struct dump_reader *const *parts, size_t count) {
    const struct dump_reader *first = parts[0];
    merged_header_begin(out, first);
    out->header.peak_number = out->header.stamp = MERGED_STAMP;
    int64_t argv = merge_text(merging, first, first->header.argv);
    int64_t executable = merge_text(merging, first, first->header.executable);
    if (argv < 0 || executable < 0)
        return (int)(argv < 0 ? argv : executable);
    out->header.argv = (uint32_t)argv;
    out->header.executable = (uint32_t)executable;
    for (size_t i = 0; i < count; i++) {
        merged_header_add(&out->header, &parts[i]->header);
        out->damaged += parts[i]->damaged;
        out->missing += parts[i]->missing;
    }
    for (size_t i = 0; i < count && out->header.census_time != 0; i++)
        out->header.census_unread += count_uncounted(parts[i]);
    return 0;
}

static int begin(struct merging *merging) {
    static const struct tracemalloc_dump_bucket unused;
    for (int i = 0; i < TRACEMALLOC_DUMP_SECTIONS_USED; i++)
        merging->sections[dump_sections[i].id].entry_size = dump_sections[i].entry_size;
    merging->offsets.entry_size = sizeof(uint32_t);
    int error = frame_names_open(&merging->texts);
    if (error == 0 && store_text(merging, (struct dump_text){"", 0}) < 0)
        error = -ENOMEM;
    if (error == 0 && append(merging, TRACEMALLOC_DUMP_BUCKETS, &unused) < 0)
        error = -ENOMEM;
    return error;
}

static void move_sections(struct merging *merging, struct dump_reader *out) {
    for (int i = 0; i < TRACEMALLOC_DUMP_SECTIONS_USED; i++) {
        struct array *array = &merging->sections[dump_sections[i].id];
        *dump_sections_entries(out, &dump_sections[i]) = array->entries;
        *dump_sections_count(out, &dump_sections[i]) = array->count;
        array->entries = NULL;
    }
}

static void end(struct merging *merging) {
    for (int id = 0; id < TRACEMALLOC_DUMP_SECTIONS; id++)
        free(merging->sections[id].entries);
    free(merging->offsets.entries);
    frame_names_close(&merging->texts);
    id_map_clear(&merging->code);
    id_map_clear(&merging->stacks);
    id_map_clear(&merging->modules);
    id_map_clear(&merging->domains);
    id_map_clear(&merging->types);
    id_map_clear(&merging->addresses);
}

static int merge_all(struct merging *merging, struct dump_reader *out,
                     struct dump_reader *const *parts, size_t count) {
    int error = begin(merging);
    if (error == 0)
        error = merge_header(merging, out, parts, count);
    merging->finalized = out->header.finalized != 0;
    if (error == 0)
        error = merge_parts(merging, parts, count);
    if (error == 0)
        error = merged_symbols_sort(&merging->sections[TRACEMALLOC_DUMP_SYMBOLS]);
    if (error == 0)
        error = merged_timeline_add(&merging->sections[TRACEMALLOC_DUMP_TIMELINE],
                                    parts, count);
    return error;
}

static int compare_starts(const void *first, const void *second) {
    const struct dump_reader *a = *(struct dump_reader *const *)first;
    const struct dump_reader *b = *(struct dump_reader *const *)second;
    if (a->header.start_time != b->header.start_time)
        return a->header.start_time < b->header.start_time ? -1 : 1;
    return (a->header.pid > b->header.pid) - (a->header.pid < b->header.pid);
}

/* Merges the parts in the order of their starts, whatever order they were given in. */
static int merge_in_order(struct merging *merging, struct dump_reader *out,
                          struct dump_reader *const *parts, size_t count) {
    struct dump_reader **order = calloc(count, sizeof *order);
    if (order == NULL)
        return -ENOMEM;
    memcpy(order, parts, count * sizeof *order);
    qsort(order, count, sizeof *order, compare_starts);
    int error = merge_all(merging, out, order, count);
    free(order);
    return error;
}

int merged_dump_open(struct dump_reader **merged, struct dump_reader *const *parts,
                     size_t count) {
    struct merging merging = {0};
    struct dump_reader *out = calloc(1, sizeof *out);
    if (out == NULL)
        return -ENOMEM;
    int error = merge_in_order(&merging, out, parts, count);
    if (error == 0)
        move_sections(&merging, out);
    end(&merging);
    if (error < 0) {
        dump_reader_close(out);
        return error;
    }
    *merged = out;
    return 0;
}
