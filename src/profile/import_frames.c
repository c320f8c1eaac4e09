/* SPDX-License-Identifier: MIT */
#include "profile/import_frames.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "collection/array.h"
#include "collection/id_map.h"

enum { FIXED_STACKS = 2, NONE = 0 };

/* A small damaged file must not keep a report busy. */
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
    size_t count;       /* of the recorded nodes */
    bool *imports;      /* by recorded node: its frame is one of the import system */
    uint32_t *depths;   /* by recorded node: frames from the root */
    uint32_t *callers;  /* by recorded node: frames inwards from the nearest import; its
                           depth where there is none, and more than any window */
    uint32_t *inner;    /* by recorded node: Python's frames to the innermost block */
    uint32_t *children; /* by recorded node: the first, then its siblings */
    uint32_t *siblings;
    bool *known;        /* by recorded node: its children are in `ids` */
    uint32_t *shown;    /* by recorded node: the stack of its own blocks */
    uint32_t *joints;   /* by recorded node: what the folded callees hang on */
    uint32_t *window;   /* nodes of one window */
    struct array nodes; /* struct tracemalloc_dump_stack */
    struct id_map ids;  /* of nodes, by parent, code and line */
    struct array found; /* uint32_t: node, by id */
    uint64_t steps;
};

static bool *find_import_code(const struct dump_reader *reader) {
    bool *found = calloc(reader->code_count, sizeof *found);
    for (uint32_t i = FIXED_STACKS; found != NULL && i < reader->code_count; i++)
        found[i] =
            dump_reader_native(reader, i) == NULL &&
            import_frames_match(dump_reader_text(reader, reader->code[i].filename));
    return found;
}

/* By node; NULL when there is no memory. `*any`: there is one. */
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
    folding->callers = calloc(count, sizeof *folding->callers);
    folding->inner = calloc(count, sizeof *folding->inner);
    folding->children = calloc(count, sizeof *folding->children);
    folding->siblings = calloc(count, sizeof *folding->siblings);
    folding->known = calloc(count, sizeof *folding->known);
    folding->shown = calloc(count, sizeof *folding->shown);
    folding->joints = calloc(count, sizeof *folding->joints);
    folding->window = calloc(reader->header.nframe, sizeof *folding->window);
    bool failed = folding->depths == NULL || folding->callers == NULL ||
                  folding->inner == NULL || folding->children == NULL ||
                  folding->siblings == NULL || folding->known == NULL ||
                  folding->shown == NULL || folding->joints == NULL ||
                  folding->window == NULL ||
                  array_append(&folding->nodes, reader->stacks, count) < 0;
    return failed ? -ENOMEM : 0;
}

static void close_folding(struct folding *folding) {
    free(folding->imports);
    free(folding->depths);
    free(folding->callers);
    free(folding->inner);
    free(folding->children);
    free(folding->siblings);
    free(folding->known);
    free(folding->shown);
    free(folding->joints);
    free(folding->window);
    free(folding->nodes.entries);
    free(folding->found.entries);
    id_map_clear(&folding->ids);
}

static bool is_native(const struct folding *folding, uint32_t id) {
    uint32_t code = folding->reader->stacks[id].code;
    return (code & TRACEMALLOC_DUMP_NATIVE) != 0 ||
           dump_reader_native(folding->reader, code) != NULL;
}

/* Parents come before their children. */
static void measure(struct folding *folding) {
    const struct dump_reader *reader = folding->reader;
    const struct tracemalloc_dump_stack *stacks = reader->stacks;
    folding->callers[0] = UINT32_MAX / 2;
    for (uint32_t id = 1; id < folding->count; id++) {
        uint32_t parent = stacks[id].parent;
        folding->depths[id] = folding->depths[parent] + 1;
        folding->callers[id] = folding->imports[id] ? 0 : folding->callers[parent] + 1;
    }
    for (size_t i = 0; i < reader->site_count; i++)
        folding->inner[reader->sites[i].stack] = 1;
    for (size_t id = folding->count; id-- > 1;) {
        uint32_t parent = stacks[id].parent;
        uint32_t frames = folding->inner[id];
        frames += frames > 0 && !is_native(folding, parent);
        if (frames > folding->inner[parent])
            folding->inner[parent] = frames;
        folding->siblings[id] = folding->children[parent];
        folding->children[parent] = (uint32_t)id;
    }
}

