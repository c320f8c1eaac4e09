/* SPDX-License-Identifier: MIT */
#include "dump/dump_check.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "dump/dump_temporary.h"

/* Bounds that no process reaches, so that sums over a whole dump fit in 63 bits. */
static const uint64_t max_live_bytes = (uint64_t)1
                                       << 57; /* an address space of x86-64 */
static const uint64_t max_total_bytes = (uint64_t)1 << 62;

/* A live count up to this is accepted without comparing it with its site's. */
enum { PLAUSIBLE_LIVE = 1 << 20 };

/* Strings begin at multiples of TEXT_UNIT; an empty one takes two of them. */
enum { TEXT_UNIT = 4, EMPTY_TEXT_BYTES = 8 };
static_assert((int)EMPTY_TEXT_BYTES <= (int)DUMP_CHECK_SPARE,
              "spare bytes hold an empty string");

enum { MAX_UNIT = 31 };

struct checker {
    struct dump_reader *reader;
    unsigned char *starts; /* bitmap: a string starts at this multiple of TEXT_UNIT */
};

/* Adds the entries that replace invalid ones, if a section lacks them. */
static void add_first_entries(struct checker *checker) {
    struct dump_reader *reader = checker->reader;
    reader->stack_count += reader->stack_count == 0;
    reader->code_count += reader->code_count == 0;
    reader->domain_count += reader->domain_count == 0;
    reader->type_count += reader->type_count == 0;
    if (reader->string_bytes < EMPTY_TEXT_BYTES)
        reader->string_bytes = EMPTY_TEXT_BYTES;
    memset(checker->reader->stacks, 0, sizeof *checker->reader->stacks);
    memset(checker->reader->code, 0, sizeof *checker->reader->code);
    memset(checker->reader->strings, 0, EMPTY_TEXT_BYTES);
}

/* Records where strings start, so that an id cannot refer to the middle of one: the
 * lengths of all strings then sum to no more than the section's. */
static int find_texts(struct checker *checker) {
    size_t size = checker->reader->string_bytes;
    checker->starts = calloc(size / TEXT_UNIT / CHAR_BIT + 1, 1);
    if (checker->starts == NULL)
        return -ENOMEM;
    for (size_t at = 0; size - at >= EMPTY_TEXT_BYTES;) {
        uint32_t length;
        memcpy(&length, checker->reader->strings + at, sizeof length);
        if (length > size - at - sizeof length - 1 ||
            checker->reader->strings[at + sizeof length + length] != '\0')
            break;
        size_t unit = at / TEXT_UNIT;
        checker->starts[unit / CHAR_BIT] |= (unsigned char)(1u << unit % CHAR_BIT);
        size_t next = at + sizeof length + length + 1;
        next += -next % TEXT_UNIT;
        if (next >= size)
            break;
        at = next;
    }
    return 0;
}

static void check_text(struct checker *checker, tracemalloc_dump_string *id) {
    size_t unit = *id / TEXT_UNIT;
    if (*id % TEXT_UNIT == 0 && *id < checker->reader->string_bytes &&
        (checker->starts[unit / CHAR_BIT] >> unit % CHAR_BIT & 1) != 0)
        return;
    *id = 0;
    checker->reader->damaged++;
}

static void check_texts(struct checker *checker) {
    struct dump_reader *reader = checker->reader;
    for (size_t i = 0; i < reader->code_count; i++) {
        check_text(checker, &checker->reader->code[i].filename);
        check_text(checker, &checker->reader->code[i].name);
    }
    for (size_t i = 0; i < reader->domain_count; i++)
        check_text(checker, &checker->reader->domains[i].name);
    for (size_t i = 0; i < reader->module_count; i++) {
        check_text(checker, &checker->reader->modules[i].path);
        check_text(checker, &checker->reader->modules[i].build_id);
    }
    for (size_t i = 0; i < reader->symbol_count; i++) {
        check_text(checker, &checker->reader->symbols[i].function);
        check_text(checker, &checker->reader->symbols[i].filename);
    }
    for (size_t i = 0; i < reader->type_count; i++)
        check_text(checker, &checker->reader->types[i].name);
    for (size_t i = 0; i < reader->process_count; i++) {
        check_text(checker, &checker->reader->processes[i].argv);
        check_text(checker, &checker->reader->processes[i].executable);
    }
    check_text(checker, &reader->header.argv);
    check_text(checker, &reader->header.executable);
}

