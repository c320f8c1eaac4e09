# SPDX-License-Identifier: MIT
"""Makes dumps with native frames, from include/tracemalloc_dump.h alone."""

import struct

import dump_file

PAGE = 4096
HEADER_SIZE = 8192
ENTRY_SIZES = [1, 16, 16, 144, 40, 8, 40, 32, 336, 24, 16, 8, 12]
STRINGS, CODE, STACKS, SITES, BUCKETS, DOMAINS, MODULES = range(7)
EXITED = 3
NOT_PYTHON = 1 << 31
SITE, BUCKET = "II136x", "IIQ5IB3x"


class NativeDump:
    """A dump of a program that exited. Stacks are lists of frames, the oldest first:
    (file, function, line) of Python, (module, address) of native code."""

    def __init__(self, **header):
        self.sections = [bytearray() for _ in range(dump_file.SECTIONS)]
        self.texts, self.codes, self.modules, self.nodes = {}, {}, {}, {}
        self.header = dict(nframe=25, native_nframe=30, state=EXITED, **header)
        self.header.update(python_bytes=0, native_bytes=0)
        self.text("")
        self.add(CODE, "4I", 0, 0, 0, 0)
        self.add(CODE, "4I", self.text("<overflow>"), 0, 0, 0)
        self.add(STACKS, "4I", 0, 0, 0, 0)
        self.add(STACKS, "4I", 0, 1, 0, 0)
        self.add(BUCKETS, BUCKET, *[0] * 9)
        for number, name in enumerate(("python", "libc", "mmap")):
            self.add(DOMAINS, "II", number, self.text(name))
        self.module("", "")

    def add(self, section, kind, *values):
        """Appends an entry; its id."""
        entries = self.sections[section]
        entries += struct.pack("=" + kind, *values)
        return len(entries) // ENTRY_SIZES[section] - 1

    def text(self, text):
        if text not in self.texts:
            entries, data = self.sections[STRINGS], text.encode()
            self.texts[text] = len(entries)
            entries += struct.pack("=I", len(data)) + data + bytes(4 - len(data) % 4)
        return self.texts[text]

    def module(self, path, build_id, load_bias=0x7F0000000000):
        """The id of a module, for the frames of stacks."""
        key = (path, build_id)
        if key not in self.modules:
            texts = (self.text(path), self.text(build_id))
            place = (load_bias, load_bias, load_bias + (1 << 20), 0)
            self.modules[key] = self.add(MODULES, "IIQQQQ", *texts, *place)
        return self.modules[key]

    def code(self, filename, name):
        key = (filename, name)
        if key not in self.codes:
            texts = (self.text(filename), self.text(name))
            self.codes[key] = self.add(CODE, "4I", *texts, 1, 0)
        return self.codes[key]

    def stack(self, frames):
        node = 0
        for frame in frames:
            if len(frame) == 3:
                key = (node, self.code(frame[0], frame[1]), frame[2], 0)
            else:
                code, address = dump_file.NATIVE | frame[0], frame[1]
                key = (node, code, address & 0xFFFFFFFF, address >> 32)
            if key not in self.nodes:
                self.nodes[key] = self.add(STACKS, "4I", *key)
            node = self.nodes[key]
        return node

    def block(self, frames, size, count=1, domain=1):
        """Blocks that a stack holds, now and at the peak."""
        site = self.add(SITES, SITE, self.stack(frames), domain)
        mark = NOT_PYTHON if domain > 0 else 0
        counts = (count, 0, count, 0, count, 0)
        self.add(BUCKETS, BUCKET, site | mark, count, size, *counts)
        self.header["native_bytes" if domain > 0 else "python_bytes"] += size * count

    def recursion(self, levels, size):
        """A function that calls itself; each level holds a block."""
        code = self.code("/app/deep.py", "f")
        for node in range(2, levels + 2):
            self.add(STACKS, "4I", node - 1 if node > 2 else 0, code, 7, 0)
            site = self.add(SITES, SITE, node, 0)
            self.add(BUCKETS, BUCKET, site, 1, size, 1, 0, 1, 0, 1, 0)
        self.header["python_bytes"] += size * levels

    def write(self, path):
        header, at = bytearray(HEADER_SIZE), 0
        fields = dict(
            self.header,
            magic=dump_file.MAGIC,
            byte_order=0x01020304,
            version=2,
            section_count=dump_file.SECTIONS,
            pid=4194303,
            implementation=1,
            python_version=0x030B07F0,
            oom_killed=-1,
        )
        for name, kind in dump_file.HEADER:
            size = struct.calcsize("=" + kind)
            at = at if "s" in kind else -(-at // min(size, 8)) * min(size, 8)
            if name in fields:
                struct.pack_into("=" + kind, header, at, fields[name])
            at += size
        data = bytearray()
        for number, entries in enumerate(self.sections):
            entry_size = ENTRY_SIZES[number] if number < len(ENTRY_SIZES) else 0
            count = len(entries) // entry_size if entry_size else 0
            length = -(-len(entries) // PAGE) * PAGE
            extent = (HEADER_SIZE + len(data), length) if count else (0, 0)
            place = at + number * dump_file.SECTION_SIZE
            struct.pack_into(
                "=IIQQQ", header, place, entry_size, count > 0, count, *extent
            )
            data += entries + bytes(length - len(entries))
        end = at + dump_file.SECTIONS * dump_file.SECTION_SIZE
        end += sum(struct.calcsize("=" + kind) for _, kind in dump_file.AFTER)
        struct.pack_into("=I", header, 16, end)
        struct.pack_into("=Q", header, 24, HEADER_SIZE + len(data))
        path.write_bytes(header + data)
