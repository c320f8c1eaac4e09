/* SPDX-License-Identifier: MIT */
#include "trace/tracer.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "trace/mapping_table.h"
#include "trace/name_table.h"
#include "trace/room.h"
#include "trace/stack_table.h"
#include "trace/track_table.h"

static const char many_threads;
static const char *libc_flag = &many_threads;
static struct dump_file dump;

struct tracer tracer = {
    .single_threaded = &many_threads,
    .lock = {.rank = LOCK_TRACER},
};

/* glibc before 2.32 has no such flag: then every event takes the lock. */
void tracer_prepare(void) {
    const char *flag = dlsym(RTLD_DEFAULT, "__libc_single_threaded");
    if (flag != NULL)
        tracer.single_threaded = libc_flag = flag;
}

void tracer_share(bool shared) {
    tracer.single_threaded = shared ? &many_threads : libc_flag;
}

static int open_tables(void) {
    room_reset();
    int status = name_table_open(&dump);
    if (status == 0)
        status = stack_table_open(&dump);
    if (status == 0)
        status = site_table_open(&dump);
    return status;
}

int tracer_open(const struct tracer_start *start) {
    int status = block_map_open(start->granule);
    if (status < 0)
        return status;
    block_map_clear();
    mapping_table_clear();
    track_table_clear();
    status = dump_file_open(&dump, start->max_file);
    if (status < 0)
        return status;
    tracer.code_freed = start->code_freed;
    tracer.dump = &dump;
    tracer.generation++;
    status = open_tables();
    if (status < 0)
        tracer_close();
    return status;
}

void tracer_lock(void) {
    lock_take(&tracer.lock);
}

void tracer_unlock(void) {
    lock_release(&tracer.lock);
}

void tracer_activate(void) {
    __atomic_store_n(&gate.active, true, __ATOMIC_RELEASE);
}

void tracer_deactivate(void) {
    __atomic_store_n(&gate.active, false, __ATOMIC_RELEASE);
}

void tracer_close(void) {
    name_table_close();
    stack_table_close();
    site_table_close();
    dump_file_close(&dump);
}

static void clear_counts(struct tracemalloc_dump_header *header) {
    uint64_t sites = header->sections[TRACEMALLOC_DUMP_SITES].count;
    uint64_t tallies = header->sections[TRACEMALLOC_DUMP_TALLIES].count;
    for (uint64_t id = 1; id < sites; id++) {
        struct tracemalloc_dump_site *site = site_table.sites + id;
        site->live = site->at_exit = site->total = site->peak_live = 0;
    }
    for (uint64_t id = 0; id < tallies; id++)
        site_table.tallies[id].total_bytes = site_table.tallies[id].total_blocks = 0;
    header->python_bytes = header->native_bytes = 0;
    header->peak_bytes = header->python_peak_bytes = 0;
}

void tracer_clear(void) {
    tracer.generation++;
    block_map_clear();
    mapping_table_clear();
    track_table_clear();
    clear_counts(dump.header);
}

void tracer_freeze(void) {
    if (dump.header->finalized == 0)
        tracer_measure();
    site_table_freeze();
}

void tracer_measure(void) {
    struct resident resident;
    if (dump.header == NULL)
        return;
    resident_open(&resident);
    dump.header->tracer_bytes = arena_bytes() + block_map_bytes(&resident);
    dump.header->mapped_resident_bytes = mapping_table_measure(&resident);
    resident_close(&resident);
}

void tracer_lost_block(void) {
    dump.header->lost[TRACEMALLOC_DUMP_LOST_MEMORY]++;
}

void tracer_code_freed(uintptr_t address) {
    if (tracer.code_freed != NULL)
        tracer.code_freed(address);
}

void tracer_replaced(uintptr_t block, uint32_t *slot) {
    tracer_discount(*slot & BLOCK_MAP_SITE);
    if (*slot & BLOCK_MAP_CODE)
        tracer_code_freed(block);
    *slot = 0;
}

int64_t tracer_domain_of(uintptr_t block) {
    const uint32_t *slot = block_map_find(block);
    uint32_t site = slot != NULL ? *slot & BLOCK_MAP_SITE : 0;
    return site != 0 ? (int64_t)site_tally(site_table.sites + site)->domain : -1;
}

void tracer_watch_code(const void *code) {
    uint32_t *slot = block_map_make((uintptr_t)code);
    if (slot != NULL)
        *slot |= BLOCK_MAP_CODE;
}
