# SPDX-License-Identifier: MIT
"""The live set of a traced program, in memory that outlives it.

The program announces each event in a shared file before it makes it, and counts it
there afterwards. Whenever it is killed, the dump must agree with the file: exactly, but
for the events that were announced. Both sides use this module, the traced one on any
interpreter from 3.6 on.

    | magic | flags | row of thread 0 | row of thread 1 | ...
    row: | kind + 1 | its count then | kind + 1 | its count then | count of each kind |

All are 8 bytes. A row belongs to one thread, which announces at most two changes at
once: a realloc is two.
"""

import array
import collections
import mmap
import os

MAGIC = 0x4C45444F4D
THREADS = 8
PYTHON, LIBC, MMAP = 0, 1, 2

Kind = collections.namedtuple("Kind", "domain size function")

# Sizes that nothing else in the program asks for in these functions. A bytes object
# takes 33 bytes more than it holds.
KINDS = (
    [Kind(PYTHON, 33 + n, "make_bytes") for n in (41, 57, 101, 203, 401, 470)]
    + [Kind(PYTHON, 33 + n, "make_bytes") for n in (601, 5003, 70001, 300007)]
    + [Kind(LIBC, n, "make_libc") for n in (23, 407, 1301, 20011, 140009)]
    + [Kind(LIBC, n, "move_libc") for n in (29, 411, 1303, 20021, 150001)]
    + [Kind(MMAP, 4096 * n, "make_mapping") for n in (3, 17)]
)
ROW = 4 + len(KINDS)
WORDS = 2 + THREADS * ROW
# Flags: the counts mean nothing any more; the dump may be incomplete if it says so.
INCOMPARABLE, EXCUSED = 1, 2


class Model:
    """The traced program's side."""

    def __init__(self, folder):
        self.folder = folder
        # What a forked child inherits: the shared file goes on with its parent.
        self.own = array.array("q", [0] * WORDS)
        self.own[0] = MAGIC
        self.create()

    def create(self):
        """A file for this process; it has its final name once it is whole.

        Where no file can be made there is none.
        """
        self.words = self.own
        path = os.path.join(self.folder, "model.%d" % os.getpid())
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL
            descriptor = os.open(path + ".new", flags, 0o666)
        except OSError:
            return
        os.write(descriptor, self.own.tobytes())
        self.map = mmap.mmap(descriptor, WORDS * 8)
        os.close(descriptor)
        self.words = memoryview(self.map).cast("q")
        os.rename(path + ".new", path)

    def put(self, at, word):
        self.words[at] = self.own[at] = word

    def flag(self, flag):
        self.put(1, self.own[1] | flag)

    def announce(self, thread, kind, change, second=None, other_change=0):
        """Before the event; a change of the number of blocks of one kind, or of two."""
        own, row = self.own, 2 + thread * ROW
        self.put(row + 1, own[row + 4 + kind] + change)
        if second is not None:
            self.put(row + 3, own[row + 4 + second] + other_change)
            self.put(row + 2, second + 1)
        self.put(row, kind + 1)

    def done(self, thread):
        """After the event."""
        own, row = self.own, 2 + thread * ROW
        for at in (row, row + 2):
            if own[at]:
                self.put(row + 4 + own[at] - 1, own[at + 1])
        self.undone(thread)

    def undone(self, thread):
        """The event failed and changed nothing."""
        row = 2 + thread * ROW
        self.put(row, 0)
        self.put(row + 2, 0)


class Recorded:
    """The reader's side: a model that its process left."""

    def __init__(self, path):
        with open(str(path), "rb") as file:
            words = array.array("q", file.read())
        assert len(words) == WORDS and words[0] == MAGIC
        self.comparable = not words[1] & INCOMPARABLE
        self.excused = bool(words[1] & EXCUSED)
        self.low, self.high = [0] * len(KINDS), [0] * len(KINDS)
        for thread in range(THREADS):
            self.add(words[2 + thread * ROW : 2 + (thread + 1) * ROW])

    def add(self, row):
        """The least and the most live blocks of each kind that a row allows."""
        for kind, count in enumerate(row[4:]):
            seen = [count]
            seen += [row[at + 1] for at in (0, 2) if row[at] == kind + 1]
            self.low[kind] += min(seen)
            self.high[kind] += max(seen)
