/* SPDX-License-Identifier: MIT */
#include "output/progress.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "output/failure.h"

enum { FIRST_SECONDS = 1, STEP_NANOSECONDS = 250000000, LINE_SIZE = 256, MARGIN = 8 };

static const char erase[] = "\r\x1b[K";

static struct {
    char line[LINE_SIZE]; /* written while the signal is blocked */
    size_t length;
    unsigned step;
    volatile sig_atomic_t shown;
    bool running;
    timer_t timer;
} progress;

static void write_error(const char *text, size_t length) {
    if (write(STDERR_FILENO, text, length) < 0)
        return; /* nothing reads it */
}

/* A signal handler: calls only async-signal-safe functions. */
static void show(int number) {
    static const char marks[] = "|/-\\";
    int saved = errno;
    (void)number;
    write_error(erase, sizeof erase - 1);
    write_error(progress.line, progress.length);
    write_error(&marks[progress.step++ % (sizeof marks - 1)], 1);
    progress.shown = 1;
    errno = saved;
}

static int timer_signal(void) {
    return SIGRTMIN + 1;
}

static bool is_wanted(void) {
    const char *kind = getenv("TERM");
    return isatty(STDERR_FILENO) && kind != NULL && strcmp(kind, "dumb") != 0;
}

static bool start(void) {
    struct sigaction action = {.sa_handler = show, .sa_flags = SA_RESTART};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL,
                             .sigev_signo = timer_signal()};
    struct itimerspec times = {.it_value.tv_sec = FIRST_SECONDS,
                               .it_interval.tv_nsec = STEP_NANOSECONDS};
    return is_wanted() && sigaction(timer_signal(), &action, NULL) == 0 &&
           timer_create(CLOCK_MONOTONIC, &event, &progress.timer) == 0 &&
           timer_settime(progress.timer, 0, &times, NULL) == 0;
}

static void block(sigset_t *before) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, timer_signal());
    sigprocmask(SIG_BLOCK, &set, before);
}

/* A file's name may contain any byte. The result is printable ASCII, so that it is as
 * wide as it is long. */
static void make_harmless(char *text, size_t size) {
    for (size_t i = 0; text[i] != '\0'; i++)
        if (i == size)
            text[i--] = '\0';
        else if (text[i] < ' ' || text[i] > '~')
            text[i] = '?';
}

static size_t line_width(void) {
    struct winsize size = {0};
    bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > MARGIN;
    return known && size.ws_col < LINE_SIZE ? size.ws_col - MARGIN
                                            : LINE_SIZE / 2 - MARGIN;
}

void progress_say(const char *format, ...) {
    char text[LINE_SIZE - MARGIN];
    sigset_t before;
    if (!progress.running)
        progress.running = start();
    if (!progress.running)
        return;
    failure_clear_line = progress_end;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    make_harmless(text, line_width());
    block(&before);
    progress.length =
        (size_t)snprintf(progress.line, sizeof progress.line, "%s... ", text);
    sigprocmask(SIG_SETMASK, &before, NULL);
}

void progress_end(void) {
    if (!progress.running)
        return;
    timer_delete(progress.timer);
    signal(timer_signal(), SIG_IGN);
    progress.running = false;
    if (progress.shown)
        write_error(erase, sizeof erase - 1);
    progress.shown = 0;
}
