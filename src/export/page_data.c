/* SPDX-License-Identifier: MIT */
#include "export/page_data.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "export/page_births.h"
#include "export/page_growing.h"
#include "output/json_writer.h"
#include "profile/births.h"
#include "profile/import_frames.h"
#include "show/births_report.h"
#include "show/completeness.h"
#include "show/dump_info.h"
#include "show/sampling.h"
#include "show/source_lines.h"

enum {
    MAX_SOURCE = 200,  /* bytes of a line */
    MAX_POINTS = 3000, /* of a timeline: about two for each pixel */
    NOT_USED = UINT32_MAX,
};

/* Frames and names that the trees use, with new numbers in the order of their first
 * use. */
struct page_data {
    const struct page_input *input;
    struct json_writer json;
    uint32_t *frame_numbers; /* by frame of the table */
    uint32_t *frames;        /* by new number */
    uint32_t frame_count;
    uint32_t *file_numbers;
    uint32_t *function_numbers;
    struct page_births births[PAGE_INPUT_TREES];
};

static void add_unsigned(struct page_data *data, const char *key, uint64_t value) {
    json_writer_add_unsigned(&data->json, key, value);
}

static void add_text(struct page_data *data, const char *key, struct dump_text text) {
    json_writer_key(&data->json, key);
    json_writer_text(&data->json, text);
}

static void add_word(struct page_data *data, const char *key, const char *word) {
    json_writer_add_word(&data->json, key, word);
}

static void open_list(struct page_data *data, const char *key) {
    json_writer_key(&data->json, key);
    json_writer_open_list(&data->json);
}

/* In millionths, so that it is an integer in the JSON as well. */
static void add_share(struct page_data *data, const char *key, double share) {
    add_unsigned(data, key, (uint64_t)(share * 1e6 + 0.5));
}

static uint32_t *numbers(size_t count) {
    uint32_t *array = malloc((count + 1) * sizeof *array);
    for (size_t i = 0; array != NULL && i < count; i++)
        array[i] = NOT_USED;
    return array;
}

static void number_tree(struct page_data *data, const struct folded_tree *tree) {
    for (size_t i = 0; i < tree->count; i++) {
        uint32_t *number = &data->frame_numbers[tree->nodes[i].frame];
        if (*number != NOT_USED)
            continue;
        *number = data->frame_count;
        data->frames[data->frame_count++] = tree->nodes[i].frame;
    }
}

static int open_data(struct page_data *data, FILE *out) {
    const struct path_table *table = &data->input->table;
    data->frame_numbers = numbers(table->frames.count);
    data->frames = numbers(table->frames.count);
    data->file_numbers = numbers(table->names->count);
    data->function_numbers = numbers(table->functions.count);
    if (data->frame_numbers == NULL || data->frames == NULL ||
        data->file_numbers == NULL || data->function_numbers == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < PATH_TABLE_OWN_FRAMES; i++)
        data->frame_numbers[i] = data->frames[i] = data->frame_count++;
    int error = 0;
    for (int i = 0; i < PAGE_INPUT_TREES && error == 0; i++) {
        number_tree(data, &data->input->trees[i]);
        if (data->input->options->old == NULL)
            error =
                page_births_open(&data->births[i], data->input, &data->input->trees[i]);
    }
    return error == 0 ? json_writer_open(&data->json, out) : error;
}

static void close_data(struct page_data *data) {
    free(data->frame_numbers);
    free(data->frames);
    free(data->file_numbers);
    free(data->function_numbers);
    for (int i = 0; i < PAGE_INPUT_TREES; i++)
        page_births_close(&data->births[i]);
}

static void write_name(struct page_data *data, struct dump_text text, uint32_t *number,
                       uint32_t *count) {
    if (*number != NOT_USED)
        return;
    *number = (*count)++;
    json_writer_text(&data->json, text);
}

static void write_names(struct page_data *data) {
    const struct path_table *table = &data->input->table;
    uint32_t count = 0;
    open_list(data, "names");
    for (uint32_t i = 0; i < data->frame_count; i++) {
        uint32_t file = path_table_file(table, data->frames[i]);
        uint32_t function = path_table_function(table, data->frames[i]);
        write_name(data, table->names->texts[file], &data->file_numbers[file], &count);
        write_name(data, table->functions.texts[function],
                   &data->function_numbers[function], &count);
    }
    json_writer_close_list(&data->json);
}

static void write_frames(struct page_data *data) {
    const struct path_table *table = &data->input->table;
    open_list(data, "frames");
    for (uint32_t i = 0; i < data->frame_count; i++) {
        uint32_t frame = data->frames[i];
        json_writer_unsigned(&data->json,
                             data->file_numbers[path_table_file(table, frame)]);
        json_writer_unsigned(&data->json,
                             data->function_numbers[path_table_function(table, frame)]);
        json_writer_unsigned(&data->json, path_table_line(table, frame));
    }
    json_writer_close_list(&data->json);
}

