/* SPDX-License-Identifier: MIT */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/build_report.h"
#include "cli/command.h"
#include "cli/dump_report.h"
#include "cli/selection_options.h"
#include "output/failure.h"
#include "output/progress.h"
#include "output/terminal.h"
#include "profile/heap_history.h"
#include "show/census_report.h"
#include "show/completeness.h"
#include "show/dump_info.h"
#include "show/dump_json.h"
#include "show/json_report.h"
#include "show/labelled_line.h"
#include "show/limit_use.h"
#include "show/process_list.h"
#include "show/resident.h"
#include "show/sampling.h"

enum { OPTION_JSON = 0x100, OPTION_BY, LABEL_COLUMNS = 12, SIZE_TEXT = 40 };

struct info_options {
    struct selection selection; /* only files and by_process */
    bool json;
};

/* What has to be computed from a dump. */
struct facts {
    const struct dump_reader *reader;
    struct weight total;
    uint64_t peak;          /* bytes, see heap_history_peak */
    struct weight *domains; /* by index of domain */
    struct resident rss;
};

static const struct argp_option argp_options[] = {
    {"json", OPTION_JSON, NULL, 0, "Print JSON", 0},
    {"by", OPTION_BY, "process", 0, "Report on each dump separately", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct info_options *options = state->input;
    switch (key) {
    case OPTION_JSON:
        options->json = true;
        return 0;
    case OPTION_BY:
        selection_parse_by(&options->selection, argument, state);
        return 0;
    default:
        return selection_parse_files(&options->selection, key, state);
    }
}

static const struct argp argp = {
    .options = argp_options,
    .parser = parse,
    .args_doc = "FILE...",
    .doc =
        "Shows which program a dump comes from, how it ended, how much memory it held, "
        "and whether the dump is complete.",
};

/* Prints the names that the process gave itself. */
static void print_names(const struct terminal *terminal,
                        const struct dump_reader *reader) {
    const struct tracemalloc_dump_process *process = &reader->processes[0];
    if (process_list_is_renamed(reader, 0))
        labelled_line_print(terminal, LABEL_COLUMNS, "title", "%s", process->title);
    if (process_list_has_comm(reader, 0))
        labelled_line_print(terminal, LABEL_COLUMNS, "comm", "%s", process->comm);
}

static void print_program(const struct terminal *terminal,
                          const struct dump_reader *reader) {
    struct dump_text argument;
    char *line = NULL;
    size_t size = 0, at = 0;
    FILE *stream = open_memstream(&line, &size);
    if (stream == NULL)
        return;
    while (dump_info_argument(reader, &at, &argument))
        fprintf(stream, "%s%.*s", at > argument.length + 1 ? " " : "",
                (int)argument.length, argument.bytes);
    if (fclose(stream) == 0)
        labelled_line_print(terminal, LABEL_COLUMNS, "program", "%s", line);
    free(line);
    if (reader->process_count == 1)
        print_names(terminal, reader);
    labelled_line_print(terminal, LABEL_COLUMNS, "process",
                        "%" PRIu32 ", child of %" PRIu32, reader->header.pid,
                        reader->header.ppid);
}

static void print_interpreter(const struct terminal *terminal,
                              const struct dump_reader *reader) {
    const char *implementation = dump_info_implementation(reader);
    char version[DUMP_INFO_TEXT_SIZE];
    dump_info_version(reader, version);
    if (implementation == NULL)
        implementation = "no Python";
    labelled_line_print(terminal, LABEL_COLUMNS, "interpreter", "%s%s%s",
                        implementation, version[0] != '\0' ? " " : "", version);
    labelled_line_print(terminal, LABEL_COLUMNS, "frames",
                        "the %" PRIu32 " most recent of each traceback",
                        reader->header.nframe);
}

static void print_times(const struct terminal *terminal,
                        const struct dump_reader *reader) {
    char start[DUMP_INFO_TIME_SIZE], end[DUMP_INFO_TIME_SIZE];
    dump_info_time(reader->header.start_time, start);
    labelled_line_print(terminal, LABEL_COLUMNS, "started", "%s", start);
    if (reader->header.end_time == 0)
        return;
    dump_info_time(reader->header.end_time, end);
    uint64_t length = reader->header.end_time - reader->header.start_time;
    labelled_line_print(terminal, LABEL_COLUMNS, "ended", "%s, after %.1f s", end,
                        (double)(int64_t)length / 1e9);
}

static void print_weight(const struct terminal *terminal, const char *label,
                         struct weight weight, const char *remark) {
    char text[LABELLED_LINE_WEIGHT_SIZE];
    labelled_line_format_weight(text, weight);
    labelled_line_print(terminal, LABEL_COLUMNS, label, "%s%s", text, remark);
}

static void print_bytes(const struct terminal *terminal, const char *label,
                        uint64_t bytes, const char *text) {
    char size[SIZE_TEXT];
    statistics_format_size(size, sizeof size, (double)bytes, false);
    labelled_line_print(terminal, LABEL_COLUMNS, label, "%s%s", size, text);
}

/* If less than half of the mapped memory is resident, the resident part is printed
 * too. */
static void print_domain(const struct terminal *terminal, const struct facts *facts,
                         size_t index) {
    const struct dump_reader *reader = facts->reader;
    const struct tracemalloc_dump_domain *domain = &reader->domains[index];
    struct weight weight = facts->domains[index];
    uint64_t resident = reader->header.mapped_resident_bytes;
    char label[LABEL_COLUMNS], text[LABELLED_LINE_WEIGHT_SIZE], part[SIZE_TEXT];
    snprintf(label, sizeof label, "  %s", dump_reader_text(reader, domain->name).bytes);
    labelled_line_format_weight(text, weight);
    statistics_format_size(part, sizeof part, (double)resident, false);
    if (domain->number == TRACEMALLOC_DUMP_DOMAIN_MMAP && resident < weight.size / 2)
        labelled_line_print(terminal, LABEL_COLUMNS, label, "%s, %s of it resident",
                            text, part);
    else
        labelled_line_print(terminal, LABEL_COLUMNS, label, "%s", text);
}

static void print_memory(const struct terminal *terminal, const struct facts *facts) {
    const struct dump_reader *reader = facts->reader;
    bool several = reader->process_count > 1;
    print_weight(terminal, "traced", facts->total,
                 several ? ", each process at its own end" : "");
    for (size_t i = 0; i < reader->domain_count; i++)
        print_domain(terminal, facts, i);
    if (facts->peak > 0 || !several)
        print_bytes(terminal, "peak", facts->peak,
                    several ? ", of all processes at one time" : "");
    else
        labelled_line_print(terminal, LABEL_COLUMNS, "peak", "unknown");
    if (reader->header.arena_bytes > 0)
        print_bytes(terminal, "arenas", reader->header.arena_bytes,
                    ", which contain the interpreter's small objects");
    print_bytes(terminal, "tracer", reader->header.tracer_bytes,
                " of its own, in addition to the dump");
    print_bytes(terminal, "dump", reader->header.file_size, "");
}

static void print_limit(const struct terminal *terminal,
                        const struct dump_reader *reader) {
    struct limit_use use;
    char text[LIMIT_USE_TEXT_SIZE];
    if (!limit_use_find(reader, &use))
        return;
    limit_use_text(&use, text);
    labelled_line_print(terminal, LABEL_COLUMNS, "limit", "%s", text);
}

/* Prints the processes of a merged dump. */
static void print_processes(const struct terminal *terminal,
                            const struct dump_reader *reader) {
    for (uint32_t i = 0; reader->process_count > 1 && i < reader->process_count; i++) {
        char ending[DUMP_INFO_TEXT_SIZE * 2], *title = process_list_title(reader, i);
        dump_info_process_ending(reader, i, ending);
        labelled_line_print(terminal, LABEL_COLUMNS, i == 0 ? "processes" : "", "%s",
                            title != NULL ? title : "");
        labelled_line_print(terminal, LABEL_COLUMNS, "", "  %s", ending);
        free(title);
    }
}

static void print_text(const struct facts *facts) {
    const struct dump_reader *reader = facts->reader;
    struct terminal terminal;
    char text[DUMP_INFO_TEXT_SIZE * 2], reason[COMPLETENESS_TEXT_SIZE];
    char sampling[SAMPLING_TEXT_SIZE], types[CENSUS_REPORT_SIZE];
    size_t at = 0;
    terminal_open(&terminal, stdout);
    print_program(&terminal, reader);
    dump_info_ending(reader, text);
    labelled_line_print(&terminal, LABEL_COLUMNS, "state", "%s: %s",
                        dump_info_state(reader), text);
    print_interpreter(&terminal, reader);
    print_times(&terminal, reader);
    print_memory(&terminal, facts);
    print_limit(&terminal, reader);
    if (sampling_describe(reader, sampling))
        labelled_line_print(&terminal, LABEL_COLUMNS, "estimates", "%s", sampling);
    if (reader->header.census_time != 0) {
        census_report_text(reader, types);
        labelled_line_print(&terminal, LABEL_COLUMNS, "types", "counted at %s", types);
    }
    print_processes(&terminal, reader);
    build_report_print(&terminal, LABEL_COLUMNS, reader);
    labelled_line_print(&terminal, LABEL_COLUMNS, "complete", "%s",
                        completeness_holds(reader) ? "yes" : "no");
    while (completeness_next(reader, &at, reason))
        labelled_line_print(&terminal, LABEL_COLUMNS, "", "%s", reason);
}

static void add_domains(struct json_writer *writer, const struct facts *facts) {
    json_writer_key(writer, "domains");
    json_writer_open_list(writer);
    for (size_t i = 0; i < facts->reader->domain_count; i++) {
        const struct tracemalloc_dump_domain *domain = &facts->reader->domains[i];
        json_writer_open_map(writer);
        json_writer_add_unsigned(writer, "domain", domain->number);
        json_writer_key(writer, "name");
        json_writer_text(writer, dump_reader_text(facts->reader, domain->name));
        json_writer_add_unsigned(writer, "bytes", facts->domains[i].size);
        json_writer_add_unsigned(writer, "blocks", facts->domains[i].count);
        json_writer_close_map(writer);
    }
    json_writer_close_list(writer);
}

static void add_processes(struct json_writer *writer,
                          const struct dump_reader *reader) {
    json_writer_key(writer, "processes");
    json_writer_open_list(writer);
    for (uint32_t i = 0; i < reader->process_count; i++) {
        json_writer_open_map(writer);
        process_list_add_json(writer, reader, i);
        json_writer_close_map(writer);
    }
    json_writer_close_list(writer);
}

static int print_json(const struct facts *facts) {
    struct json_writer writer;
    const struct dump_reader *reader = facts->reader;
    int error = json_writer_open(&writer, stdout);
    if (error < 0)
        return error;
    json_writer_open_map(&writer);
    dump_json_add_program(&writer, reader);
    dump_json_add_ending(&writer, reader);
    json_writer_add_unsigned(&writer, "traced_bytes", facts->total.size);
    json_writer_add_unsigned(&writer, "traced_blocks", facts->total.count);
    if (facts->total.estimated) {
        json_writer_add_unsigned(&writer, "traced_bytes_error",
                                 (uint64_t)(weight_error(facts->total) + 0.5));
        json_writer_add_unsigned(&writer, "sampled_blocks", facts->total.sampled);
    }
    json_writer_add_if_known(&writer, "peak_bytes",
                             facts->peak > 0 || reader->process_count == 1,
                             facts->peak);
    add_domains(&writer, facts);
    add_processes(&writer, reader);
    build_report_add_json(&writer, reader);
    json_writer_add_unsigned(&writer, "arena_bytes", reader->header.arena_bytes);
    json_writer_add_unsigned(&writer, "tracer_bytes", reader->header.tracer_bytes);
    json_writer_add_unsigned(&writer, "mapped_resident_bytes",
                             reader->header.mapped_resident_bytes);
    json_writer_add_unsigned(&writer, "dump_bytes", reader->header.file_size);
    limit_use_add_json(&writer, "memory_limit", reader);
    resident_add_json(&writer, "rss", &facts->rss);
    json_report_add_completeness(&writer, reader, NULL);
    json_writer_close_map(&writer);
    return json_writer_close(&writer);
}

static int print(const struct facts *facts, bool json) {
    int error = 0;
    progress_end();
    if (json)
        error = print_json(facts);
    else
        print_text(facts);
    return error < 0 ? failure_print("cannot write JSON: %s", strerror(-error)) : 0;
}

/* Sums the buckets, rather than reading the header, so that the total agrees with the
 * other reports and never exceeds the peak, even of a live dump. */
static int find_facts(struct facts *facts, const struct dump_reader *reader,
                      struct frame_names *names) {
    struct profile profile;
    int error = profile_open(&profile, reader, names, PROFILE_NOW);
    if (error < 0)
        return error;
    *facts = (struct facts){
        .reader = reader,
        .total = profile.total,
        .peak = heap_history_peak(reader, profile.total.size),
        .domains = profile_domains(&profile),
    };
    resident_find(&facts->rss, &profile);
    profile_close(&profile);
    return facts->domains == NULL ? -ENOMEM : 0;
}

static int report(const void *input, char *const *files, int count) {
    const struct info_options *options = input;
    struct dump_reader *reader;
    struct frame_names names;
    struct facts facts = {0};
    if (dump_report_read_files(&reader, files, count) != 0)
        return 1;
    int error = frame_names_open(&names);
    if (error == 0)
        error = find_facts(&facts, reader, &names);
    int status = error < 0 ? failure_print("%s: %s", files[0], strerror(-error))
                           : print(&facts, options->json);
    free(facts.domains);
    frame_names_close(&names);
    dump_reader_close(reader);
    return status;
}

static int run(int argc, char **argv) {
    struct info_options options = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &options);
    int status = selection_report(&options.selection, options.json, report, &options);
    return status != 0 ? status : command_close_output();
}

const struct command command_info = {
    "info", "show which program a dump comes from, and how it ended", run};
