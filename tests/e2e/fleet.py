# SPDX-License-Identifier: MIT
"""A fleet by simulation: dumps of many processes, made from those of a few.

Only the header differs: who the process was, and when it began and ended. So all of
them have the lines and sums of the dump that they are made from.
"""

import struct

from dump_file import HEADER

SECOND = 10**9
DAY = 86400 * SECOND


def find_fields():
    """By name, each field's offset and format."""
    found, at = {}, 0
    for name, kind in HEADER:
        size = struct.calcsize("=" + kind)
        if "s" not in kind:
            alignment = min(size, 8)
            at = -(-at // alignment) * alignment
        found[name] = at, "=" + kind
        at += size
    return found


FIELDS = find_fields()


def varied(data, **changes):
    """A dump's bytes with other values in its header."""
    copy = bytearray(data)
    for name, value in changes.items():
        at, kind = FIELDS[name]
        struct.pack_into(kind, copy, at, value)
    return bytes(copy)


def field(data, name):
    at, kind = FIELDS[name]
    return struct.unpack_from(kind, data, at)[0]


def process(data, pid, end, **changes):
    """A process like the dump's, with another pid, that ended at another time."""
    length = field(data, "end_time") - field(data, "start_time")
    return varied(data, pid=pid, start_time=end - length, end_time=end, **changes)
