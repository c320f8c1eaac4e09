/* SPDX-License-Identifier: MIT */
/* The full-screen terminal of `top` and `watch`, with ncurses. One at a time; one
 * thread.
 *
 * While it is open, top_screen_wait catches the signals that would end the command, so
 * that the terminal can be restored first.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "output/terminal.h"

/* Keys other than characters. */
enum {
    TOP_KEY_NONE = 0, /* timeout */
    TOP_KEY_QUIT = 0x1000,
    TOP_KEY_UP,
    TOP_KEY_DOWN,
    TOP_KEY_PAGE_UP,
    TOP_KEY_PAGE_DOWN,
    TOP_KEY_ENTER,
    TOP_KEY_ESCAPE,
    TOP_KEY_ERASE,
    TOP_KEY_RESIZED,
};

struct top_screen {
    size_t width;
    size_t height;
    bool colour;
};

/* 0, or -ENOTTY if the terminal cannot show a full screen. */
must_check int top_screen_open(struct top_screen *screen);

/* Restores the terminal. If a signal other than SIGINT asked the command to end, raises
 * it again. */
void top_screen_close(struct top_screen *screen);

/* Returns what `print` prints for this screen, to be drawn; the caller frees it. NULL
 * if there is no memory. */
char *top_screen_compose(const struct top_screen *screen,
                         void (*print)(const void *input,
                                       const struct terminal *terminal),
                         const void *input);

/* Draws lines with the styles that struct terminal writes, line `highlighted` in
 * reverse, and `bottom` in the last line of the screen. */
void top_screen_draw(struct top_screen *screen, const char *text, size_t highlighted,
                     const char *bottom);

/* Waits for a key. */
int top_screen_wait(struct top_screen *screen, int milliseconds);
