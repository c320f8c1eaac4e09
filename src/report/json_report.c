/* SPDX-License-Identifier: MIT */
#include "report/json_report.h"

#include "report/completeness.h"

static void add_unsigned(struct json_writer *writer, const char *key, uint64_t value) {
    json_writer_key(writer, key);
    json_writer_unsigned(writer, value);
}

static void add_signed(struct json_writer *writer, const char *key, int64_t value) {
    json_writer_key(writer, key);
    json_writer_signed(writer, value);
}

void json_report_add_weight(struct json_writer *writer, struct weight weight) {
    add_unsigned(writer, "size", weight.size);
    add_unsigned(writer, "count", weight.count);
}

static void add_numbers(struct json_writer *writer, const struct statistic *entry,
                        bool compared) {
    json_report_add_weight(writer, entry->weight);
    if (!compared)
        return;
    add_signed(writer, "size_diff", entry->size_diff);
    add_signed(writer, "count_diff", entry->count_diff);
}

void json_report_add_frame(struct json_writer *writer, const struct profile *profile,
                           struct frame frame, struct dump_text function) {
    json_writer_open_map(writer);
    json_writer_key(writer, "filename");
    json_writer_text(writer, profile_filename(profile, frame));
    add_unsigned(writer, "lineno", frame.line);
    json_writer_key(writer, "function");
    if (function.length > 0)
        json_writer_text(writer, function);
    else
        json_writer_null(writer);
    json_writer_close_map(writer);
}

static void write_window(struct json_writer *writer, const struct statistic *entry) {
    const struct stack_index *index = &entry->grouping->index;
    const struct profile *profile = entry->grouping->profile;
    for (uint32_t up = stack_index_window(index, entry->stack); up-- > 0;) {
        uint32_t node = stack_index_ancestor(index, entry->stack, up);
        json_report_add_frame(writer, profile, profile_frame(profile, node),
                              profile_function(profile, node));
    }
}

/* A file has no one function. */
static void write_leaf(struct json_writer *writer, const struct statistic *entry) {
    const struct grouping *grouping = entry->grouping;
    struct dump_text function = {"", 0};
    if (grouping->key == GROUPING_LINENO)
        function = profile_function(grouping->profile, entry->stack);
    json_report_add_frame(writer, grouping->profile, entry->frame, function);
}

/* How deep the stack was; only a traceback has one depth. */
static void add_depth(struct json_writer *writer, const struct statistic *entry) {
    const struct grouping *grouping = entry->grouping;
    json_writer_key(writer, "total_nframe");
    if (grouping->key != GROUPING_TRACEBACK) {
        json_writer_null(writer);
        return;
    }
    uint32_t depth = grouping->index.depths[entry->stack];
    json_writer_unsigned(writer, depth > 0 ? depth : 1);
}

static void write_entry(struct json_writer *writer, const struct statistic *entry,
                        bool compared) {
    json_writer_open_map(writer);
    add_numbers(writer, entry, compared);
    json_writer_key(writer, "traceback");
    json_writer_open_list(writer);
    if (entry->grouping->key == GROUPING_TRACEBACK)
        write_window(writer, entry);
    else
        write_leaf(writer, entry);
    json_writer_close_list(writer);
    add_depth(writer, entry);
    json_writer_close_map(writer);
}

static bool add_reasons(struct json_writer *writer, const struct dump_reader *reader) {
    char text[COMPLETENESS_TEXT_SIZE];
    for (size_t at = 0; completeness_next(reader, &at, text);)
        json_writer_word(writer, text);
    return completeness_holds(reader);
}

void json_report_add_completeness(struct json_writer *writer,
                                  const struct dump_reader *reader,
                                  const struct dump_reader *old) {
    json_writer_key(writer, "incomplete_reasons");
    json_writer_open_list(writer);
    bool complete = add_reasons(writer, reader);
    if (old != NULL)
        complete &= add_reasons(writer, old);
    json_writer_close_list(writer);
    json_writer_key(writer, "complete");
    json_writer_bool(writer, complete);
}

void json_report_add(struct json_writer *writer, const struct statistics *statistics,
                     const char *at, const struct dump_reader *old) {
    static const char *const keys[] = {
        [GROUPING_FILENAME] = "filename",
        [GROUPING_LINENO] = "lineno",
        [GROUPING_TRACEBACK] = "traceback",
    };
    json_writer_key(writer, "group_by");
    json_writer_word(writer, keys[statistics->grouping->key]);
    json_writer_key(writer, "cumulative");
    json_writer_bool(writer, statistics->grouping->cumulative);
    json_writer_key(writer, "at");
    json_writer_word(writer, at);
    json_report_add_completeness(writer, statistics->grouping->profile->reader, old);
    json_writer_key(writer, "total");
    json_writer_open_map(writer);
    add_numbers(writer, &statistics->total, statistics->compared);
    json_writer_close_map(writer);
    json_writer_key(writer, "statistics");
    json_writer_open_list(writer);
    for (size_t i = 0; i < statistics->shown; i++)
        write_entry(writer, &statistics->entries[i], statistics->compared);
    json_writer_close_list(writer);
}

int json_report_print(FILE *out, const struct statistics *statistics, const char *at,
                      const struct dump_reader *old) {
    struct json_writer writer;
    int error = json_writer_open(&writer, out);
    if (error < 0)
        return error;
    json_writer_open_map(&writer);
    json_report_add(&writer, statistics, at, old);
    json_writer_close_map(&writer);
    return json_writer_close(&writer);
}
