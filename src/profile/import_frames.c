/* SPDX-License-Identifier: MIT */
#include "profile/import_frames.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "collection/array.h"
#include "collection/id_map.h"
#include "profile/inner_frames.h"

enum { FIXED_STACKS = 2, NONE = 0 };

/* Bounds the time that a small damaged file can cost. */
static const uint64_t max_steps = (uint64_t)1 << 28;

static bool ends_with(struct dump_text text, const char *end) {
    size_t length = strlen(end);
    return text.length >= length &&
           memcmp(text.bytes + text.length - length, end, length) == 0;
}

bool import_frames_match(struct dump_text filename) {
    static const char *const frozen[] = {"<frozen importlib._bootstrap>",
                                         "<frozen importlib._bootstrap_external>",
                                         "<frozen zipimport>"};
    static const char *const files[] = {
        "/importlib/__init__.py", "/importlib/_bootstrap.py",
        "/importlib/_abc.py",     "/importlib/_bootstrap_external.py",
        "/importlib/abc.py",      "/importlib/util.py",
        "/zipimport.py",          "/importlib/machinery.py"};
    for (size_t i = 0; i < sizeof frozen / sizeof *frozen; i++)
        if (filename.length == strlen(frozen[i]) && ends_with(filename, frozen[i]))
            return true;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (ends_with(filename, files[i]))
            return true;
    return false;
}

/* The tree of stacks, to which folded stacks are added. */
struct folding {
    struct dump_reader *reader;
    size_t count;  /* recorded nodes; the arrays up to `parents` are indexed by them */
    bool *imports; /* whether its frame belongs to the import system */
    uint32_t *depths;   /* frames from the root */
    uint32_t *distance; /* frames outwards to the nearest import frame; larger than any
                           window if there is none */
    uint32_t *inner;    /* see inner_frames_count */
    uint32_t *children; /* first child, or NONE */
    uint32_t *siblings; /* next sibling, or NONE */
    bool *indexed;      /* whether its children are in `ids` */
    uint32_t *shown;    /* the folded stack of its own blocks */
    uint32_t *parents;  /* the node that its folded callees are added to */
    uint32_t *window;   /* the nodes of one window */
    struct array nodes; /* struct tracemalloc_dump_stack: recorded, then folded ones */
    struct id_map ids;  /* of nodes, by parent, code and line */
    struct array found; /* uint32_t: node, by id */
    uint64_t steps;     /* frames of folded windows, bounded by max_steps */
};

static bool *find_import_code(const struct dump_reader *reader) {
    bool *found = calloc(reader->code_count, sizeof *found);
    for (uint32_t i = FIXED_STACKS; found != NULL && i < reader->code_count; i++)
        found[i] =
            dump_reader_native(reader, i) == NULL &&
            import_frames_match(dump_reader_text(reader, reader->code[i].filename));
    return found;
}

/* Returns an array by node, or NULL if there is no memory; *any is set if there is an
 * import frame. */
static bool *find_imports(const struct dump_reader *reader, bool *any) {
    bool *code = find_import_code(reader);
    bool *imports = calloc(reader->stack_count, sizeof *imports);
    for (uint32_t id = FIXED_STACKS;
         code != NULL && imports != NULL && id < reader->stack_count; id++) {
        uint32_t number = reader->stacks[id].code;
        imports[id] = (number & TRACEMALLOC_DUMP_NATIVE) == 0 && code[number];
        *any |= imports[id];
    }
    if (code == NULL) {
        free(imports);
        imports = NULL;
    }
    free(code);
    return imports;
}

bool *import_frames_find(const struct dump_reader *reader) {
    bool any = false;
    bool *stacks = find_imports(reader, &any);
    bool *sites = calloc(reader->site_count + 1, sizeof *sites);
    for (uint32_t id = 1; stacks != NULL && any && id < reader->stack_count; id++)
        stacks[id] |= stacks[reader->stacks[id].parent];
    for (size_t i = 0; stacks != NULL && sites != NULL && i < reader->site_count; i++)
        sites[i] = stacks[dump_reader_recorded(reader, i)];
    if (stacks == NULL) {
        free(sites);
        sites = NULL;
    }
    free(stacks);
    return sites;
}

