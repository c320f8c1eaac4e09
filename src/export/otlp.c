/* SPDX-License-Identifier: MIT */
/* Writes OpenTelemetry profiles: a message ProfilesData of opentelemetry-proto, not
 * compressed.
 *
 *   resource_profiles   one for each process, with its resource
 *     scope_profiles
 *       profiles        one for each of sample_value_types, without samples of 0
 *   dictionary          what all of them refer to
 */
#include <errno.h>
#include <inttypes.h>
#include <otlp.pb-c.h>
#include <stdlib.h>
#include <string.h>

#include "export/exporter.h"
#include "export/otlp_dictionary.h"
#include "export/otlp_resource.h"
#include "export/sample_values.h"
#include "show/completeness.h"
#include "show/sampling.h"

/* Readers of protobuf refuse larger messages. */
static const size_t max_size = INT32_MAX;

struct otlp {
    struct trace_table table;
    struct otlp_dictionary dictionary;
    struct proto_buffer *profiles; /* SAMPLE_VALUES for each process, in its order */
    int32_t *domains;              /* attributes, by context */
    int32_t *threads;
    int32_t notes[2]; /* attributes of every profile: what one should know of it */
    size_t note_count;
};

static struct proto_buffer *profile_of(struct otlp *otlp, uint32_t process, int value) {
    return &otlp->profiles[(size_t)process * SAMPLE_VALUES + (size_t)value];
}

static void add_note(struct otlp *otlp, const char *key, const char *text) {
    otlp->notes[otlp->note_count++] =
        otlp_dictionary_attribute(&otlp->dictionary, key, text);
}

/* All reasons why the dump is incomplete, in one text that is freed; NULL if it is
 * complete or there is no memory. */
static char *join_reasons(const struct dump_reader *reader) {
    char *text = NULL, reason[COMPLETENESS_TEXT_SIZE];
    size_t size = 0, at = 0;
    FILE *stream = open_memstream(&text, &size);
    if (stream == NULL)
        return NULL;
    while (completeness_next(reader, &at, reason))
        fprintf(stream, "%s%s", ftell(stream) > 0 ? "; " : "", reason);
    if (fclose(stream) != 0 || size == 0) {
        free(text);
        return NULL;
    }
    return text;
}

static int add_notes(struct otlp *otlp) {
    const struct dump_reader *reader = otlp->table.input->reader;
    char sampling[SAMPLING_TEXT_SIZE];
    if (sampling_describe(reader, sampling))
        add_note(otlp, "tracemalloc.sampling", sampling);
    if (completeness_holds(reader))
        return 0;
    char *reasons = join_reasons(reader);
    if (reasons == NULL)
        return -ENOMEM;
    add_note(otlp, "tracemalloc.incomplete", reasons);
    free(reasons);
    return 0;
}

/* What is in use and the peak are of one point in time; what was allocated, of all the
 * time that was traced, or that passed since it was sent. */
static void fill_time(Otlp__Profile *profile, const struct export_input *input,
                      uint32_t process, int value) {
    uint64_t start = export_input_since(input, process);
    profile->time_unix_nano = export_input_time(input, process);
    if (value != SAMPLE_VALUE_ALLOC_SPACE && value != SAMPLE_VALUE_ALLOC_OBJECTS)
        return;
    profile->duration_nano = profile->time_unix_nano - start;
    profile->time_unix_nano = start;
}

