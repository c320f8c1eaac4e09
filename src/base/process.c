/* SPDX-License-Identifier: MIT */
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "base/io.h"
#include "base/machine.h"
#include "base/message.h"
#include "base/sys.h"

enum { STAT_START_TIME = 22, STAT_STATE = 3, PATH_SIZE = 40, MAX_TEXT = 256 };

static uint64_t number_of_field(const char *text, int field) {
    uint64_t number = 0;
    for (; field > 0 && *text != '\0'; text++)
        field -= *text == ' ';
    for (; *text >= '0' && *text <= '9'; text++)
        number = number * 10 + (uint64_t)(*text - '0');
    return number;
}

static int read_start_time(const char *path, uint64_t *ticks) {
    char text[1024];
    ptrdiff_t length = io_read_file(path, text, sizeof text);
    if (length < 0)
        return (int)length;
    /* The name, in parentheses, may contain anything, parentheses too. */
    const char *end = strrchr(text, ')');
    if (end == NULL || end[1] != ' ')
        return -EINVAL;
    *ticks = number_of_field(end + 2, STAT_START_TIME - STAT_STATE);
    return 0;
}

static void name_file(char path[PATH_SIZE], uint32_t pid, const char *file) {
    memcpy(path, "/proc/self", sizeof "/proc/self");
    if (pid != 0)
        message_number(path + sizeof "/proc/" - 1, pid);
    memcpy(path + strlen(path), file, strlen(file) + 1);
}

int process_start_time(uint32_t pid, uint64_t *ticks) {
    char path[PATH_SIZE];
    name_file(path, pid, "/stat");
    return read_start_time(path, ticks);
}

int process_own_start_time(uint64_t *ticks) {
    return read_start_time("/proc/self/stat", ticks);
}

/* The link reads pid:[4026531836]. */
uint64_t process_pid_namespace(void) {
    static const char before[] = "pid:[";
    char text[64] = "";
    long length =
        sys_call(SYS_readlinkat, AT_FDCWD, "/proc/self/ns/pid", text, sizeof text - 1);
    if (length <= 0 || strncmp(text, before, sizeof before - 1) != 0)
        return 0;
    return number_of_field(text + sizeof before - 1, 0);
}

/* `out` may be in the dump, which others read meanwhile: it ends in a NUL at every
 * instant. */
static int read_text(uint32_t pid, const char *file, char *out, size_t size) {
    char path[PATH_SIZE], text[MAX_TEXT] = "";
    name_file(path, pid, file);
    ptrdiff_t length = io_read_file(path, text, size < MAX_TEXT ? size : MAX_TEXT);
    if (length < 0)
        return (int)length;
    while (length > 0 && (text[length - 1] == '\0' || text[length - 1] == '\n'))
        text[--length] = '\0';
    for (ptrdiff_t i = 0; i < length; i++)
        if (text[i] == '\0')
            text[i] = ' ';
    memcpy(out, text, size < MAX_TEXT ? size : MAX_TEXT);
    return 0;
}

int process_title(uint32_t pid, char *title, size_t size) {
    return read_text(pid, "/cmdline", title, size);
}

int process_comm(uint32_t pid, char *comm, size_t size) {
    return read_text(pid, "/comm", comm, size);
}

void process_boot_id(char *buffer, size_t size) {
    if (io_read_file("/proc/sys/kernel/random/boot_id", buffer, size) < 0)
        buffer[0] = '\0';
    buffer[strcspn(buffer, "\n")] = '\0';
}

struct process_memory process_memory_read(void) {
    enum { ADDRESSES = 0, RESIDENT = 1, SHARED = 2, DATA = 5 };
    const uint64_t page = machine_page_size();
    char text[128];
    if (io_read_file("/proc/self/statm", text, sizeof text) < 0)
        return (struct process_memory){0};
    return (struct process_memory){
        .addresses = number_of_field(text, ADDRESSES) * page,
        .resident = number_of_field(text, RESIDENT) * page,
        .shared = number_of_field(text, SHARED) * page,
        .data = number_of_field(text, DATA) * page,
    };
}

uint64_t process_clock(void) {
    struct timespec now = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
