/* SPDX-License-Identifier: MIT */
/* Threads allocate while libraries come and go under them, for test_checkers.py. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define no_inline __attribute__((noipa))

enum { THREADS = 8, RING = 32 };

struct worker {
    pthread_t thread;
    const char *const *guests; /* paths of libraries made from native_guest.c */
    unsigned guest_count;
    unsigned number;
    unsigned rounds;
    unsigned done;
    void *ring[RING];
};

static no_inline void turn(struct worker *worker, unsigned at, size_t size) {
    void **place = &worker->ring[at % RING];
    free(*place);
    *place = malloc(size);
    if (*place != NULL)
        memset(*place, (int)at, size);
    void *larger = realloc(*place, size * 3);
    *place = larger != NULL ? larger : *place;
    void *cleared = calloc(at % 7 + 1, 24);
    __asm__ volatile("" : : "r"(cleared) : "memory");
    free(cleared);
}

static no_inline void descend(struct worker *worker, unsigned depth, size_t size) {
    turn(worker, depth, size + depth);
    if (depth > 0)
        descend(worker, depth - 1, size);
    turn(worker, depth, size + depth);
}

/* Every round opens another guest; it goes when no thread has it open. */
static no_inline void visit_guest(struct worker *worker, unsigned round) {
    unsigned which = (worker->number + round) % worker->guest_count;
    void *guest = dlopen(worker->guests[which], RTLD_NOW | RTLD_LOCAL);
    if (guest == NULL)
        return;
    void (*visit)(size_t);
    void *symbol = dlsym(guest, "visit");
    memcpy(&visit, &symbol, sizeof visit);
    visit(100 + round % 50);
    worker->done += dlclose(guest) == 0;
}

static void *run(void *argument) {
    struct worker *worker = argument;
    for (unsigned round = 0; round < worker->rounds; round++) {
        descend(worker, 1 + round % 10, 16 + round % 200);
        visit_guest(worker, round);
    }
    for (unsigned at = 0; at < RING; at++)
        free(worker->ring[at]);
    return NULL;
}

/* Each round is some 75 events. Returns the visits of all threads. */
unsigned stress(const char *const *guests, unsigned guest_count, unsigned rounds) {
    static struct worker workers[THREADS];
    unsigned done = 0;
    for (unsigned at = 0; at < THREADS; at++) {
        workers[at] = (struct worker){.guests = guests, .guest_count = guest_count};
        workers[at].number = at;
        workers[at].rounds = rounds;
        if (pthread_create(&workers[at].thread, NULL, run, &workers[at]) != 0)
            abort();
    }
    for (unsigned at = 0; at < THREADS; at++) {
        pthread_join(workers[at].thread, NULL);
        done += workers[at].done;
    }
    return done;
}
