/* SPDX-License-Identifier: MIT */
#include "read_dump.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "export/exporter.h"
#include "profile/filter.h"
#include "profile/import_frames.h"
#include "profile/statistics.h"
#include "memory_file.h"
#include "read_screens.h"
#include "show/json_report.h"
#include "show/text_report.h"
#include "symbols/shown_stacks.h"

/* More would only repeat itself. */
enum { ENTRIES = 20 };

/* A snapshot has a trace for each block. A dump of 40 KB may claim 60 million, and
 * writing them takes minutes and finds nothing new. */
enum { MAX_SNAPSHOT_BLOCKS = 100000 };

static void print(const struct statistics *statistics,
                  const struct dump_reader *reader) {
    struct terminal terminal = {.out = nowhere(), .interactive = true, .width = 60};
    text_report_print(&terminal, statistics);
    text_report_print_completeness(&terminal, reader, NULL);
    if (json_report_print(nowhere(), statistics, "now", reader) < 0)
        abort();
}

static void group(const struct profile *profile, enum grouping_key key,
                  bool cumulative) {
    struct grouping grouping;
    struct statistics statistics = {0};
    if (grouping_open(&grouping, profile, key, cumulative) < 0)
        return;
    if (statistics_open(&statistics, &grouping) == 0) {
        statistics_sort(&statistics, ENTRIES);
        print(&statistics, profile->reader);
    }
    statistics_close(&statistics);
    if (statistics_compare(&statistics, &grouping, &grouping) == 0) {
        statistics_sort(&statistics, ENTRIES);
        print(&statistics, profile->reader);
    }
    statistics_close(&statistics);
    grouping_close(&grouping);
}

static void report(const struct dump_reader *reader, struct frame_names *names,
                   enum profile_point moment) {
    struct profile profile;
    struct filter filter = {.all_frames = moment == PROFILE_PEAK};
    if (profile_open(&profile, reader, names, moment) < 0)
        return;
    group(&profile, GROUPING_LINENO, false);
    group(&profile, GROUPING_FILENAME, true);
    group(&profile, GROUPING_FUNCTION, true);
    group(&profile, GROUPING_MODULE, false);
    read_screens(&profile, nowhere());
    if (filter_add(&filter, "*.py", true) == 0 && filter_apply(&filter, &profile) == 0)
        group(&profile, GROUPING_TRACEBACK, false);
    profile_close(&profile);
}

static void report_types(const struct dump_reader *reader, struct frame_names *names) {
    struct profile profile;
    if (profile_open(&profile, reader, names, PROFILE_CENSUS) < 0)
        return;
    group(&profile, GROUPING_TYPE, false);
    group(&profile, GROUPING_TYPE_LINENO, false);
    profile_close(&profile);
}

static void export_all(const struct dump_reader *reader) {
    static const struct filter everything;
    const struct exporter *exporter;
    struct export_input input;
    export_input_prepare(&input);
    if (export_input_open(&input, reader, &everything) == 0)
        for (size_t i = 0; (exporter = exporter_at(i)) != NULL; i++) {
            bool is_long = strcmp(exporter->name, "snapshot") == 0 &&
                           input.shown.total.count > MAX_SNAPSHOT_BLOCKS;
            if (!exporter->is_lake && !is_long &&
                exporter->write(&input, nowhere()) < 0)
                continue;
        }
    export_input_close(&input);
}

static void read_all(struct dump_reader *reader) {
    struct frame_names names;
    if (frame_names_open(&names) == 0) {
        for (int moment = PROFILE_NOW; moment <= PROFILE_ALLOCATED; moment++)
            report(reader, &names, (enum profile_point)moment);
        report_types(reader, &names);
        export_all(reader);
        read_merged(reader, nowhere());
    }
    frame_names_close(&names);
}

/* In each way that reports show stacks. */
void read_dump(const uint8_t *bytes, size_t size) {
    static const struct shown_stacks_options options[] = {
        {.whole = false},
        {.whole = true},
        {.native = SHOWN_NATIVE_BY_OWNER},
        {.native = SHOWN_NATIVE_ALL},
        {.native = SHOWN_NATIVE_NONE},
    };
    int fd = memory_file(bytes, size);
    for (size_t i = 0; i < 2 * (sizeof options / sizeof *options); i++) {
        const struct shown_stacks_options *shown = &options[i / 2];
        bool folds = i % 2 != 0;
        struct dump_reader *reader;
        if (dump_reader_open_fd(&reader, fd) < 0)
            break;
        if (shown_stacks_apply(reader, shown) == 0 &&
            (!folds || import_frames_fold(reader, shown->whole) == 0))
            read_all(reader);
        dump_reader_close(reader);
    }
    close(fd);
}
