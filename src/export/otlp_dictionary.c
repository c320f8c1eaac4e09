/* SPDX-License-Identifier: MIT */
#include "export/otlp_dictionary.h"

#include <errno.h>
#include <otlp.pb-c.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "collection/array.h"
#include "export/plain_text.h"

static void put(struct otlp_dictionary *dictionary, const Otlp__Dictionary *part) {
    proto_buffer_pack(&dictionary->bytes, &part->base);
    dictionary->failed = dictionary->failed || dictionary->bytes.failed;
}

static void put_string(struct otlp_dictionary *dictionary, char *text) {
    Otlp__Dictionary part = OTLP__DICTIONARY__INIT;
    part.n_string_table = 1;
    part.string_table = &text;
    put(dictionary, &part);
}

static void put_attribute(struct otlp_dictionary *dictionary,
                          Otlp__KeyValueAndUnit *attribute) {
    Otlp__Dictionary part = OTLP__DICTIONARY__INIT;
    part.n_attribute_table = 1;
    part.attribute_table = &attribute;
    put(dictionary, &part);
}

static void put_mapping(struct otlp_dictionary *dictionary, Otlp__Mapping *mapping) {
    Otlp__Dictionary part = OTLP__DICTIONARY__INIT;
    part.n_mapping_table = 1;
    part.mapping_table = &mapping;
    put(dictionary, &part);
}

static void put_function(struct otlp_dictionary *dictionary, Otlp__Function *function) {
    Otlp__Dictionary part = OTLP__DICTIONARY__INIT;
    part.n_function_table = 1;
    part.function_table = &function;
    put(dictionary, &part);
}

static void put_location(struct otlp_dictionary *dictionary, Otlp__Location *location) {
    Otlp__Dictionary part = OTLP__DICTIONARY__INIT;
    part.n_location_table = 1;
    part.location_table = &location;
    put(dictionary, &part);
}

static void put_stack(struct otlp_dictionary *dictionary, Otlp__Stack *stack) {
    Otlp__Dictionary part = OTLP__DICTIONARY__INIT;
    part.n_stack_table = 1;
    part.stack_table = &stack;
    put(dictionary, &part);
}

/* No sample has a link; decoders of ids expect them at their full length. */
static void put_link(struct otlp_dictionary *dictionary) {
    static uint8_t zeros[16];
    Otlp__Dictionary part = OTLP__DICTIONARY__INIT;
    Otlp__Link link = OTLP__LINK__INIT, *pointer = &link;
    link.trace_id = (ProtobufCBinaryData){16, zeros};
    link.span_id = (ProtobufCBinaryData){8, zeros};
    part.n_link_table = 1;
    part.link_table = &pointer;
    put(dictionary, &part);
}

static void put_empty_entries(struct otlp_dictionary *dictionary) {
    static char empty[] = "";
    Otlp__KeyValueAndUnit attribute = OTLP__KEY_VALUE_AND_UNIT__INIT;
    Otlp__Mapping mapping = OTLP__MAPPING__INIT;
    Otlp__Function function = OTLP__FUNCTION__INIT;
    Otlp__Location location = OTLP__LOCATION__INIT;
    Otlp__Stack stack = OTLP__STACK__INIT;
    put_string(dictionary, empty);
    put_attribute(dictionary, &attribute);
    put_mapping(dictionary, &mapping);
    put_function(dictionary, &function);
    put_location(dictionary, &location);
    put_stack(dictionary, &stack);
    put_link(dictionary);
}

int otlp_dictionary_open(struct otlp_dictionary *dictionary,
                         struct trace_table *table) {
    const struct dump_reader *reader = table->input->reader;
    *dictionary = (struct otlp_dictionary){.table = table};
    proto_buffer_open(&dictionary->bytes);
    dictionary->window = calloc(table->longest, sizeof *dictionary->window);
    dictionary->locations =
        calloc(table->frames.ids.count + 1, sizeof *dictionary->locations);
    dictionary->mappings =
        calloc(table->input->names.count, sizeof *dictionary->mappings);
    dictionary->biases = calloc(reader->module_count + 1, sizeof *dictionary->biases);
    if (dictionary->window == NULL || dictionary->locations == NULL ||
        dictionary->mappings == NULL || dictionary->biases == NULL)
        return -ENOMEM;
    put_empty_entries(dictionary);
    return 0;
}

