/* SPDX-License-Identifier: MIT */
/* Blocks of known sizes at known places, for test_native_frames.py. Each function ends
 * with a call to keep, so that no call before is its last act. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

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

/* As the dynamic linker while it resolves a call: rbx leads to the caller. */
void by_rbx(size_t size);
__asm__(".text\n"
        ".globl by_rbx\n"
        ".type by_rbx, @function\n"
        "by_rbx:\n"
        ".cfi_startproc\n"
        "push %rbx\n"
        ".cfi_def_cfa_offset 16\n"
        ".cfi_offset %rbx, -16\n"
        "mov %rsp, %rbx\n"
        ".cfi_def_cfa_register %rbx\n"
        "sub $100, %rsp\n"
        "and $-64, %rsp\n"
        "call middle@PLT\n"
        "mov %rbx, %rsp\n"
        ".cfi_def_cfa_register %rsp\n"
        "pop %rbx\n"
        ".cfi_def_cfa_offset 8\n"
        "ret\n"
        ".cfi_endproc\n"
        ".size by_rbx, . - by_rbx\n");

/* The same by an expression: the word that rbx leads to, and 16. */
void by_expression(size_t size);
__asm__(".text\n"
        ".globl by_expression\n"
        ".type by_expression, @function\n"
        "by_expression:\n"
        ".cfi_startproc\n"
        "push %rbx\n"
        ".cfi_def_cfa_offset 16\n"
        ".cfi_offset %rbx, -16\n"
        "push %rsp\n"
        ".cfi_def_cfa_offset 24\n"
        "mov %rsp, %rbx\n"
        /* DW_CFA_def_cfa_expression, 5 bytes: breg3 0, deref, plus_uconst 16 */
        ".cfi_escape 0x0f, 5, 0x73, 0, 0x06, 0x23, 16\n"
        "and $-64, %rsp\n"
        "call middle@PLT\n"
        "mov %rbx, %rsp\n"
        ".cfi_def_cfa %rsp, 24\n"
        "add $8, %rsp\n"
        ".cfi_def_cfa_offset 16\n"
        "pop %rbx\n"
        ".cfi_def_cfa_offset 8\n"
        "ret\n"
        ".cfi_endproc\n"
        ".size by_expression, . - by_expression\n");

/* Stack that a handler's allocation of `size` bytes uses where `room` bytes of a signal
 * stack, in the middle of a local array, are left below the handler's frame; less than
 * 0: bytes written below the signal stack. */
static char *handler_frame;

static void note_and_allocate(int number) {
    (void)number;
    handler_frame = __builtin_frame_address(0);
    if (signal_size > 0)
        leaf(signal_size);
    keep(NULL);
}

static void handle_within(char *begin, char *end) {
    stack_t before, stack = {.ss_sp = begin, .ss_size = (size_t)(end - begin)};
    sigaltstack(&stack, &before);
    raise(SIGUSR1);
    sigaltstack(&before, NULL);
}

no_inline long on_small_stack(size_t size, size_t room) {
    enum { SIZE = 1 << 17, PAINT = 0xa5 };
    char memory[SIZE], *low = memory, *end = memory + SIZE, *begin;
    struct sigaction action = {.sa_handler = note_and_allocate, .sa_flags = SA_ONSTACK};
    sigaction(SIGUSR1, &action, NULL);
    signal_size = 0;
    handle_within(memory, end);
    begin = handler_frame - room;
    memset(memory, PAINT, SIZE);
    __asm__ volatile("" : "+r"(low)::"memory");
    signal_size = size;
    handle_within(begin, end);
    while (*(unsigned char *)low == PAINT)
        low++;
    return low < begin ? low - begin : handler_frame - low;
}

/* The same on the stack of a context, which ends in the middle of a painted array: a
 * local one, or `elsewhere`. */
static ucontext_t context_caller, context_own;
static size_t context_size;

static void allocate_in_context(void) {
    handler_frame = __builtin_frame_address(0);
    if (context_size > 0)
        leaf(context_size);
    keep(NULL);
}

static void run_context(char *begin, char *end) {
    getcontext(&context_own);
    context_own.uc_stack = (stack_t){.ss_sp = begin, .ss_size = (size_t)(end - begin)};
    context_own.uc_link = &context_caller;
    makecontext(&context_own, allocate_in_context, 0);
    swapcontext(&context_caller, &context_own);
}

no_inline long on_small_context(size_t size, size_t room, int elsewhere) {
    enum { SIZE = 1 << 17, PAINT = 0xa5 };
    static char other[SIZE];
    char local[SIZE], *memory = elsewhere ? other : local, *end = memory + SIZE;
    char *low = memory, *begin;
    context_size = 0;
    run_context(memory, end);
    begin = handler_frame - room;
    memset(memory, PAINT, SIZE);
    __asm__ volatile("" : "+r"(low)::"memory");
    context_size = size;
    run_context(begin, end);
    while (*(unsigned char *)low == PAINT)
        low++;
    return low < begin ? low - begin : handler_frame - low;
}

/* In a thread with the smallest stack, of which `room` bytes are left above the guard
 * page. */
struct cramped {
    size_t size, room;
};

static no_inline void leave_room(const struct cramped *cramped, char *low) {
    size_t used = (size_t)((char *)__builtin_frame_address(0) - low) - cramped->room;
    volatile char *taken = __builtin_alloca(used);
    taken[0] = 1;
    leaf(cramped->size);
    keep(NULL);
}

static void *run_cramped(void *argument) {
    pthread_attr_t attributes;
    void *low = NULL;
    size_t size = 0;
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstack(&attributes, &low, &size);
    pthread_attr_destroy(&attributes);
    leave_room(argument, low);
    return NULL;
}

no_inline int in_smallest_thread(size_t size, size_t room) {
    struct cramped cramped = {size, room};
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    int error = pthread_attr_setstacksize(&attributes, 16384);
    if (error == 0)
        error = pthread_create(&thread, &attributes, run_cramped, &cramped);
    if (error == 0)
        pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
    return error;
}
