/* SPDX-License-Identifier: MIT */
#include "stack/native/native_unwind.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <link.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>

#include "native_leaf.h"
#include "stack/native/native_object.h"
#include "suite.h"

enum { DEEPEST = 400 };

#define no_inline __attribute__((noipa))

static _Alignas(16) unsigned char memory[NATIVE_UNWIND_MEMORY];

/* Whether there is a libunwind on this machine. */
static bool is_open(void) {
    int status = native_unwind_prepare();
    ck_assert_int_eq(native_object_prepare(), 0);
    if (status < 0) {
        ck_assert_int_eq(status, -ENOENT);
        suite_skip("there is no libunwind");
    }
    return status == 0;
}

static void expect_place(const struct native_registers *registers) {
    ck_assert_uint_eq(*registers->slot, registers->ip);
    if (registers->rbp_slot != NULL)
        ck_assert_uint_eq(*registers->rbp_slot, registers->rbp);
    if (!registers->exact)
        ck_assert_ptr_eq(registers->slot, (const uint64_t *)registers->sp - 1);
}

/* Steps from this function's caller to the root, and compares with what glibc finds. */
static no_inline int walk(void) {
    void *found[DEEPEST];
    struct native_registers registers = native_leaf(__builtin_frame_address(0));
    int count = backtrace(found, DEEPEST), at = 1, status;
    do {
        ck_assert_int_lt(at, count);
        ck_assert_uint_eq(registers.ip, (uintptr_t)found[at++]);
        status = native_unwind_step(&registers, memory);
        if (status > 0)
            expect_place(&registers);
    } while (status > 0);
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(at, count);
    return count;
}

/* Frames of many sizes, with and without a frame pointer. */
static no_inline int descend(int depth) {
    char *some = depth % 3 == 0 ? __builtin_alloca((size_t)depth + 16) : NULL;
    __asm__ volatile("" : "+r"(some)::"memory");
    int count = depth > 0 ? descend(depth - 1) : walk();
    __asm__ volatile("" ::: "memory");
    return count;
}

START_TEST(each_step_leads_to_the_caller) {
    if (!is_open())
        return;
    ck_assert_int_eq(descend(50), descend(0) + 50);
}
END_TEST

static no_inline struct native_registers here(void) {
    return native_leaf(__builtin_frame_address(0));
}

/* A frame without rbp in its tables leaves the caller's where it is. */
START_TEST(rbp_is_the_callers) {
    struct native_registers registers = here();
    const uint64_t *frame = __builtin_frame_address(0);
    if (!is_open())
        return;
    ck_assert_int_eq(native_unwind_step(&registers, memory), 1);
    ck_assert_uint_eq(registers.ip, frame[1]);
    ck_assert_uint_eq(registers.rbp, frame[0]);
    ck_assert_ptr_eq(registers.slot, frame + 1);
}
END_TEST

static void *run_thread(void *argument) {
    (void)argument;
    descend(10);
    return NULL;
}

START_TEST(a_thread_has_a_root_of_its_own) {
    pthread_t thread;
    if (!is_open())
        return;
    ck_assert_int_eq(pthread_create(&thread, NULL, run_thread, NULL), 0);
    pthread_join(thread, NULL);
}
END_TEST

static int handled;

/* The frame that was interrupted is the one whose registers the kernel left. */
static void handler(int number, siginfo_t *info, void *context) {
    const greg_t *saved = ((const ucontext_t *)context)->uc_mcontext.gregs;
    struct native_registers registers = here();
    (void)number;
    (void)info;
    ck_assert_int_eq(native_unwind_step(&registers, memory), 1);
    ck_assert(!registers.exact);
    ck_assert_int_eq(native_unwind_step(&registers, memory), 1);
    ck_assert(registers.exact);
    ck_assert_ptr_eq(registers.slot, (const uint64_t *)&saved[REG_RIP]);
    ck_assert_ptr_eq(registers.rbp_slot, (const uint64_t *)&saved[REG_RBP]);
    ck_assert_uint_eq(registers.sp, (uint64_t)saved[REG_RSP]);
    expect_place(&registers);
    ck_assert_int_eq(native_unwind_step(&registers, memory), 1);
    ck_assert(!registers.exact);
    handled += walk() > 3;
}

static void expect_handled(int flags) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    ck_assert_int_eq(handled, 1);
}

START_TEST(a_handlers_caller_is_what_it_interrupted) {
    if (is_open())
        expect_handled(0);
}
END_TEST

START_TEST(a_handler_may_have_its_own_stack) {
    static char alternate[1 << 16];
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
    if (!is_open())
        return;
    sigaltstack(&stack, NULL);
    expect_handled(SA_ONSTACK);
}
END_TEST

/* One function ends with a call and the next begins behind it: the same address is in
 * the one for a return, and in the other for a signal. Never run. */
