/* SPDX-License-Identifier: MIT */
#include "trace/site_table.h"

#include <errno.h>

#include "base/hash.h"
#include "base/id_table.h"
#include "trace/reclaim_trigger.h"

enum { FIRST_SLOTS = 8192 };

static struct dump_file *dump;
static struct id_table site_index;
static struct id_set unused; /* free ids */

static uint64_t count_of(void) {
    return dump->header->sections[TRACEMALLOC_DUMP_SITES].count;
}

static struct tracemalloc_dump_site *site_at(uint64_t id) {
    return (struct tracemalloc_dump_site *)dump->base[TRACEMALLOC_DUMP_SITES] + id;
}

static uint64_t hash_of(uint32_t stack, uint32_t domain) {
    return hash_pair(stack, domain);
}

static uint32_t find(uint32_t stack, uint32_t domain) {
    struct id_probe probe;
    uint32_t id;
    id_probe_start(&probe, &site_index, hash_of(stack, domain));
    while ((id = id_probe_next(&probe)) != 0)
        if (site_at(id)->stack == stack && site_at(id)->domain == domain)
            break;
    return id;
}

static uint32_t add(uint32_t stack, uint32_t domain) {
    uint64_t count = count_of();
    uint32_t id = id_set_next(&unused, 0);
    if (id == ID_SET_END) {
        if (count >= UINT32_MAX ||
            reclaim_trigger_reserve(dump, TRACEMALLOC_DUMP_SITES, count + 1) < 0)
            return 0;
        id = (uint32_t)count;
    }
    /* The first entry stands for none: no lookup may find it. */
    if (id != 0 && id_table_add(&site_index, hash_of(stack, domain), id) < 0)
        return 0;
    id_set_remove(&unused, id);
    *site_at(id) = (struct tracemalloc_dump_site){.stack = stack, .domain = domain};
    if (id == count)
        dump_file_publish(dump, TRACEMALLOC_DUMP_SITES, count + 1);
    return id;
}

uint32_t site_table_find(uint32_t stack, uint32_t domain) {
    uint32_t id = find(stack, domain);
    return id != 0 ? id : add(stack, domain);
}

/* Cannot fail: the cleared index has the capacity. */
static void put_back(uint32_t id) {
    const struct tracemalloc_dump_site *site = site_at(id);
    if (id_table_add(&site_index, hash_of(site->stack, site->domain), id) < 0)
        dump->header->lost[TRACEMALLOC_DUMP_LOST_MEMORY]++;
}

/* Adds the sum to the caller's site; if there is none, this site becomes it. */
static void merge_into_parent(uint32_t id, struct id_set *ids) {
    struct tracemalloc_dump_site *site = site_at(id);
    const struct tracemalloc_dump_stack *stacks =
        (const void *)dump->base[TRACEMALLOC_DUMP_STACKS];
    uint32_t caller = stacks[site->stack].parent,
             parent_site = find(caller, site->domain);
    if (parent_site == 0) {
        site->stack = caller;
        put_back(id);
        return;
    }
    site_at(parent_site)->total_bytes += site->total_bytes;
    site_at(parent_site)->total_blocks += site->total_blocks;
    site_at(parent_site)->sampled_blocks += site->sampled_blocks;
    site_at(parent_site)->temporary_bytes += site->temporary_bytes;
    site_at(parent_site)->temporary_blocks += site->temporary_blocks;
    *site = (struct tracemalloc_dump_site){0};
    id_set_add(ids, id);
}

void site_table_reclaim(const struct id_set *stacks, struct id_set *ids) {
    uint64_t count = count_of();
    id_table_clear(&site_index);
    for (uint32_t id = 1; id < count; id++)
        if (id_set_has(&unused, id))
            id_set_add(ids, id);
        else if (!id_set_has(stacks, site_at(id)->stack))
            put_back(id);
    for (uint32_t id = 1; id < count; id++)
        if (!id_set_has(ids, id) && id_set_has(stacks, site_at(id)->stack))
            merge_into_parent(id, ids);
    id_set_close(&unused);
    unused = *ids;
}

/* The overflow's sites exist from the start: once the dump is full it would be too late
 * to add them. */
static int add_overflow(void) {
    if (add(TRACEMALLOC_DUMP_EMPTY_STACK, TRACEMALLOC_DUMP_DOMAIN_PYTHON) != 0)
        return -EINVAL;
    for (uint32_t domain = 0; domain < 3; domain++)
        if (add(TRACEMALLOC_DUMP_OVERFLOW_STACK, domain) == 0)
            return -ENOSPC;
    return 0;
}

int site_table_open(struct dump_file *file) {
    dump = file;
    int error = id_table_open(&site_index, FIRST_SLOTS);
    return error == 0 ? add_overflow() : error;
}

void site_table_close(void) {
    id_table_close(&site_index);
    id_set_close(&unused);
}
