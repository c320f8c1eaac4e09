/* SPDX-License-Identifier: MIT */
#include "process/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

/* The signals to pass on: all but faults of the command itself and those that the
 * terminal sends to a background job. */
static void fill_taken(sigset_t *taken) {
    static const int ours[] = {SIGSEGV, SIGBUS, SIGFPE,  SIGILL, SIGTRAP,
                               SIGABRT, SIGSYS, SIGTTIN, SIGTTOU};
    sigfillset(taken);
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        sigdelset(taken, ours[i]);
}

static void execute(char **argv, const sigset_t *mask, const struct sigaction *action,
                    int errors) {
    sigaction(SIGCHLD, action, NULL);
    sigprocmask(SIG_SETMASK, mask, NULL);
    execvp(argv[0], argv);
    int error = errno;
    if (write(errors, &error, sizeof error) < 0)
        _exit(126);
    _exit(127);
}

/* The pipe is closed when the program is executed; if that fails, the child writes the
 * error to it. */
static int read_error(int errors) {
    int error = 0;
    ssize_t got;
    do
        got = read(errors, &error, sizeof error);
    while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof error ? error : 0;
}

static pid_t start_with(char **argv, int errors[2]) {
    sigset_t taken, before;
    struct sigaction standard = {.sa_handler = SIG_DFL}, action;
    fill_taken(&taken);
    /* If SIGCHLD were ignored, there would be no status to wait for. */
    sigaction(SIGCHLD, &standard, &action);
    sigprocmask(SIG_SETMASK, &taken, &before);
    pid_t child = fork();
    if (child == 0)
        execute(argv, &before, &action, errors[1]);
    if (child < 0)
        child = -errno;
    close(errors[1]);
    int error = child > 0 ? read_error(errors[0]) : 0;
    close(errors[0]);
    if (error == 0)
        return child;
    waitpid(child, NULL, 0);
    return -error;
}

pid_t child_start(char **argv) {
    int errors[2];
    if (pipe2(errors, O_CLOEXEC) < 0)
        return -errno;
    return start_with(argv, errors);
}

/* The terminal sends signals caused by a key or a change of its size to the whole
 * foreground group, which includes the child. */
static bool is_from_terminal(const siginfo_t *info) {
    int number = info->si_signo;
    return info->si_code == SI_KERNEL &&
           (number == SIGINT || number == SIGQUIT || number == SIGTSTP ||
            number == SIGWINCH || number == SIGCONT);
}

static void pass_on(pid_t child, const siginfo_t *info) {
    if (info->si_code == SI_QUEUE)
        sigqueue(child, info->si_signo, info->si_value);
    else if (!is_from_terminal(info))
        kill(child, info->si_signo);
    /* The shell must see that its job has stopped. */
    if (info->si_signo == SIGTSTP)
        raise(SIGSTOP);
}

int child_wait(pid_t child) {
    sigset_t taken;
    siginfo_t info;
    int status = 0;
    fill_taken(&taken);
    while (waitpid(child, &status, WNOHANG) != child)
        if (sigwaitinfo(&taken, &info) > 0 && info.si_signo != SIGCHLD)
            pass_on(child, &info);
    return status;
}
