# SPDX-License-Identifier: MIT
"""Steps of the campaign: limits of the process, hit and not."""

import os
import resource

from model import EXCUSED

MIB = 1 << 20


def lower(which, limit):
    """The soft limit; what it was."""
    before = resource.getrlimit(which)
    hard = before[1]
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(which, (limit, hard))
    return before


def virtual_size():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * 4096


def address_space(context):
    """A gigabyte more than there is, and two are wanted."""
    context.model.flag(EXCUSED)
    before = lower(resource.RLIMIT_AS, virtual_size() + 1024 * MIB)
    try:
        bytearray(2048 * MIB)
        result = "there"
    except MemoryError:
        result = "MemoryError"
    context.allocate()
    resource.setrlimit(resource.RLIMIT_AS, before)
    return result


def file_size(context):
    """No file may grow past this; for a while or for ever."""
    context.model.flag(EXCUSED)
    before = lower(resource.RLIMIT_FSIZE, 64 * 1024)
    context.allocate()
    descriptor = os.open(context.path(), os.O_RDWR | os.O_CREAT)
    try:
        written = os.write(descriptor, bytes(100000))
        written += os.write(descriptor, bytes(100000))
    except OSError as error:
        written = "errno %d" % error.errno
    os.close(descriptor)
    if context.random.random() < 0.5:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    return written


def open_files(context):
    """All descriptors that there may be; the number of the last one."""
    before = lower(resource.RLIMIT_NOFILE, 210)
    opened = []
    try:
        while True:
            opened.append(os.open("/dev/null", os.O_RDONLY))
    except OSError as error:
        result = error.errno
    context.allocate()
    for descriptor in opened:
        os.close(descriptor)
    resource.setrlimit(resource.RLIMIT_NOFILE, before)
    return result, len(opened)


def few_open_files(context):
    """Lower than the descriptors in use; for ever."""
    context.model.flag(EXCUSED)
    resource.setrlimit(resource.RLIMIT_NOFILE, (4, resource.getrlimit(7)[1]))
    context.allocate()
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def locked_memory(context):
    """mlockall() with enough for the program."""
    before = lower(resource.RLIMIT_MEMLOCK, 1024 * MIB)
    result = context.native.campaign_lock_all(context.random.choice((1, 2, 3)))
    context.allocate()
    resource.setrlimit(resource.RLIMIT_MEMLOCK, before)
    return result


def stack_size(context):
    before = lower(resource.RLIMIT_STACK, 1 * MIB)
    context.allocate()
    resource.setrlimit(resource.RLIMIT_STACK, before)
    return before[0]


STEPS = {
    function.__name__: function
    for function in (
        address_space,
        file_size,
        open_files,
        few_open_files,
        locked_memory,
        stack_size,
    )
}
