/* SPDX-License-Identifier: MIT */
/* The engine without an interpreter: threads that allocate, free and reallocate, also
 * blocks of one another, while the main thread forks and writes snapshots. At the end
 * the tables must hold exactly what the threads have left.
 *
 * usage: engine_stress [SECONDS]   (default 1)
 *
 * No memory is behind the blocks: an address belongs to the thread that has it, as
 * malloc would give it out, and threads hand addresses over by atomic exchanges. So
 * ThreadSanitizer, under which tests/race/run builds this, sees every access to the
 * tables and no allocator's own ordering between the threads.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "dump/dump_copy.h"
#include "dump/dump_fork.h"
#include "event/event.h"
#include "trace/tables_valid.h"

enum { THREADS = 4, BLOCKS = 4096, SHARED = 64, SIZES = 1000, PAUSE = 20000000 };

/* One region of addresses for each thread; a block is 16 bytes of it, or more. */
static const uintptr_t first_region = 0x7f4500000000, region_size = (uintptr_t)1 << 30;

/* An address and the size that it has now. Whoever has it owns both. */
struct block {
    uintptr_t address;
    uint64_t size;
    bool is_live;
};

struct worker {
    pthread_t thread;
    uint64_t random;
    struct block blocks[BLOCKS]; /* of which the handed ones are swapped */
    uint64_t events;
};

static struct worker workers[THREADS];
/* Blocks that one thread leaves for another; NULL: none. */
static struct block *_Atomic handed[SHARED];
static atomic_bool has_ended;

static const void *pointer_to(const struct block *block) {
    return (const void *)block->address;
}

static uint32_t below(struct worker *worker, uint32_t bound) {
    worker->random ^= worker->random << 13;
    worker->random ^= worker->random >> 7;
    worker->random ^= worker->random << 17;
    return (uint32_t)((worker->random >> 32) % bound);
}

static void allocate(struct worker *worker, struct block *block) {
    struct thread_state *self = event_thread();
    block->size = 1 + below(worker, SIZES);
    block->is_live = true;
    event_alloc_libc(self, (void *)block->address, block->size);
}

static void release(struct block *block) {
    block->is_live = false;
    if (!event_free(pointer_to(block), EVENT_ANY_THREAD))
        event_free_slow_path(pointer_to(block), TRACER_LIBC, EVENT_ANY_THREAD);
}

/* As the hook of realloc; one of eight fails. */
static void reallocate(struct worker *worker, struct block *block) {
    struct thread_state *self = event_thread();
    uint32_t bucket =
        event_realloc_begin(self, pointer_to(block), TRACER_LIBC, EVENT_ANY_THREAD);
    if (below(worker, 8) == 0) {
        event_realloc_failed(self, pointer_to(block), bucket, EVENT_ANY_THREAD);
        return;
    }
    block->size = 1 + below(worker, SIZES);
    event_realloc_libc_done(self, bucket, (void *)block->address, block->size);
}

static void use(struct worker *worker, struct block *block) {
    if (!block->is_live)
        allocate(worker, block);
    else if (below(worker, 3) == 0)
        reallocate(worker, block);
    else
        release(block);
}

/* Leaves the block for whoever comes next, and takes the one that was left. */
static struct block *hand_over(struct worker *worker, struct block *block) {
    struct block *_Atomic *place = &handed[below(worker, SHARED)];
    struct block *other = atomic_exchange_explicit(place, block, memory_order_acq_rel);
    return other;
}

static void *work(void *argument) {
    struct worker *worker = argument;
    struct block *mine[BLOCKS];
    for (int i = 0; i < BLOCKS; i++)
        mine[i] = &worker->blocks[i];
    while (!atomic_load_explicit(&has_ended, memory_order_relaxed)) {
        uint32_t at = below(worker, BLOCKS);
        if (mine[at] != NULL)
            use(worker, mine[at]);
        if (below(worker, 4) == 0)
            mine[at] = hand_over(worker, mine[at]);
        worker->events++;
    }
    return NULL;
}

