/* SPDX-License-Identifier: MIT */
#include "cli/dump_report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/born_selection.h"
#include "cli/command.h"
#include "cli/module_notes.h"
#include "cli/source_notes.h"
#include "merge/merged_dump.h"
#include "output/failure.h"
#include "output/progress.h"
#include "output/terminal.h"
#include "profile/estimate.h"
#include "profile/import_frames.h"
#include "show/births_report.h"
#include "show/census_report.h"
#include "show/json_report.h"
#include "show/limit_use.h"
#include "show/process_list.h"
#include "show/sampling.h"
#include "show/text_report.h"
#include "symbols/shown_depth.h"
#include "symbols/shown_stacks.h"
#include "symbols/symbols.h"

int dump_report_read(struct dump_reader **reader, const char *path) {
    int error = dump_reader_open(reader, path);
    if (error == 0)
        return 0;
    *reader = NULL;
    return failure_print("%s: %s", path, dump_reader_strerror(error));
}

static int read_parts(struct dump_reader **parts, char *const *paths, int count) {
    for (int i = 0; i < count; i++) {
        progress_say("reading %s", paths[i]);
        if (dump_report_read(&parts[i], paths[i]) != 0)
            return 1;
    }
    return 0;
}

static int merge(struct dump_reader **reader, struct dump_reader *const *parts,
                 int count) {
    progress_say("merging %d dumps", count);
    int error = merged_dump_open(reader, parts, (size_t)count);
    return error < 0 ? failure_print("cannot merge the dumps: %s", strerror(-error))
                     : 0;
}

/* The merged dump belongs to another user if one of the parts does, and grants only the
 * rights that all parts grant. */
static void set_rights(struct dump_reader *reader, struct dump_reader *const *parts,
                       int count) {
    struct copied_rights rights = source_notes_rights(parts[0]);
    reader->owner = rights.owner;
    reader->group = rights.group;
    for (int i = 0; i < count; i++) {
        copied_rights_join(&rights, source_notes_rights(parts[i]));
        if (parts[i]->owner == reader->owner)
            continue;
        reader->header.foreign = 1;
        if (reader->owner == geteuid())
            reader->owner = parts[i]->owner;
    }
    reader->mode = rights.mode;
}

int dump_report_join(struct dump_reader **reader, struct dump_reader **parts,
                     int count) {
    int status = 0;
    *reader = NULL;
    if (count > 1) {
        status = merge(reader, parts, count);
        if (status == 0)
            set_rights(*reader, parts, count);
    } else {
        *reader = parts[0];
        parts[0] = NULL;
    }
    return status;
}

int dump_report_read_files(struct dump_reader **reader, char *const *paths, int count) {
    *reader = NULL;
    struct dump_reader **parts = calloc((size_t)count, sizeof *parts);
    if (parts == NULL)
        return failure_print("%s", strerror(ENOMEM));
    int status = read_parts(parts, paths, count);
    if (status == 0)
        status = dump_report_join(reader, parts, count);
    for (int i = 0; i < count; i++)
        dump_reader_close(parts[i]);
    free(parts);
    return status;
}

/* Returns an array by site: whether it holds a block. The caller frees it; NULL if
 * there is no memory. */
static bool *find_wanted(const struct dump_reader *reader, enum profile_point point) {
    bool *wanted = calloc(reader->site_count + 1, sizeof *wanted);
    for (size_t i = 0; wanted != NULL && i < reader->bucket_count; i++)
        if (profile_bucket_count(reader, &reader->buckets[i], point) > 0)
            wanted[dump_bucket_site(&reader->buckets[i])] = true;
    return wanted;
}

/* A format may have no room for it. */
void dump_report_note(const struct dump_reader *reader, const char *name) {
    char sampling[SAMPLING_TEXT_SIZE], births[BIRTHS_REPORT_SIZE];
    if (births_report_text(reader, births))
        failure_note("%s: %s", name, births);
    if (sampling_describe(reader, sampling))
        failure_note("%s: %s: the numbers are estimates", name, sampling);
}

static void print_cut(const struct dump_reader *reader, const char *name) {
    if (reader->cut_frames == 0)
        return;
    failure_note("%s: the stacks are too deep to be written in full; only their "
                 "%u most recent frames are",
                 name, (unsigned)reader->cut_frames);
}

static int show_stacks(struct dump_reader *reader, const struct selection *selection,
                       struct dump_report_stacks stacks) {
    struct symbols *symbols;
    bool *wanted = NULL;
    reader->hides_source = source_notes_hides(reader, selection->source);
    int error = module_notes_open(&symbols, reader, selection->files[0],
                                  selection->open_modules);
    if (error < 0)
        return error;
    bool is_point =
        selection->point != PROFILE_TEMPORARY && selection->point != PROFILE_CENSUS;
    if (stacks.at_point && is_point) {
        wanted = find_wanted(reader, selection->point);
        error = wanted == NULL ? -ENOMEM : 0;
    }
    const struct shown_stacks_options options = {
        .native = selection_shown_native(selection, stacks.native),
        .whole = stacks.whole,
        .wanted = wanted,
        .symbols = symbols,
    };
    progress_say("naming the frames");
    if (error == 0)
        error = shown_stacks_apply(reader, &options);
    if (error == 0 && stacks.to_file)
        error = shown_depth_limit(reader);
    if (error == 0 && !selection->shows_imports)
        error = import_frames_fold(reader, options.whole);
    module_notes_print(symbols);
    if (stacks.with_source)
        source_notes_print(reader, selection->files[0], selection->source);
    print_cut(reader, selection->files[0]);
    symbols_close(symbols);
    free(wanted);
    return error;
}

