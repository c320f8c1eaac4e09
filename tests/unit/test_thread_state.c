/* SPDX-License-Identifier: MIT */
#include "event/thread_state.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "suite.h"

enum { THREADS = 3000, TOGETHER = 16 };

static pthread_barrier_t barrier;

START_TEST(a_thread_keeps_its_state) {
    thread_state_prepare();
    struct thread_state *self = thread_state_get();
    ck_assert_ptr_nonnull(self);
    ck_assert(!self->in_tracer && !self->in_allocator && !self->ended &&
              !self->has_deferred);
    ck_assert_ptr_eq(thread_state_get(), self);
}
END_TEST

static void *state_of(void *argument) {
    if (argument != NULL)
        pthread_barrier_wait(argument);
    struct thread_state *self = thread_state_get();
    self->lost = 7;
    if (argument != NULL)
        pthread_barrier_wait(argument);
    return self;
}

static void *run_thread(void) {
    pthread_t thread;
    void *state;
    ck_assert_int_eq(pthread_create(&thread, NULL, state_of, NULL), 0);
    pthread_join(thread, &state);
    return state;
}

START_TEST(threads_have_states_of_their_own) {
    pthread_t threads[TOGETHER];
    void *states[TOGETHER];
    thread_state_prepare();
    pthread_barrier_init(&barrier, NULL, TOGETHER);
    for (int at = 0; at < TOGETHER; at++)
        ck_assert_int_eq(pthread_create(&threads[at], NULL, state_of, &barrier), 0);
    for (int at = 0; at < TOGETHER; at++)
        pthread_join(threads[at], &states[at]);
    for (int at = 0; at < TOGETHER; at++)
        for (int other = 0; other < at; other++)
            ck_assert_ptr_ne(states[at], states[other]);
}
END_TEST

START_TEST(short_threads_leave_nothing) {
    thread_state_prepare();
    run_thread();
    uint64_t before = arena_bytes();
    for (int at = 0; at < THREADS; at++)
        run_thread();
    ck_assert_uint_eq(arena_bytes(), before);
}
END_TEST

static void *used_state(void *argument) {
    struct thread_state *self = thread_state_get();
    ck_assert_uint_eq(self->lost, 0);
    ck_assert_ptr_null(self->python.frames);
    return argument;
}

START_TEST(a_used_state_is_as_new) {
    pthread_t thread;
    thread_state_prepare();
    for (int at = 0; at < 10; at++) {
        run_thread();
        ck_assert_int_eq(pthread_create(&thread, NULL, used_state, NULL), 0);
        pthread_join(thread, NULL);
    }
}
END_TEST

static pthread_key_t late_key;
static bool late_ended;

/* Made after the library's key, so it runs after that one's destructor. */
static void late(void *argument) {
    (void)argument;
    late_ended = thread_state_get()->ended;
}

static void *set_late_key(void *argument) {
    thread_state_get();
    pthread_setspecific(late_key, argument);
    return NULL;
}

START_TEST(a_late_event_has_a_state_without_a_stack) {
    pthread_t thread;
    thread_state_prepare();
    ck_assert_int_eq(pthread_key_create(&late_key, late), 0);
    run_thread();
    uint64_t before = arena_bytes();
    for (int at = 0; at < 100; at++) {
        late_ended = false;
        ck_assert_int_eq(pthread_create(&thread, NULL, set_late_key, &late_key), 0);
        pthread_join(thread, NULL);
        ck_assert(late_ended);
    }
    ck_assert_uint_eq(arena_bytes(), before);
    ck_assert(!((struct thread_state *)run_thread())->ended);
}
END_TEST

START_TEST(a_child_goes_on) {
    int status;
    thread_state_prepare();
    struct thread_state *self = thread_state_get();
    pid_t child = fork();
    if (child == 0) {
        thread_state_fork();
        _exit(thread_state_get() == self && run_thread() != self ? 0 : 1);
    }
    waitpid(child, &status, 0);
    ck_assert_int_eq(status, 0);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {a_thread_keeps_its_state,
                                  threads_have_states_of_their_own,
                                  short_threads_leave_nothing,
                                  a_used_state_is_as_new,
                                  a_late_event_has_a_state_without_a_stack,
                                  a_child_goes_on};
    return suite_run("thread_state", tests, sizeof tests / sizeof *tests);
}
