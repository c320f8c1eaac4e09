/* SPDX-License-Identifier: MIT */
#include "cli/watch_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collection/array.h"
#include "output/failure.h"
#include "output/progress.h"
#include "output/terminal_text.h"
#include "process/dump_directory.h"
#include "process/watched.h"
#include "show/process_list.h"

/* Growth of all blocks that is less than this share of them is not worth a number. */
static const double noteworthy = 0.01;

static void clear_row(struct watch_row *row) {
    free(row->file);
    free(row->program);
    free(row->line);
    *row = (struct watch_row){0};
}

static bool has_failed(const struct dump_reader *reader) {
    return reader->state == TRACEMALLOC_DUMP_SIGNAL ||
           reader->state == DUMP_READER_KILLED ||
           (reader->state == TRACEMALLOC_DUMP_EXITED &&
            reader->header.exit_status != 0);
}

/* Copies the names, which the profile frees. 0 or -ENOMEM. */
static int set_growth(struct watch_row *row, const struct leak_report *report) {
    double rate = report->rss.traced_rate;
    row->word = LEAK_NONE;
    row->rate =
        rate * report->watched_seconds > noteworthy * (double)row->bytes ? rate : 0;
    free(row->line);
    row->line = NULL;
    if (report->count == 0)
        return 0;
    const struct leak_entry *entry = &report->entries[0];
    struct dump_text file = profile_filename(entry->profile, entry->frame);
    row->word = entry->word;
    row->rate = entry->bytes_rate;
    int length = asprintf(&row->line, "%.*s:%u", (int)file.length, file.bytes,
                          (unsigned)entry->frame.line);
    if (length < 0)
        row->line = NULL;
    return length < 0 ? -ENOMEM : 0;
}

static int set_row(struct watch_row *row, const struct dump_reader *reader,
                   struct weight now) {
    const struct watched anywhere = {0};
    free(row->program);
    row->program = process_list_title(reader, 0);
    if (row->program == NULL)
        return -ENOMEM;
    if (reader->state == TRACEMALLOC_DUMP_TRACING)
        snprintf(row->state, sizeof row->state, "running");
    else
        dump_info_ending(reader, row->state);
    row->is_readable = true;
    row->runs = dump_reader_may_run(reader);
    row->has_failed = has_failed(reader);
    row->is_sampled = now.estimated;
    row->bytes = now.size;
    row->rss = watched_rss(&anywhere, reader);
    row->end_time = reader->header.end_time;
    return 0;
}

/* The names must outlive the profiles, and the profiles the report. */
struct reading {
    struct frame_names names;
    struct profile now, allocated;
    struct leak_report report;
};

static int examine(struct reading *reading, const struct dump_reader *reader) {
    int error = frame_names_open(&reading->names);
    if (error == 0)
        error = profile_open(&reading->now, reader, &reading->names, PROFILE_NOW);
    if (error == 0)
        error = profile_open(&reading->allocated, reader, &reading->names,
                             PROFILE_ALLOCATED);
    if (error < 0)
        return error;
    leak_report_add_rss(&reading->report, reader);
    for (uint32_t i = 0; error == 0 && i < reader->process_count; i++)
        error = leak_report_add(&reading->report, &reading->allocated, i);
    leak_report_finish(&reading->report);
    return error;
}

static int report(struct watch_directory *directory, struct watch_entry *entry,
                  const struct dump_reader *reader, const struct leak_report *report) {
    return directory->report == NULL
               ? 0
               : directory->report(directory->input, entry, reader, report);
}

static int read_profile(struct watch_directory *directory, struct watch_entry *entry,
                        const struct dump_reader *reader) {
    struct reading reading = {0};
    int error = examine(&reading, reader);
    if (error == 0)
        error = set_row(&entry->row, reader, reading.now.total);
    if (error == 0)
        error = set_growth(&entry->row, &reading.report);
    entry->has_ended = !entry->row.runs;
    if (error == 0)
        error = report(directory, entry, reader, &reading.report);
    leak_report_close(&reading.report);
    profile_close(&reading.allocated);
    profile_close(&reading.now);
    frame_names_close(&reading.names);
    return error;
}

static int read_dump(struct watch_directory *directory, struct watch_entry *entry,
                     int fd) {
    struct dump_reader *reader;
    if (directory->shows_progress)
        progress_say("reading %s", entry->row.file);
    int error = dump_reader_open_fd(&reader, fd);
    if (error == 0) {
        error = read_profile(directory, entry, reader);
        dump_reader_close(reader);
        return error;
    }
    entry->row.is_readable = entry->row.runs = false;
    snprintf(entry->row.state, sizeof entry->row.state, "cannot be read: %s",
             dump_reader_strerror(error));
    return report(directory, entry, NULL, NULL);
}

/* `run` may add how a process ended that was killed. */
static bool is_final(const struct watch_entry *entry,
                     const struct tracemalloc_dump_header *header) {
    return entry->has_ended && entry->state == header->state &&
           entry->oom_killed == header->oom_killed;
}

