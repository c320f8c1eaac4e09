/* SPDX-License-Identifier: MIT */
#include "dump/dump_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bounds that no process reaches, so that sums over a whole dump fit into 63 bits. */
static const uint64_t most_live_bytes = (uint64_t)1
                                        << 57; /* an address space of x86-64 */
static const uint64_t most_total_bytes = (uint64_t)1 << 62;

/* A file may claim this much for nothing, then as many times what is allocated to it on
 * disk, which is less than its size when it has holes or the file system compresses. */
static const uint64_t free_budget = (uint64_t)128 << 20;
enum { MOST_COMPRESSION = 16, BLOCK_UNIT = 512 };

/* Up to here a site's live count is believed without a look at its tally. */
enum { PLAUSIBLE_LIVE = 1 << 20 };

/* Strings begin at multiples of this; an empty one takes two. Spare entries of zeros
 * stand in for what is missing. */
enum { TEXT_UNIT = 4, EMPTY_TEXT_BYTES = 8, SPARE_ENTRIES = 16 };

enum { MOST_FRAMES = 65535 };

struct loader {
    int fd;
    uint64_t file_size;
    uint64_t budget;      /* bytes that may still be read */
    uint32_t finalized;   /* as the header said before the sites were read */
    uint32_t peak_number; /* and these two before the tallies were */
    uint32_t rising;
    struct dump_reader *reader;
    unsigned char *starts; /* bitmap: a string starts at this multiple of TEXT_UNIT */
    struct tracemalloc_dump_site *sites;
    struct tracemalloc_dump_tally *tallies;
    struct tracemalloc_dump_stack *stacks;
    struct tracemalloc_dump_code *code;
    struct tracemalloc_dump_domain *domains;
    struct tracemalloc_dump_module *modules;
    struct tracemalloc_dump_moment *timeline;
    struct tracemalloc_dump_process *processes;
    char *strings;
};

