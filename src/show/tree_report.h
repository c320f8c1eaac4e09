/* SPDX-License-Identifier: MIT */
/* A call tree for people: a line for each node, with what it holds and its share. For
 * offline code; one thread; write errors stay in the stream. */
#pragma once

#include "output/terminal.h"
#include "profile/call_tree.h"

/* The smallest threshold, as a share of all bytes: it bounds how deep branches nest. */
#define TREE_REPORT_MIN_SHARE 0.0001

/* Prints a tree whose threshold is at least TREE_REPORT_MIN_SHARE. */
void tree_report_print(const struct terminal *terminal, const struct call_tree *tree);
