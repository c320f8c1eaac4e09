/* SPDX-License-Identifier: MIT */
#include "trace/site_table.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "trace/name_table.h"
#include "trace/tally_table.h"

/* More sites than a slot of the block map can name. */
enum {
    FIRST_SLOTS = 8192,
    MOST_SITES = 0x7fffffff,
    RECYCLE_FROM = 4096,
    SPARE_SITES = 1024,
};

struct site_table site_table;

static struct dump_file *dump;
static uint32_t next_spare, spare_end; /* sites that only the overflow may have */
static uint32_t first_free; /* list of recycled sites, chained by peak_live */
static uint64_t new_sites,
    next_sweep; /* since the last sweep; how many have to come before the next */

static uint64_t count_of(unsigned section) {
    return dump->header->sections[section].count;
}

void site_table_carry(const struct tracemalloc_dump_site *site) {
    struct tracemalloc_dump_tally *tally = site_tally(site);
    tally->total_blocks += (uint64_t)1 << 32;
    tally->total_bytes += site->size << 32;
}

/* What was at the peak stays, until there is another. */
bool site_table_is_dead(const struct tracemalloc_dump_site *site) {
    const struct tracemalloc_dump_header *header = dump->header;
    bool at_peak = site->peak_number == header->peak_number && site->peak_live > 0 &&
                   header->python_bytes + header->native_bytes <= header->peak_bytes;
    return site->live == 0 && site->at_exit == 0 && !at_peak;
}

/* What it counted becomes its tally's. */
static void fold(struct tracemalloc_dump_site *site) {
    struct tracemalloc_dump_tally *tally = site_tally(site);
    tally->total_blocks += site->total;
    tally->total_bytes += site->total * site->size;
    site->total = 0;
}

static uint64_t hash_of(const struct tracemalloc_dump_site *site) {
    const struct tracemalloc_dump_tally *tally = site_tally(site);
    return site_hash(tally->stack, tally->domain, site->size);
}

static void close_by_stack(void) {
    if (site_table.stacks != 0)
        arena_unmap(site_table.by_stack, site_table.stacks * sizeof(uint32_t));
    site_table.by_stack = NULL;
    site_table.stacks = 0;
}

/* Makes a list of the sites that count nothing, and the index anew without them. */
uint64_t site_table_recycle(void) {
    uint64_t count = count_of(TRACEMALLOC_DUMP_SITES), freed = 0;
    id_table_clear(&site_table.index);
    close_by_stack();
    epoch_raise();
    first_free = 0;
    for (uint64_t id = count - 1; id > 0; id--) {
        struct tracemalloc_dump_site *site = site_table.sites + id;
        bool is_spare = id < spare_end;
        if (is_spare && id >= next_spare)
            continue;
        if (is_spare || !site_table_is_dead(site)) {
            /* Cannot fail: there was room for all of them. */
            if (id_table_add(&site_table.index, hash_of(site), (uint32_t)id) < 0)
                dump->header->lost[TRACEMALLOC_DUMP_LOST_MEMORY]++;
            continue;
        }
        fold(site);
        /* The list of free sites is in what nobody asks of a site without blocks. */
        site->peak_live = first_free;
        site->peak_number = dump->header->peak_number - 1;
        first_free = (uint32_t)id;
        freed++;
    }
    return freed;
}

/* Whether the dead sites are worth a sweep: the last one that found few is paid for by
 * as many new sites. */
static bool sweep_pays(uint64_t count) {
    if (count < RECYCLE_FROM || new_sites++ < next_sweep)
        return false;
    new_sites = 0;
    next_sweep = site_table_recycle() < count / 8 ? count / 8 : 0;
    return next_sweep == 0;
}

static uint32_t pop_free(void) {
    uint32_t id = first_free;
    if (id != 0)
        first_free = site_table.sites[id].peak_live;
    return id;
}

static uint32_t take_id(void) {
    uint64_t id = count_of(TRACEMALLOC_DUMP_SITES);
    bool full = (id + 1) * sizeof(struct tracemalloc_dump_site) >
                dump->mapped[TRACEMALLOC_DUMP_SITES];
    bool grow = first_free == 0 && full && !sweep_pays(id);
    if (first_free != 0 && !grow)
        return pop_free();
    if (id < MOST_SITES && dump_file_reserve(dump, TRACEMALLOC_DUMP_SITES, id + 1) == 0)
        return (uint32_t)id;
    return pop_free();
}

/* Without memory the index alone has to do. */
static void note_by_stack(uint32_t stack, uint32_t id) {
    enum { FIRST_STACKS = 8192 };
    while (stack >= site_table.stacks) {
        uint32_t wanted = site_table.stacks == 0 ? FIRST_STACKS : site_table.stacks * 2;
        size_t size = sizeof *site_table.by_stack;
        uint32_t *grown = site_table.stacks == 0 ? arena_map(wanted * size)
                                                 : arena_grow(site_table.by_stack,
                                                              site_table.stacks * size,
                                                              (size_t)wanted * size);
        if (grown == NULL)
            return;
        site_table.by_stack = grown;
        site_table.stacks = wanted;
    }
    site_table.by_stack[stack] = id;
}

