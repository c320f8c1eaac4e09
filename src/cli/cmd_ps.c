/* SPDX-License-Identifier: MIT */
#include <argp.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/process.h"
#include "cli/command.h"
#include "collection/array.h"
#include "dump/dump_reader.h"
#include "output/failure.h"
#include "output/terminal_text.h"
#include "process/live_dump.h"
#include "process/process_status.h"
#include "profile/estimate.h"

enum { COLUMNS = 7, FIRST_NAME = 5, TITLE_SIZE = 48 };

/* A 64-bit number has at most 20 digits. */
struct row {
    char pid[24], state[24], nframe[24], bytes[24], blocks[24];
    char comm[TRACEMALLOC_DUMP_COMM_SIZE * 4], title[TITLE_SIZE];
    char *path;
};

struct table {
    struct row *rows;
    size_t count;
    size_t capacity;
};

static const struct argp argp = {
    .doc = "Lists your processes that have the library loaded (as root, those of all "
           "users): whether each is being traced, with how many frames, what it holds, "
           "and its dump.",
};

static int add_row(struct table *table, const struct row *row) {
    int error = array_reserve(&table->rows, &table->capacity, table->count + 1,
                              sizeof *table->rows);
    if (error == 0)
        table->rows[table->count++] = *row;
    return error;
}

/* Returns the number of live blocks of a dump, or -1 if it cannot be read. */
static int64_t count_blocks(const struct live_dump *dump) {
    struct dump_reader *reader;
    struct estimate live = {0};
    if (dump->is_memory || dump_reader_open_fd(&reader, dump->fd) < 0)
        return -1;
    for (size_t i = 0; i < reader->bucket_count; i++)
        estimate_add(&live, reader, &reader->buckets[i], reader->buckets[i].live);
    dump_reader_close(reader);
    return (int64_t)(live.count + 0.5);
}

/* Reads the names from the kernel: those in the dump are as old as the last sample of
 * its timeline. */
static void add_names(struct row *row, pid_t pid) {
    char title[TRACEMALLOC_DUMP_TITLE_SIZE], comm[TRACEMALLOC_DUMP_COMM_SIZE];
    bool interactive = isatty(STDOUT_FILENO) != 0;
    if (process_title((uint32_t)pid, title, sizeof title) == 0 && title[0] != '\0')
        terminal_text_copy(row->title, sizeof row->title, title, interactive);
    if (process_comm((uint32_t)pid, comm, sizeof comm) == 0 && comm[0] != '\0')
        terminal_text_copy(row->comm, sizeof row->comm, comm, interactive);
}

static struct row describe(struct live_dump *dump, pid_t pid) {
    struct row row = {.state = "stopped",
                      .nframe = "-",
                      .bytes = "-",
                      .blocks = "-",
                      .comm = "-",
                      .title = "-"};
    const struct tracemalloc_dump_header *header = &dump->header;
    snprintf(row.pid, sizeof row.pid, "%d", (int)pid);
    add_names(&row, pid);
    if (dump->fd < 0)
        return row;
    snprintf(row.state, sizeof row.state, "tracing");
    snprintf(row.nframe, sizeof row.nframe, "%" PRIu32, header->nframe);
    const char *mark = header->sample_distance != 0 ? "~" : "";
    snprintf(row.bytes, sizeof row.bytes, "%s%" PRIu64, mark,
             header->python_bytes + header->native_bytes);
    int64_t blocks = count_blocks(dump);
    if (blocks >= 0)
        snprintf(row.blocks, sizeof row.blocks, "%s%" PRId64, mark, blocks);
    row.path = dump->path;
    dump->path = NULL;
    return row;
}

/* A process that has the library loaded but no handler for requests has no Python, and
 * cannot be traced. */
static bool is_listed(const struct live_dump *dump,
                      const struct process_status *process) {
    return dump->fd >= 0 ||
           (dump->loaded && process_status_catches(
                                process, process_status_request_signal(process->pid)));
}

/* A process that ends in the meantime is not an error. */
static int add_process(struct table *table, pid_t pid) {
    struct process_status process;
    struct live_dump dump;
    if (process_status_read(pid, &process) < 0 || !process_status_is_ours(&process) ||
        live_dump_open(&dump, &process) < 0)
        return 0;
    int error = 0;
    if (is_listed(&dump, &process)) {
        struct row row = describe(&dump, pid);
        error = add_row(table, &row);
        if (error < 0)
            free(row.path);
    }
    live_dump_close(&dump);
    return error;
}

static int collect(struct table *table) {
    struct dirent *entry;
    int error = 0;
    DIR *directory = opendir("/proc");
    if (directory == NULL)
        return -errno;
    while (error == 0 && (entry = readdir(directory)) != NULL) {
        long pid = strtol(entry->d_name, NULL, 10);
        if (pid > 0)
            error = add_process(table, (pid_t)pid);
    }
    closedir(directory);
    return error;
}

static const char *cell(const struct row *row, int column) {
    const char *const cells[COLUMNS] = {row->pid,   row->state,  row->nframe,
                                        row->bytes, row->blocks, row->comm,
                                        row->title};
    return cells[column];
}

/* Counts characters: those of a title may have several bytes. */
static size_t length_of(const char *text) {
    size_t length = 0;
    for (; *text != '\0'; text++)
        length += (*text & 0xc0) != 0x80;
    return length;
}

static int width_of(const struct table *table, const struct row *head, int column) {
    size_t width = length_of(cell(head, column));
    for (size_t i = 0; i < table->count; i++)
        if (length_of(cell(&table->rows[i], column)) > width)
            width = length_of(cell(&table->rows[i], column));
    return (int)width;
}

static void print_row(const struct row *row, const int *widths, const char *path) {
    for (int column = 0; column < COLUMNS; column++) {
        const char *text = cell(row, column);
        int padding = widths[column] - (int)length_of(text);
        bool is_text = column == 1 || column >= FIRST_NAME;
        printf("%*s%s%*s  ", is_text ? 0 : padding, "", text, is_text ? padding : 0,
               "");
    }
    terminal_text_line(stdout, path);
}

static void print_table(const struct table *table) {
    static const struct row head = {"PID",    "STATE", "FRAMES", "BYTES",
                                    "BLOCKS", "COMM",  "TITLE",  NULL};
    int widths[COLUMNS];
    for (int column = 0; column < COLUMNS; column++)
        widths[column] = width_of(table, &head, column);
    print_row(&head, widths, "DUMP");
    for (size_t i = 0; i < table->count; i++)
        print_row(&table->rows[i], widths,
                  table->rows[i].path != NULL ? table->rows[i].path : "-");
}

static void table_free(struct table *table) {
    for (size_t i = 0; i < table->count; i++)
        free(table->rows[i].path);
    free(table->rows);
}

static int run(int argc, char **argv) {
    struct table table = {0};
    argp_parse(&argp, argc, argv, 0, NULL, NULL);
    int error = collect(&table);
    if (error == 0)
        print_table(&table);
    table_free(&table);
    if (error < 0)
        return failure_print("cannot list the processes: %s", strerror(-error));
    return command_close_output();
}

const struct command command_ps = {"ps", "list traced processes", run};