/* Terminates the names of fixed size, which a live process may be changing. */
static void end_names(struct checker *checker) {
    struct dump_reader *reader = checker->reader;
    reader->header.title[sizeof reader->header.title - 1] = '\0';
    reader->header.comm[sizeof reader->header.comm - 1] = '\0';
    reader->header.library_version[TRACEMALLOC_DUMP_VERSION_SIZE - 1] = '\0';
    reader->header.library_build[TRACEMALLOC_DUMP_BUILD_SIZE - 1] = '\0';
    reader->header.library_machine[TRACEMALLOC_DUMP_MACHINE_SIZE - 1] = '\0';
    for (size_t i = 0; i < reader->process_count; i++) {
        struct tracemalloc_dump_process *process = &checker->reader->processes[i];
        process->title[sizeof process->title - 1] = '\0';
        process->comm[sizeof process->comm - 1] = '\0';
    }
}

static bool is_valid_code(const struct dump_reader *reader, uint32_t code) {
    if ((code & TRACEMALLOC_DUMP_NATIVE) != 0)
        return (code & ~TRACEMALLOC_DUMP_NATIVE) < reader->module_count;
    return code < reader->code_count;
}

static void check_stacks(struct checker *checker) {
    struct dump_reader *reader = checker->reader;
    for (size_t id = 1; id < reader->stack_count; id++) {
        struct tracemalloc_dump_stack *stack = &checker->reader->stacks[id];
        bool damaged = false;
        if (stack->parent >= id) {
            stack->parent = TRACEMALLOC_DUMP_EMPTY_STACK;
            damaged = true;
        }
        if (!is_valid_code(reader, stack->code)) {
            stack->code = 0;
            damaged = true;
        }
        reader->damaged += damaged;
    }
}

static bool is_in_order(const struct tracemalloc_dump_symbol *first,
                        const struct tracemalloc_dump_symbol *second) {
    if (first->module != second->module)
        return first->module < second->module;
    return first->address <= second->address;
}

/* Symbols are found by binary search, so those after one that is out of order are
 * dropped. */
static void check_symbols(struct checker *checker) {
    struct dump_reader *reader = checker->reader;
    const struct tracemalloc_dump_symbol *symbols = checker->reader->symbols;
    size_t good = 0;
    while (good < reader->symbol_count && symbols[good].module < reader->module_count &&
           (good == 0 || is_in_order(&symbols[good - 1], &symbols[good])))
        good++;
    reader->damaged += reader->symbol_count - good;
    reader->symbol_count = good;
}

/* Adds a value to a sum; if that would exceed `max`, sets the value to 0 and returns
 * false. */
static bool add_bounded(uint64_t *sum, uint64_t *value, uint64_t max) {
    if (*value <= max - *sum) {
        *sum += *value;
        return true;
    }
    *value = 0;
    return false;
}

/* Sums over all entries. */
struct sums {
    uint64_t live_bytes, exit_bytes, peak_bytes, total_bytes, total_blocks;
    uint64_t temporary_bytes, temporary_blocks;
};

static bool check_site(const struct dump_reader *reader,
                       struct tracemalloc_dump_site *site, struct sums *sums) {
    bool good =
        site->stack < reader->stack_count && site->domain < reader->domain_count;
    if (site->stack >= reader->stack_count)
        site->stack = TRACEMALLOC_DUMP_EMPTY_STACK;
    if (site->domain >= reader->domain_count)
        site->domain = 0;
    if (site->process > 0 && site->process >= reader->process_count) {
        site->process = 0;
        good = false;
    }
    if (site->risen_unit > MAX_UNIT) {
        memset(site->risen, 0, sizeof site->risen);
        site->risen_unit = 0;
        good = false;
    }
    good &= add_bounded(&sums->total_bytes, &site->total_bytes, max_total_bytes);
    good &= add_bounded(&sums->total_blocks, &site->total_blocks, max_total_bytes);
    good &=
        add_bounded(&sums->temporary_bytes, &site->temporary_bytes, max_total_bytes);
    good &=
        add_bounded(&sums->temporary_blocks, &site->temporary_blocks, max_total_bytes);
    return good;
}

/* They are searched by process, and by time. */
static bool epoch_follows(const struct tracemalloc_dump_epoch *epochs, size_t id) {
    const struct tracemalloc_dump_epoch *last = &epochs[id - 1], *epoch = &epochs[id];
    if (epoch->process != last->process)
        return epoch->process > last->process;
    return epoch->start >= last->start &&
           !dump_history_is_older(epoch->stamp, last->stamp) &&
           (id < TRACEMALLOC_DUMP_MAX_EPOCHS ||
            epochs[id - TRACEMALLOC_DUMP_MAX_EPOCHS].process != epoch->process);
}

