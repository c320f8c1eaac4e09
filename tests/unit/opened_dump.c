/* SPDX-License-Identifier: MIT */
#include "opened_dump.h"

#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#include "symbols/shown_stacks.h"

struct dump_reader *opened_dump_read(const struct dump_maker *maker) {
    struct dump_reader *reader;
    size_t size;
    unsigned char *image = dump_maker_image(maker, &size);
    int fd = dump_maker_memory_file(image, size);
    ck_assert_int_eq(dump_reader_open_fd(&reader, fd), 0);
    close(fd);
    free(image);
    return reader;
}

struct dump_reader *opened_dump_read_shown(const struct dump_maker *maker) {
    static const struct shown_stacks_options options;
    struct dump_reader *reader = opened_dump_read(maker);
    ck_assert_int_eq(shown_stacks_apply(reader, &options), 0);
    return reader;
}

void opened_dump_open(struct opened_dump *opened, const struct dump_maker *maker,
                      enum profile_point point) {
    opened->reader = opened_dump_read_shown(maker);
    ck_assert_int_eq(frame_names_open(&opened->names), 0);
    ck_assert_int_eq(
        profile_open(&opened->profile, opened->reader, &opened->names, point), 0);
}

void opened_dump_close(struct opened_dump *opened) {
    profile_close(&opened->profile);
    frame_names_close(&opened->names);
    dump_reader_close(opened->reader);
}
