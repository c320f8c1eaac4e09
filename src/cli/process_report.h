/* SPDX-License-Identifier: MIT */
/* `stats --by process`: the statistics of each process of a dump, the one that holds
 * most first. One thread. */
#pragma once

#include "base/compiler.h"
#include "cli/report_options.h"
#include "dump/dump_reader.h"
#include "dump/frame_names.h"
#include "output/terminal.h"

/* Returns the exit status. The names outlive nothing of it. */
must_check int process_report_print(const struct dump_reader *reader,
                                    struct frame_names *names,
                                    const struct report_options *options);

/* One line, `Process PID: ARGUMENTS`, and one that says how it ended. */
void process_report_print_title(const struct terminal *terminal,
                                const struct dump_reader *reader, uint32_t process);