static void put_head(struct otlp *otlp, uint32_t process, int value) {
    const struct dump_reader *reader = otlp->table.input->reader;
    const struct sample_value_type *words = &sample_value_types[value];
    uint32_t distance = reader->processes[process].sample_distance;
    Otlp__Profile profile = OTLP__PROFILE__INIT;
    Otlp__ValueType type = OTLP__VALUE_TYPE__INIT, period = OTLP__VALUE_TYPE__INIT;
    type.type_strindex = otlp_dictionary_word(&otlp->dictionary, words->name);
    type.unit_strindex = otlp_dictionary_word(&otlp->dictionary, words->unit);
    profile.sample_type = &type;
    if (distance > 0) {
        period.type_strindex = otlp_dictionary_word(&otlp->dictionary, "space");
        period.unit_strindex = otlp_dictionary_word(&otlp->dictionary, "bytes");
        profile.period_type = &period;
        profile.period = distance;
    }
    fill_time(&profile, otlp->table.input, process, value);
    profile.n_attribute_indices = otlp->note_count;
    profile.attribute_indices = otlp->notes;
    proto_buffer_pack(profile_of(otlp, process, value), &profile.base);
}

static int open_profiles(struct otlp *otlp) {
    size_t processes = otlp->table.input->reader->process_count;
    otlp->profiles = calloc(processes * SAMPLE_VALUES, sizeof *otlp->profiles);
    if (otlp->profiles == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < processes * SAMPLE_VALUES; i++)
        proto_buffer_open(&otlp->profiles[i]);
    int error = add_notes(otlp);
    for (uint32_t i = 0; error == 0 && i < processes; i++)
        for (int value = 0; value < SAMPLE_VALUES; value++)
            put_head(otlp, i, value);
    return error;
}

static int32_t thread_attribute(struct otlp *otlp,
                                const struct trace_context *context) {
    struct dump_text name = otlp->table.frames.names->texts[context->thread];
    return otlp_dictionary_text(&otlp->dictionary, "thread.name", name);
}

static int prepare_contexts(struct otlp *otlp) {
    size_t count = otlp->table.context_ids.count;
    otlp->domains = calloc(count + 1, sizeof *otlp->domains);
    otlp->threads = calloc(count + 1, sizeof *otlp->threads);
    if (otlp->domains == NULL || otlp->threads == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        char *domain = trace_table_domain_name(&otlp->table, i);
        if (domain == NULL)
            return -ENOMEM;
        otlp->domains[i] =
            otlp_dictionary_attribute(&otlp->dictionary, "tracemalloc.domain", domain);
        free(domain);
        otlp->threads[i] = thread_attribute(otlp, &otlp->table.contexts[i]);
    }
    return 0;
}

static void put_trace(struct otlp *otlp, const struct trace *trace) {
    uint32_t process = otlp->table.contexts[trace->context].process;
    int32_t attributes[] = {otlp->domains[trace->context],
                            otlp->threads[trace->context]};
    int64_t values[SAMPLE_VALUES];
    sample_values_fill(values, trace);
    Otlp__Profile profile = OTLP__PROFILE__INIT;
    Otlp__Sample sample = OTLP__SAMPLE__INIT, *pointer = &sample;
    sample.stack_index = otlp_dictionary_stack(&otlp->dictionary, trace);
    sample.n_attribute_indices = sizeof attributes / sizeof *attributes;
    sample.attribute_indices = attributes;
    sample.n_values = 1;
    profile.n_samples = 1;
    profile.samples = &pointer;
    for (int i = 0; i < SAMPLE_VALUES; i++) {
        sample.values = &values[i];
        if (values[i] != 0)
            proto_buffer_pack(profile_of(otlp, process, i), &profile.base);
    }
}

static int build(struct otlp *otlp) {
    int error = otlp_dictionary_open(&otlp->dictionary, &otlp->table);
    if (error == 0)
        error = open_profiles(otlp);
    if (error == 0)
        error = prepare_contexts(otlp);
    for (size_t i = 0; error == 0 && i < otlp->table.count; i++)
        put_trace(otlp, &otlp->table.traces[i]);
    return error;
}

