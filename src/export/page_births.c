/* SPDX-License-Identifier: MIT */
#include "export/page_births.h"

#include <errno.h>
#include <stdlib.h>

#include "collection/array.h"
#include "profile/births.h"

enum { NO_PATH = UINT32_MAX };

struct sites {
    const struct page_input *input;
    const struct folded_tree *tree;
    uint32_t *paths;      /* by site: its path, or NO_PATH */
    uint32_t *epochs;     /* by process: its first epoch */
    struct id_map places; /* entries of the tree, by node and domain */
};

static int open_sites(struct sites *sites) {
    const struct dump_reader *reader = sites->input->options->reader;
    const struct path_table *table = &sites->input->table;
    sites->paths = malloc((reader->site_count + 1) * sizeof *sites->paths);
    sites->epochs = calloc(reader->process_count, sizeof *sites->epochs);
    if (sites->paths == NULL || sites->epochs == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < reader->site_count; i++)
        sites->paths[i] = NO_PATH;
    for (size_t i = 0; i < table->count; i++)
        sites->paths[table->paths[i].site] = (uint32_t)i;
    for (uint32_t i = 0; i < reader->process_count; i++)
        sites->epochs[i] =
            (uint32_t)(dump_reader_epochs(reader, i).entries - reader->epochs);
    for (size_t i = 0; i < sites->tree->entry_count; i++) {
        const struct folded_entry *entry = &sites->tree->entries[i];
        if (id_map_add(&sites->places, (struct id_pair){entry->node, entry->domain}) <
            0)
            return -ENOMEM;
    }
    return 0;
}

static void close_sites(struct sites *sites) {
    free(sites->paths);
    free(sites->epochs);
    id_map_clear(&sites->places);
}

/* Returns the sums of an entry and an epoch; NULL if there is no memory. */
static struct estimate *find_sums(struct page_births *births, struct id_pair pair) {
    size_t next = births->pairs.count, points = births->points;
    if (array_reserve(&births->sums, &births->capacity, next + 1,
                      points * sizeof *births->sums) < 0)
        return NULL;
    int64_t number = id_map_add(&births->pairs, pair);
    if (number < 0)
        return NULL;
    struct estimate *sums = births->sums + (size_t)number * points;
    for (size_t i = 0; (size_t)number == next && i < points; i++)
        sums[i] = (struct estimate){0};
    return sums;
}

/* Temporary blocks are of no range: the births of most are not kept. */
static uint32_t count_at(const struct dump_reader *reader,
                         const struct tracemalloc_dump_bucket *bucket,
                         enum profile_point point) {
    return point == PROFILE_TEMPORARY ? 0 : profile_bucket_count(reader, bucket, point);
}

static int add_bucket(struct page_births *births, struct sites *sites,
                      const struct tracemalloc_dump_bucket *bucket) {
    const struct page_input *input = sites->input;
    const struct dump_reader *reader = input->options->reader;
    const struct tracemalloc_dump_site *site = &reader->sites[dump_bucket_site(bucket)];
    uint32_t path = sites->paths[dump_bucket_site(bucket)], any = 0;
    uint32_t counts[PAGE_INPUT_POINTS];
    for (size_t i = 0; i < input->point_count; i++)
        any |= counts[i] = count_at(reader, bucket, input->points[i]);
    if (any == 0 || path == NO_PATH || site->stack == TRACEMALLOC_DUMP_OVERFLOW_STACK)
        return 0;
    int64_t entry =
        id_map_find(&sites->places, (struct id_pair){sites->tree->nodes_of[path],
                                                     input->table.paths[path].domain});
    if (entry < 0)
        return 0;
    struct id_pair pair = {(uint64_t)entry,
                           sites->epochs[site->process] + bucket->birth};
    struct estimate *sums = find_sums(births, pair);
    if (sums == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < input->point_count; i++)
        estimate_add(&sums[i], reader, bucket, counts[i]);
    return 0;
}

int page_births_open(struct page_births *births, const struct page_input *input,
                     const struct folded_tree *tree) {
    struct sites sites = {.input = input, .tree = tree};
    const struct dump_reader *reader = input->options->reader;
    *births = (struct page_births){.points = input->point_count};
    int error = open_sites(&sites);
    for (size_t i = 0; i < reader->bucket_count && error == 0; i++)
        error = add_bucket(births, &sites, &reader->buckets[i]);
    close_sites(&sites);
    return error;
}

void page_births_write(const struct page_births *births, struct json_writer *writer) {
    json_writer_key(writer, "births");
    json_writer_open_list(writer);
    for (size_t i = 0; i < births->pairs.count; i++) {
        json_writer_unsigned(writer, births->pairs.pairs[i].first);
        json_writer_unsigned(writer, births->pairs.pairs[i].second);
        for (size_t point = 0; point < births->points; point++) {
            struct weight sum =
                estimate_round(&births->sums[i * births->points + point], i);
            json_writer_unsigned(writer, sum.size);
            json_writer_unsigned(writer, sum.count);
        }
    }
    json_writer_close_list(writer);
}

void page_births_close(struct page_births *births) {
    id_map_clear(&births->pairs);
    free(births->sums);
    *births = (struct page_births){0};
}
