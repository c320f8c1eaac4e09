/* SPDX-License-Identifier: MIT */
#include "export/source_names.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/process.h"

struct dump_text source_names_base(struct dump_text path) {
    const char *slash = memrchr(path.bytes, '/', path.length);
    if (slash == NULL)
        return path;
    size_t length = path.length - (size_t)(slash + 1 - path.bytes);
    return (struct dump_text){slash + 1, length};
}

void source_names_service(const struct export_input *input, uint32_t process,
                          char name[SOURCE_NAMES_SIZE]) {
    const struct dump_reader *reader = input->reader;
    const char *given = resource_find(input->resource, "service.name");
    struct dump_text executable = source_names_base(
        dump_reader_text(reader, reader->processes[process].executable));
    if (given != NULL)
        snprintf(name, SOURCE_NAMES_SIZE, "%s", given);
    else
        snprintf(name, SOURCE_NAMES_SIZE, "unknown_service%s%.*s",
                 executable.length > 0 ? ":" : "", (int)executable.length,
                 executable.bytes);
}

void source_names_host(const struct export_input *input, char name[SOURCE_NAMES_SIZE]) {
    const struct tracemalloc_dump_header *header = &input->reader->header;
    const char *given = resource_find(input->resource, "host.name");
    char boot_id[sizeof header->boot_id];
    process_boot_id(boot_id, sizeof boot_id);
    name[0] = '\0';
    if (given != NULL)
        snprintf(name, SOURCE_NAMES_SIZE, "%s", given);
    else if (boot_id[0] != '\0' &&
             strncmp(boot_id, header->boot_id, sizeof boot_id - 1) == 0 &&
             gethostname(name, SOURCE_NAMES_SIZE - 1) != 0)
        name[0] = '\0';
}
