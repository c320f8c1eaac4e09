/* SPDX-License-Identifier: MIT */
#include "cli/top_screen.h"

#include <curses.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <unistd.h>

enum { ESCAPE_MILLISECONDS = 25, ESCAPE = 27, CONTROL_C = 3, BACKSPACE = 8, DEL = 127 };

/* Set by the signal handler, which runs only within ppoll. */
static volatile sig_atomic_t ending_signal;
static sigset_t signals_before;
static SCREEN *terminal;

static void note_signal(int number) {
    ending_signal = number;
}

/* Blocks the signals everywhere but in ppoll, SIGWINCH too: otherwise a change of size
 * just before the wait would go unnoticed. */
static void watch_signals(void) {
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    struct sigaction action = {.sa_handler = note_signal};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGWINCH);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        sigaddset(&set, numbers[i]);
        sigaction(numbers[i], &action, NULL);
    }
    sigprocmask(SIG_BLOCK, &set, &signals_before);
}

/* Colour pairs have the numbers that read_style derives from output/terminal.c's
 * codes. */
static void start_colours(struct top_screen *screen) {
    const char *none = getenv("NO_COLOR");
    if ((none != NULL && none[0] != '\0') || !has_colors())
        return;
    screen->colour = start_color() == OK && use_default_colors() == OK;
    for (short colour = COLOR_RED; screen->colour && colour <= COLOR_CYAN; colour++)
        init_pair(colour, colour, -1);
}

static void measure(struct top_screen *screen) {
    screen->width = (size_t)COLS;
    screen->height = (size_t)LINES;
}

/* Curses accepts a terminal that cannot move its cursor, but its output would be
 * unreadable. */
static bool can_move_cursor(void) {
    int found;
    if (setupterm(NULL, STDOUT_FILENO, &found) != OK)
        return false;
    const char *move = tigetstr("cup");
    bool can = move != NULL && move != (const char *)-1;
    del_curterm(cur_term);
    return can;
}

int top_screen_open(struct top_screen *screen) {
    *screen = (struct top_screen){0};
    if (!can_move_cursor())
        return -ENOTTY;
    watch_signals();
    terminal = newterm(NULL, stdout, stdin);
    if (terminal == NULL) {
        sigprocmask(SIG_SETMASK, &signals_before, NULL);
        return -ENOTTY;
    }
    set_term(terminal);
    cbreak();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    set_escdelay(ESCAPE_MILLISECONDS);
    curs_set(0);
    start_colours(screen);
    measure(screen);
    return 0;
}

static void restore_signals(void) {
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        signal(numbers[i], SIG_DFL);
    sigprocmask(SIG_SETMASK, &signals_before, NULL);
}

void top_screen_close(struct top_screen *screen) {
    (void)screen;
    curs_set(1);
    endwin();
    delscreen(terminal);
    restore_signals();
    if (ending_signal != 0 && ending_signal != SIGINT)
        raise(ending_signal);
}

char *top_screen_compose(const struct top_screen *screen,
                         void (*print)(const void *input,
                                       const struct terminal *terminal),
                         const void *input) {
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (stream == NULL)
        return NULL;
    struct terminal composed;
    terminal_open(&composed, stdout);
    composed.out = stream;
    composed.interactive = true;
    composed.colour = screen->colour;
    composed.width = screen->width;
    print(input, &composed);
    if (fclose(stream) == 0)
        return text;
    free(text);
    return NULL;
}

/* Parses a style's code, such as `36m`, and advances *at past it. */
static attr_t read_style(const char **at) {
    char *end;
    long code = strtol(*at, &end, 10);
    *at = *end == 'm' ? end + 1 : end;
    switch (code) {
    case 0:
        return A_NORMAL;
    case 1:
        return A_BOLD;
    case 2:
        return A_DIM;
    default:
        return (attr_t)COLOR_PAIR(code % 10);
    }
}

static void draw_line(const char *line, const char *end) {
    while (line < end) {
        const char *escape = memchr(line, ESCAPE, (size_t)(end - line));
        const char *stop = escape != NULL ? escape : end;
        addnstr(line, (int)(stop - line));
        line = stop;
        if (escape != NULL && line + 1 < end) {
            line += 2; /* the escape character and its bracket */
            attrset((int)read_style(&line));
        } else {
            line = end;
        }
    }
    attrset(A_NORMAL);
}

void top_screen_draw(struct top_screen *screen, const char *text, size_t highlighted,
                     const char *bottom) {
    int bottom_line = (int)screen->height - 1;
    erase();
    for (int y = 0; y < bottom_line && *text != '\0'; y++) {
        const char *end = strchrnul(text, '\n');
        move(y, 0);
        draw_line(text, end);
        if ((size_t)y == highlighted)
            mvchgat(y, 0, -1, A_REVERSE, 0, NULL);
        text = *end == '\0' ? end : end + 1;
    }
    move(bottom_line, 0);
    draw_line(bottom, bottom + strlen(bottom));
    refresh();
}

static int translate(int key) {
    static const struct {
        int curses, ours;
    } keys[] = {
        {KEY_UP, TOP_KEY_UP},           {KEY_DOWN, TOP_KEY_DOWN},
        {KEY_PPAGE, TOP_KEY_PAGE_UP},   {KEY_NPAGE, TOP_KEY_PAGE_DOWN},
        {KEY_ENTER, TOP_KEY_ENTER},     {'\r', TOP_KEY_ENTER},
        {'\n', TOP_KEY_ENTER},          {ESCAPE, TOP_KEY_ESCAPE},
        {KEY_BACKSPACE, TOP_KEY_ERASE}, {BACKSPACE, TOP_KEY_ERASE},
        {DEL, TOP_KEY_ERASE},           {KEY_RESIZE, TOP_KEY_RESIZED},
        {CONTROL_C, TOP_KEY_QUIT},
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (keys[i].curses == key)
            return keys[i].ours;
    return key > 0 && key < KEY_MIN ? key : TOP_KEY_NONE;
}

int top_screen_wait(struct top_screen *screen, int milliseconds) {
    int key = getch();
    if (key == ERR) {
        struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
        struct timespec time = {milliseconds / 1000,
                                (long)(milliseconds % 1000) * 1000000};
        int ready = ppoll(&input, 1, &time, &signals_before);
        key = getch();
        /* The terminal was closed. */
        if (key == ERR && ready > 0 && (input.revents & (POLLHUP | POLLERR)) != 0)
            return TOP_KEY_QUIT;
    }
    if (ending_signal != 0)
        return TOP_KEY_QUIT;
    if (key == KEY_RESIZE)
        measure(screen);
    return key == ERR ? TOP_KEY_NONE : translate(key);
}