static bool is_same(const struct watch_entry *entry, const struct stat *status,
                    const struct tracemalloc_dump_header *header) {
    return entry->device == status->st_dev && entry->inode == status->st_ino &&
           entry->start_time == header->start_time;
}

/* Directories are listed in the same order each time. */
static struct watch_entry *find(struct watch_directory *directory,
                                const struct stat *status,
                                const struct tracemalloc_dump_header *header) {
    for (size_t i = 0; i < directory->count; i++) {
        size_t at = (directory->next + i) % directory->count;
        if (!is_same(&directory->entries[at], status, header))
            continue;
        directory->next = at + 1;
        return &directory->entries[at];
    }
    return NULL;
}

static struct watch_entry *add(struct watch_directory *directory,
                               const struct stat *status,
                               const struct tracemalloc_dump_header *header) {
    if (array_reserve(&directory->entries, &directory->capacity, directory->count + 1,
                      sizeof *directory->entries) < 0)
        return NULL;
    struct watch_entry *entry = &directory->entries[directory->count++];
    *entry = (struct watch_entry){
        .device = status->st_dev,
        .inode = status->st_ino,
        .start_time = header->start_time,
    };
    return entry;
}

/* A file may have been renamed. */
static int set_name(struct watch_entry *entry, const char *name) {
    if (entry->row.file != NULL && strcmp(entry->row.file, name) == 0)
        return 0;
    free(entry->row.file);
    entry->row.file = strdup(name);
    return entry->row.file != NULL ? 0 : -ENOMEM;
}

static void note_unreadable(struct watch_directory *directory, const char *name,
                            int error) {
    char shown[128];
    if (directory->unreadable++ == 0) {
        terminal_text_copy(shown, sizeof shown, name, true);
        snprintf(directory->note, sizeof directory->note, "cannot read %s: %s", shown,
                 error == -ENOTSUP ? dump_reader_strerror(error) : strerror(-error));
        return;
    }
    char *end = strstr(directory->note, ", and ");
    size_t length =
        end != NULL ? (size_t)(end - directory->note) : strlen(directory->note);
    snprintf(directory->note + length, sizeof directory->note - length,
             ", and %zu others", directory->unreadable - 1);
}

static int visit(void *input, const char *name, int fd,
                 const struct tracemalloc_dump_header *header) {
    struct watch_directory *directory = input;
    struct stat status;
    if (fd < 0) {
        note_unreadable(directory, name, fd);
        return 0;
    }
    int error = 0;
    if (fstat(fd, &status) < 0)
        error = -errno;
    struct watch_entry *entry = error == 0 ? find(directory, &status, header) : NULL;
    if (error == 0 && entry == NULL)
        entry = add(directory, &status, header);
    if (error == 0 && entry == NULL)
        error = -ENOMEM;
    if (error == 0)
        error = set_name(entry, name);
    if (error == 0) {
        entry->is_seen = true;
        if (!is_final(entry, header))
            error = read_dump(directory, entry, fd);
        entry->state = header->state;
        entry->oom_killed = header->oom_killed;
    }
    close(fd);
    return error;
}

static void drop_unseen(struct watch_directory *directory) {
    size_t count = 0;
    for (size_t i = 0; i < directory->count; i++) {
        struct watch_entry *entry = &directory->entries[i];
        if (entry->is_seen) {
            directory->entries[count++] = *entry;
        } else {
            clear_row(&entry->row);
            free(entry->reported);
        }
    }
    directory->count = count;
}

static int sort_rows(struct watch_directory *directory) {
    int error = array_reserve(&directory->rows, &directory->row_capacity,
                              directory->count + 1, sizeof *directory->rows);
    if (error < 0)
        return error;
    for (size_t i = 0; i < directory->count; i++)
        directory->rows[i] = &directory->entries[i].row;
    watch_report_sort(directory->rows, directory->count);
    return 0;
}

int watch_directory_open(struct watch_directory *directory, const char *path) {
    *directory = (struct watch_directory){
        .path = path,
        .fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
    };
    return directory->fd >= 0 ? 0 : failure_print("%s: %s", path, strerror(errno));
}

int watch_directory_scan(struct watch_directory *directory) {
    for (size_t i = 0; i < directory->count; i++)
        directory->entries[i].is_seen = false;
    directory->next = 0;
    directory->unreadable = 0;
    directory->note[0] = '\0';
    int error = dump_directory_scan(directory->fd, visit, directory);
    drop_unseen(directory);
    if (error == 0)
        error = sort_rows(directory);
    return error;
}

void watch_directory_close(struct watch_directory *directory) {
    for (size_t i = 0; i < directory->count; i++) {
        clear_row(&directory->entries[i].row);
        free(directory->entries[i].reported);
    }
    free(directory->entries);
    free(directory->rows);
    if (directory->fd >= 0)
        close(directory->fd);
    *directory = (struct watch_directory){.fd = -1};
}
