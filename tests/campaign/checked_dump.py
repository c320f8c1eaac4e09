# SPDX-License-Identifier: MIT
"""What holds of a dump at every instant, by an independent reader of the format.

It is written from include/tracemalloc_dump.h and man/tracemalloc-dump.5 and shares
nothing with the library or the command: tests/e2e/dump_file.py reads, this checks every
entry of every section, and compares the counts with a model.
"""

import collections
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

import dump_file  # noqa: E402
import model  # noqa: E402

# By id: entry size, and the format of an entry.
SECTIONS = {
    0: (1, None),
    1: (16, "4I"),
    2: (16, "4I"),
    3: (144, "IIQQII6I16i3Q"),
    4: (40, "IIQ5IB3x"),
    5: (8, "II"),
    6: (40, "IIQQQQ"),
    7: (32, "4Q"),
    8: (336, "IIQQQIIiiQII256s16s"),
    9: (24, "4IQ"),
    10: (16, "QII"),
    11: (8, "II"),
    12: (12, "III"),
}
# In flight at once in a thread: a realloc, of the largest size that the programs use.
IN_FLIGHT = 1 << 20


class WrongDump(Exception):
    """The dump says what it never may."""


class CheckedDump(dump_file.DumpFile):
    """A dump whose entries all have been checked."""

    def __init__(self, path):
        try:
            super().__init__(path)
            self.check_entries()
        except (AssertionError, LookupError, ValueError, UnicodeError) as error:
            raise WrongDump("%s: %r" % (path, error)) from error
        except dump_file.struct.error as error:
            raise WrongDump("%s: %s" % (path, error)) from error

    def read_section(self, at):
        kinds = "".join(kind for _, kind in dump_file.AFTER)
        end = self.header_size - dump_file.struct.calcsize("=" + kinds)
        number = (at - end) // dump_file.SECTION_SIZE + dump_file.SECTIONS
        entry_size = dump_file.struct.unpack_from("=I", self.data, at)[0]
        if number in SECTIONS and entry_size not in (0, SECTIONS[number][0]):
            raise ValueError("entry size %d in section %d" % (entry_size, number))
        return super().read_section(at)

    def of_section(self, number):
        """The entries of a section, as tuples."""
        names = list(self.sections)
        data = self.sections[names[number]]
        return list(dump_file.struct.iter_unpack("=" + SECTIONS[number][1], data))

    def check_entries(self):
        code, stacks, sites = (self.of_section(number) for number in (1, 2, 3))
        domains, modules = self.of_section(5), self.of_section(6)
        texts = set()
        for entry in code:
            texts.update(entry[:2])
        for entry in modules:
            texts.update(entry[:2])
        texts.update(name for _, name in domains)
        texts.update((self.argv, self.executable))
        for text in texts:
            self.check_string(text)
        for number, entry in enumerate(stacks):
            self.check_stack(number, entry, len(code), len(modules))
        for stack, domain, _, _, process, *_ in sites:
            self.expect(stack < len(stacks), "a stack that is not there")
            self.expect(domain < len(domains), "a domain that is not there")
            self.expect(process == 0, "a process in a dump of one")
        self.check_buckets(sites, stacks)
        self.check_times()

    def expect(self, right, text):
        if not right:
            raise ValueError(text)

    def check_string(self, at):
        data = self.sections["strings"]
        self.expect(at % 4 == 0 and at + 4 <= len(data), "string id %d" % at)
        text = self.string(at)
        end = at + 4 + len(text.encode("utf-8", "surrogatepass"))
        self.expect(end < len(data) and data[end] == 0, "string %d without NUL" % at)

    def check_stack(self, number, entry, codes, modules):
        parent, code, line, high = entry
        self.expect(parent < number or number == 0, "parent of stack %d" % number)
        if code & dump_file.NATIVE:
            module = code & ~dump_file.NATIVE
            self.expect(module < max(modules, 1), "module of stack %d" % number)
        else:
            self.expect(code < codes, "code of stack %d" % number)
            self.expect(high == 0, "high half of stack %d" % number)

    def check_buckets(self, sites, stacks):
        """A bucket that counts anything has a site, and a stack that is in use.

        While a live dump is copied, a stack that its bucket held before may be freed.
        """
        moving = self.state == "snapshot"
        epochs = max(len(self.of_section(10)), 1)
        for at, entry in enumerate(self.of_section(4)[1:], 1):
            site, live, size, _, _, _, at_exit, _, birth = entry
            site &= ~dump_file.NOT_PYTHON
            self.expect(site < len(sites), "site of bucket %d" % at)
            if (live or at_exit) and not moving:
                stack = sites[site][0]
                in_use = stack < 2 or stacks[stack][1] != 0
                self.expect(in_use, "bucket %d of a stack that is not used" % at)
            self.expect(live < 1 << 31, "bucket %d has %d blocks" % (at, live))
            self.expect(size < 1 << 47, "bucket %d of size %d" % (at, size))
            self.expect(birth < epochs, "bucket %d of epoch %d" % (at, birth))

    def check_times(self):
        times = [entry[0] for entry in self.of_section(7)]
        self.expect(times == sorted(times), "a timeline that goes back")
        starts = [entry[0] for entry in self.of_section(10)]
        self.expect(starts == sorted(starts), "epochs that go back")
        self.expect(len(starts) <= 64, "%d epochs" % len(starts))

    @property
    def complete(self):
        return not any(self.lost.values())

    def check_sums(self, threads):
        """The header's totals are those of the buckets, but for events in flight."""
        python = native = 0
        for bucket in self.buckets:
            if bucket.domain in (dump_file.LIBC, dump_file.MMAP):
                native += bucket.live * bucket.size
            else:
                python += bucket.live * bucket.size
        each = (
            ("Python", python, self.python_bytes),
            ("native", native, self.native_bytes),
        )
        for name, buckets, header in each:
            if abs(buckets - header) > IN_FLIGHT * threads:
                text = "%s bytes: buckets %d, header %d" % (name, buckets, header)
                raise WrongDump(text)

    def live_by_function(self):
        """Live blocks by domain, size and the name of the innermost Python frame.

        Of a program that ended: those before the interpreter took itself down.
        """
        count = collections.Counter()
        names = {}
        for bucket in self.buckets:
            live = bucket.at_exit if self.finalized else bucket.live
            if live:
                if bucket.stack not in names:
                    names[bucket.stack] = self.innermost(bucket.stack)
                count[bucket.domain, bucket.size, names[bucket.stack]] += live
        return count

    def innermost(self, stack):
        while stack != dump_file.EMPTY:
            parent, code = self.entry("stacks", "II", stack * 16)
            if not code & dump_file.NATIVE:
                return self.string(self.entry("code", "II", code * 16)[1])
            stack = parent
        return ""

    def differences(self, low, high):
        """The model's kinds whose counts are not those of the dump: a line each."""
        live = self.live_by_function()
        wrong = []
        for number, kind in enumerate(model.KINDS):
            count = live[kind.domain, kind.size, kind.function]
            if not low[number] <= count <= high[number]:
                wanted = "%d to %d" % (low[number], high[number])
                wrong.append("%s: %d, not %s" % (tuple(kind), count, wanted))
        return wrong
