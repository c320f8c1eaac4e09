/* SPDX-License-Identifier: MIT */
/* Around a fork: the dump is copied before it, and the child's own file is created at
 * its first event that needs one.
 *
 * The three handlers of pthread_atfork, on the thread that forks. The locks are held
 * from fork_handlers_before until one of the other two.
 */
#pragma once

void fork_handlers_before(void);
void fork_handlers_in_parent(void);
void fork_handlers_in_child(void);
/* The process ends. A child without a file whose events went beyond the first call
 * after the fork gets its file now. */
void fork_handlers_end(void);
/* The process is about to give up rights. A child without a file gets it now, but not
 * within the forking call, where what follows may be an exec. */
void fork_handlers_keep(void);
