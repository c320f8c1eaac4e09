# SPDX-License-Identifier: MIT
"""live_counters.py ROOT: slots and counters of live blocks have one writer.

src/trace/live_block.h writes the slot of the block map and what the bucket and the
header count, so that they agree. Where events go, no other function may write one of
them, except those of WRITERS.
"""

import re
import sys

import tree

ROOMS = ["trace", "event", "hooks", "tracing", "module", "preload"]
ONE_WRITER = "src/trace/live_block.h"
# The other functions that may, and what they write.
WRITERS = {
    "src/trace/bucket_table.c": {
        "bucket_table_begin_epoch",  # the live count at the start of an epoch
        "bucket_table_note_resize",  # the same, after a realloc
        "reclaim",  # the list of free buckets
        "fold",  # the total of a dead bucket, which becomes its site's
        "bucket_table_freeze",  # at_exit
        "bucket_table_clear",  # everything
    },
    "src/hooks/free_lists.c": {"replace"},  # the slot of a type
    "src/hooks/got_hooks.c": {"change_slot"},  # the slot of an object's GOT
}

COUNTER = (
    r"(?:\b(?:bucket|from|to|header)(?:->|\.)|\]\.|\)->)"
    r"(?:live|total|at_exit|peak_live|live_before|python_bytes|native_bytes"
    r"|peak_bytes|python_peak_bytes)\b"
)
SLOT = r"(?<!uint32_t )(?<!\w )\*slot\b"
ASSIGNED = r"\s*(?:=(?!=)|[-+|&^]=|\+\+|--)"
WRITE = re.compile(
    r"(?:%s|%s)%s|(?:\+\+|--)(?:%s|\*slot)" % (COUNTER, SLOT, ASSIGNED, COUNTER)
)
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
FUNCTION = re.compile(r"^(?!static_assert)[a-z][\w *]*?\b(\w+)\(", re.MULTILINE)


def blank(match):
    """As many lines as the comment has."""
    return re.sub(r"[^\n]", " ", match.group())


def function_at(text, position):
    """The name of the function that a position of the text is in."""
    name = ""
    for match in FUNCTION.finditer(text, 0, position):
        name = match.group(1)
    return name


def problems(root):
    found = []
    for path in tree.c_files(root, ["src/" + room for room in ROOMS]):
        if path == ONE_WRITER:
            continue
        text = COMMENT.sub(blank, tree.read(root, path))
        for match in WRITE.finditer(text):
            function = function_at(text, match.start())
            if function not in WRITERS.get(path, ()):
                line = text.count("\n", 0, match.start()) + 1
                found.append(
                    "%s:%d: %s() writes %s, as %s alone may"
                    % (path, line, function, match.group().strip(), ONE_WRITER)
                )
    return found


if __name__ == "__main__":
    tree.report(problems(sys.argv[1]))