static int open_folding(struct folding *folding) {
    const struct dump_reader *reader = folding->reader;
    size_t count = folding->count;
    folding->nodes.entry_size = sizeof(struct tracemalloc_dump_stack);
    folding->found.entry_size = sizeof(uint32_t);
    folding->depths = calloc(count, sizeof *folding->depths);
    folding->distance = calloc(count, sizeof *folding->distance);
    folding->inner = calloc(count, sizeof *folding->inner);
    folding->children = calloc(count, sizeof *folding->children);
    folding->siblings = calloc(count, sizeof *folding->siblings);
    folding->indexed = calloc(count, sizeof *folding->indexed);
    folding->shown = calloc(count, sizeof *folding->shown);
    folding->parents = calloc(count, sizeof *folding->parents);
    folding->window = calloc(reader->header.nframe, sizeof *folding->window);
    bool failed = folding->depths == NULL || folding->distance == NULL ||
                  folding->inner == NULL || folding->children == NULL ||
                  folding->siblings == NULL || folding->indexed == NULL ||
                  folding->shown == NULL || folding->parents == NULL ||
                  folding->window == NULL ||
                  array_append(&folding->nodes, reader->stacks, count) < 0;
    return failed ? -ENOMEM : 0;
}

static void close_folding(struct folding *folding) {
    free(folding->imports);
    free(folding->depths);
    free(folding->distance);
    free(folding->inner);
    free(folding->children);
    free(folding->siblings);
    free(folding->indexed);
    free(folding->shown);
    free(folding->parents);
    free(folding->window);
    free(folding->nodes.entries);
    free(folding->found.entries);
    id_map_clear(&folding->ids);
}

/* Callers come before their callees. */
static void measure(struct folding *folding) {
    const struct dump_reader *reader = folding->reader;
    const struct tracemalloc_dump_stack *stacks = reader->stacks;
    folding->distance[0] = UINT32_MAX / 2;
    for (uint32_t id = 1; id < folding->count; id++) {
        uint32_t parent = stacks[id].parent;
        folding->depths[id] = folding->depths[parent] + 1;
        folding->distance[id] =
            folding->imports[id] ? 0 : folding->distance[parent] + 1;
    }
    inner_frames_count(reader, NULL, folding->inner);
    for (size_t id = folding->count; id-- > 1;) {
        uint32_t parent = stacks[id].parent;
        folding->siblings[id] = folding->children[parent];
        folding->children[parent] = (uint32_t)id;
    }
}

static struct id_pair key_of(const struct tracemalloc_dump_stack *node) {
    return (struct id_pair){(uint64_t)node->parent << 32 | node->code,
                            (uint64_t)node->high << 32 | node->line};
}

/* Returns the id of a node's key, or -ENOMEM. `found` maps the id to the first node
 * added with that key. */
static int64_t add_key(struct folding *folding,
                       const struct tracemalloc_dump_stack *node, uint32_t number) {
    int64_t id = id_map_add(&folding->ids, key_of(node));
    if (id >= 0 && (size_t)id == folding->found.count &&
        array_append(&folding->found, &number, 1) < 0)
        return -ENOMEM;
    return id;
}

/* A folded stack reuses recorded callees, so those of its nodes must be in `ids`. */
static int index_children(struct folding *folding, uint32_t parent) {
    if (parent >= folding->count || folding->indexed[parent])
        return 0;
    folding->indexed[parent] = true;
    for (uint32_t child = folding->children[parent]; child != NONE;
         child = folding->siblings[child])
        if (child >= FIXED_STACKS &&
            add_key(folding, &folding->reader->stacks[child], child) < 0)
            return -ENOMEM;
    return 0;
}

/* Returns the node of a frame called from `parent`, recorded, added before or new; or
 * -ENOMEM. */
static int64_t add_call(struct folding *folding, uint32_t parent, uint32_t frame,
                        bool has_line) {
    struct tracemalloc_dump_stack node = folding->reader->stacks[frame];
    node.parent = parent;
    node.line = has_line ? node.line : 0;
    if (index_children(folding, parent) < 0)
        return -ENOMEM;
    size_t next = folding->nodes.count;
    int64_t id = add_key(folding, &node, (uint32_t)next);
    if (id < 0)
        return id;
    uint32_t number = ((const uint32_t *)folding->found.entries)[id];
    if (number == next && array_append(&folding->nodes, &node, 1) < 0)
        return -ENOMEM;
    return number;
}