static void check_epochs(struct checker *checker) {
    struct dump_reader *reader = checker->reader;
    size_t good = reader->epoch_count > 0;
    while (good < reader->epoch_count && epoch_follows(reader->epochs, good))
        good++;
    reader->damaged += reader->epoch_count - good;
    reader->epoch_count = good;
}

static void check_sites(struct checker *checker, struct sums *sums) {
    struct dump_reader *reader = checker->reader;
    for (size_t i = 0; i < reader->site_count; i++)
        reader->damaged += !check_site(reader, &checker->reader->sites[i], sums);
}

static bool add_blocks(uint64_t *sum, uint64_t size, uint64_t blocks, uint64_t max) {
    uint64_t bytes;
    return !__builtin_mul_overflow(size, blocks, &bytes) &&
           add_bounded(sum, &bytes, max);
}

/* Whether a bucket can hold that many blocks: no more than it and its site have ever
 * counted. The site is read later, so its total is not smaller. */
static bool is_plausible(const struct checker *checker,
                         const struct tracemalloc_dump_bucket *bucket,
                         uint64_t blocks) {
    return blocks <= PLAUSIBLE_LIVE ||
           blocks <= checker->reader->sites[dump_bucket_site(bucket)].total_blocks +
                         bucket->total;
}

/* The most bytes that a block of a bucket stands for: in a sampled process s bytes are
 * taken for less than s + distance. */
static uint64_t max_block_bytes(const struct dump_reader *reader,
                                const struct tracemalloc_dump_bucket *bucket) {
    const struct tracemalloc_dump_site *site = &reader->sites[dump_bucket_site(bucket)];
    uint64_t bytes;
    bool overflows = __builtin_add_overflow(
        bucket->size, reader->processes[site->process].sample_distance, &bytes);
    return overflows ? UINT64_MAX : bytes;
}

static bool check_counts(const struct checker *checker,
                         const struct tracemalloc_dump_bucket *bucket,
                         struct sums *sums) {
    uint64_t size = max_block_bytes(checker->reader, bucket);
    uint32_t peak = dump_bucket_peak(&checker->reader->header, bucket);
    return is_plausible(checker, bucket, bucket->live) &&
           is_plausible(checker, bucket, bucket->at_exit) &&
           is_plausible(checker, bucket, peak) &&
           add_blocks(&sums->live_bytes, size, bucket->live, max_live_bytes) &&
           add_blocks(&sums->exit_bytes, size, bucket->at_exit, max_live_bytes) &&
           add_blocks(&sums->peak_bytes, size, peak, max_live_bytes) &&
           add_blocks(&sums->total_bytes, size, bucket->total, max_total_bytes) &&
           add_blocks(&sums->total_blocks, 1, bucket->total, max_total_bytes) &&
           add_blocks(&sums->temporary_bytes, bucket->size, dump_temporary_get(bucket),
                      max_total_bytes);
}

static bool check_bucket(const struct checker *checker,
                         const struct tracemalloc_dump_bucket *bucket,
                         struct sums *sums) {
    return dump_bucket_site(bucket) < checker->reader->site_count &&
           check_counts(checker, bucket, sums);
}

/* An unused bucket counts no blocks; of its other fields only the site is read. */
static bool is_empty(const struct tracemalloc_dump_header *header,
                     const struct tracemalloc_dump_bucket *bucket) {
    return bucket->live == 0 && bucket->at_exit == 0 && bucket->total == 0 &&
           dump_bucket_peak(header, bucket) == 0;
}

/* A live dump may have halved its epochs while it was read: what was born in the last
 * of them is as young as is known. */
static void check_birth(const struct dump_reader *reader,
                        struct tracemalloc_dump_bucket *bucket) {
    uint32_t process = reader->sites[dump_bucket_site(bucket)].process;
    size_t count = dump_reader_epochs(reader, process).count;
    if (bucket->birth >= count)
        bucket->birth = (uint8_t)(count - (count > 0));
    if (bucket->live_before > PLAUSIBLE_LIVE && bucket->live_before > bucket->total)
        bucket->live_before = bucket->live;
}

static void check_buckets(struct checker *checker, struct sums *sums) {
    struct dump_reader *reader = checker->reader;
    for (size_t i = 0; i < reader->bucket_count; i++) {
        struct tracemalloc_dump_bucket *bucket = &checker->reader->buckets[i];
        if (is_empty(&reader->header, bucket)) {
            if (dump_bucket_site(bucket) >= reader->site_count)
                bucket->site = 0;
            continue;
        }
        if (check_bucket(checker, bucket, sums)) {
            check_birth(reader, bucket);
            continue;
        }
        *bucket = (struct tracemalloc_dump_bucket){.size = bucket->size};
        reader->damaged++;
    }
    /* Then there is no site that one could be of. */
    if (reader->site_count == 0)
        reader->bucket_count = 0;
}

