# SPDX-License-Identifier: MIT
"""A reader of dumps, written from include/tracemalloc_dump.h alone.

It shares nothing with the command, so that what both say is what the file says.
"""

import collections
import pathlib
import struct

import conftest

MAGIC = b"\x89TMDUMP\n"
SECTIONS = 16
NAMES = "strings code stacks sites buckets domains modules timeline processes".split()
NAMES += ["symbols", "epochs", "types", "census"]
SITE_SIZE, BUCKET_SIZE, EPOCH_SIZE = 144, 40, 16
TYPE_SIZE, CENSUS_SIZE = 8, 12
STATES = dict(enumerate("tracing stopped exited exec snapshot signal".split(), 1))
EMPTY, OVERFLOW = 0, 1
NATIVE = NOT_PYTHON = 1 << 31
LIBC, MMAP = 1, 2

# The header's fields up to the sections, in order; the format keeps C's alignment.
HEADER = [
    ("magic", "8s"),
    ("byte_order", "I"),
    ("version", "I"),
    ("header_size", "I"),
    ("section_count", "I"),
    ("file_size", "Q"),
    ("pid", "I"),
    ("ppid", "I"),
    ("start_time", "Q"),
    ("process_start", "Q"),
    ("boot_id", "40s"),
    ("argv", "I"),
    ("executable", "I"),
    ("implementation", "I"),
    ("python_version", "I"),
    ("nframe", "I"),
    ("native_nframe", "I"),
    ("generation", "I"),
    ("free_lists", "I"),
    ("run_id", "Q"),
    ("pid_namespace", "Q"),
    ("title", "256s"),
    ("comm", "16s"),
    ("state", "I"),
    ("exit_status", "i"),
    ("signal", "i"),
    ("oom_killed", "i"),
    ("end_time", "Q"),
    ("finalized", "I"),
    ("reserved", "I"),
    ("python_bytes", "Q"),
    ("native_bytes", "Q"),
    ("peak_bytes", "Q"),
    ("python_peak_bytes", "Q"),
    ("peak_number", "I"),
    ("growth", "H"),
    ("growth_error", "H"),
    ("arena_bytes", "Q"),
    ("tracer_bytes", "Q"),
    ("mapped_resident_bytes", "Q"),
    ("lost", "16Q"),
    ("request_signal", "I"),
    ("cleared", "I"),
    ("stamp", "I"),
    ("halvings", "I"),
    ("memory_limit", "Q"),
    ("memory_limit_source", "I"),
    ("sample_distance", "I"),
    ("loaded_late", "Q"),
    ("shared_bytes", "Q"),
]
# After the sections.
AFTER = [
    ("census_time", "Q"),
    ("census_duration", "Q"),
    ("census_unread", "Q"),
    ("census_number", "I"),
    ("census_running", "H"),
    ("census_refused", "H"),
    ("library_version", "16s"),
    ("library_build", "64s"),
    ("library_machine", "16s"),
    ("nearest_used", "Q"),
    ("nearest_limit", "Q"),
    ("nearest_source", "I"),
    ("reached_percent", "I"),
    ("reached_bytes", "Q"),
]
LOST = "stacks blocks file python nested memory names native damage version".split()
LOST += ["cramped", "malloc", "track", "late"]
SECTION_SIZE = 400

Bucket = collections.namedtuple(
    "Bucket", "domain size live at_peak at_exit total stack birth"
)
Frame = collections.namedtuple("Frame", "filename lineno name")


def is_older(stamp, than):
    return (stamp - than) & 1 << 31 != 0


