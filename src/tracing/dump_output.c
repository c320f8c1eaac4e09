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
#include "trace/tracer.h"
#include "tracing/traced_process.h"

static int expand_name(char *name, size_t size) {
    char command[64] = "";
    struct utsname host;
    int saved = errno;
    if (uname(&host) != 0)
        host.nodename[0] = '\0';
    errno = saved;
    if (io_read_file("/proc/self/comm", command, sizeof command) < 0)
        command[0] = '\0';
    command[strcspn(command, "\n")] = '\0';
    struct pattern_values values = {(uint32_t)sys_getpid(), command, host.nodename,
                                    process_clock() / 1000000000u};
    return options_expand_pattern(traced_process.options->output, &values, name, size);
}

static const char *temporary_folder(void) {
    for (char *const *variable = environ; variable != NULL && *variable != NULL;
         variable++)
        if (strncmp(*variable, "TMPDIR=", 7) == 0)
            return *variable + 7;
    return "/tmp";
}

static const char *reason(int status) {
    if (status == -ENODEV)
        return "it is not a regular file";
    if (status == -EFBIG || status == -EDOM)
        return "the limit on its size is too low";
    return strerrordesc_np(-status);
}

void dump_output_attach(void) {
    static char name[PATH_MAX]; /* protected by the lock of tracing's life */
    const char *const folders[] = {temporary_folder(), "/tmp", NULL};
    struct dump_file_place place = {0};
    int status = expand_name(name, sizeof name);
    if (status == 0)
        status = dump_file_attach(tracer.dump, name, folders, &place);
    else
        place.refused = status;
    if (status < 0)
        message("no dump is written: ", name, ": ", reason(place.refused), NULL);
    else if (place.refused < 0)
        message("cannot write ", name, " (", reason(place.refused), "); the dump is ",
                tracer.dump->path, NULL);
    if (status < 0)
        tracer.dump->header->lost[TRACEMALLOC_DUMP_LOST_FILE]++;
}
