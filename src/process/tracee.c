/* SPDX-License-Identifier: MIT */
#include "process/tracee.h"

#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>

#include "process/clock.h"
#include "process/remote_memory.h"

enum {
    STOP_MS = 200,
    RED_ZONE = 128, /* System V ABI, AMD64 supplement, 3.2.2 */
    MAX_FLOATING = 32 << 10,
    MASK_SIZE = 8,
    SYSCALL_SIZE = 2,              /* bytes of the instruction */
    SYSCALL_STOP = SIGTRAP | 0x80, /* PTRACE_O_TRACESYSGOOD */
};

/* What the kernel keeps of an interrupted system call until it begins it again
 * (include/linux/errno.h of the kernel). */
enum {
    ERESTARTSYS_KERNEL = 512,
    ERESTARTNOINTR_KERNEL = 513,
    ERESTARTNOHAND_KERNEL = 514,
    ERESTART_RESTARTBLOCK_KERNEL = 516,
};

static void sleep_a_little(void) {
    static const struct timespec pause = {0, 100000};
    nanosleep(&pause, NULL);
}

/* 0 with a status; -ESRCH: the thread is gone; -ETIMEDOUT; -EINTR. */
static int wait_stop(pid_t thread, uint64_t limit_ms, const volatile bool *ended,
                     int *status) {
    for (;;) {
        pid_t got = waitpid(thread, status, __WALL | WNOHANG);
        if (got == thread)
            return WIFSTOPPED(*status) ? 0 : -ESRCH;
        if (got < 0 && errno != EINTR)
            return -ESRCH;
        if (ended != NULL && *ended)
            return -EINTR;
        if (clock_ms() >= limit_ms)
            return -ETIMEDOUT;
        sleep_a_little();
    }
}

static bool is_event_stop(int status) {
    return status >> 16 == PTRACE_EVENT_STOP;
}

static int request(int what, const struct tracee *tracee, void *address, long data) {
    return ptrace(what, tracee->thread, address, (void *)data) < 0 ? -errno : 0;
}

/* A signal that comes first is the program's. */
static int reach_event_stop(const struct tracee *tracee, uint64_t limit_ms) {
    int status = 0, error;
    while ((error = wait_stop(tracee->thread, limit_ms, NULL, &status)) == 0 &&
           !is_event_stop(status))
        error = request(PTRACE_CONT, tracee, NULL, WSTOPSIG(status));
    return error;
}

static int read_state(struct tracee *tracee) {
    tracee->floating = malloc(MAX_FLOATING);
    if (tracee->floating == NULL)
        return -ENOMEM;
    struct iovec area = {tracee->floating, MAX_FLOATING};
    int error = request(PTRACE_GETREGS, tracee, NULL, (long)&tracee->registers);
    if (error == 0)
        error = request(PTRACE_GETSIGMASK, tracee, (void *)(long)MASK_SIZE,
                        (long)&tracee->mask);
    if (error == 0)
        error =
            request(PTRACE_GETREGSET, tracee, (void *)(long)NT_X86_XSTATE, (long)&area);
    tracee->floating_size = area.iov_len;
    return error;
}

/* A letter, as in proc(5); 'X' if the thread is gone. */
static char state_of(pid_t pid, pid_t thread) {
    char name[64], line[256] = "";
    snprintf(name, sizeof name, "/proc/%d/task/%d/stat", (int)pid, (int)thread);
    FILE *file = fopen(name, "re");
    if (file == NULL)
        return 'X';
    if (fgets(line, sizeof line, file) == NULL)
        line[0] = '\0';
    fclose(file);
    const char *state = strrchr(line, ')');
    return state != NULL && state[1] == ' ' ? state[2] : 'X';
}

static bool has_ended(pid_t pid, pid_t thread) {
    char state = state_of(pid, thread);
    return state == 'Z' || state == 'X';
}

/* A thread that waits uninterruptibly, as after a vfork, does not stop, and cannot be
 * released before it does. A thread that has ended is refused with EPERM. */
