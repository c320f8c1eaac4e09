/* SPDX-License-Identifier: MIT */
#include "cli/build_report.h"

#include <string.h>

#include "base/build.h"
#include "show/labelled_line.h"

/* Each text is empty if it is unknown. */
struct build {
    const char *version;
    const char *description;
    const char *machine;
};

static struct build library_of(const struct dump_reader *reader) {
    const struct tracemalloc_dump_header *header = &reader->header;
    return (struct build){
        .version = header->library_version,
        .description = header->library_build,
        .machine = header->library_machine,
    };
}

static struct build command_itself(void) {
    return (struct build){
        .version = build_version,
        .description = build_description,
        .machine = build_machine,
    };
}

static const char *known(const char *text, const char *otherwise) {
    return text[0] != '\0' ? text : otherwise;
}

static void print(const struct terminal *terminal, size_t columns, const char *label,
                  struct build build) {
    labelled_line_print(terminal, columns, label, "%s (%s) %s",
                        known(build.version, "unknown version"),
                        known(build.description, "unknown build"), build.machine);
}

void build_report_print(const struct terminal *terminal, size_t columns,
                        const struct dump_reader *reader) {
    print(terminal, columns, "library", library_of(reader));
    print(terminal, columns, "command", command_itself());
}

static void add_text(struct json_writer *writer, const char *key, const char *text) {
    json_writer_key(writer, key);
    if (text[0] != '\0')
        json_writer_text(writer, (struct dump_text){text, strlen(text)});
    else
        json_writer_null(writer);
}

static void add(struct json_writer *writer, const char *key, struct build build) {
    json_writer_key(writer, key);
    json_writer_open_map(writer);
    add_text(writer, "version", build.version);
    add_text(writer, "build", build.description);
    add_text(writer, "architecture", build.machine);
    json_writer_close_map(writer);
}

void build_report_add_json(struct json_writer *writer,
                           const struct dump_reader *reader) {
    add(writer, "library", library_of(reader));
    add(writer, "command", command_itself());
}
