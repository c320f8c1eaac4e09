# SPDX-License-Identifier: MIT
"""Steps of the campaign: signals, dispositions, masks, alternate stacks, cut dumps."""

import os
import signal
import threading
import time

import step_forks
from model import EXCUSED, INCOMPARABLE

SA_RESTART, SA_NODEFER, SA_RESETHAND = 0x10000000, 0x40000000, 0x80000000 - (1 << 32)
SIGNALS = [signal.SIGBUS, signal.SIGBUS, signal.SIGUSR1, signal.SIGSEGV, signal.SIGTERM]
FLAGS = [0, SA_RESTART, SA_NODEFER, SA_RESETHAND, SA_RESETHAND | SA_NODEFER]


def in_child(context, function):
    """What became of a child that does this."""
    made = os.fork()
    if made == 0:
        try:
            context.enter_child()
            os._exit(function() & 127)
        finally:
            os._exit(97)
    return step_forks.wait(made)


def caught_signal(context):
    """One that is sent, to a handler of C with any flags, twice; in a child."""
    native, random = context.native, context.random
    number, flags = random.choice(SIGNALS), random.choice(FLAGS)
    masked, how = random.choice((0, signal.SIGUSR2)), random.randrange(4)

    def send():
        before = native.campaign_catch(number, flags, masked)
        seen = [
            native.campaign_disposition(number, what) & 0xFFFFFFFF for what in (0, 1, 2)
        ]
        native.campaign_raise(number, how)
        seen += [native.campaign_caught() > 0, native.campaign_was_blocked(number)]
        seen += [native.campaign_was_blocked(signal.SIGUSR2)]
        context.tell("signal %d by %d: %s, before %d" % (number, how, seen, before))
        native.campaign_raise(number, how)
        return native.campaign_caught()

    return in_child(context, send)


def deadly_signal(context):
    """One that is sent and that nobody handles, or that is ignored; in a child."""
    random = context.random
    number, how = random.choice(SIGNALS + [signal.SIGABRT]), random.randrange(4)
    ignored = random.choice((0, 0, 1))

    def send():
        context.native.campaign_set_default(number, ignored)
        context.native.campaign_raise(number, how)
        return 11

    return "%d by %d: %s" % (number, how, in_child(context, send))


def handler_of_python(context):
    number = context.random.choice(SIGNALS)
    seen = []
    before = signal.signal(number, lambda got, frame: seen.append(bytes(got)))
    context.native.campaign_raise(number, context.random.randrange(4))
    signal.signal(number, before)
    return int(number), len(seen)


def dispositions(context):
    """What sigaction() says of signals that nobody touched."""
    numbers = [signal.SIGBUS, signal.SIGSEGV, signal.SIGUSR1, signal.SIGXFSZ]
    native = context.native
    return [native.campaign_disposition(n, what) for n in numbers for what in (0, 1, 2)]


def interrupted_read(context):
    return context.native.campaign_interrupted_read(
        context.random.choice((0, SA_RESTART))
    )


def timer(context):
    """Ticks of a timer while the program allocates."""
    seen = []
    before = signal.signal(signal.SIGPROF, lambda number, frame: seen.append([number]))
    signal.setitimer(signal.ITIMER_PROF, 0.001, 0.001)
    until = time.monotonic() + 0.05
    while time.monotonic() < until:
        context.allocate()
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.signal(signal.SIGPROF, before)
    return "ticked"


def alternate_stack(context):
    size = context.random.choice((4096, 8192, 16384, 65536))
    return context.native.campaign_alternate_stack(size)


def own_bus_error(context):
    path = context.path()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    os.write(descriptor, bytes(4096))
    if context.random.random() < 0.5:
        result = context.native.campaign_own_bus_error(descriptor)
    else:
        result = in_child(
            context, lambda: context.native.campaign_die_of_bus_error(descriptor)
        )
    os.close(descriptor)
    return result


def blocked_signals(context):
    """Work while all signals are blocked; one waits meanwhile."""
    signals = set(range(1, signal.NSIG)) - {32, 33}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    # Not by kill: a thread that was joined but has not ended yet may still take it.
    signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
    context.allocate()
    waiting = signal.sigpending()
    number = signal.sigwait([signal.SIGUSR1])
    after = signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return int(number), signal.SIGUSR1 in waiting, len(after)


def cut_dump(context):
    """Somebody cuts the dump off, while SIGBUS is blocked or not. Untraced: nothing."""
    blocked = context.random.random() < 0.5
    pattern = os.environ.get("TRACEMALLOC_OUTPUT", "")
    before = signal.pthread_sigmask(
        signal.SIG_BLOCK, [signal.SIGBUS] if blocked else []
    )
    context.model.flag(INCOMPARABLE | EXCUSED)
    try:
        os.truncate(pattern.replace("%p", str(os.getpid())), 0)
    except OSError:
        pass
    context.allocate()
    kept = [bytes(n) for n in range(2000)]
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return len(kept)


STEPS = {
    function.__name__: function
    for function in (
        caught_signal,
        deadly_signal,
        handler_of_python,
        dispositions,
        interrupted_read,
        timer,
        alternate_stack,
        own_bus_error,
        blocked_signals,
        cut_dump,
    )
}