int tracee_stop(struct tracee *tracee, pid_t pid, pid_t thread) {
    *tracee = (struct tracee){.pid = pid, .thread = thread};
    if (state_of(pid, thread) == 'D')
        return -EAGAIN;
    int error = request(PTRACE_SEIZE, tracee, NULL, PTRACE_O_TRACESYSGOOD);
    if (error < 0)
        return error == -EPERM && has_ended(pid, thread) ? -ESRCH : error;
    request(PTRACE_INTERRUPT, tracee, NULL, 0);
    error = reach_event_stop(tracee, clock_ms() + STOP_MS);
    if (error == 0)
        error = read_state(tracee);
    if (error < 0)
        tracee_release(tracee);
    return error;
}

static int64_t result_of(const struct user_regs_struct *registers) {
    return (int64_t)registers->rax;
}

static bool is_in_call(const struct user_regs_struct *registers) {
    return (int64_t)registers->orig_rax >= 0;
}

/* glibc waits for its own locks, such as malloc's, by FUTEX_WAIT, and for the program's
 * conditions and semaphores by FUTEX_WAIT_BITSET. */
static bool is_lock(const struct user_regs_struct *registers) {
    enum { COMMAND = 0x7f, WAIT_BITSET = 9 };
    return registers->orig_rax == SYS_futex &&
           (registers->rsi & COMMAND) != WAIT_BITSET;
}

/* Whether a system call was interrupted and can be made again. close cannot: the
 * descriptor may be another file's by then. */
static bool is_interrupted(const struct user_regs_struct *registers) {
    if (!is_in_call(registers) || registers->orig_rax == SYS_close)
        return false;
    switch (-result_of(registers)) {
    case EINTR:
    case ERESTARTSYS_KERNEL:
    case ERESTARTNOINTR_KERNEL:
    case ERESTARTNOHAND_KERNEL:
    case ERESTART_RESTARTBLOCK_KERNEL:
        return true;
    default:
        return false;
    }
}

bool tracee_waits(const struct user_regs_struct *registers) {
    return is_interrupted(registers) && !is_lock(registers);
}

/* With a handler of a signal to run the kernel says EINTR; without, it begins again. */
static void hide_interruption(struct user_regs_struct *registers) {
    if (is_interrupted(registers) && result_of(registers) == -EINTR)
        registers->rax = (uint64_t)-ERESTARTNOHAND_KERNEL;
}

/* The registers come last: until then the thread is before its rt_sigreturn. */
static void restore(const struct tracee *tracee) {
    struct user_regs_struct registers = tracee->registers;
    struct iovec area = {tracee->floating, tracee->floating_size};
    hide_interruption(&registers);
    if (tracee->is_changed) {
        request(PTRACE_SETREGSET, tracee, (void *)(long)NT_X86_XSTATE, (long)&area);
        request(PTRACE_SETSIGMASK, tracee, (void *)(long)MASK_SIZE,
                (long)&tracee->mask);
    }
    request(PTRACE_SETREGS, tracee, NULL, (long)&registers);
}

void tracee_release(struct tracee *tracee) {
    if (tracee->is_running) {
        request(PTRACE_INTERRUPT, tracee, NULL, 0);
        (void)!reach_event_stop(tracee, clock_ms() + STOP_MS);
    } else if (tracee->floating_size > 0)
        restore(tracee);
    /* One that does not stop is let go by the kernel when the command ends. */
    ptrace(PTRACE_DETACH, tracee->thread, NULL, NULL);
    free(tracee->floating);
    tracee->floating = NULL;
    tracee->floating_size = 0;
}

int tracee_filter(const struct tracee *tracee, unsigned index,
                  struct sock_filter *out) {
    long count = ptrace(PTRACE_SECCOMP_GET_FILTER, tracee->thread,
                        (void *)(uintptr_t)index, (void *)out);
    return count < 0 ? -errno : (int)count;
}