static bool has_line(const struct folding *folding, uint32_t id, bool whole) {
    return !whole || folding->inner[id] <= folding->reader->header.nframe ||
           inner_frames_is_native(folding->reader, id);
}

/* Folds every stack as a whole. */
static int fold_nodes(struct folding *folding, bool whole) {
    for (uint32_t id = 1; id < folding->count; id++) {
        uint32_t parent = folding->reader->stacks[id].parent;
        uint32_t folded_parent = folding->parents[parent];
        bool certain = has_line(folding, id, whole);
        if (folding->imports[id]) {
            /* The outermost frame, if nothing but import frames lead here. */
            uint32_t outermost =
                folding->shown[parent] != 0 ? folding->shown[parent] : id;
            folding->parents[id] = folded_parent;
            folding->shown[id] = folded_parent != 0 ? folded_parent : outermost;
            continue;
        }
        int64_t shown = id;
        if (id >= FIXED_STACKS && (folded_parent != parent || !certain))
            shown = add_call(folding, folded_parent, id, certain);
        if (shown < 0)
            return (int)shown;
        folding->shown[id] = folding->parents[id] = (uint32_t)shown;
    }
    return 0;
}

/* Folds the window of a stack that is deeper than it, from the outermost frame. Returns
 * the folded stack, or -ENOMEM. */
static int64_t fold_window(struct folding *folding, uint32_t stack) {
    uint32_t count = 0, limit = folding->reader->header.nframe;
    int64_t folded = TRACEMALLOC_DUMP_EMPTY_STACK, outermost = folded;
    for (uint32_t id = stack; count < limit; id = folding->reader->stacks[id].parent)
        folding->window[count++] = id;
    folding->steps += count;
    while (count > 0) {
        uint32_t frame = folding->window[--count];
        if (!folding->imports[frame])
            folded = add_call(folding, (uint32_t)folded, frame, true);
        else if (folded == 0 && outermost == 0)
            outermost = add_call(folding, 0, frame, true);
        if (folded < 0 || outermost < 0)
            return -ENOMEM;
    }
    return folded != TRACEMALLOC_DUMP_EMPTY_STACK ? folded : outermost;
}

/* A stack without an import frame in its window stays unchanged. */
static int64_t fold_stack(struct folding *folding, uint32_t stack, bool whole) {
    uint32_t limit = folding->reader->header.nframe;
    if (whole || folding->depths[stack] <= limit)
        return folding->shown[stack];
    if (folding->distance[stack] >= limit || folding->steps > max_steps)
        return stack;
    return fold_window(folding, stack);
}

/* Only a merged dump has several sites of one stack in one domain, so a window is
 * rarely folded twice. */
static int fold_sites(struct folding *folding, bool whole) {
    struct dump_reader *reader = folding->reader;
    struct tracemalloc_dump_site *sites = reader->sites;
    uint32_t *recorded = calloc(reader->site_count + 1, sizeof *recorded);
    reader->recorded = recorded;
    if (recorded == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < reader->site_count; i++)
        recorded[i] = sites[i].stack;
    for (size_t i = 0; i < reader->site_count; i++) {
        int64_t shown = fold_stack(folding, recorded[i], whole);
        if (shown < 0)
            return (int)shown;
        sites[i].stack = (uint32_t)shown;
    }
    return 0;
}

static void replace_stacks(struct folding *folding) {
    struct dump_reader *reader = folding->reader;
    free(reader->stacks);
    reader->stacks = folding->nodes.entries;
    reader->stack_count = folding->nodes.count;
    folding->nodes.entries = NULL;
}

int import_frames_fold(struct dump_reader *reader, bool whole) {
    struct folding folding = {.reader = reader, .count = reader->stack_count};
    bool any = false;
    folding.imports = find_imports(reader, &any);
    int error = folding.imports == NULL ? -ENOMEM : 0;
    if (error == 0 && any && reader->recorded == NULL) {
        error = open_folding(&folding);
        if (error == 0) {
            measure(&folding);
            error = fold_nodes(&folding, whole);
        }
        if (error == 0)
            error = fold_sites(&folding, whole);
        if (error == 0)
            replace_stacks(&folding);
    }
    close_folding(&folding);
    return error;
}
