"""Cancelling never blocks: from handlers, finalisers and threads, a thousand times, at any moment."""

from __future__ import annotations

import pytest

FROM_A_HANDLER = """
import signal
from pyagent import StreamCancelledError
for end in ("close", "cancel"):
    for read in (list, lambda stream: stream.result, lambda stream: list(stream.events()), next):
        for options in (SILENT, fake(header_delay=30), fake(pieces=["ab"], repeat=100_000, per_write=50)):
            stream = provider.stream("", **options)
            signal.signal(signal.SIGALRM, lambda *_: getattr(stream, end)())
            signal.setitimer(signal.ITIMER_REAL, 0.01)
            began = time.monotonic()
            try:
                while True:
                    read(stream)
            except StreamCancelledError as error:
                assert stream.text.startswith(error.partial_text)
            assert time.monotonic() - began < 2
wait_until_closed()
print("done")
"""

# A handler strikes while its own thread opens a client, loads the library, or is in a call, and does the same there.
HANDLERS_THAT_ASK = """
import signal
asked = 0
def handler(*_):
    global asked
    ask()
    Provider.compatible("m", base_url=provider._base_url).generate_text("x")
    asked += 1
signal.signal(signal.SIGALRM, handler)
from pyagent import _opening
with _opening.lock:  # as if it struck there
    os.kill(os.getpid(), signal.SIGALRM)
    while not asked:
        time.sleep(0.001)
for turn in range(40):
    signal.setitimer(signal.ITIMER_REAL, 0.0005 + turn * 0.0001)
    for _ in range(5):
        Provider.compatible("m", base_url=provider._base_url).generate_text("x")
signal.setitimer(signal.ITIMER_REAL, 0)
assert asked > 10, asked
in_threads(*[ask] * 4)
wait_until_closed()
print("done")
"""

HANDLER_AT_THE_FIRST_USE = """
import ctypes, signal
load, answers = ctypes.CDLL, []
def slow_load(path):
    ctypes.CDLL = load
    os.kill(os.getpid(), signal.SIGALRM)
    time.sleep(0.01)
    return load(path)
ctypes.CDLL = slow_load
signal.signal(signal.SIGALRM, lambda *_: answers.append(provider.generate_text("from the handler")))
ask()
assert "from the handler" in answers
fork(ask)
print("done")
"""

# The garbage collector runs in the middle of polls and of the opening of clients, and finds streams to close.
FROM_FINALISERS = """
import gc
set_threshold = getattr(gc, "set_threshold", bool)  # PyPy has none
set_threshold(1)
class Held:
    def __init__(self):
        self.stream = provider.stream("", **SILENT)
        self.me = self
    def __del__(self):
        self.stream.close()
        provider.stream("", **SILENT).cancel()
def work():
    for _ in range(15):
        Held()
        ask()
        Provider.compatible("m", base_url=provider._base_url).generate_text("x")
        collect_where_late()
in_threads(*[work] * 4)
set_threshold(700)
gc.collect()
wait_until_closed()
print("done")
"""

A_THOUSAND_TIMES = """
import random
from pyagent import StreamCancelledError
random.seed(END)
options = [fake(pieces=["ab"], repeat=10, delay=0.0005), fake(header_delay=0.005), fake(pieces=["ab"], repeat=3000), {}]
cut = whole = 0
current = None
stop = threading.Event()
def close():
    while not stop.is_set():
        time.sleep(random.random() * 0.02)
        if current is not None:
            (current.close if random.random() < 0.5 else current.cancel)()
def read():
    global current, cut, whole
    for turn in range(1000):
        current = stream = provider.stream("x", **options[turn % 4])
        try:
            text = "".join(stream)
            assert text == stream.text and len(text) in (1, 20, 6000), len(text)
            whole += 1
        except StreamCancelledError as error:
            assert error.partial_text == stream.text
            cut += 1
    stop.set()
in_threads(close, read)
assert cut > 100 and whole > 100, (cut, whole)
wait_until_closed()
print("done")
"""

RACES = """
from pyagent import StreamCancelledError
def race(stream, functions):
    barrier = threading.Barrier(len(functions))
    def enter(function):
        barrier.wait()
        try:
            function()
        except (StreamCancelledError, StopIteration):
            pass
        except RuntimeError as error:
            assert "Another thread is reading this stream" in str(error), error
    in_threads(*[lambda function=function: enter(function) for function in functions])
for turn in range(60):
    stream = provider.stream("", **(SILENT, fake(pieces=["ab"], repeat=2000), fake(header_delay=5))[turn % 3])
    read = lambda: list(stream)
    one = lambda: next(stream)
    race(stream, [read, one, one, lambda: stream.result, stream.cancel, stream.cancel, stream.close, stream.close])
    try:
        next(stream)
    except (StreamCancelledError, StopIteration):
        pass
wait_until_closed()
print("done")
"""

# Eight threads use a Provider for the first time at once, and close what they get while others still open it.
WHILE_OPENING = """
for _ in range(60):
    other = Provider.compatible("m", base_url=provider._base_url)
    barrier = threading.Barrier(8)
    def work():
        barrier.wait()
        stream = other.stream("", **SILENT)
        stream.close()
        other.stream("", **SILENT).cancel()
    in_threads(*[work] * 8)
    client = other._client
    in_threads(client.close, client.close, lambda: other.__setstate__(other.__getstate__()))
wait_until_closed()
print("done")
"""


@pytest.mark.parametrize(
    "program",
    [FROM_A_HANDLER, HANDLERS_THAT_ASK, HANDLER_AT_THE_FIRST_USE, FROM_FINALISERS, RACES, WHILE_OPENING],
    ids=["from-a-handler", "handlers-that-ask", "at-the-first-use", "from-finalisers", "races", "while-opening"],
)
def test_cancel(run, program):
    run(program, seconds=30)


def test_a_thousand_times_at_random_moments(run):
    run(A_THOUSAND_TIMES.replace("END", "7"), seconds=60)