/* Reads until the end of the file at most: the bytes read, or -errno. */
static ssize_t read_at(int fd, void *buffer, size_t size, uint64_t offset) {
    size_t done = 0;
    while (done < size) {
        ssize_t got =
            pread(fd, (char *)buffer + done, size - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

static int measure_file(struct loader *loader, struct stat *status) {
    if (fstat(loader->fd, status) != 0)
        return -errno;
    if (S_ISDIR(status->st_mode))
        return -EISDIR;
    if (!S_ISREG(status->st_mode))
        return -EINVAL;
    loader->file_size = (uint64_t)status->st_size;
    return 0;
}

static int check_header(const struct tracemalloc_dump_header *header) {
    if (header->byte_order != TRACEMALLOC_DUMP_BYTE_ORDER)
        return header->byte_order == __builtin_bswap32(TRACEMALLOC_DUMP_BYTE_ORDER)
                   ? -ENOTSUP
                   : -EUCLEAN;
    if (header->version != TRACEMALLOC_DUMP_VERSION)
        return -ENOTSUP;
    for (int id = 0; id < TRACEMALLOC_DUMP_SECTIONS; id++)
        if (header->sections[id].extent_count > TRACEMALLOC_DUMP_EXTENTS)
            return -EUCLEAN;
    return 0;
}

static int read_header(struct loader *loader) {
    struct tracemalloc_dump_header *header = &loader->reader->header;
    struct stat status;
    int error = measure_file(loader, &status);
    if (error < 0)
        return error;
    memset(header, 0, sizeof *header);
    ssize_t length = read_at(loader->fd, header, sizeof *header, 0);
    if (length < 0)
        return (int)length;
    if (memcmp(header->magic, TRACEMALLOC_DUMP_MAGIC, sizeof header->magic) != 0)
        return -EBADMSG;
    if ((size_t)length < sizeof *header)
        return -EUCLEAN;
    return check_header(header);
}

static int grant_budget(struct loader *loader) {
    struct stat status;
    int error = measure_file(loader, &status);
    if (error < 0)
        return error;
    uint64_t on_disk = (uint64_t)status.st_blocks * BLOCK_UNIT * MOST_COMPRESSION;
    loader->budget = on_disk > free_budget ? on_disk : free_budget;
    return 0;
}

/* The bytes of one extent that the file has. */
static uint64_t extent_bytes(const struct loader *loader,
                             const struct tracemalloc_dump_extent *extent) {
    if (extent->offset >= loader->file_size)
        return 0;
    uint64_t rest = loader->file_size - extent->offset;
    return extent->length < rest ? extent->length : rest;
}

/* The bytes of a section that the file has: up to the first extent that was cut off,
 * for what follows it would be at a wrong index. */
static uint64_t section_bytes(const struct loader *loader,
                              const struct tracemalloc_dump_section *section) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < section->extent_count; i++) {
        uint64_t bytes = extent_bytes(loader, &section->extents[i]);
        if (__builtin_add_overflow(sum, bytes, &sum))
            return UINT64_MAX;
        if (bytes < section->extents[i].length)
            break;
    }
    return sum;
}

/* Fills `buffer` from the chain of extents: the bytes read, or -errno. */
static ssize_t read_extents(const struct loader *loader,
                            const struct tracemalloc_dump_section *section,
                            char *buffer, size_t size) {
    size_t done = 0;
    for (uint32_t i = 0; i < section->extent_count && done < size; i++) {
        uint64_t bytes = extent_bytes(loader, &section->extents[i]);
        size_t wanted = bytes < size - done ? (size_t)bytes : size - done;
        ssize_t got =
            read_at(loader->fd, buffer + done, wanted, section->extents[i].offset);
        if (got < 0)
            return got;
        done += (size_t)got;
        if ((size_t)got < wanted)
            break;
    }
    return (ssize_t)done;
}

/* Where a section's entries go. */
struct place {
    int id; /* enum tracemalloc_dump_section_id */
    size_t entry_size;
    void **entries;
    size_t *count;
};

/* The entries of a section that can be read, or -errno. */
static int64_t count_entries(struct loader *loader, const struct place *place) {
    const struct tracemalloc_dump_section *section =
        &loader->reader->header.sections[place->id];
    if (section->count > 0 && section->entry_size != place->entry_size)
        return -EUCLEAN;
    uint64_t held = section_bytes(loader, section) / place->entry_size;
    held = held < section->count ? held : section->count;
    if (held > loader->budget / place->entry_size)
        return -EFBIG;
    loader->budget -= held * place->entry_size;
    return (int64_t)held;
}

/* What entries mean depends on some fields of the header: of the header that was read
 * before them. */
static void note_header(struct loader *loader, int id) {
    const struct tracemalloc_dump_header *header = &loader->reader->header;
    if (id == TRACEMALLOC_DUMP_SITES)
        loader->finalized = header->finalized;
    if (id == TRACEMALLOC_DUMP_TALLIES) {
        loader->peak_number = header->peak_number;
        loader->rising = header->rising;
    }
}

/* Reads a section's entries behind a header read afresh; some entries of zeros follow
 * them. */
static int load_section(struct loader *loader, const struct place *place) {
    int error = read_header(loader);
    if (error < 0)
        return error;
    int64_t held = count_entries(loader, place);
    if (held < 0)
        return (int)held;
    note_header(loader, place->id);
    *place->entries = calloc((size_t)held + SPARE_ENTRIES, place->entry_size);
    if (*place->entries == NULL)
        return -ENOMEM;
    struct tracemalloc_dump_section section =
        loader->reader->header.sections[place->id];
    ssize_t length = read_extents(loader, &section, *place->entries,
                                  (size_t)held * place->entry_size);
    if (length < 0)
        return (int)length;
    *place->count = (size_t)length / place->entry_size;
    loader->reader->missing += section.count - *place->count;
    return 0;
}

/* From what refers to what is referred to. */
static int load_sections(struct loader *loader) {
    struct dump_reader *reader = loader->reader;
    const struct place places[] = {
        {TRACEMALLOC_DUMP_TIMELINE, sizeof *loader->timeline,
         (void **)&loader->timeline, &reader->timeline_count},
        {TRACEMALLOC_DUMP_SITES, sizeof *loader->sites, (void **)&loader->sites,
         &reader->site_count},
        {TRACEMALLOC_DUMP_TALLIES, sizeof *loader->tallies, (void **)&loader->tallies,
         &reader->tally_count},
        {TRACEMALLOC_DUMP_PROCESSES, sizeof *loader->processes,
         (void **)&loader->processes, &reader->process_count},
        {TRACEMALLOC_DUMP_DOMAINS, sizeof *loader->domains, (void **)&loader->domains,
         &reader->domain_count},
        {TRACEMALLOC_DUMP_STACKS, sizeof *loader->stacks, (void **)&loader->stacks,
         &reader->stack_count},
        {TRACEMALLOC_DUMP_MODULES, sizeof *loader->modules, (void **)&loader->modules,
         &reader->module_count},
        {TRACEMALLOC_DUMP_CODE, sizeof *loader->code, (void **)&loader->code,
         &reader->code_count},
        {TRACEMALLOC_DUMP_STRINGS, 1, (void **)&loader->strings, &reader->string_bytes},
    };
    int error = 0;
    for (size_t i = 0; i < sizeof places / sizeof *places && error == 0; i++)
        error = load_section(loader, &places[i]);
    return error;
}

/* Each section has at least the entries that other entries fall back to. */
static void add_first_entries(struct loader *loader) {
    struct dump_reader *reader = loader->reader;
    reader->stack_count += reader->stack_count == 0;
    reader->code_count += reader->code_count == 0;
    reader->domain_count += reader->domain_count == 0;
    if (reader->string_bytes < EMPTY_TEXT_BYTES)
        reader->string_bytes = EMPTY_TEXT_BYTES;
    memset(loader->stacks, 0, sizeof *loader->stacks);
    memset(loader->code, 0, sizeof *loader->code);
    memset(loader->strings, 0, EMPTY_TEXT_BYTES);
}

/* Notes where strings start, so that an id in the middle of one is not taken for
 * another: their lengths then sum to no more than the section's, whatever the file
 * says. */
static int find_texts(struct loader *loader) {
    size_t size = loader->reader->string_bytes;
    loader->starts = calloc(size / TEXT_UNIT / CHAR_BIT + 1, 1);
    if (loader->starts == NULL)
        return -ENOMEM;
    for (size_t at = 0; size - at >= EMPTY_TEXT_BYTES;) {
        uint32_t length;
        memcpy(&length, loader->strings + at, sizeof length);
        if (length > size - at - sizeof length - 1 ||
            loader->strings[at + sizeof length + length] != '\0')
            break;
        size_t unit = at / TEXT_UNIT;
        loader->starts[unit / CHAR_BIT] |= (unsigned char)(1u << unit % CHAR_BIT);
        size_t next = at + sizeof length + length + 1;
        next += -next % TEXT_UNIT;
        if (next >= size)
            break;
        at = next;
    }
    return 0;
}

static void check_text(struct loader *loader, tracemalloc_dump_string *id) {
    size_t unit = *id / TEXT_UNIT;
    if (*id % TEXT_UNIT == 0 && *id < loader->reader->string_bytes &&
        (loader->starts[unit / CHAR_BIT] >> unit % CHAR_BIT & 1) != 0)
        return;
    *id = 0;
    loader->reader->damaged++;
}

static void check_texts(struct loader *loader) {
    struct dump_reader *reader = loader->reader;
    for (size_t i = 0; i < reader->code_count; i++) {
        check_text(loader, &loader->code[i].filename);
        check_text(loader, &loader->code[i].name);
    }
    for (size_t i = 0; i < reader->domain_count; i++)
        check_text(loader, &loader->domains[i].name);
    for (size_t i = 0; i < reader->module_count; i++) {
        check_text(loader, &loader->modules[i].path);
        check_text(loader, &loader->modules[i].build_id);
    }
    for (size_t i = 0; i < reader->process_count; i++)
        check_text(loader, &loader->processes[i].argv);
    check_text(loader, &reader->header.argv);
    check_text(loader, &reader->header.executable);
}

static bool code_is_there(const struct dump_reader *reader, uint32_t code) {
    if ((code & TRACEMALLOC_DUMP_NATIVE) != 0)
        return (code & ~TRACEMALLOC_DUMP_NATIVE) < reader->module_count;
    return code < reader->code_count;
}

static void check_stacks(struct loader *loader) {
    struct dump_reader *reader = loader->reader;
    for (size_t id = 1; id < reader->stack_count; id++) {
        struct tracemalloc_dump_stack *stack = &loader->stacks[id];
        bool damaged = false;
        if (stack->parent >= id) {
            stack->parent = TRACEMALLOC_DUMP_EMPTY_STACK;
            damaged = true;
        }
        if (!code_is_there(reader, stack->code)) {
            stack->code = 0;
            damaged = true;
        }
        reader->damaged += damaged;
    }
}

/* Adds to a sum that stays within a bound; what would exceed it becomes 0. */
static bool add_bounded(uint64_t *sum, uint64_t *value, uint64_t most) {
    if (*value <= most - *sum) {
        *sum += *value;
        return true;
    }
    *value = 0;
    return false;
}

struct tally_sums {
    uint64_t bytes, blocks, peak_bytes, peak_blocks, total_bytes, total_blocks;
};

static bool check_tally(const struct dump_reader *reader,
                        struct tracemalloc_dump_tally *tally, struct tally_sums *sums) {
    bool good =
        tally->stack < reader->stack_count && tally->domain < reader->domain_count;
    if (tally->stack >= reader->stack_count)
        tally->stack = TRACEMALLOC_DUMP_EMPTY_STACK;
    if (tally->domain >= reader->domain_count)
        tally->domain = 0;
    if (tally->process > 0 && tally->process >= reader->process_count) {
        tally->process = 0;
        good = false;
    }
    good &= add_bounded(&sums->bytes, &tally->bytes, most_live_bytes);
    good &= add_bounded(&sums->blocks, &tally->blocks, most_live_bytes);
    good &= add_bounded(&sums->peak_bytes, &tally->peak_bytes, most_live_bytes);
    good &= add_bounded(&sums->peak_blocks, &tally->peak_blocks, most_live_bytes);
    good &= add_bounded(&sums->total_bytes, &tally->total_bytes, most_total_bytes);
    good &= add_bounded(&sums->total_blocks, &tally->total_blocks, most_total_bytes);
    return good;
}

static void check_tallies(struct loader *loader) {
    struct dump_reader *reader = loader->reader;
    struct tally_sums sums = {0};
    for (size_t i = 0; i < reader->tally_count; i++)
        reader->damaged += !check_tally(reader, &loader->tallies[i], &sums);
}

/* Whether a site can have held that many blocks: its tally, read later, has never had
 * fewer. */
static bool is_plausible(const struct loader *loader,
                         const struct tracemalloc_dump_site *site, uint32_t blocks,
                         uint64_t *sum) {
    if (blocks > PLAUSIBLE_LIVE && blocks > loader->tallies[site->tally].total_blocks)
        return false;
    uint64_t bytes;
    if (__builtin_mul_overflow(site->size, blocks, &bytes))
        return false;
    return add_bounded(sum, &bytes, most_live_bytes);
}

static void check_sites(struct loader *loader) {
    struct dump_reader *reader = loader->reader;
    uint64_t live_bytes = 0, exit_bytes = 0;
    for (size_t i = 0; i < reader->site_count; i++) {
        struct tracemalloc_dump_site *site = &loader->sites[i];
        if (site->live == 0 && site->at_exit == 0)
            continue;
        if (site->tally < reader->tally_count &&
            is_plausible(loader, site, site->live, &live_bytes) &&
            is_plausible(loader, site, site->at_exit, &exit_bytes))
            continue;
        site->live = 0;
        site->at_exit = 0;
        reader->damaged++;
    }
}

/* `at_exit` means nothing before the interpreter was finalized. */
static void clear_exit_counts(struct loader *loader) {
    if (loader->reader->header.finalized != 0)
        return;
    for (size_t i = 0; i < loader->reader->site_count; i++)
        loader->sites[i].at_exit = 0;
}

/* A process that was alive when it was merged is a snapshot there, so one that was
 * traced to the end was killed. */
static void check_processes(struct loader *loader) {
    struct dump_reader *reader = loader->reader;
    for (size_t i = 0; i < reader->process_count; i++) {
        uint32_t *state = &loader->processes[i].state;
        bool good = *state != 0 && *state <= TRACEMALLOC_DUMP_SIGNAL;
        reader->damaged += !good;
        if (!good || *state == TRACEMALLOC_DUMP_TRACING)
            *state = DUMP_READER_KILLED;
    }
}

/* A dump that was not merged has one process, the header's. */
static void add_process(struct loader *loader) {
    struct dump_reader *reader = loader->reader;
    const struct tracemalloc_dump_header *header = &reader->header;
    if (reader->process_count > 0)
        return;
    reader->process_count = 1;
    loader->processes[0] = (struct tracemalloc_dump_process){
        .pid = header->pid,
        .ppid = header->ppid,
        .start_time = header->start_time,
        .end_time = header->end_time,
        .peak_bytes = header->peak_bytes,
        .argv = header->argv,
        .state = reader->state,
        .exit_status = header->exit_status,
        .signal = header->signal,
    };
}

static void check_frame_limit(struct dump_reader *reader) {
    struct tracemalloc_dump_header *header = &reader->header;
    if (header->nframe >= 1 && header->nframe <= MOST_FRAMES)
        return;
    header->nframe = header->nframe == 0 ? 1 : MOST_FRAMES;
    reader->damaged++;
}

static int check_sections(struct loader *loader) {
    add_first_entries(loader);
    int error = find_texts(loader);
    if (error < 0)
        return error;
    check_texts(loader);
    check_stacks(loader);
    check_tallies(loader);
    clear_exit_counts(loader);
    check_sites(loader);
    check_processes(loader);
    add_process(loader);
    check_frame_limit(loader->reader);
    return 0;
}

static bool another_boot(const struct tracemalloc_dump_header *header) {
    char boot_id[sizeof header->boot_id + 1] = "";
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (file == NULL)
        return false;
    bool known = fscanf(file, "%40s", boot_id) == 1 && header->boot_id[0] != '\0';
    fclose(file);
    return known && strncmp(boot_id, header->boot_id, sizeof header->boot_id) != 0;
}

/* Field 3, 20 and 22 of /proc/PID/stat (proc(5)): a process that was not waited for has
 * state Z and one thread. */
static bool another_or_dead(const char *stat, uint64_t process_start) {
    char state;
    long threads;
    unsigned long long start;
    const char *end = strrchr(stat, ')'); /* the name before may hold anything */
    if (end == NULL || sscanf(end + 1,
                              " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
                              "%*s %*s %*s %ld %*s %llu",
                              &state, &threads, &start) != 3)
        return false;
    return start != process_start || (strchr("ZXx", state) != NULL && threads <= 1);
}

static bool process_is_gone(const struct tracemalloc_dump_header *header) {
    if (header->pid == 0 || header->pid > INT_MAX || another_boot(header))
        return true;
    if (kill((pid_t)header->pid, 0) != 0 && errno == ESRCH)
        return true;
    char path[40], stat[1024];
    snprintf(path, sizeof path, "/proc/%u/stat", header->pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false; /* of another user, where /proc hides them */
    size_t length = fread(stat, 1, sizeof stat - 1, file);
    fclose(file);
    stat[length] = '\0';
    return another_or_dead(stat, header->process_start);
}

/* A process that ends marks its dump first, so the header is read once more after the
 * process was found gone: what is still TRACING then was killed. */
static int find_state(struct loader *loader) {
    struct dump_reader *reader = loader->reader;
    bool gone = process_is_gone(&reader->header);
    int error = read_header(loader);
    if (error < 0)
        return error;
    reader->header.finalized = loader->finalized;
    reader->header.peak_number = loader->peak_number;
    reader->header.rising = loader->rising;
    reader->state = reader->header.state;
    if (reader->state == 0 || reader->state > TRACEMALLOC_DUMP_SIGNAL) {
        reader->damaged++;
        reader->state = TRACEMALLOC_DUMP_TRACING;
    }
    if (reader->state == TRACEMALLOC_DUMP_TRACING && gone)
        reader->state = DUMP_READER_KILLED;
    return 0;
}

static void hand_out(struct loader *loader) {
    struct dump_reader *reader = loader->reader;
    reader->sites = loader->sites;
    reader->tallies = loader->tallies;
    reader->stacks = loader->stacks;
    reader->code = loader->code;
    reader->domains = loader->domains;
    reader->modules = loader->modules;
    reader->timeline = loader->timeline;
    reader->processes = loader->processes;
    reader->strings = loader->strings;
}

static int load(struct loader *loader) {
    int error = read_header(loader);
    if (error == 0)
        error = grant_budget(loader);
    if (error == 0)
        error = load_sections(loader);
    if (error == 0)
        error = find_state(loader);
    if (error == 0)
        error = check_sections(loader);
    return error;
}

int dump_reader_open_fd(struct dump_reader **reader, int fd) {
    struct loader loader = {.fd = fd, .reader = calloc(1, sizeof **reader)};
    if (loader.reader == NULL)
        return -ENOMEM;
    int error = load(&loader);
    hand_out(&loader);
    free(loader.starts);
    if (error < 0) {
        dump_reader_close(loader.reader);
        return error;
    }
    *reader = loader.reader;
    return 0;
}

int dump_reader_open(struct dump_reader **reader, const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return -errno;
    int error = dump_reader_open_fd(reader, fd);
    close(fd);
    return error;
}

const char *dump_reader_strerror(int error) {
    switch (-error) {
    case EINVAL:
        return "not a regular file";
    case EBADMSG:
        return "not a dump of libtracemalloc";
    case ENOTSUP:
        return "a dump of another version or kind of machine";
    case EUCLEAN:
        return "a dump with a damaged header";
    case EFBIG:
        return "a damaged dump: it claims more than the file holds";
    default:
        return strerror(-error);
    }
}

void dump_reader_close(struct dump_reader *reader) {
    if (reader == NULL)
        return;
    free((void *)reader->sites);
    free((void *)reader->tallies);
    free((void *)reader->stacks);
    free((void *)reader->code);
    free((void *)reader->domains);
    free((void *)reader->modules);
    free((void *)reader->timeline);
    free((void *)reader->processes);
    free((void *)reader->strings);
    free(reader);
}
