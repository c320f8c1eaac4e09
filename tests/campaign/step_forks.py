# SPDX-License-Identifier: MIT
"""Steps of the campaign: children of all sorts."""

import os
import subprocess
import sys

CLONE_VM, CLONE_VFORK = 0x100, 0x4000
KINDS = "fork _Fork SYS_fork SYS_clone SYS_clone3".split()


def wait(child):
    """How a child ended; what interrupts waiting is not counted."""
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return "signal %d" % os.WTERMSIG(status)
    return "status %d" % os.WEXITSTATUS(status)


def child(context, made):
    """What a child does: allocates, runs steps, ends."""
    if made == 0:
        status = 99
        try:
            context.enter_child()
            context.run_steps(0 if context.is_deep() else context.random.randrange(3))
            context.allocate()
            status = context.random.randrange(90)
        finally:
            os._exit(status)
    return wait(made)


def os_fork(context):
    return child(context, os.fork())


def native_fork(context):
    """By a call that tells nobody: no handler of libc or of Python runs."""
    kind = context.random.randrange(len(KINDS))
    made = context.holding.campaign_fork(kind)
    if made < 0:
        return "%s: errno %d" % (KINDS[kind], -made)
    return "%s: %s" % (KINDS[kind], child(context, made))


def silent_child(context):
    """A child that ends before it allocates anything."""
    made = os.fork()
    if made == 0:
        os._exit(5)
    return wait(made)


def clone(context):
    flags = context.random.choice((0, CLONE_VM | CLONE_VFORK))
    return context.native.campaign_clone(flags, context.random.randrange(50))


def vfork(context):
    return context.native.campaign_vfork(context.random.randrange(50))


def spawn(context):
    """A Python of its own."""
    text = "import sys; x = [bytes(1000) for _ in range(1000)]; sys.exit(len(x) %% %d)"
    command = [sys.executable, "-B", "-S", "-c", text % context.random.randrange(1, 90)]
    return subprocess.call(command, close_fds=context.random.random() < 0.5)


def spawn_other(context):
    return subprocess.call(["/bin/sh", "-c", "exit 7"])


def posix_spawn(context):
    if not hasattr(os, "posix_spawn"):
        return "status 0"
    return wait(os.posix_spawn("/bin/true", ["true"], os.environ))


def fork_and_exec(context):
    made = os.fork()
    if made == 0:
        try:
            os.execv("/bin/sh", ["sh", "-c", "exit 3"])
        finally:
            os._exit(98)
    return wait(made)


def exec_fails(context):
    os.execv("/nonexistent", ["x"])


def grandchild(context):
    """As a daemon is made: the child ends, its child goes on for a moment."""
    ends = os.pipe()
    made = os.fork()
    if made == 0:
        try:
            if os.fork() == 0:
                os.setsid()
                context.enter_child()
                context.allocate()
                os.write(ends[1], b"d")
        finally:
            os._exit(0)
    os.close(ends[1])
    said = os.read(ends[0], 1)
    os.read(ends[0], 1)  # nothing comes: it has ended
    os.close(ends[0])
    return wait(made), said


STEPS = {
    function.__name__: function
    for function in (
        os_fork,
        native_fork,
        silent_child,
        clone,
        vfork,
        spawn,
        spawn_other,
        posix_spawn,
        fork_and_exec,
        exec_fails,
        grandchild,
    )
}
