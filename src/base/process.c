/* SPDX-License-Identifier: MIT */
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "base/io.h"
#include "base/message.h"
#include "base/sys.h"

enum { STAT_START_TIME = 22, STAT_STATE = 3 };

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
    /* The name, in brackets, may hold anything. */
    const char *end = strrchr(text, ')');
    if (end == NULL || end[1] != ' ')
        return -EINVAL;
    *ticks = number_of_field(end + 2, STAT_START_TIME - STAT_STATE);
    return 0;
}

int process_start_time(uint32_t pid, uint64_t *ticks) {
    char path[40] = "/proc/";
    message_number(path + 6, pid);
    memcpy(path + strlen(path), "/stat", 6);
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

void process_boot_id(char *buffer, size_t size) {
    if (io_read_file("/proc/sys/kernel/random/boot_id", buffer, size) < 0)
        buffer[0] = '\0';
    buffer[strcspn(buffer, "\n")] = '\0';
}

uint64_t process_clock(void) {
    struct timespec now = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
