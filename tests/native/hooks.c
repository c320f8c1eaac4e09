/* SPDX-License-Identifier: MIT */
/* Calls of the malloc and mmap families, for a traced interpreter that loads this file
 * by ctypes.
 *
 * Each function tells what it saw: 0 for all well, a line number of this file for what
 * was not, or what its comment says. What it leaves allocated is what the test looks
 * for in the dump.
 */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

enum {
    PAGE = 4096,
    THREADS = 8,
    SLOTS = 256,
    SIZES = 4,
    KEPT_EACH = 10,
    SMALL_STACK = 16384,
    PAINT = 0x5a,
};

/* Line of the first thing that was not as expected. */
static _Atomic int failure;

static void note(int line, bool right) {
    int none = 0;
    if (!right)
        atomic_compare_exchange_strong(&failure, &none, line);
}

#define expect(condition) note(__LINE__, condition)

/* Not known to the compiler, which warns of sizes that cannot be had. */
static volatile size_t much = (size_t)1 << 60;

#define visible __attribute__((visibility("default")))

int hooks_race(size_t size, unsigned rounds, unsigned *live);
int hooks_failures(size_t size);
int hooks_errno(void);
int hooks_family(size_t size);
int hooks_mappings(size_t pages);
int hooks_threads(unsigned number);
int hooks_late_frees(unsigned number, size_t size);
int hooks_stack_use(void);
int hooks_small_stack(size_t size);
int hooks_signal_storm(unsigned count);
int hooks_signal_stack(size_t size);

/* The compiler would remove a malloc whose block is not used. */
static void *volatile sink;

static void *keep(void *block) {
    return sink = block;
}

/* --- a race of free and realloc --------------------------------------------------- */

static _Atomic(char *) slots[SLOTS];
static _Atomic unsigned live_of[SIZES];
static size_t race_size;
static unsigned race_rounds;

static char *race_make(char *old, unsigned kind) {
    char *block = realloc(old, race_size + kind);
    block[0] = (char)kind;
    live_of[kind]++;
    return block;
}

/* Any thread frees and moves what any other made. */
static void race_once(unsigned *seed) {
    unsigned kind = (unsigned)rand_r(seed) % SIZES;
    _Atomic(char *) *slot = &slots[(unsigned)rand_r(seed) % SLOTS];
    char *block = atomic_exchange(slot, NULL), *made = NULL;
    if (block != NULL)
        live_of[(unsigned)block[0]]--;
    if (block != NULL && rand_r(seed) % 3 == 0)
        free(block);
    else
        made = race_make(block, kind);
    block = made != NULL ? atomic_exchange(slot, made) : NULL;
    if (block == NULL)
        return;
    live_of[(unsigned)block[0]]--;
    free(block);
}

static void *race(void *argument) {
    unsigned seed = (unsigned)(uintptr_t)argument;
    for (unsigned round = 0; round < race_rounds; round++)
        race_once(&seed);
    for (unsigned at = 0; at < KEPT_EACH; at++)
        keep(malloc(race_size + SIZES));
    return NULL;
}

/* Leaves live[k] blocks of size + k bytes, and 80 of size + 4. */
visible int hooks_race(size_t size, unsigned rounds, unsigned *live) {
    pthread_t threads[THREADS];
    race_size = size;
    race_rounds = rounds;
    for (uintptr_t at = 0; at < THREADS; at++)
        expect(pthread_create(&threads[at], NULL, race, (void *)(at + 1)) == 0);
    for (unsigned at = 0; at < THREADS; at++)
        pthread_join(threads[at], NULL);
    for (unsigned kind = 0; kind < SIZES; kind++)
        live[kind] = live_of[kind];
    return failure;
}

/* --- results, errno, failures ----------------------------------------------------- */

