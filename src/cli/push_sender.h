/* SPDX-License-Identifier: MIT */
/* Sends one profile to the target of `push`: asks again where the server is busy, and
 * divides what is too large for it. Allocates; one thread. */
#pragma once

#include "base/compiler.h"
#include "cli/push_target.h"
#include "export/export_input.h"

struct push_sender {
    const struct push_target *target;
    const char *name; /* of the dump, for messages */
    long retry_after; /* seconds that a busy server asked for when it was given up */
};

/* 0, or 1 after failure_print: then a part of the profile may have been taken. */
must_check int push_sender_send(struct push_sender *sender, struct export_input *input);
