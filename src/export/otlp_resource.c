/* SPDX-License-Identifier: MIT */
#include "export/otlp_resource.h"

#include <errno.h>
#include <otlp.pb-c.h>
#include <stdlib.h>
#include <string.h>

#include "export/plain_text.h"
#include "export/source_names.h"
#include "show/dump_info.h"

enum { MAX_DETECTED = 8 }; /* attributes in addition to the user's */

struct otlp_attribute {
    Otlp__KeyValue pair;
    Otlp__AnyValue value;
    char *text; /* owned; NULL for a number */
};

/* Must not be moved while it is open. */
struct otlp_resource {
    Otlp__Resource message;
    struct otlp_attribute *attributes;
    size_t count;
};

static struct otlp_attribute *add(struct otlp_resource *resource, const char *key) {
    struct otlp_attribute *attribute = &resource->attributes[resource->count];
    attribute->pair = (Otlp__KeyValue)OTLP__KEY_VALUE__INIT;
    attribute->value = (Otlp__AnyValue)OTLP__ANY_VALUE__INIT;
    attribute->pair.key = (char *)key;
    attribute->pair.value = &attribute->value;
    resource->message.attributes[resource->count++] = &attribute->pair;
    return attribute;
}

static int add_text(struct otlp_resource *resource, const char *key,
                    struct dump_text text) {
    struct otlp_attribute *attribute = add(resource, key);
    attribute->text = plain_text_copy(text);
    attribute->value.value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
    attribute->value.string_value = attribute->text;
    return attribute->text == NULL ? -ENOMEM : 0;
}

/* Unless the user set it, or it is not known. */
static int add_detected(struct otlp_resource *resource,
                        const struct export_input *input, const char *key,
                        struct dump_text text) {
    if (text.length == 0 || resource_find(input->resource, key) != NULL)
        return 0;
    return add_text(resource, key, text);
}

static struct dump_text word_text(const char *word) {
    return (struct dump_text){word, strlen(word)};
}

static int add_users(struct otlp_resource *resource, const struct export_input *input) {
    int error = 0;
    for (size_t i = 0; error == 0 && i < input->resource->count; i++) {
        const struct resource_attribute *attribute = &input->resource->attributes[i];
        error = add_text(resource, attribute->key, word_text(attribute->value));
    }
    return error;
}

static int add_service(struct otlp_resource *resource, const struct export_input *input,
                       uint32_t process) {
    char name[SOURCE_NAMES_SIZE];
    source_names_service(input, process, name);
    return add_detected(resource, input, "service.name", word_text(name));
}

static int add_executable(struct otlp_resource *resource,
                          const struct export_input *input, uint32_t process) {
    const struct dump_reader *reader = input->reader;
    struct dump_text path =
        dump_reader_text(reader, reader->processes[process].executable);
    struct dump_text name = source_names_base(path);
    int error = add_service(resource, input, process);
    if (error == 0)
        error = add_detected(resource, input, "process.executable.path", path);
    if (error == 0)
        error = add_detected(resource, input, "process.executable.name", name);
    return error;
}

static int add_runtime(struct otlp_resource *resource,
                       const struct export_input *input) {
    const char *name = dump_info_implementation(input->reader);
    char version[DUMP_INFO_TEXT_SIZE];
    if (name == NULL)
        return 0;
    dump_info_version(input->reader, version);
    int error = add_detected(resource, input, "process.runtime.name", word_text(name));
    if (error == 0)
        error = add_detected(resource, input, "process.runtime.version",
                             word_text(version));
    return error;
}

static int add_host(struct otlp_resource *resource, const struct export_input *input) {
    char name[SOURCE_NAMES_SIZE];
    source_names_host(input, name);
    return add_detected(resource, input, "host.name", word_text(name));
}

static void add_pid(struct otlp_resource *resource, const struct export_input *input,
                    uint32_t process) {
    if (resource_find(input->resource, "process.pid") != NULL)
        return;
    struct otlp_attribute *attribute = add(resource, "process.pid");
    attribute->value.value_case = OTLP__ANY_VALUE__VALUE_INT_VALUE;
    attribute->value.int_value = export_input_pid(input, process);
}

static int add_all(struct otlp_resource *resource, const struct export_input *input,
                   uint32_t process) {
    int error = input->resource != NULL ? add_users(resource, input) : 0;
    if (error == 0)
        error = add_executable(resource, input, process);
    if (error == 0)
        error = add_runtime(resource, input);
    if (error == 0)
        error = add_host(resource, input);
    add_pid(resource, input, process);
    resource->message.n_attributes = resource->count;
    return error;
}

static void release(struct otlp_resource *resource) {
    for (size_t i = 0; i < resource->count; i++)
        free(resource->attributes[i].text);
    free(resource->attributes);
    free(resource->message.attributes);
}

int otlp_resource_pack(struct proto_buffer *buffer, const struct export_input *input,
                       uint32_t process) {
    size_t users = input->resource == NULL ? 0 : input->resource->count;
    size_t capacity = MAX_DETECTED + users;
    struct otlp_resource resource = {.message = OTLP__RESOURCE__INIT};
    resource.attributes = calloc(capacity, sizeof *resource.attributes);
    resource.message.attributes = calloc(capacity, sizeof *resource.message.attributes);
    int error = -ENOMEM;
    if (resource.attributes != NULL && resource.message.attributes != NULL)
        error = add_all(&resource, input, process);
    if (error == 0)
        proto_buffer_pack(buffer, &resource.message.base);
    release(&resource);
    return buffer->failed ? -ENOMEM : error;
}