static uint32_t make_site(uint32_t tally, uint64_t size) {
    uint32_t id = take_id();
    bool overflow = site_table.tallies[tally].stack == TRACEMALLOC_DUMP_OVERFLOW_STACK;
    if (id == 0 && overflow && next_spare < spare_end)
        id = next_spare++;
    if (id == 0)
        return 0;
    struct tracemalloc_dump_site *site = site_table.sites + id;
    uint32_t other = site_table.tallies[tally].domain == TRACEMALLOC_DUMP_DOMAIN_PYTHON
                         ? 0
                         : TRACEMALLOC_DUMP_NOT_PYTHON;
    *site = (struct tracemalloc_dump_site){
        .tally = tally | other, .size = size, .peak_number = dump->header->peak_number};
    if (id_table_add(&site_table.index, hash_of(site), id) < 0) {
        site_table.failure = TRACEMALLOC_DUMP_LOST_MEMORY;
        return 0;
    }
    if (id >= count_of(TRACEMALLOC_DUMP_SITES))
        dump_file_publish(dump, TRACEMALLOC_DUMP_SITES, (uint64_t)id + 1);
    return id;
}

uint32_t site_table_add(uint32_t stack, uint32_t domain, uint64_t size) {
    uint32_t tally = tally_table_find(stack, domain);
    site_table.failure = TRACEMALLOC_DUMP_LOST_BLOCKS;
    uint32_t id = tally == 0 ? 0 : make_site(tally, size);
    if (id != 0)
        note_by_stack(stack, id);
    if (id != 0 || stack == TRACEMALLOC_DUMP_OVERFLOW_STACK)
        return id;
    id = site_table_find(TRACEMALLOC_DUMP_OVERFLOW_STACK, domain, size);
    if (id != 0)
        dump->header->lost[TRACEMALLOC_DUMP_LOST_STACKS]++;
    return id;
}

/* A site of a domain that does not exist matches no event. */
static void clear_cache(struct site_cache *cache) {
    memset(cache->steps, 0xff, sizeof cache->steps);
    cache->epoch = epoch_now;
}

uint32_t site_cache_miss(struct site_cache *cache, uint32_t stack, uint32_t domain,
                         uint64_t size) {
    uint32_t site = site_table_find(stack, domain, size);
    if (cache->epoch != epoch_now)
        clear_cache(cache);
    if (site != 0)
        *site_cache_step(cache, stack, size) =
            (struct site_step){size, stack, domain, site, 0};
    return site;
}

static int64_t add_domain(uint32_t number, const char *name) {
    uint64_t index = count_of(TRACEMALLOC_DUMP_DOMAINS);
    if (dump_file_reserve(dump, TRACEMALLOC_DUMP_DOMAINS, index + 1) < 0)
        return -ENOSPC;
    ((struct tracemalloc_dump_domain *)dump->base[TRACEMALLOC_DUMP_DOMAINS])[index] =
        (struct tracemalloc_dump_domain){number, name_table_string(name, strlen(name))};
    dump_file_publish(dump, TRACEMALLOC_DUMP_DOMAINS, index + 1);
    return (int64_t)index;
}

int64_t site_table_domain(uint32_t number) {
    const struct tracemalloc_dump_domain *domains =
        (const void *)dump->base[TRACEMALLOC_DUMP_DOMAINS];
    uint64_t count = count_of(TRACEMALLOC_DUMP_DOMAINS);
    if (number == TRACEMALLOC_DUMP_DOMAIN_PYTHON)
        return TRACEMALLOC_DUMP_DOMAIN_PYTHON;
    for (uint64_t index = TRACEMALLOC_DUMP_DOMAIN_MMAP + 1; index < count; index++)
        if (domains[index].number == number)
            return (int64_t)index;
    return -ENOENT;
}

int64_t site_table_make_domain(uint32_t number) {
    int64_t index = site_table_domain(number);
    return index < 0 ? add_domain(number, "tracked") : index;
}

void site_table_freeze(void) {
    uint64_t count = count_of(TRACEMALLOC_DUMP_SITES);
    if (dump->header->finalized)
        return;
    for (uint64_t id = 1; id < count; id++)
        site_table.sites[id].at_exit = site_table.sites[id].live;
    __atomic_store_n(&dump->header->finalized, 1, __ATOMIC_RELEASE);
}

static int open_domains(void) {
    static const char *const names[] = {"python", "libc", "mmap"};
    for (uint32_t number = 0; number < 3; number++)
        if (add_domain(number, names[number]) != number)
            return -ENOSPC;
    return 0;
}

/* Entry 0 is unused, and some behind it are for the overflow's blocks when there is no
 * room left. Their pages are not touched until then. */
static void open_spare(void) {
    next_spare = spare_end = 1;
    if (dump_file_reserve(dump, TRACEMALLOC_DUMP_SITES, 1 + SPARE_SITES) == 0)
        spare_end += SPARE_SITES;
    dump_file_publish(dump, TRACEMALLOC_DUMP_SITES, spare_end);
}

int site_table_open(struct dump_file *file) {
    dump = file;
    site_table.header = file->header;
    epoch_raise();
    site_table.sites = (void *)file->base[TRACEMALLOC_DUMP_SITES];
    site_table.tallies = (void *)file->base[TRACEMALLOC_DUMP_TALLIES];
    first_free = 0;
    new_sites = next_sweep = 0;
    int status = id_table_open(&site_table.index, FIRST_SLOTS);
    if (status == 0)
        status = tally_table_open(file);
    if (status == 0)
        status = open_domains();
    if (status == 0)
        open_spare();
    return status;
}

void site_table_close(void) {
    close_by_stack();
    id_table_close(&site_table.index);
    tally_table_close();
}