/* 0, -ENOMEM, or -EFBIG. */
static int check_size(const struct otlp *otlp) {
    size_t profiles = otlp->table.input->reader->process_count * SAMPLE_VALUES;
    size_t total = otlp->dictionary.bytes.size;
    if (otlp->dictionary.failed)
        return -ENOMEM;
    for (size_t i = 0; i < profiles; i++) {
        if (otlp->profiles[i].failed)
            return -ENOMEM;
        total += otlp->profiles[i].size;
    }
    return total > max_size ? -EFBIG : 0;
}

/* protobuf-c calls it with the parts of a packed message. */
struct file_buffer {
    ProtobufCBuffer base;
    FILE *out;
};

static void append(ProtobufCBuffer *buffer, size_t size, const uint8_t *bytes) {
    fwrite(bytes, 1, size, ((struct file_buffer *)buffer)->out);
}

static void put(FILE *out, const Otlp__ProfilesData *part) {
    struct file_buffer buffer = {{append}, out};
    protobuf_c_message_pack_to_buffer(&part->base, &buffer.base);
}

static void put_process(struct otlp *otlp, uint32_t process,
                        const struct proto_buffer *resource, FILE *out) {
    static char name[] = "libtracemalloc";
    ProtobufCBinaryData profiles[SAMPLE_VALUES];
    for (int i = 0; i < SAMPLE_VALUES; i++)
        profiles[i] = proto_buffer_data(profile_of(otlp, process, i));
    Otlp__Scope scope = OTLP__SCOPE__INIT;
    Otlp__ScopeProfiles of_scope = OTLP__SCOPE_PROFILES__INIT, *scopes = &of_scope;
    Otlp__ResourceProfiles whole = OTLP__RESOURCE_PROFILES__INIT, *resources = &whole;
    Otlp__ProfilesData part = OTLP__PROFILES_DATA__INIT;
    scope.name = name;
    of_scope.scope = &scope;
    of_scope.n_profiles = SAMPLE_VALUES;
    of_scope.profiles = profiles;
    whole.resource = proto_buffer_data(resource);
    whole.n_scope_profiles = 1;
    whole.scope_profiles = &scopes;
    part.n_resource_profiles = 1;
    part.resource_profiles = &resources;
    put(out, &part);
}

static int put_processes(struct otlp *otlp, FILE *out) {
    int error = 0;
    for (uint32_t i = 0; error == 0 && i < otlp->table.input->reader->process_count;
         i++) {
        struct proto_buffer resource;
        proto_buffer_open(&resource);
        error = otlp_resource_pack(&resource, otlp->table.input, i);
        if (error == 0)
            put_process(otlp, i, &resource, out);
        proto_buffer_close(&resource);
    }
    return error;
}

static int put_all(struct otlp *otlp, FILE *out) {
    int error = check_size(otlp);
    if (error == 0)
        error = put_processes(otlp, out);
    if (error < 0)
        return error;
    Otlp__ProfilesData part = OTLP__PROFILES_DATA__INIT;
    part.dictionary = proto_buffer_data(&otlp->dictionary.bytes);
    put(out, &part);
    return 0;
}

static void release(struct otlp *otlp) {
    size_t profiles = otlp->table.input->reader->process_count * SAMPLE_VALUES;
    for (size_t i = 0; otlp->profiles != NULL && i < profiles; i++)
        proto_buffer_close(&otlp->profiles[i]);
    free(otlp->profiles);
    free(otlp->domains);
    free(otlp->threads);
    otlp_dictionary_close(&otlp->dictionary);
    trace_table_close(&otlp->table);
}

static int write_file(struct export_input *input, FILE *out) {
    struct otlp otlp = {0};
    int error = sample_values_open(&otlp.table, input);
    if (error < 0)
        return error;
    error = build(&otlp);
    if (error == 0)
        error = put_all(&otlp, out);
    release(&otlp);
    return error;
}

const struct exporter export_otlp = {
    .name = "otlp",
    .extension = "otlp",
    .summary = "OpenTelemetry profiles: in use, ever allocated and at the peak",
    .has_resource = true,
    .write = write_file,
};
