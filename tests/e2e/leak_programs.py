# SPDX-License-Identifier: MIT
"""Small programs that leak, or only seem to, for test_leaks.py.

Each runs its rounds a hundred times a second and then kills itself. The lines that may
be named are marked `# LEAK`; one without a mark must not be accused.
"""

PRELUDE = """
import collections, logging, os, random, signal, sys, threading, time
random.seed(1)
def rounds(seconds=float(sys.argv[1])):
    begin, n = time.monotonic(), 0
    while time.monotonic() - begin < seconds:
        yield n
        [str(i) for i in range(50)]  # a program that does something
        n += 1
        time.sleep(max(0, begin + n / 100 - time.monotonic()))
def end():
    os.kill(os.getpid(), signal.SIGKILL)
"""

PROGRAMS = {
    "one line for a cache and a leak": """
recent, kept = collections.deque(maxlen=40), []
def make(n):
    return bytearray(300 + n % 7)  # LEAK
for n in rounds():
    block = make(n)
    recent.append(block)
    if n % 10 == 0:
        kept.append(block)
""",
    "a list that grows for ever": """
log = []
def note(n):
    log.append(None)  # LEAK
for n in rounds():
    for _ in range(20):
        note(n)
""",
    "a buffer that is extended": """
buffer = bytearray()
def receive(n):
    buffer.extend(b"x" * 700)  # LEAK
for n in rounds():
    receive(n)
""",
    "rare events": """
errors = []
def fail(n):
    errors.append(bytearray(9000))  # LEAK
def work(n):
    return [bytes(2000) for _ in range(20)]
for n in rounds():
    work(n)
    if n % 40 == 7:
        fail(n)
""",
    "a helper four frames deep": """
kept, cache = [], {}
def pack(n): return {"n": n, "text": "text %d" % n, "list": [n] * 20}
def encode(n): return pack(n)
def build(n): return encode(n)
def show(n): return build(n)
def draw(n):
    cache[n % 30] = show(n)
def audit(n):
    kept.append(show(n))  # LEAK
for n in rounds():
    for _ in range(4):
        draw(n)
    if n % 3 == 0:
        audit(n)
""",
    "several lines of one object": """
class Order:
    def __init__(self, n):  # LEAK
        self.name = "order %d" % n  # LEAK
        self.items = [n] * 30  # LEAK
        self.data = bytearray(200)  # LEAK
        self.owner = {"n": n}  # LEAK
orders = []
def take(n):
    orders.append(Order(n))  # LEAK
for n in rounds():
    [str(i) for i in range(100)]
    if n % 2 == 0:
        take(n)
""",
    "a line of a library": """
logger = logging.getLogger("app")
logger.propagate = False
def handle(n):
    logger.addHandler(logging.Handler())  # LEAK
    logging.NullHandler().close()
for n in rounds():
    if n % 2 == 0:
        handle(n)
""",
    "a heap that shrinks while it leaks": """
ballast = [bytearray(5000) for _ in range(600)]
kept = []
def handle(n):
    kept.append(bytearray(500))  # LEAK
for n in rounds():
    handle(n)
    if ballast:
        ballast.pop()
""",
    "a queue with a slow consumer": """
queue = collections.deque()
def produce(n):
    queue.append(bytearray(1000))  # LEAK
def consume():
    if queue:
        queue.popleft()
for n in rounds():
    produce(n)
    produce(n)
    consume()
""",
    "a cache that is full early": """
cache = collections.OrderedDict()
def look_up(key):
    if key not in cache:
        cache[key] = bytearray(400)
    while len(cache) > 60:
        cache.popitem(last=False)
for n in rounds():
    look_up(random.randrange(100000))
""",
    "a table that doubles once": """
table = {n: None for n in range(5400)}
def touch(n):
    table[n % 6000] = None
for n in rounds():
    for i in range(12):
        touch(n * 12 + i)
""",
    "a buffer that is flushed": """
buffer = []
def note(n):
    buffer.append("line %d" % n)
    if len(buffer) > 60:
        del buffer[:]
for n in rounds():
    note(n)
""",
    "a set of what there is only so much of": """
words = set()
def learn(n):
    words.add("word %d" % min(n, random.randrange(150)))
for n in rounds():
    learn(n)
""",
    "a leak beside heavy churn": """
kept = []
def serve(n):
    page = [str(i) * 20 for i in range(300)]
    return len("".join(page))
def remember(n):
    kept.append(bytes(100 + n % 3))  # LEAK
for n in rounds():
    serve(n)
    if n % 5 == 0:
        remember(n)
""",
    "an extension module's buffer": """
import zlib
packers = []
def open_stream(n):
    packer = zlib.compressobj(1, zlib.DEFLATED, 9, 1)  # LEAK
    packers.append(packer)
def inflate(n):
    return zlib.decompress(zlib.compress(b"x" * 500))
for n in rounds():
    inflate(n)
    if n % 8 == 0:
        open_stream(n)
""",
    "what comes and goes with the season": """
held = []
def hold(n):
    held.append(bytearray(700))
for n in rounds():
    if n // 60 % 2 == 0:
        hold(n)
    elif held:
        held.pop()
""",
    "a cache that warms up and then stays": """
import functools
@functools.lru_cache(maxsize=None)
def price(item):
    return bytearray(300 + item)
for n in rounds():
    for _ in range(4):
        price(random.randrange(120))
""",
    "a large load once": """
def load():
    return [{"n": i, "text": "row %d" % i} for i in range(20000)]
table = None
def answer(n):
    return table[n % len(table)]["text"].upper() if table else ""
for n in rounds():
    if n == 60:
        table = load()
    answer(n)
""",
}


def text(name):
    return PRELUDE + PROGRAMS[name] + "end()\n"


def marked_lines(name):
    lines = text(name).split("\n")
    return {n for n, line in enumerate(lines, 1) if line.endswith("# LEAK")}
