/* SPDX-License-Identifier: MIT */
#include "tracing/dump_output.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/io.h"
#include "base/message.h"
#include "base/process.h"
#include "base/sys.h"
#include "hooks/libc_real.h"
#include "trace/tracer.h"
#include "tracing/traced_process.h"

static int expand_name(char *name, size_t size) {
    char command[64] = "";
    struct utsname host;
    int saved_errno = errno;
    if (uname(&host) != 0)
        host.nodename[0] = '\0';
    errno = saved_errno;
    if (io_read_file("/proc/self/comm", command, sizeof command) < 0)
        command[0] = '\0';
    command[strcspn(command, "\n")] = '\0';
    struct pattern_values values = {(uint32_t)sys_getpid(), command, host.nodename,
                                    process_clock() / 1000000000u};
    return options_expand_pattern(traced_process.options->output, &values, name, size);
}

static const char *temporary_directory(void) {
    for (char *const *variable = environ; variable != NULL && *variable != NULL;
         variable++)
        if (strncmp(*variable, "TMPDIR=", 7) == 0)
            return *variable + 7;
    return "/tmp";
}

static const char *reason(int error) {
    if (error == -ENODEV)
        return "it is not a regular file";
    if (error == -EFBIG || error == -EDOM)
        return "the limit on its size is too low";
    return libc_real.strerrordesc_np != NULL ? libc_real.strerrordesc_np(-error)
                                             : "the system refuses it";
}

void dump_output_attach(void) {
    static char name[PATH_MAX]; /* protected by traced_process_lock */
    const char *const directories[] = {temporary_directory(), "/tmp", NULL};
    struct dump_file_place place = {0};
    int error = expand_name(name, sizeof name);
    if (error == 0)
        error = dump_file_attach(tracer.dump, name, directories, &place);
    else
        place.refused = error;
    if (error < 0)
        message("no dump is written: ", name, ": ", reason(place.refused), NULL);
    else if (place.refused < 0)
        message("cannot write ", name, " (", reason(place.refused), "); the dump is ",
                tracer.dump->path, NULL);
    if (error < 0)
        tracer.dump->header->lost[TRACEMALLOC_DUMP_LOST_FILE]++;
}
