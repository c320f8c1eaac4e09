/* SPDX-License-Identifier: MIT */
#include "show/tree_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "profile/statistics.h"
#include "show/frame_text.h"

enum {
    MAX_NESTED = 10001, /* 1 / TREE_REPORT_MIN_SHARE branches can hold that much each */
    STEP_COLUMNS = 2,
    BRANCH_SHARE = 4,       /* branches take at most 1/4 of a terminal's width */
    BLOCKS_FROM_WIDTH = 64, /* narrower terminals do not show the number of blocks */
    ERROR_COLUMNS = 6,      /* of estimates */
};

/* The branches to the left of a line. A chain of calls without branches stays in one
 * column. */
struct printer {
    const struct terminal *terminal;
    const struct call_tree *tree;
    bool last[MAX_NESTED]; /* by branch: whether this is its last line */
    size_t nested;         /* branches */
    bool at_branch;        /* whether the line begins its innermost branch */
};

static const char *glyph(const struct printer *printer, bool first, bool last) {
    static const char *const unicode[] = {"│ ", "  ", "├─", "└─"};
    static const char *const ascii[] = {"| ", "  ", "|-", "`-"};
    const char *const *glyphs = printer->terminal->unicode ? unicode : ascii;
    return glyphs[(first ? 2 : 0) + (last ? 1 : 0)];
}

/* Prints the innermost branches, as many as fit. Returns the columns taken. */
static size_t print_branches(const struct printer *printer) {
    const struct terminal *terminal = printer->terminal;
    size_t max = printer->nested;
    if (terminal->interactive && max > terminal->width / BRANCH_SHARE / STEP_COLUMNS)
        max = terminal->width / BRANCH_SHARE / STEP_COLUMNS;
    size_t first = printer->nested - max;
    for (size_t i = first; i < printer->nested; i++) {
        bool begins = printer->at_branch && i + 1 == printer->nested;
        bool hidden = i == first && first > 0 && !begins;
        fputs(hidden ? "> " : glyph(printer, begins, printer->last[i]), terminal->out);
    }
    return max * STEP_COLUMNS;
}

static size_t print_numbers(const struct printer *printer, struct weight weight) {
    const struct terminal *terminal = printer->terminal;
    char size[40], line[120];
    double total = (double)printer->tree->profile->total.size;
    statistics_format_size(size, sizeof size, (double)weight.size, false);
    int length = snprintf(line, sizeof line, "%9s %5.1f%% ", size,
                          total > 0 ? 100 * (double)weight.size / total : 0);
    if (!terminal->interactive || terminal->width >= BLOCKS_FROM_WIDTH)
        length += snprintf(line + length, sizeof line - (size_t)length, "%9" PRIu64 " ",
                           weight.count);
    if (printer->tree->profile->total.estimated) {
        char error[STATISTICS_ERROR_SIZE];
        statistics_format_error(error, weight);
        /* The sign takes two bytes. */
        length += snprintf(line + length, sizeof line - (size_t)length, "%*s ",
                           ERROR_COLUMNS + (error[0] != '\0'), error);
    }
    return terminal_put_start(terminal, TERMINAL_PLAIN, line, (size_t)length,
                              terminal_width_left(terminal, 0));
}

static void print_node(const struct printer *printer, uint32_t id) {
    const struct call_node *node = &printer->tree->nodes[id];
    size_t used = print_numbers(printer, node->weight);
    used += print_branches(printer);
    frame_text_put(printer->terminal, printer->tree->profile, node->stack,
                   node->has_line, terminal_width_left(printer->terminal, used));
    fputc('\n', printer->terminal->out);
}

static void print_other(const struct printer *printer, struct weight weight,
                        const char *text) {
    size_t used = print_numbers(printer, weight);
    used += print_branches(printer);
    terminal_put_line(printer->terminal, TERMINAL_FAINT, text, strlen(text), used);
}

/* The lines beneath a node: its children, `(itself)` and `(N smaller)`. */
struct contents {
    const struct call_node *node;
    struct weight own;
    bool shows_own, shows_folded;
    size_t rows;
};

static struct contents find_contents(const struct printer *printer, uint32_t id) {
    const struct call_tree *tree = printer->tree;
    const struct call_node *node = &tree->nodes[id];
    struct contents contents = {.node = node, .own = call_tree_own(tree, id)};
    for (uint32_t child = node->first_child; child != CALL_TREE_NONE;
         child = tree->nodes[child].next)
        contents.rows++;
    bool has_children = contents.rows > 0 || node->folded.size >= tree->threshold;
    contents.shows_own =
        has_children && contents.own.size >= tree->threshold && contents.own.count > 0;
    contents.shows_folded =
        node->folded_count > 0 && node->folded.size >= tree->threshold;
    contents.rows += (size_t)contents.shows_own + (size_t)contents.shows_folded;
    return contents;
}

static void print_contents(struct printer *printer, uint32_t id);

static void begin_row(struct printer *printer, size_t rows_left) {
    printer->last[printer->nested - 1] = rows_left == 1;
    printer->at_branch = true;
}

static void print_branch(struct printer *printer, const struct contents *contents) {
    char text[64];
    size_t left = contents->rows;
    printer->nested++;
    for (uint32_t child = contents->node->first_child; child != CALL_TREE_NONE;
         child = printer->tree->nodes[child].next, left--) {
        begin_row(printer, left);
        print_node(printer, child);
        print_contents(printer, child);
    }
    if (contents->shows_own) {
        begin_row(printer, left--);
        print_other(printer, contents->own, "(itself)");
    }
    if (contents->shows_folded) {
        begin_row(printer, left--);
        snprintf(text, sizeof text, "(%" PRIu64 " smaller)",
                 contents->node->folded_count);
        print_other(printer, contents->node->folded, text);
    }
    printer->nested--;
}

/* Only branches recurse: a deep chain of calls does not. */
static void print_contents(struct printer *printer, uint32_t id) {
    for (;;) {
        struct contents contents = find_contents(printer, id);
        uint32_t child = contents.node->first_child;
        printer->at_branch = false;
        if (contents.rows == 0)
            return;
        if (contents.rows > 1 || child == CALL_TREE_NONE) {
            if (printer->nested < MAX_NESTED)
                print_branch(printer, &contents);
            return;
        }
        print_node(printer, child);
        id = child;
    }
}

void tree_report_print(const struct terminal *terminal, const struct call_tree *tree) {
    struct printer printer = {.terminal = terminal, .tree = tree};
    bool blocks = !terminal->interactive || terminal->width >= BLOCKS_FROM_WIDTH;
    char head[64];
    snprintf(head, sizeof head, "     SIZE  SHARE %s%sCALL", blocks ? "   BLOCKS " : "",
             tree->profile->total.estimated ? " ERROR " : "");
    terminal_put_line(terminal, TERMINAL_FAINT, head, strlen(head), 0);
    print_contents(&printer, CALL_TREE_ROOT);
}
