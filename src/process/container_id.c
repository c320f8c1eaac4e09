/* SPDX-License-Identifier: MIT */
#include "process/container_id.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/process.h"
#include "dump/dump_process.h"

enum { ID_LENGTH = CONTAINER_ID_SIZE - 1 };

static const char digits[] = "0123456789abcdef";

/* In a line of mountinfo, only files that the runtime mounts from the container's
 * directory name it: layers of its image have such names too. */
static bool may_name(const char *line) {
    static const char *const files[] = {"/hostname ", "/resolv.conf ", "/hosts "};
    if (strchr(line, ' ') == NULL)
        return true;
    if (strstr(line, "/sandboxes/") != NULL) /* a pod's, not a container's */
        return false;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (strstr(line, files[i]) != NULL)
            return true;
    return false;
}

void container_id_parse(char id[CONTAINER_ID_SIZE], const char *line) {
    id[0] = '\0';
    if (!may_name(line))
        return;
    for (const char *at = line; *at != '\0';) {
        size_t length = strspn(at, digits);
        bool is_word = at == line || strchr("/-:", at[-1]) != NULL;
        if (length == ID_LENGTH && is_word && strchr("/.\n", at[length]) != NULL) {
            memcpy(id, at, ID_LENGTH);
            id[ID_LENGTH] = '\0';
        }
        at += length > 0 ? length : 1;
    }
}

static void search(char id[CONTAINER_ID_SIZE], const char *process, const char *file) {
    char path[64], *line = NULL;
    size_t size = 0;
    snprintf(path, sizeof path, "/proc/%s/%s", process, file);
    FILE *lines = fopen(path, "re");
    if (lines == NULL)
        return;
    while (id[0] == '\0' && getline(&line, &size, lines) > 0)
        container_id_parse(id, line);
    free(line);
    fclose(lines);
}

static bool is_of_this_boot(const struct tracemalloc_dump_header *header) {
    char boot_id[sizeof header->boot_id];
    process_boot_id(boot_id, sizeof boot_id);
    return boot_id[0] != '\0' &&
           strncmp(boot_id, header->boot_id, sizeof boot_id - 1) == 0;
}

void container_id_find(char id[CONTAINER_ID_SIZE],
                       const struct tracemalloc_dump_header *header) {
    char process[16] = "self";
    id[0] = '\0';
    if (!is_of_this_boot(header))
        return;
    pid_t pid = dump_process_pid(header);
    if (pid > 0)
        snprintf(process, sizeof process, "%d", (int)pid);
    else if (header->pid_namespace == 0 ||
             header->pid_namespace != process_pid_namespace())
        return;
    /* With cgroup namespaces the group's name is hidden from its processes. */
    search(id, process, "cgroup");
    if (id[0] == '\0')
        search(id, process, "mountinfo");
}

void container_id_find_common(char id[CONTAINER_ID_SIZE],
                              struct dump_reader *const *dumps, size_t count) {
    char other[CONTAINER_ID_SIZE];
    container_id_find(id, &dumps[0]->header);
    for (size_t i = 1; i < count && id[0] != '\0'; i++) {
        container_id_find(other, &dumps[i]->header);
        if (strcmp(id, other) != 0)
            id[0] = '\0';
    }
}
