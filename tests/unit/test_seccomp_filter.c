/* SPDX-License-Identifier: MIT */
/* Filters of random instructions answer here as in a child, by the kernel. */
#include "process/seccomp_filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_run.h"

enum { LENGTH = 24, TRIALS = 400, NO_FILTER = 255 };

static const struct seccomp_data data = {
    .nr = SYS_getpriority,
    .arch = AUDIT_ARCH_X86_64,
    .args = {1, UINT64_C(0x123456789abcdef0), 3, 77, UINT64_MAX, 0x8000},
};

static unsigned seed;

static uint32_t below(uint32_t limit) {
    return (uint32_t)rand_r(&seed) % limit;
}

static struct sock_filter instruction(unsigned code, uint32_t k) {
    return (struct sock_filter){(uint16_t)code, 0, 0, k};
}

static struct sock_filter random_computation(void) {
    static const unsigned operations[] = {BPF_ADD, BPF_SUB, BPF_MUL, BPF_AND, BPF_OR,
                                          BPF_XOR, BPF_LSH, BPF_RSH, BPF_DIV};
    unsigned operation = operations[below(9)];
    bool shifts = operation == BPF_LSH || operation == BPF_RSH;
    if (operation != BPF_DIV && below(2) == 0)
        return instruction(BPF_ALU | operation | BPF_X, 0);
    return instruction(BPF_ALU | operation | BPF_K,
                       shifts ? below(32) : 1 + below(1000));
}

/* At `left` instructions before the end. */
static struct sock_filter random_jump(unsigned left) {
    static const unsigned tests[] = {BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET};
    if (below(5) == 0)
        return instruction(BPF_JMP | BPF_JA, below(left));
    struct sock_filter jump = instruction(
        BPF_JMP | tests[below(4)] | (below(2) == 0 ? BPF_X : BPF_K), below(200));
    jump.jt = (uint8_t)below(left);
    jump.jf = (uint8_t)below(left);
    return jump;
}

static struct sock_filter random_instruction(unsigned left) {
    switch (below(8)) {
    case 0:
        return instruction(BPF_LD | BPF_W | BPF_ABS, 16 + 4 * below(12));
    case 1:
        return instruction(below(2) == 0 ? BPF_LD | BPF_IMM : BPF_LDX | BPF_IMM,
                           below(100000));
    case 2:
        return instruction(below(2) == 0 ? BPF_LD | BPF_MEM : BPF_LDX | BPF_MEM,
                           below(4));
    case 3:
        return instruction(BPF_MISC | (below(2) == 0 ? BPF_TAX : BPF_TXA), 0);
    case 4:
        return below(4) == 0 ? instruction(BPF_ALU | BPF_NEG, 0)
                             : instruction(BPF_LD | BPF_W | BPF_LEN, 0);
    case 5:
        return random_jump(left);
    default:
        return random_computation();
    }
}

/* Other calls are allowed; this one fails with a number that was computed. */
static size_t make_filter(struct sock_filter *out) {
    struct sock_filter *next = out;
    *next++ = instruction(BPF_LD | BPF_W | BPF_ABS, 0);
    *next++ = (struct sock_filter){BPF_JMP | BPF_JEQ | BPF_K, 1, 0, (uint32_t)data.nr};
    *next++ = instruction(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    for (uint32_t i = 0; i < 4; i++) {
        *next++ = instruction(BPF_LDX | BPF_IMM, 7 * i);
        *next++ = instruction(i % 2 == 0 ? BPF_ST : BPF_STX, i);
    }
    for (unsigned left = LENGTH; left > 0; left--)
        *next++ = random_instruction(left);
    *next++ = instruction(BPF_ALU | BPF_AND | BPF_K, 0x7f);
    *next++ = instruction(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO);
    *next++ = instruction(BPF_RET | BPF_A, 0);
    return (size_t)(next - out);
}

static long call_filtered(void) {
    return syscall(data.nr, data.args[0], data.args[1], data.args[2], data.args[3],
                   data.args[4], data.args[5]);
}

/* The error, by the kernel. */
static int ask_kernel(struct sock_filter *filter, size_t count) {
    struct sock_fprog program = {(unsigned short)count, filter};
    int status;
    pid_t child = fork();
    if (child == 0) {
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
            prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
            _exit(NO_FILTER);
        _exit(call_filtered() < 0 ? errno : 0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

START_TEST(it_answers_as_the_kernel_does) {
    struct sock_filter filter[LENGTH + 32];
    unsigned compared = 0;
    for (unsigned trial = 0; trial < TRIALS; trial++) {
        seed = trial;
        size_t count = make_filter(filter);
        int error = ask_kernel(filter, count);
        if (error == NO_FILTER)
            continue;
        ck_assert_uint_eq(seccomp_filter_run(filter, count, &data),
                          SECCOMP_RET_ERRNO | (uint32_t)error);
        compared++;
    }
    ck_assert_uint_gt(compared, TRIALS / 2);
}
END_TEST

START_TEST(what_the_kernel_accepts_not_kills) {
    struct sock_filter filter[] = {
        {BPF_LD | BPF_W | BPF_ABS, 0, 0, sizeof data},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
    };
    ck_assert_uint_eq(seccomp_filter_run(filter, 2, &data), SECCOMP_RET_KILL_PROCESS);
    filter[0] = instruction(BPF_JMP | BPF_JA, 5);
    ck_assert_uint_eq(seccomp_filter_run(filter, 2, &data), SECCOMP_RET_KILL_PROCESS);
    filter[0] = instruction(BPF_JMP | BPF_JA, UINT32_MAX);
    ck_assert_uint_eq(seccomp_filter_run(filter, 2, &data), SECCOMP_RET_KILL_PROCESS);
    filter[0] = instruction(BPF_LD | BPF_MEM, BPF_MEMWORDS);
    ck_assert_uint_eq(seccomp_filter_run(filter, 2, &data), SECCOMP_RET_KILL_PROCESS);
    ck_assert_uint_eq(seccomp_filter_run(filter, 0, &data), SECCOMP_RET_KILL_PROCESS);
    filter[0] = instruction(BPF_LD | BPF_IMM, 0);
    ck_assert_uint_eq(seccomp_filter_run(filter, 2, &data), SECCOMP_RET_ALLOW);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("seccomp_filter");
    tcase_add_test(tests, it_answers_as_the_kernel_does);
    tcase_add_test(tests, what_the_kernel_accepts_not_kills);
    return check_run("seccomp_filter", tests);
}