/* --- the frame of rt_sigreturn ---------------------------------------------------- */

/* Written to the thread's stack, from its lower end:
 *
 *   return address | ucontext | text | status | floating point state
 *
 * rt_sigreturn takes the ucontext where the stack pointer is. */
struct frame {
    uint64_t return_address;
    ucontext_t context;
    int64_t status;
    char text[16384];
};

/* Words in the unused part of the area that rt_sigreturn checks
 * (struct _fpx_sw_bytes in the kernel's sigcontext.h). */
struct software_words {
    uint32_t magic;
    uint32_t extended_size;
    uint64_t features;
    uint32_t size;
    uint32_t padding[7];
};

enum { SOFTWARE_WORDS = 464, HEADER_FEATURES = 512 };
static const uint32_t magic_first = 0x46505853, magic_last = 0x46505845;

/* The kernel's own copy has the features that are enabled where ours has the magic. */
static void mark_floating(unsigned char *area, size_t size) {
    struct software_words words = {
        .magic = magic_first,
        .extended_size = (uint32_t)(size + sizeof magic_last),
        .size = (uint32_t)size,
    };
    memcpy(&words.features, area + SOFTWARE_WORDS, sizeof words.features);
    memcpy(area + SOFTWARE_WORDS, &words, sizeof words);
    memcpy(area + size, &magic_last, sizeof magic_last);
}

static void fill_context(ucontext_t *context, const struct tracee *tracee,
                         uint64_t floating) {
    enum { FLAGS = 1 | 2 | 4 }; /* UC_FP_XSTATE, SIGCONTEXT_SS, STRICT_RESTORE_SS */
    const struct user_regs_struct *from = &tracee->registers;
    greg_t *to = context->uc_mcontext.gregs;
    const uint64_t values[] = {from->r8,  from->r9,  from->r10,   from->r11, from->r12,
                               from->r13, from->r14, from->r15,   from->rdi, from->rsi,
                               from->rbp, from->rbx, from->rdx,   from->rax, from->rcx,
                               from->rsp, from->rip, from->eflags};
    memset(context, 0, sizeof *context);
    context->uc_flags = FLAGS;
    memcpy(to, values, sizeof values);
    if (is_interrupted(from)) {
        to[REG_RAX] = (greg_t)from->orig_rax;
        to[REG_RIP] -= SYSCALL_SIZE;
    }
    to[REG_CSGSFS] = (greg_t)(from->cs | from->ss << 48);
    memcpy(&context->uc_sigmask, &tracee->mask, MASK_SIZE);
    context->uc_mcontext.fpregs = (fpregset_t)floating;
}

struct place {
    uint64_t floating;
    uint64_t frame; /* where the function begins: its stack pointer */
};

static uint64_t align_down(uint64_t address, uint64_t alignment) {
    return address & ~(alignment - 1);
}

static struct place find_place(const struct tracee *tracee) {
    uint64_t top = tracee->registers.rsp - RED_ZONE;
    uint64_t floating = align_down(top - tracee->floating_size - sizeof magic_last, 64);
    uint64_t frame = align_down(floating - sizeof(struct frame), 16) - 8;
    return (struct place){floating, frame};
}

static int write_frame(const struct tracee *tracee, const struct tracee_call *call,
                       const struct place *place) {
    static struct frame frame;
    static unsigned char floating[MAX_FLOATING + sizeof magic_last];
    if (strlen(call->text) >= sizeof frame.text)
        return -ENAMETOOLONG;
    frame.return_address = call->restore;
    frame.status = INT64_MIN;
    strcpy(frame.text, call->text);
    fill_context(&frame.context, tracee, place->floating);
    memcpy(floating, tracee->floating, tracee->floating_size);
    mark_floating(floating, tracee->floating_size);
    int error = remote_memory_write(tracee->pid, place->floating, floating,
                                    tracee->floating_size + sizeof magic_last);
    if (error == 0)
        error = remote_memory_write(tracee->pid, place->frame, &frame, sizeof frame);
    return error;
}

