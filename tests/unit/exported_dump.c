/* SPDX-License-Identifier: MIT */
#include "exported_dump.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "export/exporter.h"
#include "opened_dump.h"

struct exported_dump exported_dump_make(const struct dump_maker *maker,
                                        const char *format,
                                        const struct export_input *settings) {
    static const struct filter everything;
    struct exported_dump result = {0};
    struct export_input input = *settings;
    struct dump_reader *reader = opened_dump_read_shown(maker);
    ck_assert_int_eq(export_input_open(&input, reader, &everything), 0);
    FILE *stream = open_memstream(&result.bytes, &result.size);
    result.error = exporter_find(format)->write(&input, stream);
    ck_assert_int_eq(fclose(stream), 0);
    export_input_close(&input);
    dump_reader_close(reader);
    return result;
}

struct exported_dump exported_dump_make_all(const struct dump_maker *maker,
                                            const char *format) {
    struct export_input settings;
    export_input_prepare(&settings);
    return exported_dump_make(maker, format, &settings);
}

void exported_dump_free(struct exported_dump *result) {
    free(result->bytes);
    *result = (struct exported_dump){0};
}
