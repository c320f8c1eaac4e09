/* SPDX-License-Identifier: MIT */
/* Blocks of known sizes at known places, for test_native_frames.py. Each function ends
 * with a call to keep, so that no call before is its last act. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define no_inline __attribute__((noipa))

static void *kept[65536];
static unsigned count;

no_inline void keep(void *block) {
    kept[__atomic_fetch_add(&count, 1, __ATOMIC_RELAXED) % 65536] = block;
    __asm__ volatile("" ::: "memory");
}

no_inline void leaf(size_t size) {
    keep(malloc(size));
    keep(NULL);
}

no_inline void middle(size_t size) {
    leaf(size);
    keep(NULL);
}

no_inline void call_back(void (*callback)(void)) {
    callback();
    keep(NULL);
}

no_inline void recurse(int depth, size_t size) {
    if (depth > 0)
        recurse(depth - 1, size);
    else
        leaf(size);
    keep(NULL);
}

static void *run_thread(void *argument) {
    middle((size_t)argument);
    return NULL;
}

no_inline void in_thread(size_t size) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, run_thread, (void *)size) == 0)
        pthread_join(thread, NULL);
}

static size_t signal_size;

static void handle(int number) {
    (void)number;
    leaf(signal_size);
    keep(NULL);
}

/* In the handler of a signal, on a stack of its own if `own` says so. */
no_inline void in_handler(size_t size, int own) {
    static char memory[1 << 16];
    stack_t stack = {.ss_sp = memory, .ss_size = sizeof memory};
    struct sigaction action = {.sa_handler = handle, .sa_flags = own ? SA_ONSTACK : 0};
    signal_size = size;
    sigaltstack(&stack, NULL);
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    keep(NULL);
}

/* What a just-in-time compiler makes: code of no file, with a frame pointer. */
no_inline void in_new_code(size_t size) {
    static const unsigned char code[] = {
        0x55, 0x48, 0x89, 0xe5,                   /* push %rbp; mov %rsp, %rbp */
        0x48, 0xb8, 0,    0,    0, 0, 0, 0, 0, 0, /* mov $leaf, %rax */
        0xff, 0xd0, 0x5d, 0xc3,                   /* call *%rax; pop %rbp; ret */
    };
    void (*target)(size_t) = leaf;
    unsigned char *page =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    void (*made)(size_t);
    memcpy(page, code, sizeof code);
    memcpy(page + 6, &target, sizeof target);
    mprotect(page, 4096, PROT_READ | PROT_EXEC);
    memcpy(&made, &page, sizeof made);
    made(size);
    keep(NULL);
}
