# SPDX-License-Identifier: MIT
"""Steps of the campaign: rights that are given up. Without root most of them fail."""

import ctypes
import os

from model import EXCUSED

OTHER = 65534
PR_SET_DUMPABLE = 4


def drop_user(context):
    """As a daemon does that began as root."""
    os.setgid(OTHER)
    os.setuid(OTHER)
    context.allocate()
    return os.getresuid()


def drop_for_a_while(context):
    """The effective user, there and back."""
    before = os.geteuid()
    os.seteuid(OTHER)
    context.allocate()
    os.seteuid(before)
    return os.geteuid()


def change_root(context):
    directory = context.path()
    os.mkdir(directory)
    os.chroot(directory)
    os.chdir("/")
    context.allocate()
    return os.listdir("/")


def forbid_open(context):
    """A filter of system calls: no file can be opened any more."""
    context.model.flag(EXCUSED)
    result = context.native.campaign_forbid_open()
    context.allocate()
    return result


def not_dumpable(context):
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    context.allocate()
    return os.getpid() > 0


def change_directory(context):
    """Into one that is gone afterwards."""
    directory = context.path()
    os.mkdir(directory)
    os.chdir(directory)
    os.rmdir(directory)
    context.allocate()
    return os.access(".", os.W_OK)


STEPS = {
    function.__name__: function
    for function in (
        drop_user,
        drop_for_a_while,
        change_root,
        forbid_open,
        not_dumpable,
        change_directory,
    )
}
