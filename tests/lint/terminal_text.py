# SPDX-License-Identifier: MIT
"""terminal_text.py ROOT: text of others reaches people by one way.

Names in dumps, files and processes may hold escape sequences. Commands print them by
terminal_put_start and the like, terminal_text_line, failure_print, failure_note and
arguments_error, which all end in src/output/terminal_text.c, or into memory. What
prints by itself prints numbers, and words of our own.
"""

import re
import sys

import tree

FOLDERS = ["src/cli", "src/show", "src/process", "src/symbols", "src/profile"]
FOLDERS += ["src/merge", "src/output"]
# To a stream that is a terminal: as text of a variable, or by another way.
BANNED = [
    (r"\bfprintf\(stderr", "a message that is not made harmless"),
    (r"\bfputs\([^;]*\bstderr\)", "a message that is not made harmless"),
    (r"\b(perror|psignal|psiginfo|warnx?|errx?|error)\(\"?", "a message of libc's"),
    (r"\bargp_(error|failure)\(", "a usage error that is not made harmless"),
    (r"\bputs\(", "a line that is not made harmless"),
    (r"\bfputs\(\w+(->|\.)\w+[^;]*, *stdout\)", "text that is not made harmless"),
    (r"\b(printf|fprintf\((stdout|[\w>.-]*terminal->out),)\s*\(?\s*\"[^\"]*%[-\d.*]*s",
     "text that is not made harmless"),
]
ALLOWED = {
    "src/output/terminal.c",
    "src/output/terminal_text.c",
    "src/output/failure.c",
    "src/cli/arguments.c",
}
# Blanks of a width.
BLANKS = re.compile(r"%\*s[^\"%]*\"[^;]*\"\"\)")


def problems(root):
    """One line a statement that prints what may be anything."""
    found = []
    for path in tree.c_files(root, FOLDERS, (".c",)):
        if path in ALLOWED:
            continue
        text = tree.read(root, path)
        for pattern, what in BANNED:
            for match in re.finditer(pattern, text):
                statement = text[match.start() : text.index(";", match.start())]
                if not BLANKS.search(statement):
                    line = text.count("\n", 0, match.start()) + 1
                    found.append("%s:%d: %s" % (path, line, what))
    return found


if __name__ == "__main__":
    tree.report(problems(sys.argv[1]))