extern const char native_unwind_next[];
__asm__(".text\n"
        "native_unwind_ends:\n"
        ".cfi_startproc\n"
        ".cfi_def_cfa_offset 40\n"
        "nop\n"
        ".cfi_endproc\n"
        "native_unwind_next:\n"
        ".cfi_startproc\n"
        "nop\n"
        "ret\n"
        ".cfi_endproc\n");

/* A step from there, where the word at `at` is `value`. */
static int step_between(struct native_registers *registers, bool exact, size_t at,
                        uint64_t value) {
    static uint64_t words[64];
    words[at] = value;
    *registers = (struct native_registers){
        .ip = (uintptr_t)native_unwind_next,
        .sp = (uintptr_t)words,
        .rbp = 0x1234,
        .exact = exact,
    };
    int status = native_unwind_step(registers, memory);
    if (status == 1)
        ck_assert_ptr_eq(registers->slot, words + at);
    return status;
}

START_TEST(a_return_belongs_to_the_call) {
    struct native_registers registers;
    uint64_t caller = (uintptr_t)walk;
    if (!is_open())
        return;
    ck_assert_int_eq(step_between(&registers, true, 0, caller), 1);
    ck_assert_uint_eq(registers.ip, caller);
    ck_assert_int_eq(step_between(&registers, false, 4, caller), 1);
    ck_assert_uint_eq(registers.ip, caller);
    ck_assert_uint_eq(registers.rbp, 0x1234);
    ck_assert_ptr_null(registers.rbp_slot);
    ck_assert(!registers.exact);
}
END_TEST

START_TEST(nobody_has_called_the_root) {
    struct native_registers registers;
    if (is_open())
        ck_assert_int_eq(step_between(&registers, true, 0, 0), 0);
}
END_TEST

/* Code of no file, and no frame pointer either. */
START_TEST(what_has_no_tables_is_not_guessed) {
    static uint64_t words[64];
    struct native_registers registers = {.sp = (uintptr_t)words};
    if (!is_open())
        return;
    registers.ip = (uintptr_t)mmap(NULL, 4096, PROT_READ | PROT_EXEC,
                                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) +
                   64;
    ck_assert_int_le(native_unwind_step(&registers, memory), 0);
}
END_TEST

/* A thread that is in dl_iterate_phdr, where it holds a lock of the loader. */
struct holder {
    sem_t inside, done;
    int status; /* of waiting for `done`; 0: it came in time */
};

static int hold(struct dl_phdr_info *info, size_t size, void *argument) {
    struct holder *holder = argument;
    struct timespec latest;
    (void)info;
    (void)size;
    clock_gettime(CLOCK_REALTIME, &latest);
    latest.tv_sec += 20;
    sem_post(&holder->inside);
    holder->status = sem_timedwait(&holder->done, &latest);
    return 1;
}

static void *run_holder(void *holder) {
    dl_iterate_phdr(hold, holder);
    return NULL;
}

/* No assertion inside the step's stretch: a failed one would leave the thread. */
START_TEST(the_loaders_lock_is_not_asked_for) {
    struct holder holder = {.status = -1};
    struct native_registers registers = here();
    pthread_t thread;
    if (!is_open())
        return;
    sem_init(&holder.inside, 0, 0);
    sem_init(&holder.done, 0, 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, run_holder, &holder), 0);
    sem_wait(&holder.inside);
    int status = native_unwind_step(&registers, memory);
    sem_post(&holder.done);
    pthread_join(thread, NULL);
    ck_assert_int_eq(status, 1);
    ck_assert_int_eq(holder.status, 0);
}
END_TEST

/* Its own list of the loaded objects is the loader's, but for our steps. */
START_TEST(the_program_may_use_the_same_library) {
    void *ours[DEEPEST], *found[DEEPEST];
    int (*unwind)(void **addresses, int most);
    if (!is_open())
        return;
    walk();
    void *handle = dlopen("libunwind.so.8", RTLD_NOW);
    ck_assert_ptr_nonnull(handle);
    *(void **)&unwind = dlsym(handle, "unw_backtrace");
    ck_assert(unwind != NULL);
    int count = backtrace(ours, DEEPEST);
    ck_assert_int_eq(unwind(found, DEEPEST), count);
    for (int at = 1; at < count; at++)
        ck_assert_ptr_eq(found[at], ours[at]);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        each_step_leads_to_the_caller,     rbp_is_the_callers,
        a_thread_has_a_root_of_its_own,    a_handlers_caller_is_what_it_interrupted,
        a_handler_may_have_its_own_stack,  what_has_no_tables_is_not_guessed,
        a_return_belongs_to_the_call,      nobody_has_called_the_root,
        the_loaders_lock_is_not_asked_for, the_program_may_use_the_same_library,
    };
    return suite_run("native_unwind", tests, sizeof tests / sizeof *tests);
}