/* The numbers of the frames of native code. */
static void write_native(struct page_data *data) {
    open_list(data, "native");
    for (uint32_t i = 0; i < data->frame_count; i++)
        if (path_table_is_native(&data->input->table, data->frames[i]))
            json_writer_unsigned(&data->json, i);
    json_writer_close_list(&data->json);
}

/* The numbers of the frames of the import system, which the page folds. */
static void write_imports(struct page_data *data) {
    const struct path_table *table = &data->input->table;
    open_list(data, "imports");
    for (uint32_t i = 0; i < data->frame_count; i++) {
        uint32_t frame = data->frames[i];
        if (!path_table_is_native(table, frame) &&
            import_frames_match(table->names->texts[path_table_file(table, frame)]))
            json_writer_unsigned(&data->json, i);
    }
    json_writer_close_list(&data->json);
}

/* A page does not record which of its two dumps a frame belongs to. */
static bool hides_source(const struct page_options *options) {
    const struct dump_reader *old = options->old;
    return options->reader->hides_source ||
           (old != NULL && (old->hides_source || old->owner != options->reader->owner));
}

static void write_sources(struct page_data *data) {
    const struct path_table *table = &data->input->table;
    struct source_lines lines = {0};
    open_list(data, "sources");
    for (uint32_t i = 0; i < data->frame_count; i++) {
        uint32_t frame = data->frames[i];
        struct dump_text file = table->names->texts[path_table_file(table, frame)];
        struct dump_text line = source_lines_get(&lines, data->input->options->reader,
                                                 file, path_table_line(table, frame));
        line.length = line.length < MAX_SOURCE ? line.length : MAX_SOURCE;
        json_writer_text(&data->json, line);
    }
    json_writer_close_list(&data->json);
    source_lines_close(&lines);
}

static void write_nodes(struct page_data *data, const struct folded_tree *tree) {
    open_list(data, "parents");
    for (size_t i = 0; i < tree->count; i++)
        json_writer_unsigned(&data->json, tree->nodes[i].parent);
    json_writer_close_list(&data->json);
    open_list(data, "frames");
    for (size_t i = 0; i < tree->count; i++)
        json_writer_unsigned(&data->json, data->frame_numbers[tree->nodes[i].frame]);
    json_writer_close_list(&data->json);
}

static void write_entries(struct page_data *data, const struct folded_tree *tree) {
    open_list(data, "entries");
    for (size_t i = 0; i < tree->entry_count; i++) {
        json_writer_unsigned(&data->json, tree->entries[i].node);
        json_writer_unsigned(&data->json, tree->entries[i].domain);
    }
    json_writer_close_list(&data->json);
    open_list(data, "values");
    for (size_t i = 0; i < tree->entry_count * data->input->columns; i++)
        json_writer_unsigned(&data->json, tree->values[i]);
    json_writer_close_list(&data->json);
}

static void write_epoch(void *context, uint32_t process, unsigned epoch,
                        struct birth_span span) {
    struct page_data *data = context;
    int64_t start = (int64_t)data->input->options->reader->header.start_time;
    (void)process;
    (void)epoch;
    json_writer_signed(&data->json, ((int64_t)span.from - start) / 1000000);
    json_writer_signed(&data->json, ((int64_t)span.to - start) / 1000000);
}

/* In a comparison, there is no range that both dumps have. */
static void write_epochs(struct page_data *data) {
    open_list(data, "epochs");
    if (data->input->options->old == NULL)
        births_each_epoch(data->input->options->reader, write_epoch, data);
    json_writer_close_list(&data->json);
}

static void write_trees(struct page_data *data) {
    static const char *const keys[PAGE_INPUT_TREES] = {
        [FOLDED_TREE_CALLS] = "calls",
        [FOLDED_TREE_CALLERS] = "callers",
    };
    json_writer_key(&data->json, "trees");
    json_writer_open_map(&data->json);
    for (int i = 0; i < PAGE_INPUT_TREES; i++) {
        json_writer_key(&data->json, keys[i]);
        json_writer_open_map(&data->json);
        add_share(data, "share", data->input->trees[i].share);
        write_nodes(data, &data->input->trees[i]);
        write_entries(data, &data->input->trees[i]);
        if (data->input->options->old == NULL)
            page_births_write(&data->births[i], &data->json);
        json_writer_close_map(&data->json);
    }
    json_writer_close_map(&data->json);
}

/* Selects the sample with the largest heap of each group of adjacent samples, so that
 * no peak is lost. */
static size_t find_summit(const struct dump_reader *reader, size_t begin, size_t end) {
    size_t summit = begin;
    for (size_t i = begin; i < end; i++)
        if (reader->timeline[i].python_bytes + reader->timeline[i].native_bytes >
            reader->timeline[summit].python_bytes +
                reader->timeline[summit].native_bytes)
            summit = i;
    return summit;
}

