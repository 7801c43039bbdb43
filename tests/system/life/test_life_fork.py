"""After fork(): the child works whatever the parent was doing, and the parent does not notice."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

NOEXEC = getattr(os, "ST_NOEXEC", 8)  # of Linux; PyPy has no name for it

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork()")

NESTED = """
ask("parent")
def descend(depth):
    ask(f"before fork {depth}")
    if depth < 3:
        fork(lambda: descend(depth + 1))
    ask(f"after fork {depth}")
descend(0)
print("done")
"""

# The parent's streams go on while children work, drop what they have inherited, and end in every way.
UNDISTURBED = """
import gc
from pyagent import InternalError
streams = [provider.stream("", **SLOW) for _ in range(4)]
assert [next(stream) for stream in streams] == ["a"] * 4
iterator = iter(streams[0])
def close(): [stream.close() for stream in streams]
def cancel(): [stream.cancel() for stream in streams]
def drop(): streams.clear(), gc.collect()
def leave():
    try:
        next(iterator)
    except InternalError:
        pass
def exit_normally():
    threading.Thread(target=ask).start()
    sys.exit()
children = [start_fork(child) for child in (close, cancel, drop, leave, ask)]
pid = os.fork()
if pid == 0:
    exit_normally()
for child in (*children, pid):
    wait_for(child)
assert len("".join(iterator)) == 49
assert [len("".join(stream)) for stream in streams[1:]] == [49] * 3
print("done")
"""

OLD_HANDLES = """
from pyagent import InternalError, StreamCancelledError
from pyagent._fake import FakeServer
STEADY = fake(pieces=["a"], repeat=10, delay=0.2)  # slow enough for one piece to come alone on a busy machine too
stream, events, silent = provider.stream("", **STEADY), provider.stream("", **STEADY), provider.stream("", **SILENT)
events = events.events()
next(stream), next(events), next(silent)
server = FakeServer()
def read():
    try:
        list(silent)
    except StreamCancelledError:
        pass
reader = threading.Thread(target=read)
reader.start()
time.sleep(0.1)
call = provider.stream("", **SILENT)._call
def refused(use):
    try:
        use()
    except InternalError as error:
        assert "before os.fork()" in error.message and "Start it in the child" in error.message, error
    else:
        raise AssertionError(f"{use} was not refused")
def child():
    for _ in range(2):
        refused(lambda: next(stream))
        refused(lambda: stream.result)
        refused(lambda: list(stream))
        refused(lambda: list(stream.events()))
    refused(lambda: list(events))
    refused(lambda: next(silent))  # although, as far as the child can see, another thread reads it
    refused(server.serve)
    refused(call.receive)
    for thing in (stream, silent, server, call):
        thing.close()
    stream.cancel()
    assert stream.text == "a" and "cancelled" in repr(stream)
    ask()