/* --- the call --------------------------------------------------------------------- */

/* The registers come first: rt_sigreturn restores the mask. */
static int enter(struct tracee *tracee, const struct tracee_call *call,
                 const struct place *place) {
    struct user_regs_struct registers = tracee->registers;
    uint64_t all = ~UINT64_C(0);
    registers.rip = call->function;
    registers.rsp = place->frame;
    registers.rdi = place->frame + offsetof(struct frame, text);
    registers.rsi = call->status != NULL ? place->frame + offsetof(struct frame, status)
                                         : call->argument;
    registers.rax = 0;
    registers.orig_rax = ~UINT64_C(0);
    registers.eflags &= ~UINT64_C(0x500); /* direction, trap */
    int error = request(PTRACE_SETREGS, tracee, NULL, (long)&registers);
    if (error == 0)
        error = request(PTRACE_SETSIGMASK, tracee, (void *)(long)MASK_SIZE, (long)&all);
    tracee->is_changed = true;
    return error;
}

static bool is_return(const struct tracee *tracee, const struct place *place) {
    struct user_regs_struct now;
    return request(PTRACE_GETREGS, tracee, NULL, (long)&now) == 0 &&
           now.orig_rax == SYS_rt_sigreturn &&
           now.rsp == place->frame + sizeof(uint64_t);
}

/* From one system call's begin or end to the next, to the one that ends the call. */
static int reach_return(const struct tracee *tracee, const struct place *place,
                        uint64_t limit_ms, const volatile bool *ended) {
    int status = 0, error = 0, number = 0;
    while (error == 0) {
        error = request(PTRACE_SYSCALL, tracee, NULL, number);
        if (error == 0)
            error = wait_stop(tracee->thread, limit_ms, ended, &status);
        if (error == 0 && WSTOPSIG(status) == SYSCALL_STOP && is_return(tracee, place))
            return 0;
        /* Faults of the function are the program's end, as without us. */
        bool is_signal =
            error == 0 && !is_event_stop(status) && WSTOPSIG(status) != SYSCALL_STOP;
        number = is_signal ? WSTOPSIG(status) : 0;
    }
    return error;
}

/* Skips the system call, and stops the thread where its registers can be set. If it is
 * not stopped there, or not restored, it makes the same system call again. */
static int leave(const struct tracee *tracee) {
    struct user_regs_struct now;
    int error = request(PTRACE_GETREGS, tracee, NULL, (long)&now);
    now.orig_rax = ~UINT64_C(0);
    now.rax = SYS_rt_sigreturn;
    now.rip -= SYSCALL_SIZE;
    if (error == 0)
        error = request(PTRACE_SETREGS, tracee, NULL, (long)&now);
    if (error == 0)
        error = request(PTRACE_INTERRUPT, tracee, NULL, 0);
    if (error == 0)
        error = request(PTRACE_CONT, tracee, NULL, 0);
    return error == 0 ? reach_event_stop(tracee, clock_ms() + STOP_MS) : error;
}

static int64_t read_status(const struct tracee *tracee, const struct place *place) {
    int64_t value = INT64_MIN;
    uint64_t address = place->frame + offsetof(struct frame, status);
    return remote_memory_read(tracee->pid, address, &value, sizeof value) == 0
               ? value
               : INT64_MIN;
}

int tracee_run(struct tracee *tracee, const struct tracee_call *call, uint64_t limit_ms,
               const volatile bool *ended) {
    struct place place = find_place(tracee);
    int error = write_frame(tracee, call, &place);
    if (error == 0)
        error = enter(tracee, call, &place);
    if (error < 0)
        return error;
    tracee->is_running = true;
    error = reach_return(tracee, &place, limit_ms, ended);
    tracee->is_running = error < 0;
    if (error == 0 && call->status != NULL)
        *call->status = read_status(tracee, &place);
    return error == 0 ? leave(tracee) : error;
}
