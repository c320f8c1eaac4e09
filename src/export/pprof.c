/* SPDX-License-Identifier: MIT */
/* Writes a profile of https://github.com/google/pprof: a gzip-compressed message of
 * profile.proto, which is written in parts, because concatenated messages are one.
 *
 *   string_table   ""   names of the input, by id + 1   texts of this file
 *   location       one for each frame, by id + 1
 *   mapping        1 the interpreter, whose are the Python frames; then the modules
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <profile.pb-c.h>

#include "collection/array.h"
#include "export/exporter.h"
#include "export/gzip_writer.h"
#include "export/plain_text.h"
#include "export/sample_values.h"
#include "export/trace_table.h"
#include "show/births_report.h"
#include "show/completeness.h"
#include "show/sampling.h"

enum { LABELS = 3, INTERPRETER = 1 };

struct pprof {
    struct trace_table table;
    struct gzip_writer gzip;
    bool failed;  /* no memory for a text */
    char **texts; /* of this file */
    size_t text_count;
    size_t text_capacity;
    struct id_map functions; /* by file and name */
    uint32_t *mappings;      /* by name of the input: that of the module's path */
    uint64_t *biases;        /* by mapping */
    size_t mapping_count;    /* with the interpreter */
    uint64_t *locations;     /* room for the longest traceback */
    int64_t label_keys;      /* the first of LABELS texts */
    int64_t pids;            /* the first text, by process */
    int64_t domains;         /* by context */
};

/* protobuf-c calls it with the parts of a packed message. */
struct gzip_buffer {
    ProtobufCBuffer base;
    struct gzip_writer *gzip;
};

static void append(ProtobufCBuffer *buffer, size_t size, const uint8_t *bytes) {
    gzip_writer_put(((struct gzip_buffer *)buffer)->gzip, bytes, size);
}

static void put(struct pprof *pprof, const Pprof__Profile *profile) {
    struct gzip_buffer buffer = {{append}, &pprof->gzip};
    protobuf_c_message_pack_to_buffer(&profile->base, &buffer.base);
}

static int64_t name_string(uint32_t name) {
    return (int64_t)name + 1;
}

/* Adds a text, which is NULL if there was no memory for it. Returns its index in the
 * string table. */
static int64_t keep_text(struct pprof *pprof, char *text) {
    size_t count = pprof->text_count;
    if (text == NULL || array_reserve(&pprof->texts, &pprof->text_capacity, count + 1,
                                      sizeof *pprof->texts) < 0) {
        pprof->failed = true;
        free(text);
        return 0;
    }
    pprof->texts[pprof->text_count++] = text;
    return name_string((uint32_t)(pprof->table.frames.names->count + count));
}

static int64_t add_text(struct pprof *pprof, struct dump_text text) {
    return keep_text(pprof, plain_text_copy(text));
}

static int64_t add_word(struct pprof *pprof, const char *word) {
    return keep_text(pprof, strdup(word));
}

static int64_t add_number(struct pprof *pprof, uint32_t number) {
    char *text;
    return keep_text(pprof, asprintf(&text, "%" PRIu32, number) < 0 ? NULL : text);
}

static void put_sample_types(struct pprof *pprof) {
    Pprof__ValueType types[SAMPLE_VALUES], *pointers[SAMPLE_VALUES];
    for (int i = 0; i < SAMPLE_VALUES; i++) {
        types[i] = (Pprof__ValueType)PPROF__VALUE_TYPE__INIT;
        types[i].type = add_word(pprof, sample_value_types[i].name);
        types[i].unit = add_word(pprof, sample_value_types[i].unit);
        pointers[i] = &types[i];
    }
    Pprof__Profile profile = PPROF__PROFILE__INIT;
    profile.n_sample_type = SAMPLE_VALUES;
    profile.sample_type = pointers;
    profile.default_sample_type = types[0].type;
    put(pprof, &profile);
}

/* The values are scaled already; the period says how well they are known. */
static void put_period(struct pprof *pprof) {
    const struct dump_reader *reader = pprof->table.input->reader;
    uint32_t distance;
    if (!sampling_is_uniform(reader, &distance) || distance == 0)
        return;
    Pprof__ValueType type = PPROF__VALUE_TYPE__INIT;
    Pprof__Profile profile = PPROF__PROFILE__INIT;
    type.type = add_word(pprof, "space");
    type.unit = add_word(pprof, "bytes");
    profile.period_type = &type;
    profile.period = distance;
    put(pprof, &profile);
}

static void put_time(struct pprof *pprof) {
    const struct export_input *input = pprof->table.input;
    const struct tracemalloc_dump_header *header = &input->reader->header;
    Pprof__Profile profile = PPROF__PROFILE__INIT;
    uint64_t start = header->start_time;
    if (input->sent_until > start)
        start = input->sent_until;
    profile.time_nanos = (int64_t)start;
    if (header->end_time > start)
        profile.duration_nanos = (int64_t)(header->end_time - start);
    put(pprof, &profile);
}