static bool check_census_entry(const struct checker *checker,
                               const struct tracemalloc_dump_census *entry,
                               uint64_t *bytes) {
    const struct dump_reader *reader = checker->reader;
    if (entry->bucket >= reader->bucket_count || entry->type >= reader->type_count)
        return false;
    const struct tracemalloc_dump_bucket *bucket = &reader->buckets[entry->bucket];
    return is_plausible(checker, bucket, entry->blocks) &&
           add_blocks(bytes, max_block_bytes(reader, bucket), entry->blocks,
                      max_live_bytes);
}

static void check_census(struct checker *checker) {
    struct dump_reader *reader = checker->reader;
    uint64_t bytes = 0;
    for (size_t i = 0; i < reader->census_count; i++) {
        struct tracemalloc_dump_census *entry = &checker->reader->census[i];
        if (check_census_entry(checker, entry, &bytes))
            continue;
        *entry = (struct tracemalloc_dump_census){0};
        reader->damaged++;
    }
    if (reader->bucket_count == 0)
        reader->census_count = 0;
}

/* `at_exit` is meaningless until the interpreter is finalized. */
static void clear_exit_counts(struct checker *checker) {
    if (checker->reader->header.finalized != 0)
        return;
    for (size_t i = 0; i < checker->reader->bucket_count; i++)
        checker->reader->buckets[i].at_exit = 0;
}

/* In a merged dump, a process that was running at the time has the state SNAPSHOT, so
 * TRACING means that it was killed. */
static void check_processes(struct checker *checker) {
    struct dump_reader *reader = checker->reader;
    for (size_t i = 0; i < reader->process_count; i++) {
        uint32_t *state = &checker->reader->processes[i].state;
        bool good = *state != 0 && *state <= TRACEMALLOC_DUMP_SIGNAL;
        reader->damaged += !good;
        if (!good || *state == TRACEMALLOC_DUMP_TRACING)
            *state = DUMP_READER_KILLED;
    }
}

/* A dump that was not merged has no section of processes: adds the header's. */
static void add_process(struct checker *checker) {
    struct dump_reader *reader = checker->reader;
    const struct tracemalloc_dump_header *header = &reader->header;
    if (reader->process_count > 0)
        return;
    reader->process_count = 1;
    struct tracemalloc_dump_process *process = &checker->reader->processes[0];
    *process = (struct tracemalloc_dump_process){
        .pid = header->pid,
        .ppid = header->ppid,
        .start_time = header->start_time,
        .end_time = header->end_time,
        .peak_bytes = header->peak_bytes,
        .argv = header->argv,
        .state = reader->state,
        .exit_status = header->exit_status,
        .signal = header->signal,
        .run_id = header->run_id,
        .executable = header->executable,
        .sample_distance = header->sample_distance,
    };
    memcpy(process->title, header->title, sizeof process->title);
    memcpy(process->comm, header->comm, sizeof process->comm);
}

static void check_distances(struct dump_reader *reader) {
    for (size_t i = 0; i < reader->process_count; i++) {
        uint32_t *distance = &reader->processes[i].sample_distance;
        reader->damaged += *distance > TRACEMALLOC_DUMP_MAX_SAMPLE_DISTANCE;
        if (*distance > TRACEMALLOC_DUMP_MAX_SAMPLE_DISTANCE)
            *distance = 0;
    }
}

static void check_frame_limits(struct dump_reader *reader) {
    struct tracemalloc_dump_header *header = &reader->header;
    if (header->native_nframe > MAX_NFRAME) {
        header->native_nframe = MAX_NFRAME;
        reader->damaged++;
    }
    if (header->nframe >= 1 && header->nframe <= MAX_NFRAME)
        return;
    header->nframe = header->nframe == 0 ? 1 : MAX_NFRAME;
    reader->damaged++;
}

int dump_check(struct dump_reader *reader) {
    struct checker checker = {.reader = reader};
    struct sums sums = {0};
    add_first_entries(&checker);
    int error = find_texts(&checker);
    if (error < 0)
        return error;
    check_texts(&checker);
    end_names(&checker);
    check_stacks(&checker);
    check_symbols(&checker);
    check_processes(&checker);
    add_process(&checker);
    check_distances(reader);
    check_epochs(&checker);
    check_sites(&checker, &sums);
    clear_exit_counts(&checker);
    check_buckets(&checker, &sums);
    check_census(&checker);
    check_frame_limits(reader);
    free(checker.starts);
    return 0;
}
