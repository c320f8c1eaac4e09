/* SPDX-License-Identifier: MIT */
#include "show/json_report.h"

#include "profile/native_details.h"
#include "show/births_report.h"
#include "show/census_report.h"
#include "show/completeness.h"
#include "show/json_frame.h"
#include "show/sampling.h"

void json_report_add_weight(struct json_writer *writer, struct weight weight) {
    json_writer_add_unsigned(writer, "size", weight.size);
    json_writer_add_unsigned(writer, "count", weight.count);
    if (!weight.estimated)
        return;
    json_writer_add_unsigned(writer, "size_error",
                             (uint64_t)(weight_error(weight) + 0.5));
    json_writer_add_unsigned(writer, "sampled_blocks", weight.sampled);
}

static void add_numbers(struct json_writer *writer, const struct statistic *entry,
                        bool compared) {
    json_report_add_weight(writer, entry->weight);
    if (!compared)
        return;
    json_writer_add_signed(writer, "size_diff", entry->size_diff);
    json_writer_add_signed(writer, "count_diff", entry->count_diff);
    if (entry->weight.estimated || entry->diff_variance > 0)
        json_writer_add_unsigned(
            writer, "size_diff_error",
            (uint64_t)(weight_error_of(entry->diff_variance) + 0.5));
}

static struct json_frame describe(const struct profile *profile, uint32_t stack) {
    const struct dump_native *native = profile_native(profile, stack);
    struct frame frame = profile_frame(profile, stack);
    struct json_frame shown = {
        .filename = profile_filename(profile, frame),
        .function = profile_function(profile, stack),
        .line = frame.line,
        .native = native != NULL,
    };
    if (native != NULL) {
        shown.has_source = native->has_source;
        shown.has_address = true;
        shown.address = native->address;
        shown.module = dump_reader_text(profile->reader,
                                        profile->reader->modules[native->module].path);
    }
    return shown;
}

void json_report_add_frame(struct json_writer *writer, const struct profile *profile,
                           uint32_t stack) {
    struct json_frame frame = describe(profile, stack);
    json_frame_add(writer, &frame);
}

static void write_window(struct json_writer *writer, const struct statistic *entry) {
    const struct stack_index *index = &entry->grouping->index;
    const struct profile *profile = entry->grouping->profile;
    for (uint32_t i = stack_index_window(index, entry->stack); i-- > 0;) {
        uint32_t node = stack_index_ancestor(index, entry->stack, i);
        json_report_add_frame(writer, profile, node);
    }
}

/* A group by file covers several functions, and one by function or module several
 * lines: what is not common to the group is null. */
static void write_frame(struct json_writer *writer, const struct statistic *entry) {
    const struct grouping *grouping = entry->grouping;
    struct json_frame frame = describe(grouping->profile, entry->stack);
    if (grouping->key != GROUPING_LINENO && grouping->key != GROUPING_TYPE_LINENO) {
        frame.line = 0;
        frame.has_address =
            grouping->key == GROUPING_FUNCTION && frame.function.length == 0;
    }
    if (grouping->key == GROUPING_FILENAME || grouping->key == GROUPING_MODULE)
        frame.function = (struct dump_text){"", 0};
    if (grouping->key == GROUPING_MODULE || grouping->key == GROUPING_FUNCTION)
        frame.has_source = false;
    json_frame_add(writer, &frame);
}

/* The depth of the whole stack; null unless grouped by traceback. */
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

static void add_detail(struct json_writer *writer, const struct profile *profile,
                       const struct native_detail *detail) {
    struct json_frame frame = describe(profile, detail->stack);
    frame.line = 0;
    frame.has_address = false;
    json_writer_open_map(writer);
    json_report_add_weight(writer, detail->weight);
    json_writer_key(writer, "frame");
    json_frame_add(writer, &frame);
    json_writer_close_map(writer);
}

