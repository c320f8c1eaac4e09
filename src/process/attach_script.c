/* SPDX-License-Identifier: MIT */
#include "process/attach_script.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "process/live_dump.h"
#include "process/remote_script.h"

enum { PATIENCE_MS = 500, BEGUN_MS = 5000, STEP_MS = 5 };

static const struct timespec step = {0, STEP_MS * 1000000};

/* The two texts are in hexadecimal digits. The interpreter's import machinery is not
 * asked, so that nothing stays in sys.modules. */
static const char script_begin[] = "import _imp, sys\n"
                                   "from _frozen_importlib import ModuleSpec\n"
                                   "path = bytes.fromhex('";
static const char script_middle[] =
    "').decode(sys.getfilesystemencoding(), sys.getfilesystemencodeerrors())\n"
    "sys._tracemalloc_attach = bytes.fromhex('";
static const char script_end[] =
    "')\n"
    "try:\n"
    "    _imp.create_dynamic(ModuleSpec('_tracemalloc_attach', None, origin=path))\n"
    "except Exception:\n"
    "    pass\n"
    "finally:\n"
    "    del sys._tracemalloc_attach\n";

static void write_digits(FILE *file, const char *text) {
    for (; *text != '\0'; text++)
        fprintf(file, "%02x", (unsigned)(unsigned char)*text);
}

static bool write_script(int fd, const struct attach_request *request) {
    FILE *file = fdopen(fd, "w");
    if (file == NULL) {
        close(fd);
        return false;
    }
    fputs(script_begin, file);
    write_digits(file, request->library);
    fputs(script_middle, file);
    write_digits(file, request->options);
    fputs(script_end, file);
    /* The process may be another user's. */
    bool readable = fchmod(fd, 0644) == 0;
    return fclose(file) == 0 && readable;
}

/* In the directory that the process has under that name, too. */
static bool is_seen(pid_t pid, const char *path) {
    char name[32 + PATH_MAX];
    struct stat here, there;
    snprintf(name, sizeof name, "/proc/%d/root%s", (int)pid, path);
    return stat(path, &here) == 0 && stat(name, &there) == 0 &&
           here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

static bool is_traced(const struct attach_target *target) {
    struct live_dump dump;
    if (live_dump_open(&dump, &target->status) < 0)
        return false;
    bool traced = dump.fd >= 0;
    live_dump_close(&dump);
    return traced;
}

static bool wait_for_dump(const struct attach_target *target, int limit_ms,
                          const volatile bool *is_interrupted) {
    for (int waited = 0; waited < limit_ms; waited += STEP_MS) {
        nanosleep(&step, NULL);
        if (is_traced(target))
            return true;
        if (is_interrupted != NULL && *is_interrupted)
            break;
    }
    return false;
}

/* A thread that has begun needs the file, whoever is interrupted. */
static bool ask(const struct attach_target *target, const struct remote_script *script,
                const char *path, const volatile bool *is_interrupted) {
    if (!is_seen(script->pid, path) || remote_script_ask(script, path) < 0)
        return false;
    return wait_for_dump(target, PATIENCE_MS, is_interrupted) ||
           (!remote_script_withdraw(script) && wait_for_dump(target, BEGUN_MS, NULL));
}

bool attach_script_run(const struct attach_target *target,
                       const struct attach_request *request,
                       const volatile bool *is_interrupted) {
    char path[] = "/tmp/tracemalloc.XXXXXX";
    struct remote_script script;
    if (remote_script_open(&script, request->pid, &target->mappings) < 0)
        return false;
    int fd = mkstemp(path);
    if (fd < 0)
        return false;
    bool traced =
        write_script(fd, request) && ask(target, &script, path, is_interrupted);
    unlink(path);
    return traced || is_traced(target);
}
