/* SPDX-License-Identifier: MIT */
#include "process/process_status.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/process.h"
#include "control/options.h"
#include "control/request.h"
#include "process/remote_memory.h"

static const char library_name[] = "libtracemalloc.so";

static bool has_signal(uint64_t mask, int number) {
    return mask >> (number - 1) & 1;
}

static FILE *open_of(pid_t pid, const char *name) {
    char path[128];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    return fopen(path, "re");
}

/* NSpid has one pid for each nested namespace, the innermost last. Kernels before 4.1
 * do not have this line. */
static uint32_t last_number(const char *text) {
    uint32_t number = 0;
    int length = 0;
    while (sscanf(text, "%u%n", &number, &length) == 1)
        text += length;
    return number;
}

static void read_line(const char *line, struct process_status *out) {
    int number;
    sscanf(line, "State: %c", &out->state);
    sscanf(line, "Uid: %u", &out->uid);
    sscanf(line, "SigCgt: %lx", &out->caught);
    if (sscanf(line, "Tgid: %d", &number) == 1)
        out->tgid = number;
    if (strncmp(line, "NSpid:", 6) == 0)
        out->own_pid = last_number(line + 6);
}

int process_status_read(pid_t pid, struct process_status *out) {
    char line[1024];
    *out =
        (struct process_status){.pid = pid, .own_pid = (uint32_t)pid, .uid = (uid_t)-1};
    FILE *file = open_of(pid, "status");
    if (file == NULL)
        return errno == ENOENT ? -ESRCH : -errno;
    while (fgets(line, sizeof line, file) != NULL)
        read_line(line, out);
    fclose(file);
    int error = process_start_time((uint32_t)pid, &out->start);
    return error == -ENOENT || out->tgid == 0 ? -ESRCH : error;
}

long process_status_number(pid_t pid, const char *name) {
    char line[1024];
    size_t length = strlen(name);
    long number = 0;
    FILE *file = open_of(pid, "status");
    if (file == NULL)
        return 0;
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, name, length) == 0)
            number = strtol(line + length, NULL, 10);
    fclose(file);
    return number;
}

bool process_status_is_ours(const struct process_status *status) {
    return geteuid() == 0 || geteuid() == status->uid;
}

bool process_status_catches(const struct process_status *status, int number) {
    return number > 0 && has_signal(status->caught, number);
}

bool process_status_is_held(const struct process_status *status) {
    return status->state == 'T' || status->state == 't';
}

/* A thread that is gone counts as blocking the signal. */
static bool thread_blocks(pid_t pid, const char *thread, int number) {
    char name[64], line[1024];
    unsigned long blocked = ~0ul;
    snprintf(name, sizeof name, "task/%.20s/status", thread);
    FILE *file = open_of(pid, name);
    if (file == NULL)
        return true;
    while (fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "SigBlk: %lx", &blocked) == 1)
            break;
    fclose(file);
    return has_signal(blocked, number);
}

bool process_status_blocks(pid_t pid, int number) {
    char path[64];
    bool blocks = true;
    struct dirent *entry;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *directory = opendir(path);
    if (directory == NULL)
        return false;
    while (blocks && (entry = readdir(directory)) != NULL)
        if (entry->d_name[0] != '.')
            blocks = thread_blocks(pid, entry->d_name, number);
    closedir(directory);
    return blocks;
}

static bool is_setting(const char *setting, const char *variable) {
    size_t length = strlen(variable);
    return strncmp(setting, variable, length) == 0 && setting[length] == '=' &&
           setting[length + 1] != '\0';
}

static int read_signal(pid_t pid, uint32_t *out) {
    struct remote_mappings mappings;
    uint64_t address;
    int error = remote_mappings_read(pid, &mappings);
    const struct remote_mapping *library =
        error == 0 ? remote_mappings_file(&mappings, library_name) : NULL;
    if (library == NULL)
        error = -ENOENT;
    if (error == 0)
        error = remote_symbol_find(pid, library->start, "tracemalloc_request_signal",
                                   &address);
    if (error == 0)
        error = remote_memory_read(pid, address, out, sizeof *out);
    remote_mappings_free(&mappings);
    return error;
}

static int initial_signal(pid_t pid) {
    const char *variable = options_table[OPTION_SIGNAL].variable;
    struct options options = {.signal = REQUEST_DEFAULT_SIGNAL};
    char *setting = NULL;
    size_t size = 0;
    bool found = false;
    FILE *file = open_of(pid, "environ");
    if (file == NULL)
        return REQUEST_DEFAULT_SIGNAL;
    while (!found && getdelim(&setting, &size, '\0', file) > 0)
        found = is_setting(setting, variable);
    /* If the value is invalid, the library does not trace and has no handler. */
    if (found && options_parse(OPTION_SIGNAL, strchr(setting, '=') + 1, &options) < 0)
        options.signal = REQUEST_DEFAULT_SIGNAL;
    free(setting);
    fclose(file);
    return (int)options.signal;
}

int process_status_request_signal(pid_t pid) {
    uint32_t number;
    return read_signal(pid, &number) == 0 ? (int)number : initial_signal(pid);
}
