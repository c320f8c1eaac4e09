# SPDX-License-Identifier: MIT
"""What does not fit TRACEMALLOC_MAX_FILE is counted once, under its true reason."""

from dump_file import DumpFile

FIRST, LAST = 600, 40600
# The numbers are made before: each takes a block of its own, in each epoch another
# bucket, for which there is no room either.
MANY_SIZES = "sizes = list(range(%d, %d)); kept = [bytes(size) for size in sizes]" % (
    FIRST,
    LAST,
)


def test_a_block_without_room_is_counted_once(interpreter, trace_code):
    traced = trace_code(interpreter, MANY_SIZES, TRACEMALLOC_MAX_FILE="1M")
    dump = DumpFile(traced.dump)
    kept = sum(bucket.at_exit for bucket in dump.buckets if bucket.size >= FIRST)
    # Others than these find no room either; counted twice, it would be 30,000 more.
    assert abs(dump.lost["blocks"] - (LAST - FIRST - kept)) < 3000
    assert dump.lost["memory"] == 0