fork(child)
assert len("".join(stream)) == 9
server.close()
silent.close()
reader.join()
print("done")
"""

# Another thread is at each of the steps that are done once. A child that needed one of its locks would wait for ever.
IN_THE_MIDDLE = """
import importlib.abc
class SlowImports(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name in ("ctypes", "pyagent._call", "pyagent._lib", "pyagent._loading"):
            time.sleep(0.1)
sys.meta_path.insert(0, SlowImports())
first = threading.Thread(target=ask)
first.start()
children = []
for _ in range(8):
    time.sleep(0.02)
    children.append(start_fork(ask))
first.join()
for child in children:
    wait_for(child)
ask()
print("done")
"""

WHILE_LOADING = """
import ctypes
load = ctypes.CDLL
def slow_load(*arguments):
    time.sleep(0.1)
    library = load(*arguments)
    time.sleep(0.1)
    return library
ctypes.CDLL = slow_load
first = threading.Thread(target=ask)
first.start()
children = []
for _ in range(3):
    time.sleep(0.05)
    children.append(start_fork(ask))
first.join()
for child in children:
    wait_for(child)
print("done")
"""

WHILE_CALLS_RUN = """
ask()
stop = threading.Event()
def work():
    while not stop.is_set():
        Provider.compatible("m", base_url=provider._base_url).generate_text("x" * 1000)
        list(provider.stream("a b c d"))
def children():
    for _ in range(4):
        for child in [start_fork(ask) for _ in range(3)]:
            wait_for(child)
    stop.set()
in_threads(work, work, work, children)
print("done")
"""

# The thread that forks is the only one in the child. A child that has not used pyagent since ends with that thread; one
# that has must say so with os._exit, because Go's threads remain.
FROM_A_THREAD = """
ask()
def thread():
    fork(ask)
    pid = os.fork()
    if pid == 0:
        return
    wait_for(pid)
in_threads(thread, thread)
if os.getpid() == parent:
    print("done")
"""

MANY = """
ask()
def child():
    before = descriptors()
    for _ in range(2):
        ask()
    # The connection and what Go's runtime opens, as in the parent: no copy of the library is held open.
    assert descriptors() <= before + 6, os.listdir("/proc/self/fd")
before = descriptors()
for _ in range(50):
    fork(child)
assert descriptors() == before
ask()
print("done")
"""

EXITS = """
import atexit
ask()
atexit.register(lambda: print("atexit", provider.generate_text(str(os.getpid() == parent))))
if os.fork() == 0:
    print(provider.generate_text("child"))
    sys.exit(3)
assert os.waitstatus_to_exitcode(os.wait()[1]) == 3
print("done")
"""

SIGNALS = """
import ctypes, faulthandler, signal
faulthandler.disable()
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
ask()
def crash(use):
    if use:
        ask()
    os.kill(os.getpid(), signal.SIGSEGV)
    time.sleep(5)
def really_crash():
    ask()
    ctypes.string_at(8)
def break_a_pipe():
    reading, writing = os.pipe()
    os.close(reading)
    os.write(writing, b"x")
def interrupt():
    try:
        os.kill(os.getpid(), signal.SIGINT)
        list(provider.stream("", **ENDLESS))
    except KeyboardInterrupt:
        ask()
    else:
        raise AssertionError
fork(lambda: crash(False), -signal.SIGSEGV)
fork(lambda: crash(True), -signal.SIGSEGV)
fork(really_crash, -signal.SIGSEGV)
fork(break_a_pipe, -signal.SIGPIPE)
fork(lambda: (ask(), break_a_pipe()), -signal.SIGPIPE)
fork(interrupt)
print("done")
"""


# A child holds descriptors of the parent's connections. The parent's close must reach the server all the same.
CLOSED_BY_THE_PARENT = """
streams = [provider.stream("", **ENDLESS) for _ in range(3)]
assert [next(stream) for stream in streams] == ["a"] * 3
ended, end = os.pipe()
child = start_fork(lambda: os.read(ended, 1))
streams[0].close()
streams[1].cancel()
del streams[2]
wait_for_states("disconnected", 3)
os.write(end, b"x")
wait_for(child)
print("done")
"""


@pytest.mark.parametrize(
    "program",
    [NESTED, OLD_HANDLES, IN_THE_MIDDLE, WHILE_LOADING, WHILE_CALLS_RUN, FROM_A_THREAD, MANY, SIGNALS,
     CLOSED_BY_THE_PARENT],
    ids=["nested", "old-handles", "in-the-middle", "while-loading", "while-calls-run", "from-a-thread",
         "many", "signals", "closed-by-the-parent"],
)  # fmt: skip
def test_fork(run, program):
    run("parent = os.getpid()\n" + program)


def test_the_parents_streams_arrive_whole(run, scripted):
    """What the server sees: no stream of the parent was cut by what children did with their copies."""
    run(UNDISTURBED)
    seen = [request for request in scripted.wait_for_ends() if request["deltas_sent"] == 50]
    assert [request["state"] for request in seen] == ["finished"] * 4


def test_a_child_that_exits_by_itself(run):
    run("parent = os.getpid()\n" + EXITS, "child\natexit False\ndone\natexit True\n")


@pytest.fixture
def nowhere(tmp_path):
    """What a program runs so that a copy of the library can be had nowhere: there is no anonymous memory, and temporary
    files are where nothing may be executed, TMPDIR."""
    places = [path for path in map(Path, ("/dev/shm", "/run", "/run/lock")) if path.is_dir()]
    forbidding = [path for path in places if os.access(path, os.W_OK) and os.statvfs(path).f_flag & NOEXEC]
    code = """
import ctypes
load = ctypes.CDLL
def refuse(path):
    if path is None:
        return load(path)
    raise OSError(path + ": failed to map segment from shared object")
ask()
if hasattr(os, "memfd_create"):
    del os.memfd_create
"""
    if not forbidding:
        code += "ctypes.CDLL = refuse\n"
    return code, str(forbidding[0] if forbidding else tmp_path)


@pytest.mark.library("there is nothing to copy")
def test_where_a_private_copy_is_impossible_the_error_says_what_to_do(run, nowhere):
    code, place = nowhere
    program = f"""
from pyagent import InternalError
{code}
def child():
    for _ in range(2):
        try:
            ask()
        except InternalError as error:
            for word in ("After os.fork()", "TMPDIR", "'spawn'", "failed to map segment"):
                assert word in error.message, error.message
        else:
            raise AssertionError
fork(child)
ask()
print("done")
"""
    run(program, TMPDIR=place, PYAGENT_TRANSPORT="library")


@pytest.mark.library("there is nothing to copy")
def test_where_a_private_copy_is_impossible_a_process_takes_its_place(run, nowhere):
    code, place = nowhere
    program = f"""
import warnings
{code}
def child():
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for _ in range(2):
            ask()
    (warning,) = said
    assert "TMPDIR" in str(warning.message) and "PYAGENT_TRANSPORT" in str(warning.message), warning
fork(child)
ask()
print("done")
"""
    run(program, TMPDIR=place)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at /proc")
@pytest.mark.skipif(not hasattr(os, "posix_spawn"), reason="this Python has no os.posix_spawn()")
def test_programs_that_are_started_inherit_nothing(run):
    """subprocess and posix_spawn from a process with live streams, also when all descriptors are handed on."""
    run("""
import subprocess
streams = [provider.stream("", **SLOW) for _ in range(3)]
assert [next(stream) for stream in streams] == ["a"] * 3
show = [sys.executable, "-c", "import os; print(len(os.listdir('/proc/self/fd')))"]
bare = int(subprocess.run([*show], stdout=subprocess.PIPE, close_fds=True, check=True).stdout)
for _ in range(3):
    assert int(subprocess.run(show, stdout=subprocess.PIPE, close_fds=False, check=True).stdout) == bare
    hook = lambda: None
    assert int(subprocess.run(show, stdout=subprocess.PIPE, preexec_fn=hook, check=True).stdout) == bare
reading, writing = os.pipe()
pid = os.posix_spawn(sys.executable, show, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, writing, 1)])
wait_for(pid)
assert int(os.read(reading, 100)) == bare
assert [len("".join(stream)) for stream in streams] == [49] * 3
print("done")
""")