static struct id_pair key_of(const struct tracemalloc_dump_stack *node) {
    return (struct id_pair){(uint64_t)node->parent << 32 | node->code,
                            (uint64_t)node->high << 32 | node->line};
}

/* The id of a node's key, with the node of that key behind it; -ENOMEM. */
static int64_t add_key(struct folding *folding,
                       const struct tracemalloc_dump_stack *node, uint32_t number) {
    int64_t id = id_map_add(&folding->ids, key_of(node));
    if (id >= 0 && (size_t)id == folding->found.count &&
        array_append(&folding->found, &number, 1) < 0)
        return -ENOMEM;
    return id;
}

/* What a recorded node calls may be what a folded stack calls there. */
static int know_children(struct folding *folding, uint32_t parent) {
    if (parent >= folding->count || folding->known[parent])
        return 0;
    folding->known[parent] = true;
    for (uint32_t child = folding->children[parent]; child != NONE;
         child = folding->siblings[child])
        if (child >= FIXED_STACKS &&
            add_key(folding, &folding->reader->stacks[child], child) < 0)
            return -ENOMEM;
    return 0;
}

/* The node of a frame called by another node; recorded, added before, or new. */
static int64_t call(struct folding *folding, uint32_t parent, uint32_t frame,
                    bool has_line) {
    struct tracemalloc_dump_stack node = folding->reader->stacks[frame];
    node.parent = parent;
    node.line = has_line ? node.line : 0;
    if (know_children(folding, parent) < 0)
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
           is_native(folding, id);
}

/* Folds all of every stack. */
static int fold_nodes(struct folding *folding, bool whole) {
    for (uint32_t id = 1; id < folding->count; id++) {
        uint32_t parent = folding->reader->stacks[id].parent;
        uint32_t joint = folding->joints[parent];
        bool certain = has_line(folding, id, whole);
        if (folding->imports[id]) {
            uint32_t alone = folding->shown[parent] != 0 ? folding->shown[parent] : id;
            folding->joints[id] = joint;
            folding->shown[id] = joint != 0 ? joint : alone;
            continue;
        }
        int64_t shown = id;
        if (id >= FIXED_STACKS && (joint != parent || !certain))
            shown = call(folding, joint, id, certain);
        if (shown < 0)
            return (int)shown;
        folding->shown[id] = folding->joints[id] = (uint32_t)shown;
    }
    return 0;
}

/* Folds the window of a stack that has more frames. */
static int64_t fold_window(struct folding *folding, uint32_t stack) {
    uint32_t count = 0, limit = folding->reader->header.nframe;
    int64_t at = TRACEMALLOC_DUMP_EMPTY_STACK, alone = at;
    for (uint32_t id = stack; count < limit; id = folding->reader->stacks[id].parent)
        folding->window[count++] = id;
    folding->steps += count;
    while (count > 0 && at >= 0 && alone >= 0) {
        uint32_t frame = folding->window[--count];
        if (!folding->imports[frame])
            at = call(folding, (uint32_t)at, frame, true);
        else if (at == 0 && alone == 0)
            alone = call(folding, 0, frame, true);
    }
    return at != 0 || alone < 0 ? (at < 0 ? at : alone < 0 ? alone : at) : alone;
}

/* A stack without an import in what is shown of it stays as it is. */
static int64_t fold_stack(struct folding *folding, uint32_t stack, bool whole) {
    uint32_t limit = folding->reader->header.nframe;
    if (whole || folding->depths[stack] <= limit)
        return folding->shown[stack];
    if (folding->callers[stack] >= limit || folding->steps > max_steps)
        return stack;
    return fold_window(folding, stack);
}

/* Several sites of one stack follow each other in a dump of several processes only,
 * so that a window is rarely folded twice. */
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

static void install(struct folding *folding) {
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
            install(&folding);
    }
    close_folding(&folding);
    return error;
}