static void write_timeline(struct page_data *data, const struct dump_reader *reader) {
    size_t step = reader->timeline_count / MAX_POINTS + 1;
    open_list(data, "timeline");
    for (size_t i = 0; i < reader->timeline_count; i += step) {
        size_t end = i + step;
        end = end < reader->timeline_count ? end : reader->timeline_count;
        const struct tracemalloc_dump_timeline_sample *sample =
            &reader->timeline[find_summit(reader, i, end)];
        json_writer_unsigned(&data->json, sample->time / 1000000);
        json_writer_unsigned(&data->json, sample->python_bytes);
        json_writer_unsigned(&data->json, sample->native_bytes);
        json_writer_unsigned(&data->json, sample->rss_bytes);
    }
    json_writer_close_list(&data->json);
}

static void write_arguments(struct page_data *data, const struct dump_reader *reader) {
    struct dump_text argument;
    open_list(data, "argv");
    for (size_t at = 0; dump_info_argument(reader, &at, &argument);)
        json_writer_text(&data->json, argument);
    json_writer_close_list(&data->json);
}

static void write_pids(struct page_data *data, const struct dump_reader *reader) {
    open_list(data, "pids");
    for (size_t i = 0; i < reader->process_count; i++)
        json_writer_unsigned(&data->json, reader->processes[i].pid);
    json_writer_close_list(&data->json);
}

static void write_losses(struct page_data *data, const struct dump_reader *reader) {
    char text[COMPLETENESS_TEXT_SIZE];
    open_list(data, "incomplete");
    for (size_t at = 0; completeness_next(reader, &at, text);)
        json_writer_word(&data->json, text);
    json_writer_close_list(&data->json);
}

static void write_range(struct page_data *data, const struct dump_reader *reader) {
    char text[BIRTHS_REPORT_SIZE];
    add_word(data, "born", births_report_text(reader, text) ? text : NULL);
}

static void write_sampling(struct page_data *data, const struct dump_reader *reader) {
    char text[SAMPLING_TEXT_SIZE];
    add_word(data, "sampling", sampling_describe(reader, text) ? text : NULL);
}

static void write_dump(struct page_data *data, const char *key,
                       const struct dump_reader *reader) {
    char ending[DUMP_INFO_TEXT_SIZE * 2], version[DUMP_INFO_TEXT_SIZE];
    dump_info_ending(reader, ending);
    dump_info_version(reader, version);
    json_writer_key(&data->json, key);
    json_writer_open_map(&data->json);
    add_word(data, "ending", ending);
    add_word(data, "python", version);
    add_unsigned(data, "start", reader->header.start_time / 1000000);
    write_pids(data, reader);
    write_arguments(data, reader);
    write_losses(data, reader);
    write_sampling(data, reader);
    write_range(data, reader);
    write_timeline(data, reader);
    json_writer_close_map(&data->json);
}

static void write_dumps(struct page_data *data) {
    const struct page_options *options = data->input->options;
    write_dump(data, "dump", options->reader);
    if (options->old != NULL)
        write_dump(data, "old", options->old);
}

static void write_moments(struct page_data *data) {
    static const char *const names[] = {
        [PROFILE_NOW] = "now",
        [PROFILE_PEAK] = "peak",
        [PROFILE_EXIT] = "exit",
        [PROFILE_END] = "end",
        [PROFILE_TEMPORARY] = "temporary",
    };
    open_list(data, "moments");
    for (size_t i = 0; i < data->input->point_count; i++)
        json_writer_word(&data->json, names[data->input->points[i]]);
    json_writer_close_list(&data->json);
    add_word(data, "moment", names[data->input->options->point]);
}

static void write_domains(struct page_data *data) {
    const struct path_table *table = &data->input->table;
    open_list(data, "domains");
    for (uint32_t i = 0; i < table->domain_count; i++) {
        json_writer_open_map(&data->json);
        add_unsigned(data, "number", table->domains[i].number);
        add_text(data, "name", table->domains[i].name);
        json_writer_close_map(&data->json);
    }
    json_writer_close_list(&data->json);
}

static void write_document(struct page_data *data) {
    json_writer_open_map(&data->json);
    add_unsigned(data, "version", 1);
    add_text(data, "name",
             (struct dump_text){data->input->options->name,
                                strlen(data->input->options->name)});
    add_unsigned(data, "nframe", data->input->table.nframe);
    write_moments(data);
    write_domains(data);
    write_dumps(data);
    write_names(data);
    write_frames(data);
    write_native(data);
    write_imports(data);
    if (!hides_source(data->input->options))
        write_sources(data);
    write_epochs(data);
    page_growing_write(data->input, &data->json);
    write_trees(data);
    json_writer_close_map(&data->json);
}

int page_data_write(const struct page_input *input, FILE *out) {
    struct page_data data = {.input = input};
    int error = open_data(&data, out);
    if (error == 0) {
        write_document(&data);
        error = json_writer_close(&data.json);
    }
    close_data(&data);
    return error;
}
