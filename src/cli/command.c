/* SPDX-License-Identifier: MIT */
#include "cli/command.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "output/failure.h"

int command_close_output(void) {
    bool failed = ferror(stdout) != 0;
    errno = 0;
    failed |= fclose(stdout) != 0;
    if (!failed)
        return 0;
    return failure_print("cannot write the output: %s",
                         errno != 0 ? strerror(errno) : "write error");
}
