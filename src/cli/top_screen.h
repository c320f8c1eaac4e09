/* SPDX-License-Identifier: MIT */
/* The full-screen terminal of `top`, by ncurses. One at a time, one thread.
 *
 * While it is open, signals that would end the command are taken by top_screen_wait,
 * so that the terminal is given back as it was.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

/* Keys beside characters. */
enum {
    TOP_KEY_NONE = 0, /* the time has passed */
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

/* 0, or -ENOTTY for a terminal that cannot do it. */
must_check int top_screen_open(struct top_screen *screen);

/* Gives the terminal back. A signal that asked the command to end does so now, unless
 * it was an interrupt. */
void top_screen_close(struct top_screen *screen);

/* Draws lines with the styles that struct terminal writes; one of them highlighted, and
 * the last one of the screen, which is `bottom`. */
void top_screen_draw(struct top_screen *screen, const char *text, size_t highlighted,
                     const char *bottom);

/* The next key within that time. */
int top_screen_wait(struct top_screen *screen, int milliseconds);
