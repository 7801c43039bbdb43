"""Signals stay Python's: handlers run while calls wait, nothing is lost, no thread of the library takes any."""

from __future__ import annotations

import re
import signal
import sys

import pytest

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no setitimer")

# A handler that runs every 2 ms, in the middle of everything: streams arrive whole, calls are answered.
TIMERS = """
import signal
ticks = 0
def tick(*_):
    global ticks
    ticks += 1
BEFORE
signal.signal(signal.SIGALRM, tick)
AFTER
signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
for _ in range(20):
    assert provider.generate_text("a b c", **fake(header_delay=0.01)) == "a b c"
    assert "".join(provider.stream("", **fake(pieces=["ab"], repeat=500))) == "ab" * 500
for _ in range(200):
    ask()
in_threads(*[lambda: [ask() for _ in range(50)]] * 4)
big = provider.stream("", **fake(pieces=["x" * 1000], repeat=2000, per_write=100))
assert sum(map(len, big)) == 2_000_000
signal.setitimer(signal.ITIMER_REAL, 0)
assert ticks > 50, ticks
wait_until_closed()
print("done")
"""

# The same with exceptions: each ends the wait it strikes, its call is closed, and the next one works. Finalisers are
# not struck: there the exception would be lost, and the call would stay open.
RAISING = """
import gc, signal
ask()
class Struck(Exception):
    pass
def strike(*_):
    raise Struck
signal.signal(signal.SIGALRM, strike)
def try_all():
    yield lambda: provider.generate_text("x", **fake(header_delay=20))
    yield lambda: list(provider.stream("x", **SILENT))
    yield lambda: list(provider.stream("x", **fake(header_delay=20)).events())
    yield lambda: provider.stream("x", **SILENT).result
    yield lambda: list(provider.stream("", **fake(pieces=["ab"], repeat=1_000_000)))
    def call_after_call():
        while True:
            ask()
    yield call_after_call
    def open_after_open():
        while True:
            Provider.compatible("m", base_url=provider._base_url).generate_text("x")
    yield open_after_open
    def abandon_after_abandon():
        while True:
            provider.stream("x", **SILENT)
            next(provider.stream("x", **SILENT))
    yield abandon_after_abandon
struck = 0
for function in list(try_all()):
    for turn in range(12):
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.003 + turn * 0.0007)
            function()
        except Struck:
            struck += 1
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
assert struck == 96, struck
gc.collect()
wait_until_closed()
ask()
print("done")
"""

# The first use is struck while the library is loaded: that is no reason to think that it cannot be.
STRUCK_WHILE_LOADING = """
import ctypes, signal
from pyagent import _lib, _loading
load = ctypes.CDLL
def slow_load(*arguments):
    time.sleep(0.1)
    return load(*arguments)
ctypes.CDLL = slow_load
def strike(*_):
    raise TimeoutError("enough")
signal.signal(signal.SIGALRM, strike)
def first_use():
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        ask()
    except TimeoutError as error:
        assert str(error) == "enough"
    else:
        raise AssertionError("it was lost")
    ask()
    assert type(_loading.runtime()) is _lib.Runtime, "and no process in its place"
first_use()
fork(first_use)
print("done")
"""

PYTHONS_OWN = """
import faulthandler, signal
seen = []
HANDLED = ["SIGINT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGHUP", "SIGWINCH", "SIGCHLD", "SIGALRM", "SIGCONT", "SIGPIPE"]
before, after = HANDLED[::2], HANDLED[1::2]
def install(names):
    for name in names:
        signal.signal(getattr(signal, name), lambda number, _: seen.append(signal.Signals(number).name))
install(before)
ask()
install(after)
stream = provider.stream("", **ENDLESS)
for name in HANDLED:
    next(stream)
    os.kill(os.getpid(), getattr(signal, name))
    next(stream)
    assert seen[-1] == name, (name, seen)
assert seen == HANDLED
seen.clear()
def send():  # while the main thread waits in a poll, several times
    for name in HANDLED:
        time.sleep(0.02)
        os.kill(os.getpid(), getattr(signal, name))
quiet = provider.stream("", **fake(pieces=["a", "b"], after=2, first_delay=0.5))
in_threads(send, lambda: list(quiet))
assert sorted(seen) == sorted(HANDLED), seen
stream.close()
print("done")
"""

# Whoever blocks a signal in every thread that it knows may wait for it: no thread of the library takes it.
SIGWAIT = """
import select, signal
ask()
waited = {signal.SIGTERM, signal.SIGUSR1, signal.SIGCHLD}
signal.pthread_sigmask(signal.SIG_BLOCK, waited)
for number in (signal.SIGTERM, signal.SIGUSR1):
    stream = provider.stream("", **SLOW)
    os.kill(os.getpid(), number)
    assert len("".join(stream)) == 50
    assert signal.sigwait(waited) == number
if sys.platform.startswith("linux"):
    for thread in os.listdir("/proc/self/task"):
        with open(f"/proc/self/task/{thread}/status") as file:
            blocked = next(int(line.split()[1], 16) for line in file if line.startswith("SigBlk"))
        assert blocked & 1 << signal.SIGTERM - 1, thread
print("done")
"""

# SIGPIPE at its default, set before and after the library was loaded: servers that leave are errors, nothing more.
SIGPIPE = """
import signal, socket
from pyagent import APIConnectionError
listener = socket.create_server(("127.0.0.1", 0))
def serve():
    while True:
        connection, _ = listener.accept()
        connection.recv(100)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\\1\\0\\0\\0\\0\\0\\0\\0")
        connection.close()
threading.Thread(target=serve, daemon=True).start()
rude = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
BEFORE
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
AFTER
for size in (1, 60_000, 3_000_000) * 5:
    for use in (provider.generate_text, lambda text, **options: list(provider.stream_text(text, **options))):
        try:
            use("x" * size, base_url=rude, max_retries=0)
        except APIConnectionError:
            continue
        raise AssertionError
ask()
print("done", flush=True)
reading, writing = os.pipe()
os.close(reading)
os.write(writing, b"x")
"""