int dump_report_show(struct dump_reader **reader, const struct selection *selection,
                     struct dump_report_stacks stacks) {
    const char *name = selection->files[0];
    int status = born_selection_apply(*reader, selection, name);
    if (status == 0 && born_selection_lacks_temporary(*reader, selection))
        status = born_selection_explain_temporary(name);
    int error = status == 0 ? show_stacks(*reader, selection, stacks) : 0;
    if (error < 0)
        status = failure_print("%s: %s", name, strerror(-error));
    if (status == 0)
        return 0;
    dump_reader_close(*reader);
    *reader = NULL;
    return status;
}

int dump_report_read_shown(struct dump_reader **reader, char *const *paths, int count,
                           const struct selection *selection,
                           struct dump_report_stacks stacks) {
    if (dump_report_read_files(reader, paths, count) != 0)
        return 1;
    return dump_report_show(reader, selection, stacks);
}

struct dump_report_stacks dump_report_stacks(const struct report_options *options) {
    bool by_name = options->key == GROUPING_FUNCTION || options->key == GROUPING_MODULE;
    return (struct dump_report_stacks){
        .native = by_name ? SHOWN_NATIVE_ALL : SHOWN_NATIVE_BY_OWNER,
        .at_point = true,
        .with_source = !options->json && (options->key == GROUPING_LINENO ||
                                          options->key == GROUPING_TRACEBACK ||
                                          options->key == GROUPING_TYPE_LINENO),
    };
}

int dump_report_explain(const struct selection *selection, const char *name,
                        int error) {
    if (error == -ENODATA && selection->point == PROFILE_CENSUS)
        return failure_print(
            "%s: its objects were not counted by type: 'tracemalloc snapshot --types "
            "PID' does that while the program runs, and TRACEMALLOC_TYPES=1 when it "
            "ends",
            name);
    if (error == -ENODATA)
        return failure_print(
            "%s: there is no exit to report on, because the program did not reach it",
            name);
    if (error == -ENOENT)
        return failure_print("%s: there is no domain '%s'", name,
                             selection->filter.domain);
    return failure_print("%s: %s", name, strerror(-error));
}

int dump_report_aggregate(struct profile *profile, const struct dump_reader *reader,
                          struct frame_names *names, const struct selection *selection,
                          const char *name) {
    int error = profile_open(profile, reader, names, selection->point);
    if (error == 0)
        error = filter_apply(&selection->filter, profile);
    return error == 0 ? 0 : dump_report_explain(selection, name, error);
}

int dump_report_open(struct dump_report *report, const struct dump_reader *reader,
                     struct frame_names *names, const struct report_options *options,
                     const char *name, int64_t process) {
    *report = (struct dump_report){
        .name = name, .temporary = options->selection.point == PROFILE_TEMPORARY};
    progress_say("counting the blocks");
    int status = dump_report_aggregate(&report->profile, reader, names,
                                       &options->selection, name);
    if (status != 0)
        return status;
    if (process != DUMP_REPORT_WHOLE)
        process_list_keep(&report->profile, (uint32_t)process);
    int error = grouping_open(&report->grouping, &report->profile, options->key,
                              options->cumulative);
    return error == 0 ? 0 : failure_print("%s: %s", name, strerror(-error));
}

void dump_report_close(struct dump_report *report) {
    grouping_close(&report->grouping);
    profile_close(&report->profile);
}

static int print_json(const struct statistics *statistics,
                      const struct dump_report *old,
                      const struct report_options *options) {
    int error = json_report_print(stdout, statistics, options->selection.point_name,
                                  old != NULL ? old->profile.reader : NULL);
    return error == 0 ? 0 : failure_print("cannot write JSON: %s", strerror(-error));
}

static void print_text(const struct dump_report *report,
                       const struct statistics *statistics,
                       const struct dump_report *old) {
    struct terminal terminal;
    terminal_open(&terminal, stdout);
    if (report->temporary)
        text_report_print_temporary(&terminal);
    if (old != NULL && grouping_is_by_type(report->grouping.key))
        census_report_print(&terminal, old->profile.reader, old->name);
    if (grouping_is_by_type(report->grouping.key))
        census_report_print(&terminal, report->profile.reader,
                            old != NULL ? report->name : NULL);
    if (old != NULL)
        births_report_print(&terminal, old->profile.reader, old->name);
    births_report_print(&terminal, report->profile.reader,
                        old != NULL ? report->name : NULL);
    text_report_print(&terminal, statistics);
    limit_use_print_end(&terminal, report->profile.reader,
                        old != NULL ? report->name : NULL);
    if (old != NULL)
        text_report_print_completeness(&terminal, old->profile.reader, old->name);
    text_report_print_completeness(&terminal, report->profile.reader,
                                   old != NULL ? report->name : NULL);
}

int dump_report_print(const struct dump_report *report, const struct dump_report *old,
                      const struct report_options *options) {
    struct statistics statistics;
    int error = old == NULL ? statistics_open(&statistics, &report->grouping)
                            : statistics_compare(&statistics, &old->grouping,
                                                 &report->grouping);
    if (error < 0)
        return failure_print("%s", strerror(-error));
    statistics_sort(&statistics, options->limit);
    progress_end();
    int status = 0;
    if (options->json)
        status = print_json(&statistics, old, options);
    else
        print_text(report, &statistics, old);
    statistics_close(&statistics);
    return status;
}
