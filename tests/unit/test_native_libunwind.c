/* SPDX-License-Identifier: MIT */
#include "stack/native/x86_64/native_libunwind.h"

#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "native_leaf.h"
#include "stack/native/native_object.h"
#include "stack/native/native_window.h"
#include "suite.h"

#define no_inline __attribute__((noipa))

static unsigned begun, ended; /* steps */

static void mark(bool begins) {
    *(begins ? &begun : &ended) += 1;
    ck_assert_uint_eq(begun, ended + begins);
}

/* Whether there is a libunwind on this machine. */
static bool is_open(void) {
    ck_assert_int_eq(native_object_prepare(), 0);
    ck_assert_int_eq(native_window_prepare(), 0);
    int status = native_libunwind_prepare(mark);
    if (status < 0) {
        ck_assert_int_eq(status, -ENOENT);
        suite_skip("there is no libunwind");
    }
    return status == 0;
}

static no_inline struct native_registers here(bool *found) {
    struct native_registers registers = native_leaf(__builtin_frame_address(0));
    *found = native_libunwind_step(&registers);
    return registers;
}

START_TEST(a_step_leads_to_the_caller) {
    const uint64_t *frame = __builtin_frame_address(0);
    bool found;
    if (!is_open())
        return;
    errno = EINTR;
    struct native_registers registers = here(&found);
    ck_assert_int_eq(errno, EINTR);
    ck_assert(found);
    ck_assert_uint_eq(registers.ip, frame[1]);
    ck_assert_uint_eq(registers.rbp, frame[0]);
    ck_assert_ptr_eq(registers.slot, frame + 1);
    ck_assert_uint_eq(registers.sp, (uintptr_t)(frame + 2));
    ck_assert_ptr_eq(registers.rbp_slot, frame);
    ck_assert_uint_eq(begun, 1);
}
END_TEST

/* The canonical frame address is in another register that calls leave as it is. The
 * argument is what that register is to be; 0: what is right. */
void native_libunwind_walk(void);
void native_libunwind_by_rbx(uint64_t instead);
static struct native_registers odd;
static bool odd_found;

__attribute__((used)) no_inline void native_libunwind_walk(void) {
    struct native_registers registers = native_leaf(__builtin_frame_address(0));
    odd_found = native_libunwind_step(&registers);
    if (odd_found)
        ck_assert_uint_eq(*registers.slot, registers.ip);
    odd = registers;
}

__asm__(".text\n"
        "native_libunwind_by_rbx:\n"
        ".cfi_startproc\n"
        "push %rbx\n"
        ".cfi_def_cfa_offset 16\n"
        ".cfi_offset %rbx, -16\n"
        "push %r12\n"
        ".cfi_def_cfa_offset 24\n"
        ".cfi_offset %r12, -24\n"
        "mov %rsp, %r12\n"
        "mov %rsp, %rbx\n"
        "test %rdi, %rdi\n"
        "cmovne %rdi, %rbx\n"
        ".cfi_def_cfa %rbx, 24\n"
        "sub $72, %rsp\n"
        "and $-64, %rsp\n"
        "call native_libunwind_walk\n"
        "mov %r12, %rsp\n"
        ".cfi_def_cfa %rsp, 24\n"
        "pop %r12\n"
        ".cfi_def_cfa_offset 16\n"
        "pop %rbx\n"
        ".cfi_def_cfa_offset 8\n"
        "ret\n"
        ".cfi_endproc\n");

START_TEST(another_register_leads_to_the_caller) {
    if (!is_open())
        return;
    native_libunwind_by_rbx(0);
    ck_assert(odd_found);
    uintptr_t own = (uintptr_t)__builtin_frame_address(0);
    ck_assert_uint_lt(odd.sp, own);
    ck_assert_uint_gt(odd.sp, own - 512);
}
END_TEST

/* Page by page from readable words to none, and what no pointer is. */
START_TEST(any_other_value_does_no_harm) {
    static const uint64_t numbers[] = {
        1, 8, 4095, 4096, 1 << 20, UINT64_MAX, 1ul << 63, 0x7ff0000000000000};
    if (!is_open())
        return;
    char *pages = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_int_eq(mprotect(pages + 4096, 4096, PROT_NONE), 0);
    for (size_t at = 0; at < sizeof numbers / sizeof *numbers; at++) {
        native_libunwind_by_rbx(numbers[at]);
        ck_assert(!odd_found);
    }
    for (int at = 4096 - 64; at < 2 * 4096 + 64; at++) {
        native_libunwind_by_rbx((uintptr_t)pages + (unsigned)at);
        ck_assert(!odd_found);
    }
    ck_assert_int_eq(munmap(pages, 3 * 4096), 0);
    native_libunwind_by_rbx((uintptr_t)pages);
    ck_assert(!odd_found);
}
END_TEST

START_TEST(what_is_no_frame_of_ours_is_not_left) {
    struct native_registers registers = {.ip = (uintptr_t)here, .sp = 4096};
    if (!is_open())
        return;
    ck_assert(!native_libunwind_step(&registers));
    ck_assert_uint_eq(registers.sp, 4096);
}
END_TEST

/* The two lowest free descriptors, which is what a pipe would get. */
START_TEST(it_holds_no_descriptor) {
    int before[2], after[2];
    bool found;
    ck_assert_int_eq(pipe(before), 0);
    close(before[0]);
    close(before[1]);
    if (!is_open())
        return;
    here(&found);
    ck_assert(found);
    ck_assert_int_eq(pipe(after), 0);
    ck_assert_int_eq(after[0], before[0]);
    ck_assert_int_eq(after[1], before[1]);
    close(after[0]);
    close(after[1]);
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

START_TEST(the_loaders_lock_is_not_asked_for) {
    struct holder holder = {.status = -1};
    pthread_t thread;
    bool found;
    if (!is_open())
        return;
    sem_init(&holder.inside, 0, 0);
    sem_init(&holder.done, 0, 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, run_holder, &holder), 0);
    sem_wait(&holder.inside);
    here(&found);
    sem_post(&holder.done);
    pthread_join(thread, NULL);
    ck_assert(found);
    ck_assert_int_eq(holder.status, 0);
}
END_TEST

/* Takes a step on a painted stack. */
static void *run_painted(void *begin) {
    bool found;
    *(uintptr_t *)begin = (uintptr_t)__builtin_frame_address(0);
    here(&found);
    ck_assert(found);
    return NULL;
}

START_TEST(it_needs_no_more_room_than_it_says) {
    enum { SIZE = 1 << 18, PAINT = 0xa5 };
    pthread_attr_t attributes;
    pthread_t thread;
    uintptr_t begin;
    if (!is_open())
        return;
    unsigned char *memory =
        mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(memory, PAINT, SIZE);
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, memory, SIZE);
    ck_assert_int_eq(pthread_create(&thread, &attributes, run_painted, &begin), 0);
    pthread_join(thread, NULL);
    unsigned char *low = memory;
    while (*low == PAINT)
        low++;
    ck_assert_uint_gt(begin - (uintptr_t)low, 256);
    ck_assert_uint_lt(begin - (uintptr_t)low, NATIVE_LIBUNWIND_ROOM - 1024);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        a_step_leads_to_the_caller,
        another_register_leads_to_the_caller,
        any_other_value_does_no_harm,
        what_is_no_frame_of_ours_is_not_left,
        it_holds_no_descriptor,
        the_loaders_lock_is_not_asked_for,
        it_needs_no_more_room_than_it_says,
    };
    return suite_run("native_libunwind", tests, sizeof tests / sizeof *tests);
}
