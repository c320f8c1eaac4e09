/* SPDX-License-Identifier: MIT */
#include "control/request_queue.h"

#include <pthread.h>
#include <signal.h>

#include "base/machine.h"
#include "suite.h"

enum { SENDERS = 3, SENT = 4000, NOTHING = 0 };

static struct request_queue queue = {.lock = {.rank = LOCK_REQUESTS}};

static const struct request stop = {.kind = REQUEST_STOP},
                            start = {REQUEST_START, 7, 0},
                            clear = {.kind = REQUEST_CLEAR}, toggle = {0};

/* The kind of the next request, NOTHING without one; of a start its frames. */
static int next(void) {
    struct request request;
    if (!request_queue_next(&queue, &request))
        return NOTHING;
    return request.kind == REQUEST_START ? request.nframe : (int)request.kind;
}

START_TEST(requests_keep_their_order) {
    ck_assert(!request_queue_begin(&queue));
    request_queue_add(&queue, stop);
    request_queue_add(&queue, start);
    request_queue_add(&queue, clear);
    ck_assert(request_queue_begin(&queue));
    ck_assert_int_eq(next(), REQUEST_STOP);
    ck_assert_int_eq(next(), 7);
    ck_assert_int_eq(next(), REQUEST_CLEAR);
    ck_assert_int_eq(next(), NOTHING);
    ck_assert(!request_queue_begin(&queue));
}
END_TEST

START_TEST(one_thread_carries_them_out) {
    request_queue_add(&queue, stop);
    ck_assert(request_queue_begin(&queue));
    request_queue_add(&queue, start);
    ck_assert(!request_queue_begin(&queue));
    ck_assert_int_eq(next(), REQUEST_STOP);
    ck_assert(!request_queue_begin(&queue));
    ck_assert_int_eq(next(), 7);
    ck_assert_int_eq(next(), NOTHING);
    request_queue_add(&queue, clear);
    ck_assert(request_queue_begin(&queue));
}
END_TEST

static void fill(struct request request) {
    for (int at = 0; at < REQUEST_QUEUE_CAPACITY; at++)
        request_queue_add(&queue, request);
}

static int last(void) {
    int found = NOTHING;
    ck_assert(request_queue_begin(&queue));
    for (int kind = next(); kind != NOTHING; kind = next())
        found = kind;
    return found;
}

START_TEST(the_end_of_a_flood_counts) {
    fill(stop);
    request_queue_add(&queue, start);
    request_queue_add(&queue, clear);
    ck_assert_int_eq(last(), 7);
    fill(toggle);
    request_queue_add(&queue, toggle);
    ck_assert_uint_eq(queue.count, REQUEST_QUEUE_CAPACITY - 1);
    request_queue_add(&queue, stop);
    ck_assert_uint_eq(queue.count, REQUEST_QUEUE_CAPACITY);
}
END_TEST

START_TEST(a_child_has_none) {
    request_queue_add(&queue, stop);
    ck_assert(request_queue_begin(&queue));
    lock_take(&queue.lock);
    request_queue_reset(&queue);
    ck_assert(!request_queue_begin(&queue));
    request_queue_add(&queue, start);
    ck_assert(request_queue_begin(&queue));
}
END_TEST

static _Atomic unsigned added, served;

static void *serve(void *stop_at) {
    struct request request;
    while (added < *(const unsigned *)stop_at || queue.count > 0)
        if (request_queue_begin(&queue))
            while (request_queue_next(&queue, &request))
                served++;
    return NULL;
}

static void *send(void *argument) {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    for (int at = 0; at < SENT; at++) {
        while (__atomic_load_n(&queue.count, __ATOMIC_RELAXED) >
               REQUEST_QUEUE_CAPACITY / 2)
            machine_pause();
        request_queue_add(&queue, clear);
        added++;
    }
    return argument;
}

START_TEST(none_is_lost_between_threads) {
    static const unsigned all = SENDERS * SENT;
    pthread_t senders[SENDERS], servers[2];
    for (int at = 0; at < 2; at++)
        pthread_create(&servers[at], NULL, serve, (void *)&all);
    for (int at = 0; at < SENDERS; at++)
        pthread_create(&senders[at], NULL, send, NULL);
    for (int at = 0; at < SENDERS; at++)
        pthread_join(senders[at], NULL);
    for (int at = 0; at < 2; at++)
        pthread_join(servers[at], NULL);
    ck_assert_uint_eq(served, all);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        requests_keep_their_order,    one_thread_carries_them_out,
        the_end_of_a_flood_counts,    a_child_has_none,
        none_is_lost_between_threads,
    };
    return suite_run("request_queue", tests, sizeof tests / sizeof *tests);
}
