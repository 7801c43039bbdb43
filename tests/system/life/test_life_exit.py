"""Processes that end: at any moment, in any order, without a word on standard error."""

from __future__ import annotations

import os
import signal
import sys

import pytest

LIVE = """
streams = [provider.stream("", **ENDLESS) for _ in range(3)]
assert [next(stream) for stream in streams] == ["a"] * 3
iterator, events = iter(streams[0]), streams[1].events()
next(iterator), next(events)
"""

# What is done after LIVE.
ENDINGS = {
    "end": "",
    "sys-exit": "sys.exit(3)",
    "os-exit": "os._exit(4)",
    "system-exit-in-the-loop": "for _ in streams[2]: raise SystemExit(5)",
    "os-exit-in-the-loop": "for _ in streams[2]: os._exit(6)",
    "modules-gone": """
import builtins
builtins.kept = [streams, iterator, events]
del streams, iterator, events
""",
    "in-sys-modules": "sys.modules['kept'] = streams",
    "in-a-cycle": """
cycle = [streams, iterator]
cycle.append(cycle)
del streams, iterator
""",
    "in-a-cycle-that-is-collected": """
import gc
cycle = [streams, iterator, events]
cycle.append(cycle)
del cycle, streams, iterator, events
gc.collect()
wait_until_closed()
print('closed')
""",
    "frozen": """
import gc
cycle = [streams]
cycle.append(cycle)
gc.freeze()
del cycle, streams
gc.collect()
""",
    "without-collector": """
import gc
gc.disable()
cycle = [streams]
cycle.append(cycle)
""",
    "weakref-callbacks": """
import weakref
watches = [weakref.ref(stream, lambda _: print('gone')) for stream in streams]
del iterator, events
streams.clear()
wait_until_closed()
for _ in range(5): collect_where_late()
""",
    "weakref-finalize": """
import weakref
weakref.finalize(streams[2], print, 'finalized')
""",
    "atexit": """
import atexit
def last():
    print(provider.generate_text('last'), ''.join(provider.stream_text('words')), next(streams[2]))
atexit.register(last)
""",
    "first-use-in-atexit": """
import atexit
other = Provider.compatible('m', base_url=provider._base_url)
atexit.register(lambda: print(other.generate_text('first')))
""",
    "finaliser-that-asks": """
class Late:
    def __del__(self, provider=provider): print(provider.generate_text('late'))
late = Late()
""",
    "daemons-in-polls": """
silent = [provider.stream('', **SILENT) for _ in range(5)]
for stream in (*silent, streams[2]): threading.Thread(target=list, args=[stream], daemon=True).start()
threading.Thread(target=provider.generate_text, args=['x'], kwargs=fake(header_delay=60), daemon=True).start()
time.sleep(0.2)
""",
    "daemons-in-a-rush": """
def rush():
    while True: ask()
for _ in range(4): threading.Thread(target=rush, daemon=True).start()
time.sleep(0.1)
""",
    "threads-that-finish-first": """
def read():
    sys.stdout.write(f"{len(''.join(provider.stream('', **SLOW)))}\\n")  # at once: the other thread writes too
for _ in range(2): threading.Thread(target=read).start()
""",
    "collected-by-another-thread": """
import gc
def collect():
    global streams, iterator, events
    cycle = [streams, iterator, events]
    cycle.append(cycle)
    del streams, iterator, events, cycle
    gc.collect()
in_threads(collect)
wait_until_closed()
print('closed')
""",
    "dropped-by-another-thread": """
del iterator, events
in_threads(streams.clear)
wait_until_closed()
print('closed')
""",
}

# What is printed, and the exit code, where it is not nothing and 0.
OUTCOMES = {
    "sys-exit": ("", 3),
    "os-exit": ("", 4),
    "system-exit-in-the-loop": ("", 5),
    "os-exit-in-the-loop": ("", 6),
    "in-a-cycle-that-is-collected": ("closed\n", 0),
    "weakref-callbacks": ("gone\ngone\ngone\n", 0),
    "weakref-finalize": ("finalized\n", 0),
    "atexit": ("last words a\n", 0),
    "first-use-in-atexit": ("first\n", 0),
    "finaliser-that-asks": ("late\n", 0),
    "threads-that-finish-first": ("50\n50\n", 0),
    "collected-by-another-thread": ("closed\n", 0),
    "dropped-by-another-thread": ("closed\n", 0),
}


NOT_ON_PYPY = {"frozen": "it has no gc.freeze()", "finaliser-that-asks": "it runs no finalisers at its end"}


@pytest.mark.parametrize("name", ENDINGS)
def test_with_live_streams(run, name):
    if sys.implementation.name == "pypy" and name in NOT_ON_PYPY:
        pytest.skip(f"this is PyPy: {NOT_ON_PYPY[name]}")
    said, code = OUTCOMES.get(name, ("", 0))
    run(LIVE + ENDINGS[name], said, code_expected=code, seconds=20)


@pytest.mark.parametrize("name", ["end", "modules-gone", "in-a-cycle", "daemons-in-polls", "atexit"])
def test_with_a_debugging_allocator(run, name):
    said, code = OUTCOMES.get(name, ("", 0))
    run(LIVE + ENDINGS[name], said, code_expected=code, seconds=20, PYTHONMALLOC="debug", PYTHONDUMPREFS="")


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
    run(program, wrong=r"Exception in thread Thread-1\b.*KeyError: 'mine'\n")


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
for child in (collect, streams.clear, lambda: (ask(), collect()), getattr(gc, "freeze", gc.collect)):
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
