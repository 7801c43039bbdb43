"""Processes that end: at any moment, in any order, without a word on standard error."""

from __future__ import annotations

import os
import signal

import pytest

LIVE = """
streams = [provider.stream("", **ENDLESS) for _ in range(3)]
assert [next(stream) for stream in streams] == ["a"] * 3
iterator, events = iter(streams[0]), streams[1].events()
next(iterator), next(events)
"""

# What is done after LIVE, what is printed, and the exit code.
ENDINGS = {
    "end": ("", "", 0),
    "sys-exit": ("sys.exit(3)", "", 3),
    "os-exit": ("os._exit(4)", "", 4),
    "system-exit-in-the-loop": ("for _ in streams[2]: raise SystemExit(5)", "", 5),
    "os-exit-in-the-loop": ("for _ in streams[2]: os._exit(6)", "", 6),
    "modules-gone": ("import builtins; builtins.kept = [streams, iterator, events]; del streams, iterator, events", "", 0),
    "in-sys-modules": ("sys.modules['kept'] = streams", "", 0),
    "in-a-cycle": ("cycle = [streams, iterator]; cycle.append(cycle); del streams, iterator", "", 0),
    "in-a-cycle-that-is-collected": (
        "import gc; cycle = [streams, iterator, events]; cycle.append(cycle); del cycle, streams, iterator, events\n"
        "gc.collect(); wait_until_closed(); print('closed')", "closed\n", 0,
    ),
    "frozen": ("import gc; cycle = [streams]; cycle.append(cycle); gc.freeze(); del cycle, streams; gc.collect()", "", 0),
    "without-collector": ("import gc; gc.disable(); cycle = [streams]; cycle.append(cycle)", "", 0),
    "weakref-callbacks": (
        "import weakref; watches = [weakref.ref(stream, lambda _: print('gone')) for stream in streams]\n"
        "del iterator, events; streams.clear(); wait_until_closed()", "gone\n" * 3, 0,
    ),
    "weakref-finalize": ("import weakref; weakref.finalize(streams[2], print, 'finalized')", "finalized\n", 0),
    "atexit": (
        "import atexit\n"
        "def last():\n    print(provider.generate_text('last'), ''.join(provider.stream_text('words')), next(streams[2]))\n"
        "atexit.register(last)", "last words a\n", 0,
    ),
    "first-use-in-atexit": (
        "import atexit; other = Provider.compatible('m', base_url=provider._base_url)\n"
        "atexit.register(lambda: print(other.generate_text('first')))", "first\n", 0,
    ),
    "finaliser-that-asks": (
        "class Late:\n    def __del__(self, provider=provider): print(provider.generate_text('late'))\n"
        "late = Late()", "late\n", 0,
    ),
    "daemons-in-polls": (
        "silent = [provider.stream('', **SILENT) for _ in range(5)]\n"
        "for stream in (*silent, streams[2]): threading.Thread(target=list, args=[stream], daemon=True).start()\n"
        "threading.Thread(target=provider.generate_text, args=['x'], kwargs=fake(header_delay=60), daemon=True).start()\n"
        "time.sleep(0.2)", "", 0,
    ),
    "daemons-in-a-rush": (
        "def rush():\n    while True: ask()\n"
        "for _ in range(4): threading.Thread(target=rush, daemon=True).start()\n"
        "time.sleep(0.1)", "", 0,
    ),
    "threads-that-finish-first": (
        "def read():\n    print(len(''.join(provider.stream('', **SLOW))))\n"
        "for _ in range(2): threading.Thread(target=read).start()", "50\n50\n", 0,
    ),
    "collected-by-another-thread": (
        "import gc\n"
        "def collect():\n    global streams, iterator, events\n    cycle = [streams, iterator, events]\n"
        "    cycle.append(cycle); del streams, iterator, events, cycle; gc.collect()\n"
        "in_threads(collect); wait_until_closed(); print('closed')", "closed\n", 0,
    ),
    "dropped-by-another-thread": (
        "del iterator, events; in_threads(streams.clear); wait_until_closed(); print('closed')", "closed\n", 0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDINGS)
def test_with_live_streams(run, name):
    ending, said, code = ENDINGS[name]
    run(LIVE + ending, said, code_expected=code, seconds=20)


@pytest.mark.parametrize("name", ["end", "modules-gone", "in-a-cycle", "daemons-in-polls", "atexit"])
def test_with_a_debugging_allocator(run, name):
    ending, said, code = ENDINGS[name]
    run(LIVE + ending, said, code_expected=code, seconds=20, PYTHONMALLOC="debug", PYTHONDUMPREFS="")


def test_an_exception_that_nobody_catches(run):
    run(LIVE + "next(streams[2]); raise KeyError('mine')", "", code_expected=1, wrong="Traceback.*KeyError: 'mine'\n")


def test_an_exception_in_a_thread_that_streams(run):
    program = """
def fail():
    for _ in provider.stream("", **ENDLESS):
        raise KeyError("mine")
thread = threading.Thread(target=fail)
thread.start()
thread.join()
wait_until_closed()
print("done")
"""
    run(program, wrong="Exception in thread Thread-1 .*KeyError: 'mine'\n")


def test_a_process_that_is_killed_leaves_no_connection(run, scripted):
    run(LIVE + "os.kill(os.getpid(), 9)", "", code_expected=-signal.SIGKILL)
    assert [request["state"] for request in scripted.wait_for_ends()] == ["disconnected"] * 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork()")
def test_children_end_as_cleanly(run):
    """In each child the inherited streams, iterators and events go in another way."""
    run(
        LIVE
        + """
import gc
def collect():
    cycle = [streams[:], iterator, events]
    cycle.append(cycle)
    streams.clear()
    del cycle
    gc.collect()
for child in (collect, streams.clear, lambda: (ask(), collect()), lambda: gc.freeze()):
    fork(child)
for exits in (lambda: sys.exit(), lambda: (ask(), sys.exit())):
    pid = os.fork()
    if pid == 0:
        exits()
    wait_for(pid)
assert [next(stream) for stream in (iterator, streams[1], streams[2])] == ["a"] * 3
print("done")
"""
    )