/* Only in reports that attribute blocks to Python frames. */
static void add_native(struct json_writer *writer, const struct statistic *entry,
                       const struct native_details *details) {
    const struct profile *profile = entry->grouping->profile;
    size_t count;
    const struct native_detail *first =
        native_details_find(details, entry->group, &count);
    if (profile->reader->details == NULL || entry->grouping->of_sites == NULL)
        return;
    json_writer_key(writer, "native");
    json_writer_open_list(writer);
    for (size_t i = 0; i < count; i++)
        add_detail(writer, profile, &first[i]);
    json_writer_close_list(writer);
}

/* Null for blocks that hold no object. */
static void add_type(struct json_writer *writer, const struct statistic *entry) {
    const struct grouping *grouping = entry->grouping;
    json_writer_key(writer, "type");
    if (grouping->groups[entry->group].type == grouping->profile->type_names[0])
        json_writer_null(writer);
    else
        json_writer_text(writer, statistics_type(entry));
}

static void write_entry(struct json_writer *writer, const struct statistic *entry,
                        const struct native_details *details, bool compared) {
    enum grouping_key key = entry->grouping->key;
    json_writer_open_map(writer);
    if (grouping_is_by_type(key))
        add_type(writer, entry);
    add_numbers(writer, entry, compared);
    json_writer_key(writer, "traceback");
    json_writer_open_list(writer);
    if (key == GROUPING_TRACEBACK)
        write_window(writer, entry);
    else if (key != GROUPING_TYPE)
        write_frame(writer, entry);
    json_writer_close_list(writer);
    add_depth(writer, entry);
    if (details != NULL)
        add_native(writer, entry, details);
    json_writer_close_map(writer);
}

static bool add_reasons(struct json_writer *writer, const struct dump_reader *reader) {
    char text[COMPLETENESS_TEXT_SIZE];
    for (size_t at = 0; completeness_next(reader, &at, text);)
        json_writer_word(writer, text);
    return completeness_holds(reader);
}

static void add_sampling(struct json_writer *writer, const char *key,
                         const struct dump_reader *reader) {
    uint32_t distance;
    bool is_uniform = sampling_is_uniform(reader, &distance);
    json_writer_key(writer, key);
    if (is_uniform)
        json_writer_unsigned(writer, distance);
    else
        json_writer_null(writer);
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
    add_sampling(writer, "sample_distance", reader);
    if (old != NULL)
        add_sampling(writer, "old_sample_distance", old);
}

void json_report_add(struct json_writer *writer, const struct statistics *statistics,
                     const char *at, const struct dump_reader *old) {
    static const char *const keys[] = {
        [GROUPING_FILENAME] = "filename",       [GROUPING_LINENO] = "lineno",
        [GROUPING_TRACEBACK] = "traceback",     [GROUPING_FUNCTION] = "function",
        [GROUPING_MODULE] = "module",           [GROUPING_TYPE] = "type",
        [GROUPING_TYPE_LINENO] = "type,lineno",
    };
    json_writer_add_word(writer, "group_by", keys[statistics->grouping->key]);
    json_writer_key(writer, "cumulative");
    json_writer_bool(writer, statistics->grouping->cumulative);
    json_writer_add_word(writer, "at", at);
    const struct dump_reader *reader = statistics->grouping->profile->reader;
    births_report_add_json(writer, "born", reader);
    if (old != NULL)
        births_report_add_json(writer, "old_born", old);
    if (grouping_is_by_type(statistics->grouping->key))
        census_report_add_json(writer, "census", reader);
    if (old != NULL && grouping_is_by_type(statistics->grouping->key))
        census_report_add_json(writer, "old_census", old);
    json_report_add_completeness(writer, reader, old);
    json_writer_key(writer, "total");
    json_writer_open_map(writer);
    add_numbers(writer, &statistics->total, statistics->compared);
    json_writer_close_map(writer);
    json_writer_key(writer, "statistics");
    json_writer_open_list(writer);
    struct native_details details;
    /* If there is no memory, the details are left out. */
    if (native_details_open(&details, statistics->grouping) < 0)
        native_details_close(&details);
    for (size_t i = 0; i < statistics->shown; i++) {
        const struct statistic *entry = &statistics->entries[i];
        bool is_new = entry->grouping == statistics->grouping;
        write_entry(writer, entry, is_new ? &details : NULL, statistics->compared);
    }
    native_details_close(&details);
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