void otlp_dictionary_close(struct otlp_dictionary *dictionary) {
    proto_buffer_close(&dictionary->bytes);
    free(dictionary->strings);
    free(dictionary->locations);
    free(dictionary->mappings);
    free(dictionary->biases);
    free(dictionary->window);
    id_map_clear(&dictionary->functions);
    id_map_clear(&dictionary->attributes);
    id_map_clear(&dictionary->stacks);
}

/* Makes room for the index of a name. */
static bool reserve_string(struct otlp_dictionary *dictionary, uint32_t name) {
    size_t known = dictionary->string_capacity;
    if (array_reserve(&dictionary->strings, &dictionary->string_capacity,
                      (size_t)name + 1, sizeof *dictionary->strings) < 0)
        return false;
    size_t more = dictionary->string_capacity - known;
    memset(dictionary->strings + known, 0, more * sizeof *dictionary->strings);
    return true;
}

static int32_t name_string(struct otlp_dictionary *dictionary, uint32_t name) {
    struct dump_text text = dictionary->table->frames.names->texts[name];
    if (text.length == 0)
        return 0;
    if (!reserve_string(dictionary, name)) {
        dictionary->failed = true;
        return 0;
    }
    if (dictionary->strings[name] != 0)
        return dictionary->strings[name];
    char *copy = plain_text_copy(text);
    if (copy != NULL)
        put_string(dictionary, copy);
    dictionary->failed = dictionary->failed || copy == NULL;
    free(copy);
    return dictionary->strings[name] = ++dictionary->string_count;
}

int32_t otlp_dictionary_word(struct otlp_dictionary *dictionary, const char *word) {
    struct dump_text text = {word, strlen(word)};
    int64_t name = frame_names_add(dictionary->table->frames.names, text);
    if (name >= 0)
        return name_string(dictionary, (uint32_t)name);
    dictionary->failed = true;
    return 0;
}

/* Adds a pair to one of the maps. Returns its index in the table, where 0 is the empty
 * entry; `*is_new` if it has to be put there. */
static int32_t add(struct otlp_dictionary *dictionary, struct id_map *map,
                   struct id_pair pair, bool *is_new) {
    size_t known = map->count;
    int64_t id = id_map_add(map, pair);
    *is_new = id >= 0 && (size_t)id == known;
    if (id >= 0 && id < INT32_MAX)
        return (int32_t)id + 1;
    dictionary->failed = true;
    return 0;
}

int32_t otlp_dictionary_attribute(struct otlp_dictionary *dictionary, const char *key,
                                  const char *value) {
    struct id_pair pair = {hash_bytes(key, strlen(key), 0),
                           hash_bytes(value, strlen(value), 0)};
    bool is_new;
    int32_t index = add(dictionary, &dictionary->attributes, pair, &is_new);
    if (!is_new)
        return index;
    Otlp__AnyValue any = OTLP__ANY_VALUE__INIT;
    Otlp__KeyValueAndUnit attribute = OTLP__KEY_VALUE_AND_UNIT__INIT;
    any.value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
    any.string_value = (char *)value;
    attribute.key_strindex = otlp_dictionary_word(dictionary, key);
    attribute.value = &any;
    put_attribute(dictionary, &attribute);
    return index;
}

int32_t otlp_dictionary_text(struct otlp_dictionary *dictionary, const char *key,
                             struct dump_text text) {
    char *copy = plain_text_copy(text);
    int32_t index = 0;
    if (copy != NULL)
        index = otlp_dictionary_attribute(dictionary, key, copy);
    dictionary->failed = dictionary->failed || copy == NULL;
    free(copy);
    return index;
}

/* The mapping of a module starts at its load bias, so that an address less the start is
 * an ELF virtual address. Code of no module has none. */
