# SPDX-License-Identifier: MIT
"""What --tracemalloc-report prints. The numbers of a test travel in its report's
user_properties, so that pytest-xdist brings them to the controller."""

import heapq

from .limits import show_line, show_size

PEAK = "tracemalloc_peak"
KEPT = "tracemalloc_kept"
ALLOCATIONS = "tracemalloc_allocations"
LINES = "tracemalloc_lines"
UNMEASURED = "tracemalloc_unmeasured"
LINES_OF_TEST = 3


class Recorder:
    """Writes the numbers of each test into its user_properties.

    Lines are asked for only if the test may be among the `count` highest peaks.
    """

    def __init__(self, count):
        self.count = count
        self.highest = []

    def record(self, item, measured, engine):
        item.user_properties += [
            (PEAK, measured.peak),
            (KEPT, measured.kept),
            (ALLOCATIONS, measured.allocations),
        ]
        if len(self.highest) < self.count:
            heapq.heappush(self.highest, measured.peak)
        elif self.count == 0 or measured.peak <= self.highest[0]:
            return
        else:
            heapq.heapreplace(self.highest, measured.peak)
        found = engine.peak_lines(LINES_OF_TEST)
        item.user_properties.append((LINES, "\n".join(map(show_line, found))))


class Reporter:
    """A plugin that collects what the recorders wrote, and prints it."""

    def __init__(self, count, reason):
        self.count = count  # None: no report was asked for
        self.reason = reason  # why tests are not measured
        self.tests = []
        self.unmeasured = []  # the reasons for tests with limits

    def pytest_runtest_logreport(self, report):
        numbers = dict(report.user_properties)
        if report.when != "call":
            return
        if PEAK in numbers:
            self.tests.append((report.nodeid, numbers))
        if UNMEASURED in numbers:
            self.unmeasured.append(numbers[UNMEASURED])

    def pytest_terminal_summary(self, terminalreporter):
        if self.unmeasured:
            terminalreporter.write_line(
                "tracemalloc: limits of %d tests were not checked: %s"
                % (len(self.unmeasured), self.unmeasured[0])
            )
        if self.count is not None and self.reason is not None:
            terminalreporter.write_line("tracemalloc: no report: " + self.reason)
        elif self.count is not None:
            self.write(terminalreporter)

    def write(self, terminal):
        self.tests.sort(key=lambda test: -test[1][PEAK])
        shown = self.tests[: self.count]
        title = "tracemalloc: %d of %d tests, by peak" % (len(shown), len(self.tests))
        terminal.write_sep("=", title)
        for nodeid, numbers in shown:
            sizes = show_size(numbers[PEAK]), show_size(numbers[KEPT])
            terminal.write_line(nodeid)
            terminal.write_line(
                "    peak %s, kept %s, %d allocations"
                % (sizes + (numbers[ALLOCATIONS],))
            )
            for line in numbers.get(LINES, "").splitlines():
                terminal.write_line("        " + line)
