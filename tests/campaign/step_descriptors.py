# SPDX-License-Identifier: MIT
"""Steps of the campaign: which descriptors are free, closed, and whose they are."""

import os

FIRST, LAST = 3, 200  # the last one is where results go


def lowest_free(context):
    """The numbers that the next files get."""
    opened = [os.open("/dev/null", os.O_RDONLY) for _ in range(4)]
    for descriptor in opened:
        os.close(descriptor)
    return opened


def close_standard(context):
    """As a daemon does; what is opened next gets the numbers."""
    closed = context.random.sample((0, 1, 2), context.random.randrange(1, 4))
    for descriptor in closed:
        try:
            os.close(descriptor)
        except OSError:
            pass
    context.allocate()
    path = context.path()
    first = os.open(path, os.O_RDWR | os.O_CREAT)
    context.allocate()
    os.write(first, b"mine")
    size = os.stat(path).st_size
    if context.random.random() < 0.5:
        os.close(first)
    return sorted(closed), first, size


def close_all(context):
    """All above 2, and then files of its own there."""
    os.closerange(FIRST, LAST)
    os.closerange(LAST + 1, 1024)
    ends = os.pipe()
    context.allocate()
    os.write(ends[1], b"x")
    got = os.read(ends[0], 10)
    for descriptor in ends:
        os.close(descriptor)
    return ends, got


def many_open(context):
    opened = [os.open("/dev/null", os.O_RDONLY) for _ in range(60)]
    context.allocate()
    for descriptor in opened:
        os.close(descriptor)
    return opened[0], opened[-1]


def over_standard_error(context):
    """The program's database gets the number of standard error."""
    path = context.path()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    context.allocate()
    return os.stat(path).st_size


def listing(context):
    """Which descriptors there are, but for the one that reads the directory."""
    try:
        names = os.listdir("/proc/self/fd")
    except OSError:
        return "no /proc"
    return len(names)


STEPS = {
    function.__name__: function
    for function in (
        lowest_free,
        close_standard,
        close_all,
        many_open,
        over_standard_error,
        listing,
    )
}
