# SPDX-License-Identifier: MIT
"""The page that `tracemalloc flamegraph` writes: what its data says, and its files.

How it looks and moves in a browser is for scripts/screenshots.
"""

import html.parser
import json

import pytest

PROGRAM = r"""
import sys

kept = []

def keep(name, count):
    text = "def held():\n" + "    kept.append(bytearray(%d))\n" % 100000 * count
    space = {"kept": kept}
    exec(compile(text, name, "exec"), space)
    space["held"]()

keep("plain.py", int(sys.argv[1]))
keep("</script><!--<script>.py", 1)
keep("caf\xe9 \x7f \udc80.py", 1)
passing = [bytearray(100000) for _ in range(50)]
del passing
"""


class Page(html.parser.HTMLParser):
    """The page's elements; `data` is what it shows."""

    def __init__(self, path):
        super().__init__()
        self.tags = []
        self.inside = None
        self.data = ""
        text = path.read_text("ascii")
        self.feed(text)
        self.close()
        self.json = json.loads(self.data)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.inside = dict(attributes).get("id")

    def handle_endtag(self, tag):
        self.inside = None

    def handle_data(self, data):
        if self.inside == "data":
            self.data += data

    def total(self, moment, old=False):
        """Bytes and blocks of all entries."""
        side = 2 * len(self.json["moments"]) + 1
        columns = 2 * side if "old" in self.json else side
        column = 2 * self.json["moments"].index(moment) + (side if old else 0)
        values = self.json["trees"]["calls"]["values"]
        return sum(values[column::columns]), sum(values[column + 1 :: columns])


@pytest.fixture
def has_page(ours, tmp_path):
    """Skips where the command was built without Node."""
    result = ours("flamegraph", tmp_path / "none")
    if "built without Node" in result.stderr:
        pytest.skip("this build has no page")


@pytest.fixture
def dump(some_interpreter, trace_code):
    traced = trace_code(some_interpreter, PROGRAM, "20")
    assert traced.result.returncode == 0, traced.result.stderr
    return traced.dump


def test_the_page_has_the_totals_of_stats(has_page, dump, ours, tmp_path):
    out = tmp_path / "out.html"
    result = ours("flamegraph", dump, "-o", out)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    page = Page(out)
    for moment in page.json["moments"]:
        option = "--temporary" if moment == "temporary" else "--at=" + moment
        total = ours.json("stats", dump, option)["total"]
        assert page.total(moment) == (total["size"], total["count"])
    assert page.json["moments"] == ["now", "peak", "exit", "end", "temporary"]


def test_one_file_with_all_it_needs(has_page, dump, ours, tmp_path):
    out = tmp_path / "out.html"
    assert ours("flamegraph", dump, "-o", out).returncode == 0
    page = Page(out)
    links = [a for _, a in page.tags for k in ("src", "href") if k in a]
    assert all(a.get("href") == "data:," for a in links)
    assert [tag for tag, _ in page.tags].count("script") == 3
    names = page.json["names"]
    strange = {"</script><!--<script>.py", "caf\xe9 \x7f \udc80.py"}
    assert {"plain.py"} | strange <= {*names}


def test_source_is_left_out_on_demand(has_page, dump, ours, tmp_path):
    line = "keep(" + '"plain.py", int(sys.argv[1]))'
    assert ours("flamegraph", dump, "-o", tmp_path / "with.html").returncode == 0
    assert line in Page(tmp_path / "with.html").json["sources"]
    arguments = ["--no-source", "-o", tmp_path / "without.html"]
    assert ours("flamegraph", dump, *arguments).returncode == 0
    page = Page(tmp_path / "without.html")
    assert "sources" not in page.json
    assert line not in (tmp_path / "without.html").read_text()


def test_a_comparison_holds_both(
    has_page, some_interpreter, trace_code, ours, tmp_path
):
    old = trace_code(some_interpreter, PROGRAM, "5").dump
    new = trace_code(some_interpreter, PROGRAM, "25").dump
    out = tmp_path / "diff.html"
    assert ours("flamegraph", new, "--diff", old, "-o", out).returncode == 0
    page = Page(out)
    total = ours.json("compare", old, new)["total"]
    size, count = page.total("now")
    assert (size, count) == (total["size"], total["count"])
    before, blocks = page.total("now", old=True)
    assert (size - before, count - blocks) == (total["size_diff"], total["count_diff"])


DEEP = """
import sys
kept = []

def descend(depth):
    if depth:
        return descend(depth - 1)
    for i in range(2000):
        exec(compile("keep(bytearray(%d))" % (100 + i % 50), "made%d.py" % i, "exec"),
             {"keep": kept.append})

descend(60)
kept.append(bytearray(int(sys.argv[1])))
"""
OTHER, OLDER = 1, 2  # numbers of frames that no dump has


def test_a_comparison_of_deep_stacks(
    has_page, some_interpreter, trace_code, ours, tmp_path
):
    """Each call stands where it is called; little is folded, in any view."""
    old = trace_code(some_interpreter, DEEP, "1000").dump
    new = trace_code(some_interpreter, DEEP, "300000").dump
    out = tmp_path / "diff.html"
    assert ours("flamegraph", new, "--diff", old, "-o", out).returncode == 0
    json = Page(out).json
    columns = 2 * (2 * len(json["moments"]) + 1)
    for tree in json["trees"].values():
        assert OLDER not in tree["frames"]
        nodes, values = tree["entries"][::2], tree["values"]
        for column in range(columns):
            folded = sum(
                value
                for node, value in zip(nodes, values[column::columns])
                if tree["frames"][node] == OTHER
            )
            assert folded <= 0.05 * sum(values[column::columns])


def test_processes_are_told_apart(
    has_page, some_interpreter, trace_code, ours, tmp_path
):
    dumps = [trace_code(some_interpreter, PROGRAM, n).dump for n in ("5", "6")]
    out = tmp_path / "both.html"
    assert ours("flamegraph", *dumps, "--by", "process", "-o", out).returncode == 0
    pids = {ours.json("info", dump)["pid"] for dump in dumps}
    page = Page(out)
    assert set(page.json["dump"]["pids"]) == pids
    assert {"process %d" % pid for pid in pids} <= set(page.json["names"])


def test_the_default_name_is_a_new_file(has_page, dump, ours):
    result = ours("flamegraph", dump)
    page = dump.with_suffix(".html")
    assert (result.returncode, result.stdout) == (0, "%s\n" % page)
    assert Page(page).json["version"] == 1
    page.write_text("mine")
    result = ours("flamegraph", dump)
    assert result.returncode == 1
    text = "tracemalloc: %s exists; use -o to name another file\n"
    assert result.stderr == text % page
    assert page.read_text() == "mine"


def test_what_fails_leaves_nothing(has_page, dump, ours, tmp_path):
    out = tmp_path / "out.html"
    (tmp_path / "garbage").write_text("not a dump")
    for arguments in ([tmp_path / "garbage"], [dump, "--domain", "nonsense"]):
        result = ours("flamegraph", *arguments, "-o", out)
        assert result.returncode == 1
        assert result.stderr.startswith("tracemalloc: ")
        assert not out.exists()
    before = dump.read_bytes()
    assert ours("flamegraph", dump, "-o", dump).returncode == 1
    assert dump.read_bytes() == before
    for wrong in (["--threshold", "much"], ["--at", "noon"], ["--by", "thread"]):
        assert ours("flamegraph", dump, *wrong, "-o", out).returncode == 2