static void fail(const char *what) {
    fprintf(stderr, "engine_stress: %s\n", what);
    exit(1);
}

/* As a forked child that has no file yet: what it inherited must be whole. */
static void fork_once(void) {
    struct thread_state *self = thread_state_get();
    struct event_guard guard = event_begin(self);
    (void)!dump_fork_before(tracer.dump);
    pid_t child = fork();
    if (child == 0) {
        bool is_whole =
            dump_fork_in_child(tracer.dump) == 0 && tables_are_valid(tracer.dump);
        _exit(is_whole ? 0 : 1);
    }
    dump_fork_in_parent(tracer.dump);
    event_end(guard);
    int status = -1;
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
        fail("the tables of a forked child are not valid");
}

static void write_snapshot(const char *path) {
    const struct dump_copy copy = {.end_time = 1};
    struct event_guard guard = event_begin(thread_state_get());
    int error = dump_copy_to(tracer.dump, path, &copy);
    bool is_valid = tables_are_valid(tracer.dump);
    event_end(guard);
    if (error < 0 || unlink(path) < 0)
        fail("no snapshot");
    if (!is_valid)
        fail("the tables are not valid");
}

static void start_engine(void) {
    const struct tracer_start start = {.granule = 16, .max_file = 64 << 20};
    gate_prepare();
    tracer_prepare();
    thread_state_prepare();
    if (tracer_open(&start) < 0)
        fail("no memory");
    timeline_open(tracer.dump);
    tracer_activate();
    gate_open(GATE_SLOW_PATH, false);
}

static void expect(const char *what, uint64_t found, uint64_t expected) {
    if (found == expected)
        return;
    fprintf(stderr, "engine_stress: %s: %llu found, %llu expected\n", what,
            (unsigned long long)found, (unsigned long long)expected);
    exit(1);
}

/* What the tables hold, against what the threads have left. */
static void compare(void) {
    const struct tracemalloc_dump_header *header = tracer.dump->header;
    uint64_t blocks = 0, bytes = 0, found = 0;
    for (int i = 0; i < THREADS; i++)
        for (int at = 0; at < BLOCKS; at++) {
            const struct block *block = &workers[i].blocks[at];
            blocks += block->is_live;
            bytes += block->is_live ? block->size : 0;
        }
    for (uint64_t id = 1; id < header->sections[TRACEMALLOC_DUMP_BUCKETS].count; id++)
        found += bucket_at((uint32_t)id)->live;
    expect("live blocks", found, blocks);
    expect("live bytes", header->native_bytes, bytes);
    for (size_t reason = 0; reason < sizeof header->lost / sizeof *header->lost;
         reason++)
        expect("lost", header->lost[reason], 0);
}

static void start_workers(void) {
    for (int i = 0; i < THREADS; i++) {
        workers[i].random = 88172645463325252u + (unsigned)i;
        for (int at = 0; at < BLOCKS; at++)
            workers[i].blocks[at].address =
                first_region + (uintptr_t)i * region_size + (uintptr_t)at * 1024;
    }
    tracer_share(true);
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            fail("no thread");
}

/* Returns the number of events. */
static uint64_t stop_workers(void) {
    uint64_t events = 0;
    atomic_store(&has_ended, true);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        events += workers[i].events;
    }
    return events;
}

int main(int argc, char **argv) {
    int seconds = argc > 1 ? atoi(argv[1]) : 1;
    uint64_t rounds = 0;
    char path[64];
    snprintf(path, sizeof path, "/tmp/engine_stress.%d", (int)getpid());
    start_engine();
    start_workers();
    for (time_t end = time(NULL) + seconds; time(NULL) < end; rounds++) {
        nanosleep(&(struct timespec){.tv_nsec = PAUSE}, NULL);
        fork_once();
        write_snapshot(path);
    }
    uint64_t events = stop_workers();
    compare();
    printf("%llu events in %d threads, %llu forks and snapshots\n",
           (unsigned long long)events, THREADS, (unsigned long long)rounds);
    return 0;
}