class DumpFile:
    """A dump: its header's fields as attributes, its buckets as a list."""

    def __init__(self, path):
        self.data = pathlib.Path(str(path)).read_bytes()
        at = self.read_header()
        self.sections = {}
        for number in range(SECTIONS):
            name = NAMES[number] if number < len(NAMES) else number
            self.sections[name] = self.read_section(at + number * SECTION_SIZE)
        self.buckets = list(self.read_buckets())

    def read_header(self):
        """Sets the fields; the offset where the sections begin."""
        at = 0
        for name, kind in HEADER:
            size = struct.calcsize("=" + kind)
            at = -(-at // min(size, 8)) * min(size, 8) if "s" not in kind else at
            values = struct.unpack_from("=" + kind, self.data, at)
            setattr(self, name, values[0] if len(values) == 1 else values)
            at += size
        assert self.magic == MAGIC and self.byte_order == 0x01020304
        assert self.version == 2 and self.section_count == SECTIONS
        after = at + SECTIONS * SECTION_SIZE
        for name, kind in AFTER:
            setattr(self, name, struct.unpack_from("=" + kind, self.data, after)[0])
            after += struct.calcsize("=" + kind)
        assert self.header_size == after
        self.state = STATES[self.state]
        self.lost = {name: self.lost[number] for number, name in enumerate(LOST)}
        return at

    def read_section(self, at):
        """The section's valid entries, as bytes."""
        entry_size, extents, count = struct.unpack_from("=IIQ", self.data, at)
        parts = []
        for number in range(extents):
            offset, length = struct.unpack_from("=QQ", self.data, at + 16 + number * 16)
            assert offset % 4096 == length % 4096 == 0
            assert offset + length <= self.file_size <= len(self.data)
            parts.append(self.data[offset : offset + length])
        whole = b"".join(parts)
        assert entry_size * count <= len(whole)
        return whole[: entry_size * count]

    def entry(self, section, kind, number):
        return struct.unpack_from("=" + kind, self.sections[section], number)

    def string(self, offset):
        (length,) = self.entry("strings", "I", offset)
        text = self.sections["strings"][offset + 4 : offset + 4 + length]
        assert len(text) == length
        return text.decode("utf-8", "surrogatepass")

    def site(self, number):
        """stack, domain; total bytes and blocks, of buckets that were recycled."""
        return self.entry("sites", "IIQQ", number * SITE_SIZE)

    def read_buckets(self):
        peak_is_now = self.python_bytes + self.native_bytes > self.peak_bytes
        for at in range(BUCKET_SIZE, len(self.sections["buckets"]), BUCKET_SIZE):
            fields = self.entry("buckets", "IIQ5IB", at)
            site, live, size, total, stamp, peak_live, at_exit = fields[:7]
            unchanged = peak_is_now or is_older(stamp, self.peak_number)
            at_peak = live if unchanged else peak_live
            if live or at_peak or at_exit or total:
                stack, domain = self.site(site & ~NOT_PYTHON)[:2]
                # An id may have been given out again while a live dump was copied.
                is_of_domain = bool(site & NOT_PYTHON) == bool(domain)
                assert is_of_domain or self.state == "snapshot"
                (number,) = self.entry("domains", "I", domain * 8)
                counts = (size, live, at_peak, at_exit, total)
                yield Bucket(number, *counts, stack, fields[8])

    def types(self):
        """What the census counted: blocks and bytes by the type's name."""
        found = {}
        for at in range(0, len(self.sections["census"]), CENSUS_SIZE):
            bucket, number, blocks = self.entry("census", "III", at)
            site, _, size = self.entry("buckets", "IIQ", bucket * BUCKET_SIZE)
            assert not site & NOT_PYTHON and blocks
            (name,) = self.entry("types", "I", number * TYPE_SIZE)
            assert bool(name) == bool(number)
            before = found.get(self.string(name), (0, 0))
            found[self.string(name)] = (before[0] + blocks, before[1] + blocks * size)
        return found

    def live(self, domain, first, last):
        """Live blocks of a domain whose size is from first to last: a count each."""
        count = collections.Counter()
        for bucket in self.buckets:
            if bucket.domain == domain and first <= bucket.size <= last and bucket.live:
                count[bucket.size] += bucket.live
        return dict(count)

    def frames(self, stack):
        """The whole stack of Python frames, oldest first."""
        found = []
        while stack != EMPTY:
            parent, code, line, _ = self.entry("stacks", "IIII", stack * 16)
            assert parent < stack
            if not code & NATIVE:
                filename, name = self.entry("code", "II", code * 16)
                found.append(Frame(self.string(filename), line, self.string(name)))
            stack = parent
        return found[::-1]

    def check(self):
        """What holds whenever the process is not in the middle of an event."""
        python = native = peak = 0
        for bucket in self.buckets:
            peak += bucket.at_peak * bucket.size
            if bucket.domain in (LIBC, MMAP):
                native += bucket.live * bucket.size
            else:
                python += bucket.live * bucket.size
        assert (python, native) == (self.python_bytes, self.native_bytes)
        assert peak == max(python + native, self.peak_bytes)


def build_hooks(folder):
    """The shared object of tests/native/hooks.c."""
    out = folder / "hooks.so"
    source = conftest.ROOT / "tests" / "native" / "hooks.c"
    options = ["-D_GNU_SOURCE", "-O1", "-shared", "-fPIC", "-pthread"]
    done = conftest.run(["cc"] + options + ["-o", out, source])
    assert done.returncode == 0, done.stderr
    return out