static void put_comment(struct pprof *pprof, const char *text) {
    int64_t comment = add_word(pprof, text);
    Pprof__Profile profile = PPROF__PROFILE__INIT;
    profile.n_comment = 1;
    profile.comment = &comment;
    put(pprof, &profile);
}

static void put_comments(struct pprof *pprof) {
    const struct dump_reader *reader = pprof->table.input->reader;
    char text[COMPLETENESS_TEXT_SIZE], sampling[SAMPLING_TEXT_SIZE];
    char births[BIRTHS_REPORT_SIZE];
    if (births_report_text(reader, births))
        put_comment(pprof, births);
    if (sampling_describe(reader, sampling))
        put_comment(pprof, sampling);
    for (size_t at = 0; completeness_next(reader, &at, text);)
        put_comment(pprof, text);
}

static void put_mapping(struct pprof *pprof, Pprof__Mapping *mapping) {
    mapping->id = ++pprof->mapping_count;
    Pprof__Profile profile = PPROF__PROFILE__INIT;
    profile.n_mapping = 1;
    profile.mapping = &mapping;
    put(pprof, &profile);
}

/* Tells pprof that Python frames need no further symbols. */
static void put_interpreter(struct pprof *pprof) {
    const struct dump_reader *reader = pprof->table.input->reader;
    Pprof__Mapping mapping = PPROF__MAPPING__INIT;
    mapping.filename =
        add_text(pprof, dump_reader_text(reader, reader->header.executable));
    mapping.has_functions = true;
    mapping.has_filenames = true;
    mapping.has_line_numbers = true;
    put_mapping(pprof, &mapping);
}

/* The mapping of a module starts at its load bias, so that an address less the start is
 * an ELF virtual address. */
static void put_module(struct pprof *pprof, size_t number) {
    const struct dump_reader *reader = pprof->table.input->reader;
    const struct tracemalloc_dump_module *module = &reader->modules[number];
    uint32_t name = pprof->table.input->shown.module_names[number];
    if (pprof->mappings[name] != 0)
        return;
    Pprof__Mapping mapping = PPROF__MAPPING__INIT;
    mapping.memory_start = module->load_bias;
    mapping.memory_limit = module->end;
    mapping.filename = name_string(name);
    mapping.build_id = add_text(pprof, dump_reader_text(reader, module->build_id));
    put_mapping(pprof, &mapping);
    pprof->mappings[name] = (uint32_t)mapping.id;
    pprof->biases[mapping.id] = module->load_bias;
}

static int put_modules(struct pprof *pprof) {
    const struct export_input *input = pprof->table.input;
    size_t modules = input->reader->module_count;
    pprof->mappings = calloc(input->names.count, sizeof *pprof->mappings);
    pprof->biases = calloc(modules + INTERPRETER + 1, sizeof *pprof->biases);
    if (pprof->mappings == NULL || pprof->biases == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < modules; i++)
        put_module(pprof, i);
    return 0;
}

/* The id of a frame's function, or -ENOMEM. With a system name equal to its name pprof
 * would take `<module>` for the parameters of a C++ template, and leave them out. */
static int64_t put_function(struct pprof *pprof, const struct named_frame *frame) {
    struct id_pair pair = {frame->filename, frame->function};
    size_t known = pprof->functions.count;
    int64_t number = id_map_add(&pprof->functions, pair);
    if (number < 0 || (size_t)number < known)
        return number < 0 ? number : number + 1;
    struct dump_text name = frame_table_function(&pprof->table.frames, frame);
    Pprof__Function function = PPROF__FUNCTION__INIT, *pointer = &function;
    function.id = (uint64_t)number + 1;
    function.name = name_string(name.length > 0 ? frame->function : frame->filename);
    function.filename = name_string(frame->filename);
    function.start_line = frame->first_line;
    Pprof__Profile profile = PPROF__PROFILE__INIT;
    profile.n_function = 1;
    profile.function = &pointer;
    put(pprof, &profile);
    return (int64_t)function.id;
}

static void put_location(struct pprof *pprof, Pprof__Location *location) {
    Pprof__Profile profile = PPROF__PROFILE__INIT;
    profile.n_location = 1;
    profile.location = &location;
    put(pprof, &profile);
}

/* An unknown native frame is written as an address only, so that pprof looks up its
 * symbol. */
static int put_frame(struct pprof *pprof, size_t number) {
    const struct named_frame *frame = &pprof->table.frames.frames[number];
    Pprof__Location location = PPROF__LOCATION__INIT;
    Pprof__Line line = PPROF__LINE__INIT, *pointer = &line;
    location.id = number + 1;
    location.mapping_id = INTERPRETER;
    if (frame->native) {
        uint32_t name = pprof->table.input->shown.module_names[frame->module];
        location.mapping_id = pprof->mappings[name];
        location.address = pprof->biases[location.mapping_id] + frame->address;
    }
    if (frame_table_is_named(&pprof->table.frames, frame)) {
        int64_t function = put_function(pprof, frame);
        if (function < 0)
            return (int)function;
        line.function_id = (uint64_t)function;
        line.line = frame->line;
        location.n_line = 1;
        location.line = &pointer;
    }
    put_location(pprof, &location);
    return 0;
}

