/* SPDX-License-Identifier: MIT */
#include "read_screens.h"

#include "merge/merged_dump.h"
#include "show/process_list.h"
#include "show/summary_advice.h"
#include "show/summary_json.h"
#include "show/summary_text.h"
#include "show/top_report.h"
#include "show/tree_report.h"

enum { WIDTH = 60, ROWS = 20, SECOND = 1000000000 };

static struct terminal screen(FILE *out) {
    return (struct terminal){.out = out, .interactive = true, .width = WIDTH};
}

static void read_tree(const struct profile *profile, FILE *out,
                      int (*open)(struct call_tree *tree, const struct profile *profile,
                                  double share)) {
    struct terminal terminal = screen(out);
    struct call_tree tree;
    if (open(&tree, profile, TREE_REPORT_MIN_SHARE) < 0)
        return;
    tree_report_print(&terminal, &tree);
    call_tree_close(&tree);
}

static void read_top(const struct profile *profile, FILE *out) {
    static const struct top_sample none;
    struct terminal terminal = screen(out);
    struct top_table table;
    struct top_view view = {
        .table = &table, .profile = profile, .end = SECOND, .rows = ROWS};
    if (top_table_open(&table, profile, GROUPING_LINENO, &none, &none, SECOND) < 0)
        return;
    top_table_sort(&table, TOP_BY_RATE);
    top_report_print(&terminal, &view);
    if (table.count > 0)
        top_report_print_traceback(&terminal, profile, &table, &table.rows[0]);
    top_table_close(&table);
}

void read_screens(const struct profile *profile, FILE *out) {
    read_tree(profile, out, call_tree_open);
    read_tree(profile, out, call_tree_open_inverted);
    read_top(profile, out);
}

static void read_summary(const struct dump_reader *reader, FILE *out) {
    struct terminal terminal = screen(out);
    struct json_writer writer;
    struct summary summary;
    if (summary_open(&summary, reader) == 0) {
        summary_advice_give(&summary);
        summary_text_print(&terminal, &summary);
        if (json_writer_open(&writer, out) == 0) {
            json_writer_open_map(&writer);
            process_list_add_json(&writer, reader, 0);
            summary_json_add(&writer, &summary);
            json_writer_close_map(&writer);
            if (json_writer_close(&writer) < 0)
                fputs("no memory\n", stderr);
        }
    }
    summary_close(&summary);
}

void read_merged(struct dump_reader *reader, FILE *out) {
    struct dump_reader *parts[2] = {reader, reader}, *merged;
    read_summary(reader, out);
    if (merged_dump_open(&merged, parts, 2) < 0)
        return;
    read_summary(merged, out);
    dump_reader_close(merged);
}