static int32_t mapping_of(struct otlp_dictionary *dictionary, uint32_t number) {
    const struct export_input *input = dictionary->table->input;
    const struct tracemalloc_dump_module *module = &input->reader->modules[number];
    uint32_t name = input->shown.module_names[number];
    if (dictionary->mappings[name] != 0)
        return dictionary->mappings[name];
    if (dump_reader_text(input->reader, module->path).length == 0)
        return 0;
    struct dump_text build_id = dump_reader_text(input->reader, module->build_id);
    int32_t attribute = 0;
    if (build_id.length > 0)
        attribute = otlp_dictionary_text(dictionary, "process.executable.build_id.gnu",
                                         build_id);
    Otlp__Mapping mapping = OTLP__MAPPING__INIT;
    mapping.memory_start = module->load_bias;
    mapping.memory_limit = module->end;
    mapping.filename_strindex = name_string(dictionary, name);
    mapping.n_attribute_indices = attribute != 0;
    mapping.attribute_indices = &attribute;
    put_mapping(dictionary, &mapping);
    dictionary->mappings[name] = ++dictionary->mapping_count;
    dictionary->biases[dictionary->mapping_count] = module->load_bias;
    return dictionary->mapping_count;
}

static int32_t function_of(struct otlp_dictionary *dictionary,
                           const struct named_frame *frame) {
    struct id_pair pair = {frame->filename, frame->function};
    bool is_new;
    int32_t index = add(dictionary, &dictionary->functions, pair, &is_new);
    if (!is_new)
        return index;
    struct dump_text name = frame_table_function(&dictionary->table->frames, frame);
    Otlp__Function function = OTLP__FUNCTION__INIT;
    function.name_strindex =
        name_string(dictionary, name.length > 0 ? frame->function : frame->filename);
    function.filename_strindex = name_string(dictionary, frame->filename);
    function.start_line = frame->first_line;
    put_function(dictionary, &function);
    return index;
}

/* `<unknown>` and `<other>` are no frames of either type. */
static const char *frame_type(const struct frame_table *frames,
                              const struct named_frame *frame) {
    if (frame->native)
        return "native";
    bool is_code = frame->line > 0 || frame_table_function(frames, frame).length > 0;
    return is_code ? "cpython" : NULL;
}

/* An unknown native frame is written as an address only, so that the receiver looks up
 * its symbol. */
static int32_t location_of(struct otlp_dictionary *dictionary, uint32_t number) {
    const struct frame_table *frames = &dictionary->table->frames;
    const struct named_frame *frame = &frames->frames[number];
    if (dictionary->locations[number] != 0)
        return dictionary->locations[number];
    Otlp__Location location = OTLP__LOCATION__INIT;
    Otlp__Line line = OTLP__LINE__INIT, *pointer = &line;
    const char *type = frame_type(frames, frame);
    int32_t attribute = 0;
    if (type != NULL)
        attribute = otlp_dictionary_attribute(dictionary, "profile.frame.type", type);
    location.n_attribute_indices = type != NULL;
    location.attribute_indices = &attribute;
    if (frame->native) {
        location.mapping_index = mapping_of(dictionary, frame->module);
        location.address = dictionary->biases[location.mapping_index] + frame->address;
    }
    if (frame_table_is_named(frames, frame)) {
        line.function_index = function_of(dictionary, frame);
        line.line = frame->line;
        location.n_lines = 1;
        location.lines = &pointer;
    }
    put_location(dictionary, &location);
    return dictionary->locations[number] = ++dictionary->location_count;
}

int32_t otlp_dictionary_stack(struct otlp_dictionary *dictionary,
                              const struct trace *trace) {
    uint32_t count;
    const uint32_t *window = trace_table_window(dictionary->table, trace, &count);
    uint64_t hash = 0;
    for (uint32_t i = 0; i < count; i++) {
        int32_t location = location_of(dictionary, window[count - 1 - i]);
        dictionary->window[i] = location;
        hash = hash_pair(hash, (uint64_t)location);
    }
    struct id_pair pair = {hash,
                           (uint64_t)count << 32 | (uint32_t)dictionary->window[0]};
    bool is_new;
    int32_t index = add(dictionary, &dictionary->stacks, pair, &is_new);
    if (!is_new)
        return index;
    Otlp__Stack stack = OTLP__STACK__INIT;
    stack.n_location_indices = count;
    stack.location_indices = dictionary->window;
    put_stack(dictionary, &stack);
    return index;
}