static int put_frames(struct pprof *pprof) {
    int error = 0;
    for (size_t i = 0; error == 0 && i < pprof->table.frames.ids.count; i++)
        error = put_frame(pprof, i);
    return error;
}

/* Adds the texts of the labels, to which samples refer by index. */
static void prepare_labels(struct pprof *pprof) {
    const struct export_input *input = pprof->table.input;
    pprof->label_keys = add_word(pprof, "domain");
    add_word(pprof, "pid");
    add_word(pprof, "thread");
    for (uint32_t i = 0; i < input->reader->process_count; i++) {
        int64_t pid = add_number(pprof, export_input_pid(input, i));
        pprof->pids = i == 0 ? pid : pprof->pids;
    }
    for (size_t i = 0; i < pprof->table.context_ids.count; i++) {
        int64_t text = keep_text(pprof, trace_table_domain_name(&pprof->table, i));
        pprof->domains = i == 0 ? text : pprof->domains;
    }
}

static void fill_labels(const struct pprof *pprof, Pprof__Label labels[LABELS],
                        const struct trace *trace) {
    const struct trace_context *context = &pprof->table.contexts[trace->context];
    for (int i = 0; i < LABELS; i++) {
        labels[i] = (Pprof__Label)PPROF__LABEL__INIT;
        labels[i].key = pprof->label_keys + i;
    }
    labels[0].str = pprof->domains + trace->context;
    labels[1].str = pprof->pids + context->process;
    labels[2].str = name_string(context->thread);
}

static void put_sample(struct pprof *pprof, const struct trace *trace) {
    uint32_t count;
    const uint32_t *window = trace_table_window(&pprof->table, trace, &count);
    for (uint32_t i = 0; i < count; i++)
        pprof->locations[i] = (uint64_t)window[count - 1 - i] + 1;
    int64_t values[SAMPLE_VALUES];
    Pprof__Label labels[LABELS], *pointers[LABELS] = {labels, labels + 1, labels + 2};
    sample_values_fill(values, trace);
    fill_labels(pprof, labels, trace);
    Pprof__Sample sample = PPROF__SAMPLE__INIT, *pointer = &sample;
    sample.n_location_id = count;
    sample.location_id = pprof->locations;
    sample.n_value = SAMPLE_VALUES;
    sample.value = values;
    sample.n_label = LABELS;
    sample.label = pointers;
    Pprof__Profile profile = PPROF__PROFILE__INIT;
    profile.n_sample = 1;
    profile.sample = &pointer;
    put(pprof, &profile);
}

static int put_samples(struct pprof *pprof) {
    pprof->locations = calloc(pprof->table.longest, sizeof *pprof->locations);
    if (pprof->locations == NULL)
        return -ENOMEM;
    prepare_labels(pprof);
    for (size_t i = 0; i < pprof->table.count; i++)
        put_sample(pprof, &pprof->table.traces[i]);
    return 0;
}

static void put_string(struct pprof *pprof, char *text) {
    Pprof__Profile profile = PPROF__PROFILE__INIT;
    profile.n_string_table = 1;
    profile.string_table = &text;
    put(pprof, &profile);
}

static int put_strings(struct pprof *pprof) {
    const struct frame_names *names = pprof->table.frames.names;
    static char empty[] = "";
    put_string(pprof, empty);
    for (size_t i = 0; i < names->count; i++) {
        char *text = plain_text_copy(names->texts[i]);
        if (text == NULL)
            return -ENOMEM;
        put_string(pprof, text);
        free(text);
    }
    for (size_t i = 0; i < pprof->text_count; i++)
        put_string(pprof, pprof->texts[i]);
    return pprof->failed ? -ENOMEM : 0;
}

static int put_profile(struct pprof *pprof) {
    put_sample_types(pprof);
    put_period(pprof);
    put_time(pprof);
    put_comments(pprof);
    put_interpreter(pprof);
    int error = put_modules(pprof);
    if (error == 0)
        error = put_frames(pprof);
    if (error == 0)
        error = put_samples(pprof);
    return error == 0 ? put_strings(pprof) : error;
}

static void release(struct pprof *pprof) {
    for (size_t i = 0; i < pprof->text_count; i++)
        free(pprof->texts[i]);
    free(pprof->texts);
    id_map_clear(&pprof->functions);
    free(pprof->mappings);
    free(pprof->biases);
    free(pprof->locations);
    trace_table_close(&pprof->table);
}

static int write_file(struct export_input *input, FILE *out) {
    struct pprof pprof = {0};
    int error = sample_values_open(&pprof.table, input);
    if (error == 0)
        error = gzip_writer_open(&pprof.gzip, out);
    if (error == 0) {
        error = put_profile(&pprof);
        int closed = gzip_writer_close(&pprof.gzip);
        error = error == 0 ? closed : error;
    }
    release(&pprof);
    return error;
}

const struct exporter export_pprof = {
    .name = "pprof",
    .extension = "pb.gz",
    .summary = "for Google's pprof: in use, ever allocated and at the peak",
    .write = write_file,
};
