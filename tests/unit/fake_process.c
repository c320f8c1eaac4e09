/* SPDX-License-Identifier: MIT */
#include "fake_process.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"
#include "control/request.h"

enum {
    SIGNAL = REQUEST_DEFAULT_SIGNAL,
    BUCKETS_SIZE = FAKE_BUCKETS * sizeof(struct tracemalloc_dump_bucket),
    STRINGS_SIZE = 4096,
    SIZE =
        TRACEMALLOC_DUMP_HEADER_SIZE + STRINGS_SIZE + ((BUCKETS_SIZE + 4095) & ~4095),
};

/* In the process itself. */
static struct tracemalloc_dump_header *header;
static char dump_path[PATH_MAX];
static int generation;
static uint64_t own_start;

static void fill_sections(void) {
    uint64_t buckets = TRACEMALLOC_DUMP_HEADER_SIZE + STRINGS_SIZE;
    header->sections[TRACEMALLOC_DUMP_STRINGS] = (struct tracemalloc_dump_section){
        1, 1, 8, {{TRACEMALLOC_DUMP_HEADER_SIZE, STRINGS_SIZE}}};
    /* In two extents, as sections grow. */
    header->sections[TRACEMALLOC_DUMP_BUCKETS] = (struct tracemalloc_dump_section){
        sizeof(struct tracemalloc_dump_bucket),
        2,
        FAKE_BUCKETS,
        {{buckets, 4096}, {buckets + 4096, SIZE - buckets - 4096}}};
    struct tracemalloc_dump_bucket *bucket = (void *)((char *)header + buckets);
    for (uint32_t i = 0; i < FAKE_BUCKETS; i++)
        bucket[i].size = i;
}

static void make_dump(uint16_t nframe, bool own_handler) {
    char path[PATH_MAX + 16];
    snprintf(path, sizeof path, generation > 0 ? "%s.%d" : "%s", dump_path, generation);
    generation++;
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (fd < 0 || ftruncate(fd, SIZE) < 0)
        _exit(98);
    header = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    memcpy(header->magic, TRACEMALLOC_DUMP_MAGIC, sizeof header->magic);
    header->byte_order = TRACEMALLOC_DUMP_BYTE_ORDER;
    header->version = TRACEMALLOC_DUMP_VERSION;
    header->file_size = SIZE;
    header->pid = (uint32_t)getpid();
    header->process_start = own_start;
    header->run_id = FAKE_RUN_ID;
    header->nframe = nframe;
    header->request_signal = own_handler ? 0 : SIGNAL;
    header->oom_killed = -1;
    fill_sections();
    header->state = TRACEMALLOC_DUMP_TRACING;
}

static void drop_dump(void) {
    header->state = TRACEMALLOC_DUMP_STOPPED;
    munmap(header, SIZE);
    header = NULL;
}

static void obey(int number, siginfo_t *info, void *context) {
    struct request request;
    (void)number;
    (void)context;
    if (request_decode((uint64_t)info->si_value.sival_ptr, &request) < 0)
        _exit(97);
    if (request.kind == REQUEST_STOP)
        drop_dump();
    else if (request.kind == REQUEST_START)
        make_dump(request.nframe, false);
    else
        header->cleared++;
}

static void ignore(int number, siginfo_t *info, void *context) {
    (void)number;
    (void)info;
    (void)context;
}

static void listen_to_signal(enum fake_behaviour behaviour) {
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_RESTART};
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGNAL);
    action.sa_sigaction = behaviour == FAKE_OBEYS ? obey : ignore;
    if (behaviour != FAKE_IS_INERT)
        sigaction(SIGNAL, &action, NULL);
    sigprocmask(behaviour == FAKE_BLOCKS ? SIG_BLOCK : SIG_UNBLOCK, &mask, NULL);
}

static void load_library(const struct fake_process *fake) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/libtracemalloc.so", fake->folder);
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    if (fd < 0 || ftruncate(fd, 4096) < 0 ||
        mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED)
        _exit(96);
    close(fd);
}

static void live(const struct fake_process *fake, enum fake_behaviour behaviour,
                 bool tracing, int ready) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    strcpy(dump_path, fake->dump);
    if (process_start_time((uint32_t)getpid(), &own_start) < 0)
        _exit(95);
    if (behaviour != FAKE_NO_LIBRARY)
        load_library(fake);
    if (tracing)
        make_dump(25, behaviour == FAKE_HAS_ITS_OWN);
    listen_to_signal(behaviour);
    if (write(ready, "", 1) != 1)
        _exit(94);
    for (;;)
        pause();
}

void fake_process_start(struct fake_process *fake, enum fake_behaviour behaviour,
                        bool tracing) {
    int ready[2];
    char byte;
    strcpy(fake->folder, "/tmp/fake-process-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(fake->folder));
    snprintf(fake->dump, sizeof fake->dump, "%s/fake.dump", fake->folder);
    ck_assert_int_eq(pipe(ready), 0);
    fake->pid = fork();
    if (fake->pid == 0)
        live(fake, behaviour, tracing, ready[1]);
    close(ready[1]);
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    close(ready[0]);
}

void fake_process_kill(struct fake_process *fake) {
    int status;
    kill(fake->pid, SIGKILL);
    ck_assert_int_eq(waitpid(fake->pid, &status, 0), fake->pid);
    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
                  "ended before: %x", (unsigned)status);
}

void fake_process_remove(struct fake_process *fake) {
    char command[PATH_MAX];
    snprintf(command, sizeof command, "rm -rf '%s'", fake->folder);
    ck_assert_int_eq(system(command), 0);
}

void fake_process_end(struct fake_process *fake) {
    fake_process_kill(fake);
    fake_process_remove(fake);
}

struct tracemalloc_dump_header fake_process_header(const char *path) {
    struct tracemalloc_dump_header found = {0};
    int fd = open(path, O_RDONLY);
    ck_assert_msg(fd >= 0, "%s", path);
    ck_assert_int_eq(pread(fd, &found, sizeof found, 0), sizeof found);
    close(fd);
    return found;
}
