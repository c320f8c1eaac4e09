/* SPDX-License-Identifier: MIT */
#include "hooks/bus_guard.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>

#include "base/message.h"
#include "base/sys.h"
#include "event/record.h"
#include "hooks/libc_real.h"

enum { PAGE = 4096 };

static bool installed;
static struct sigaction program_action;

static bool replace_page(uintptr_t address) {
    void *page = (void *)(address & ~(uintptr_t)(PAGE - 1));
    return !sys_failed(sys_mmap(page, PAGE, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
}

/* What is interrupted goes on with an empty page: its ids are all 0, which leads
 * nowhere. No event follows. */
static void give_up(void) {
    bool was_active = gate.active;
    gate.open = record_asleep = false;
    tracer_deactivate();
    if (was_active)
        message("somebody cut the dump off: tracing stopped", NULL);
}

static void forward(int number, siginfo_t *info, void *context) {
    if ((program_action.sa_flags & SA_SIGINFO) != 0)
        program_action.sa_sigaction(number, info, context);
    else if (program_action.sa_handler != SIG_DFL &&
             program_action.sa_handler != SIG_IGN)
        program_action.sa_handler(number);
    else
        /* The fault comes again, and ends the process as it would have. */
        libc_real.sigaction(number, &program_action, NULL);
}

static void handle(int number, siginfo_t *info, void *context) {
    uintptr_t address = (uintptr_t)info->si_addr;
    if (info->si_code > 0 && tracer.dump != NULL &&
        dump_file_contains(tracer.dump, address) && replace_page(address))
        give_up();
    else
        forward(number, info, context);
}

void bus_guard_install(void) {
    struct sigaction action = {.sa_sigaction = handle,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK};
    if (installed || !libc_real_ready() || libc_real.sigaction == NULL)
        return;
    sigemptyset(&action.sa_mask);
    installed = libc_real.sigaction(SIGBUS, &action, &program_action) == 0;
}

int bus_guard_sigaction(const struct sigaction *action, struct sigaction *old) {
    if (!installed)
        return libc_real.sigaction(SIGBUS, action, old);
    struct sigaction before = program_action;
    if (action != NULL)
        program_action = *action;
    if (old != NULL)
        *old = before;
    return 0;
}