CRASH = """
import ctypes, faulthandler, signal
FIRST
faulthandler.enable()
SECOND
streams = [provider.stream("", **ENDLESS) for _ in range(3)]
threading.Thread(target=lambda: list(streams[0]), daemon=True).start()
next(streams[1])
HOW
"""

FAULTHANDLER = """
import faulthandler, signal
faulthandler.register(signal.SIGUSR1, all_threads=True)
reader = threading.Thread(target=lambda: list(provider.stream("", **SLOW)))
reader.start()
faulthandler.dump_traceback_later(0.05, repeat=True)
stream = provider.stream("", **SLOW)
pieces = 0
for _ in stream:
    pieces += 1
    if pieces % 10 == 0:
        faulthandler.dump_traceback()
        os.kill(os.getpid(), signal.SIGUSR1)
faulthandler.cancel_dump_traceback_later()
reader.join()
assert pieces == 50
print("done")
"""

WAKEUP = """
import signal, socket
reading, writing = socket.socketpair()
writing.setblocking(False)
signal.set_wakeup_fd(writing.fileno())
seen = []
signal.signal(signal.SIGUSR1, lambda *_: seen.append(1))
stream = provider.stream("", **SLOW)
for number, _ in enumerate(stream, 1):
    os.kill(os.getpid(), signal.SIGUSR1)
assert len(seen) == 50
assert reading.recv(100) == bytes([signal.SIGUSR1]) * 50
signal.set_wakeup_fd(-1)
reading.close(), writing.close()
print("done")
"""

ASYNCIO = """
import asyncio, signal
async def main():
    seen = []
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, seen.append, 1)
    asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, seen.append, 2)
    pieces = 0
    async for _ in provider.astream("", **SLOW):
        pieces += 1
        if pieces % 10 == 0:
            os.kill(os.getpid(), signal.SIGUSR1)
            process = await asyncio.create_subprocess_exec("true")
            assert await process.wait() == 0
    assert pieces == 50
    assert seen.count(1) == 5, seen
asyncio.run(main())
print("done")
"""

CHILDREN = """
import signal, subprocess
ended = 0
def child_ended(*_):
    global ended
    ended += 1
signal.signal(signal.SIGCHLD, child_ended)
stream = provider.stream("", **SLOW)
pieces = 0
for _ in stream:
    pieces += 1
    if pieces % 5 == 0:
        assert subprocess.run(["echo", "hi"], stdout=subprocess.PIPE, check=True).stdout == b"hi\\n"
assert pieces == 50
assert ended == 10, ended
print("done")
"""


def placed(program: str, first: bool) -> str:
    """The program with the first use of the library in one of its two places."""
    return program.replace("BEFORE", "ask()" if first else "").replace("AFTER", "" if first else "ask()")


@pytest.mark.parametrize("first", [True, False], ids=["loaded-before", "loaded-after"])
@pytest.mark.parametrize("program", [TIMERS, SIGPIPE], ids=["timers", "sigpipe"])
def test_handlers_of_either_age(run, program, first):
    run(placed(program, first), code_expected=-signal.SIGPIPE if program is SIGPIPE else 0)


@pytest.mark.parametrize(
    "program",
    [RAISING, PYTHONS_OWN, SIGWAIT, WAKEUP, ASYNCIO, CHILDREN],
    ids=["raising", "pythons-own", "sigwait", "wakeup", "asyncio", "children"],
)
def test_signals(run, program):
    if program is RAISING and sys.implementation.name == "pypy":
        pytest.skip("PyPy's ctypes is Python: an exception may strike in it within a finaliser, and is lost there")
    run(program)


@pytest.mark.library("nothing is loaded")
def test_an_exception_while_the_library_is_loaded(run):
    run(STRUCK_WHILE_LOADING)


@pytest.mark.parametrize("loaded_first", [True, False], ids=["loaded-before", "loaded-after"])
@pytest.mark.parametrize("how", ["os.kill(os.getpid(), signal.SIGSEGV); time.sleep(5)", "ctypes.string_at(8)"])
def test_a_crash_is_reported_by_faulthandler_and_ends_the_process(run, how, loaded_first):
    program = CRASH.replace("FIRST", "ask()" if loaded_first else "").replace("SECOND", "ask()").replace("HOW", how)
    wrong = run(program, "", code_expected=-signal.SIGSEGV, wrong="Fatal Python error: Segmentation fault\n.*")
    assert "program.py" in wrong
    assert "goroutine" not in wrong


def test_faulthandler_shows_who_waits(run):
    wrong = run(FAULTHANDLER, wrong=".*")
    assert len(re.findall(r"_lib\.py|_process\.py", wrong)) > 10
    assert "Fatal" not in wrong


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGABRT", "SIGALRM"])
def test_a_signal_without_handler_ends_the_process_as_ever(run, name):
    program = f"""
import faulthandler, signal
faulthandler.disable()
stream = provider.stream("", **ENDLESS)
next(stream)
threading.Timer(0.05, lambda: os.kill(os.getpid(), signal.{name})).start()
list(stream)
"""
    run(program, "", code_expected=-getattr(signal, name))


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT of POSIX")
def test_ctrl_c_without_handler_is_a_keyboard_interrupt(run):
    program = """
import signal
threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
list(provider.stream("", **SILENT))
"""
    run(program, "", code_expected=-signal.SIGINT, wrong="Traceback.*KeyboardInterrupt\n")
