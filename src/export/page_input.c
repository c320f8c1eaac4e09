/* SPDX-License-Identifier: MIT */
#include "export/page_input.h"

#include <stdbool.h>

#include "profile/estimate.h"

/* Of each tree. More would not be distinguishable, and would slow down the browser. */
enum { MAX_NODES = 30000 };

static bool is_finalized(const struct dump_reader *reader) {
    return reader->header.finalized != 0;
}

static bool has_samples(const struct page_options *options) {
    return estimate_is_needed(options->reader) ||
           (options->old != NULL && estimate_is_needed(options->old));
}

/* Exit and end are offered only if all dumps were finalized, or if the user asked for
 * them; temporary blocks, which are no point in time, if all were counted. */
static void find_points(struct page_input *input) {
    const struct page_options *options = input->options;
    bool finalized = is_finalized(options->reader) &&
                     (options->old == NULL || is_finalized(options->old));
    input->points[input->point_count++] = PROFILE_NOW;
    input->points[input->point_count++] = PROFILE_PEAK;
    if (finalized || options->point == PROFILE_EXIT)
        input->points[input->point_count++] = PROFILE_EXIT;
    if (finalized || options->point == PROFILE_END)
        input->points[input->point_count++] = PROFILE_END;
    if (!has_samples(options))
        input->points[input->point_count++] = PROFILE_TEMPORARY;
}

static int aggregate(struct page_input *input, const struct dump_reader *reader,
                     enum profile_point point, struct profile *profile) {
    int error = profile_open(profile, reader, &input->names, point);
    return error < 0 ? error : filter_apply(input->options->filter, profile);
}

/* Joins the frames of a dump with those of the other one, or adds its values. */
static int add_dump(struct page_input *input, const struct dump_reader *reader,
                    unsigned column, bool joins) {
    struct profile profiles[PAGE_INPUT_POINTS] = {0}, ever = {0};
    int error = aggregate(input, reader, PROFILE_ALLOCATED, &ever);
    for (size_t i = 0; i < input->point_count && error == 0; i++)
        error = aggregate(input, reader, input->points[i], &profiles[i]);
    const struct path_source source = {
        .profiles = profiles,
        .profile_count = input->point_count,
        .ever = &ever,
        .column = column,
        .by_process = input->options->by_process,
        .whole = true,
    };
    if (error == 0)
        error = joins ? path_table_join(&input->table, &source)
                      : path_table_add(&input->table, &source);
    for (size_t i = 0; i < input->point_count; i++)
        profile_close(&profiles[i]);
    profile_close(&ever);
    return error;
}

static int add_dumps(struct page_input *input) {
    const struct page_options *options = input->options;
    int error = 0;
    for (int joins = options->old != NULL; joins >= 0 && error == 0; joins--) {
        error = add_dump(input, options->reader, 0, joins != 0);
        if (error == 0 && options->old != NULL)
            error = add_dump(input, options->old, input->columns / 2, joins != 0);
    }
    return error;
}

static int fold(struct page_input *input) {
    path_table_aggregate(&input->table);
    int error = 0;
    for (int i = 0; i < PAGE_INPUT_TREES && error == 0; i++)
        error = folded_tree_open(&input->trees[i], &input->table,
                                 (enum folded_tree_direction)i, input->options->share,
                                 MAX_NODES);
    return error;
}

static int find_leaks(struct page_input *input) {
    const struct dump_reader *reader = input->options->reader;
    int error = aggregate(input, reader, PROFILE_ALLOCATED, &input->allocated);
    for (uint32_t i = 0; i < reader->process_count && error == 0; i++)
        error = leak_report_add(&input->leaks, &input->allocated, i);
    leak_report_add_rss(&input->leaks, reader);
    leak_report_finish(&input->leaks);
    return error;
}

int page_input_open(struct page_input *input, const struct page_options *options) {
    *input = (struct page_input){.options = options};
    find_points(input);
    input->columns = (unsigned)(2 * input->point_count + 1);
    if (options->old != NULL)
        input->columns *= 2;
    int error = frame_names_open(&input->names);
    if (error == 0)
        error = path_table_open(&input->table, &input->names, input->columns);
    if (error == 0)
        error = add_dumps(input);
    if (error == 0)
        error = fold(input);
    if (error == 0)
        error = find_leaks(input);
    if (error < 0)
        page_input_close(input);
    return error;
}

void page_input_close(struct page_input *input) {
    for (int i = 0; i < PAGE_INPUT_TREES; i++)
        folded_tree_close(&input->trees[i]);
    leak_report_close(&input->leaks);
    profile_close(&input->allocated);
    path_table_close(&input->table);
    frame_names_close(&input->names);
    *input = (struct page_input){0};
}
