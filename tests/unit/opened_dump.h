/* SPDX-License-Identifier: MIT */
/* A made dump, opened and weighed. For tests; one thread; what fails ends the test. */
#pragma once

#include "dump_maker.h"
#include "profile/profile.h"

struct opened_dump {
    struct dump_reader *reader;
    struct frame_names names;
    struct profile profile;
};

void opened_dump_open(struct opened_dump *opened, const struct dump_maker *maker,
                      enum profile_point point);
void opened_dump_close(struct opened_dump *opened);

/* Only the reader: as the file is, and with its stacks as reports show them, by the
 * symbols that it holds. */
struct dump_reader *opened_dump_read(const struct dump_maker *maker);
struct dump_reader *opened_dump_read_shown(const struct dump_maker *maker);
