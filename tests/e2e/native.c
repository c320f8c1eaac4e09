/* SPDX-License-Identifier: MIT */
/* Native code for the end-to-end tests, loaded into the traced interpreter by ctypes.
 *
 * Each function does what Python code cannot: allocate on a tiny stack, on a signal
 * stack, in threads without a Python state, in a race. They return 0, or an errno.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SMALL_STACK = 16384, RACE_THREADS = 8, RACE_SLOTS = 64 };

int native_small_stack(size_t size, size_t count);
int native_signal_stack(size_t size);
int native_threads(size_t number);
int native_race(size_t size, size_t rounds);
void *native_malloc(size_t size);

static void *kept[1024];

void *native_malloc(size_t size) {
    return malloc(size);
}

struct small_stack_job {
    size_t size;
    size_t count;
};

static void *allocate_and_keep(void *argument) {
    const struct small_stack_job *job = argument;
    for (size_t i = 0; i < job->count; i++) {
        free(malloc(job->size));
        kept[i] = malloc(job->size);
    }
    return NULL;
}

/* Keeps `count` blocks (at most 1024) that a thread with a 16 KiB stack made. */
int native_small_stack(size_t size, size_t count) {
    struct small_stack_job job = {size, count};
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    int error = pthread_attr_setstacksize(&attributes, SMALL_STACK);
    if (!error)
        error = pthread_create(&thread, &attributes, allocate_and_keep, &job);
    if (!error)
        error = pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
    return error;
}

static size_t signal_size;
static void *volatile signal_block;

static void allocate_in_handler(int number) {
    (void)number;
    signal_block = malloc(signal_size);
}

/* Keeps one block that a handler made on a signal stack of 16 KiB. */
int native_signal_stack(size_t size) {
    stack_t stack = {.ss_sp = malloc(SMALL_STACK), .ss_size = SMALL_STACK};
    struct sigaction action = {.sa_handler = allocate_in_handler,
                               .sa_flags = SA_ONSTACK};
    signal_size = size;
    if (sigaltstack(&stack, NULL) || sigaction(SIGUSR1, &action, NULL))
        return errno;
    raise(SIGUSR1);
    return signal_block ? 0 : ENOMEM;
}

static void *allocate_and_free(void *argument) {
    void *block = malloc((size_t)(uintptr_t)argument);
    block = realloc(block, 4000);
    free(block);
    return NULL;
}

/* Runs so many threads that live for a moment, one after the other. */
int native_threads(size_t number) {
    for (size_t i = 0; i < number; i++) {
        pthread_t thread;
        int error =
            pthread_create(&thread, NULL, allocate_and_free, (void *)(100 + i % 7));
        if (!error)
            error = pthread_join(thread, NULL);
        if (error)
            return error;
    }
    return 0;
}

struct race_job {
    size_t size;
    size_t rounds;
    unsigned seed;
};

/* One size in all threads: libc hands a freed address to another thread at once. */
static void *race(void *argument) {
    struct race_job *job = argument;
    void *slots[RACE_SLOTS] = {NULL};
    for (size_t i = 0; i < job->rounds; i++) {
        void **slot = &slots[rand_r(&job->seed) % RACE_SLOTS];
        if (!*slot) {
            *slot = malloc(job->size);
        } else if (rand_r(&job->seed) % 2) {
            *slot = realloc(*slot, job->size + 16 * (size_t)(rand_r(&job->seed) % 2));
        } else {
            free(*slot);
            *slot = NULL;
        }
    }
    for (size_t i = 0; i < RACE_SLOTS; i++)
        free(slots[i]);
    return malloc(job->size);
}

/* Threads that allocate, move and free; each leaves one block of `size`. */
int native_race(size_t size, size_t rounds) {
    pthread_t threads[RACE_THREADS];
    struct race_job jobs[RACE_THREADS];
    for (unsigned i = 0; i < RACE_THREADS; i++) {
        jobs[i] = (struct race_job){size, rounds, i + 1};
        int error = pthread_create(&threads[i], NULL, race, &jobs[i]);
        if (error)
            return error;
    }
    for (unsigned i = 0; i < RACE_THREADS; i++)
        pthread_join(threads[i], &kept[i]);
    return 0;
}
