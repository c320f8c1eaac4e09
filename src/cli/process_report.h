/* SPDX-License-Identifier: MIT */
/* `stats --by process`: the statistics of each process of a dump, largest first. One
 * thread. */
#pragma once

#include "base/compiler.h"
#include "cli/report_options.h"
#include "dump/dump_reader.h"
#include "dump/frame_names.h"
#include "output/terminal.h"

/* Prints the statistics. Returns the exit status. */
must_check int process_report_print(const struct dump_reader *reader,
                                    struct frame_names *names,
                                    const struct report_options *options);

/* Prints `Process PID: ARGUMENTS`, and a line that says how the process ended. */
void process_report_print_title(const struct terminal *terminal,
                                const struct dump_reader *reader, uint32_t process);
