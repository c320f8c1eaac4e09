/* SPDX-License-Identifier: MIT */
#include "event/thread_state.h"

#include <pthread.h>
#include <string.h>

#include "base/arena.h"
#include "base/lock.h"
#include "base/machine.h"

const char *const thread_state_nowhere;
struct thread_state thread_state_none = {.in_tracer = true,
                                         .current = &thread_state_nowhere,
                                         .owner = THREAD_STATE_NO_OWNER};
thread_local_fixed struct thread_state *thread_state_own = &thread_state_none;

/* For threads without a state: while one is being allocated, or if there is no memory.
 * Several threads may write its flags, but only to the same values. */
static struct thread_state placeholder = {.in_tracer = true,
                                          .current = &thread_state_nowhere,
                                          .owner = THREAD_STATE_NO_OWNER};
static thread_local_fixed bool has_ended;

void (*thread_state_release_native)(struct native_merge *native);

static pthread_key_t key;
static bool has_key;

static struct lock lock = {.rank = LOCK_THREADS};
static struct thread_state *pool; /* protected by lock */
static struct thread_state *all;  /* that were ever made; protected by lock */

static void end(void *argument) {
    struct thread_state *state = argument;
    thread_state_own = &thread_state_none;
    has_ended = true;
    python_stack_release(&state->python);
    if (state->native != NULL)
        thread_state_release_native(state->native);
    struct thread_state *next_of_all = state->next_of_all;
    memset(state, 0, sizeof *state);
    state->next_of_all = next_of_all;
    lock_take(&lock);
    state->next = pool;
    pool = state;
    lock_release(&lock);
}

void thread_state_prepare(void) {
    has_key = pthread_key_create(&key, end) == 0;
}

/* Maps whole pages; the states that fit behind the first go to the pool. */
static struct thread_state *carve(void) {
    size_t size = machine_whole_pages(sizeof(struct thread_state));
    struct thread_state *states = arena_map(size);
    if (states == NULL)
        return NULL;
    for (size_t i = 0; i < size / sizeof *states; i++) {
        states[i].next_of_all = all;
        all = &states[i];
        if (i == 0)
            continue;
        states[i].next = pool;
        pool = &states[i];
    }
    return states;
}

static struct thread_state *take(void) {
    lock_take(&lock);
    struct thread_state *state = pool;
    if (state != NULL)
        pool = state->next;
    else
        state = carve();
    lock_release(&lock);
    return state;
}

/* A thread still frees blocks after the destructor of our key has run. It is given a
 * state again, marked as ended, which the second round of destructors returns. */
struct thread_state *thread_state_begin(void) {
    thread_state_own = &placeholder;
    struct thread_state *state = take();
    if (state == NULL) {
        thread_state_own = &thread_state_none;
        return &placeholder;
    }
    state->next = NULL;
    state->ended = has_ended;
    state->current = &thread_state_nowhere;
    state->owner = THREAD_STATE_NO_OWNER;
    if (has_key)
        pthread_setspecific(key, state);
    thread_state_own = state;
    /* A signal handler, in any thread, may have deferred a request to the
     * placeholder. */
    if (placeholder.request_deferred) {
        placeholder.request_deferred = false;
        state->has_deferred = state->request_deferred = true;
    }
    return state;
}

void thread_state_forget_samples(void) {
    lock_take(&lock);
    for (struct thread_state *state = all; state != NULL; state = state->next_of_all)
        sampler_forget(&state->sampler);
    lock_release(&lock);
}

/* The states of the others stay where they are: their threads are gone, and a few pages
 * are all they cost. */
void thread_state_fork(void) {
    lock_fork(&lock);
    lock_release(&lock);
    thread_state_forget_samples();
}