/* Leaves one block of `size`, whose reallocs failed. */
visible int hooks_failures(size_t size) {
    void *other = &failure;
    memset(keep(malloc(size)), 'k', size);
    errno = 0;
    expect(realloc(sink, much) == NULL && errno == ENOMEM);
    errno = 0;
    expect(reallocarray(sink, much, much) == NULL && errno == ENOMEM);
    expect(((char *)sink)[size - 1] == 'k');
    expect(malloc(much) == NULL && calloc(much, 16) == NULL &&
           calloc(1 << 30, much) == NULL);
    errno = 0;
    expect(posix_memalign(&other, 3, size) == EINVAL && other == &failure);
    expect(posix_memalign(&other, 64, much) == ENOMEM && other == &failure);
    expect(errno == 0 || errno == ENOMEM);
    expect(aligned_alloc(64, much) == NULL && memalign(64, much) == NULL);
    expect(mmap(NULL, much, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
           MAP_FAILED);
    expect(errno == ENOMEM);
    expect(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    expect(errno == EINVAL);
    expect(munmap((char *)NULL + 1, PAGE) == -1 && errno == EINVAL);
    expect(mremap(sink, PAGE, 2 * PAGE, 0) == MAP_FAILED && errno == EINVAL);
    return failure;
}

visible int hooks_errno(void) {
    static const size_t sizes[] = {1, 1000, 100000, 10000000};
    for (unsigned at = 0; at < sizeof sizes / sizeof *sizes; at++) {
        errno = EXDEV;
        void *block = keep(malloc(sizes[at]));
        block = keep(realloc(block, sizes[at] * 2));
        expect(errno == EXDEV);
        free(block);
        expect(errno == EXDEV);
        expect(posix_memalign(&block, 64, sizes[at]) == 0 && errno == EXDEV);
        free(block);
        free(NULL);
        void *memory = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        expect(memory != MAP_FAILED && munmap(memory, PAGE) == 0 && errno == EXDEV);
    }
    return failure;
}

/* Leaves blocks of size, size + 1 ... size + 8 by each call that makes one, and none of
 * size + 9. */
visible int hooks_family(size_t size) {
    void *block = NULL;
    keep(malloc(size));
    keep(calloc(size + 1, 1));
    keep(realloc(NULL, size + 2));
    keep(reallocarray(malloc(size + 9), size + 3, 1));
    expect(posix_memalign(&block, 256, size + 4) == 0);
    expect((uintptr_t)block % 256 == 0 && malloc_usable_size(block) >= size + 4);
    expect((uintptr_t)keep(aligned_alloc(128, size + 5)) % 128 == 0);
    expect((uintptr_t)keep(memalign(512, size + 6)) % 512 == 0);
    expect((uintptr_t)keep(valloc(size + 7)) % PAGE == 0);
    expect((uintptr_t)keep(pvalloc(size + 8)) % PAGE == 0);
    free(keep(malloc(size + 9)));
    expect(realloc(keep(malloc(size + 9)), 0) == NULL);
    return failure;
}

/* --- mappings --------------------------------------------------------------------- */

static char *map(size_t length) {
    return mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                0);
}

/* Lengths that are no whole pages. Leaves mappings of `pages` + 5 and of `pages` + 7
 * pages. */
visible int hooks_mappings(size_t pages) {
    char *first = map(pages * PAGE - 100);
    expect(first != MAP_FAILED);
    char *target = map((pages + 5) * PAGE);
    expect(target != MAP_FAILED);
    expect(mremap(first, pages * PAGE - 100, (pages + 5) * PAGE - 100,
                  MREMAP_MAYMOVE | MREMAP_FIXED, target) == target);
    char *second = map((pages + 8) * PAGE - 100);
    expect(munmap(second + (pages + 7) * PAGE, 1) == 0);
    char *third = map((pages + 9) * PAGE);
    expect(munmap(third, (pages + 9) * PAGE - 100) == 0);
    target[0] = second[0] = 1;
    return failure;
}

/* --- threads ---------------------------------------------------------------------- */

static void *live_briefly(void *argument) {
    size_t size = 100 + (uintptr_t)argument % 7;
    free(keep(realloc(malloc(size), 4000)));
    return NULL;
}

static void run_each(unsigned number, void *(*begin)(void *)) {
    for (uintptr_t at = 0; at < number; at++) {
        pthread_t thread;
        expect(pthread_create(&thread, NULL, begin, (void *)at) == 0);
        pthread_join(thread, NULL);
    }
}

visible int hooks_threads(unsigned number) {
    run_each(number, live_briefly);
    return failure;
}

static pthread_key_t keys[2];
static size_t late_size;

/* The destructor of a thread's value: frees one block, makes and frees another. */
static void end_late(void *block) {
    free(block);
    free(keep(malloc(late_size)));
}

/* Runs in the second round of destructors. */
static void end_later(void *block) {
    pthread_setspecific(keys[0], malloc(late_size));
    free(block);
}

static void *leave_values(void *argument) {
    pthread_setspecific(keys[0], malloc(late_size));
    pthread_setspecific(keys[1], malloc(late_size));
    return argument;
}

/* Threads whose blocks are freed by destructors. Leaves nothing. */
visible int hooks_late_frees(unsigned number, size_t size) {
    late_size = size;
    expect(pthread_key_create(&keys[0], end_late) == 0);
    expect(pthread_key_create(&keys[1], end_later) == 0);
    run_each(number, leave_values);
    pthread_key_delete(keys[0]);
    pthread_key_delete(keys[1]);
    return failure;
}

/* --- small stacks ----------------------------------------------------------------- */

static size_t small_size;

static void call_all(size_t size) {
    void *block = NULL;
    free(keep(realloc(calloc(1, size), size * 2)));
    expect(posix_memalign(&block, 64, size) == 0);
    free(block);
    char *memory = map(3 * PAGE);
    expect(memory != MAP_FAILED);
    memory = mremap(memory, 3 * PAGE, 5 * PAGE, MREMAP_MAYMOVE);
    expect(memory != MAP_FAILED && munmap(memory, 5 * PAGE) == 0);
}

static void *call_all_and_keep(void *argument) {
    for (int round = 0; round < 100; round++)
        call_all(small_size + 1);
    keep(malloc(small_size));
    return argument;
}

static void with_stack(void *stack, void *(*begin)(void *), void *argument) {
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    expect(pthread_attr_setstack(&attributes, stack, SMALL_STACK) == 0);
    expect(pthread_create(&thread, &attributes, begin, argument) == 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
}

static char small_stack[SMALL_STACK] __attribute__((aligned(4096)));

/* Leaves one block of `size`. */
visible int hooks_small_stack(size_t size) {
    small_size = size;
    with_stack(small_stack, call_all_and_keep, NULL);
    return failure;
}

/* From the frame of this function down to the deepest byte that changed. */
static void *measure(void *argument) {
    free(keep(malloc(1000)));
    char *here = (char *)__builtin_frame_address(0) - 512;
    for (volatile char *at = small_stack + 64; at < here; at++)
        *at = PAINT;
    for (int round = 0; round < 100; round++)
        free(keep(malloc(1000)));
    char *deepest = small_stack + 64;
    while (deepest < here && *deepest == PAINT)
        deepest++;
    *(int *)argument = (int)(here + 512 - deepest);
    return NULL;
}

/* Bytes of stack that a warm malloc and free take, libc's own included; negative on
 * failure. */
visible int hooks_stack_use(void) {
    int used = -1;
    with_stack(small_stack, measure, &used);
    return used;
}

/* --- signals ---------------------------------------------------------------------- */

static void *volatile signal_block;
static size_t signal_size;
static volatile sig_atomic_t signals;

static void take_signal(int number, void (*handler)(int)) {
    static char stack[SMALL_STACK] __attribute__((aligned(16)));
    stack_t alternative = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_handler = handler,
                               .sa_flags = SA_ONSTACK | SA_RESTART};
    expect(sigaltstack(&alternative, NULL) == 0);
    expect(sigaction(number, &action, NULL) == 0);
}

static void allocate_in_handler(int number) {
    (void)number;
    signal_block = malloc(signal_size);
}

/* Leaves one block of `size`. */
visible int hooks_signal_stack(size_t size) {
    signal_size = size;
    take_signal(SIGUSR1, allocate_in_handler);
    raise(SIGUSR1);
    signal(SIGUSR1, SIG_DFL);
    expect(signal_block != NULL);
    return failure;
}

/* libc's malloc may not be called in a handler that interrupted it, but the kernel's
 * calls may. */
static void map_in_handler(int number) {
    int saved = errno;
    (void)number;
    char *memory = map(3 * PAGE);
    if (memory != MAP_FAILED)
        munmap(memory, 3 * PAGE);
    signals++;
    errno = saved;
}

static void set_timer(long microseconds) {
    struct itimerval timer = {{0, microseconds}, {0, microseconds}};
    setitimer(ITIMER_REAL, &timer, NULL);
}

static _Atomic int storm;

static void *allocate_meanwhile(void *argument) {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    while (storm)
        live_briefly(argument);
    return argument;
}

/* That many handlers interrupt the hooks, beside another thread. 0; negative on
 * failure. */
visible int hooks_signal_storm(unsigned count) {
    pthread_t other;
    storm = 1;
    take_signal(SIGALRM, map_in_handler);
    if (pthread_create(&other, NULL, allocate_meanwhile, NULL) != 0)
        return -1;
    set_timer(100);
    while ((unsigned)signals < count)
        call_all(1000);
    set_timer(0);
    storm = 0;
    pthread_join(other, NULL);
    signal(SIGALRM, SIG_DFL);
    return -failure;
}
