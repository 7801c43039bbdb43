"""The core as a process of its own: how its life and its death go together with those of its host."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pyagent import InternalError, Provider, PyAgentError, _loading, get_executable

if TYPE_CHECKING:
    from conftest import Server

    from pyagent._process import Process

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(
    sys.platform == "win32" or not os.path.exists(get_executable()),
    reason="there is no executable of the core here; `make build` makes one",
)

Slow = dict[str, Any]


@pytest.fixture
def slow() -> Slow:
    return {"fake": {"pieces": ["a"], "repeat": 1000, "delay": 0.01}}


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Process]]:
    """The process of this test, whichever it is by then. At the end of the test it has nothing open."""
    monkeypatch.setenv("PYAGENT_TRANSPORT", "process")
    monkeypatch.setattr(_loading, "_runtime", None)

    def current() -> Process:
        found: Any = _loading.runtime()
        return found

    yield current
    last = current()
    deadline = time.monotonic() + 5
    while last.inspect()["handles"] != {"clients": 0, "inboxes": 0, "calls": 0, "working": 0}:
        assert time.monotonic() < deadline, last.inspect()["handles"]
        gc.collect()  # an event loop that ended with an exception is in a cycle
        time.sleep(0.01)
    last._door.shutdown(socket.SHUT_RDWR)
    assert not last.alive  # and with that it was waited for


def kill(victim: Process, number: int = signal.SIGKILL) -> None:
    os.kill(victim._pid, number)


def is_gone(pid: int) -> bool:
    """Whether a process has ended. One that nobody has waited for yet has, too."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    if not os.path.exists("/proc/self/stat"):
        return False
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not after {seconds} s"
        time.sleep(0.005)


# Its end


def test_a_crash_ends_every_call_and_the_next_one_starts_another(
    process: Callable[[], Process], provider: Provider, slow: Slow
) -> None:
    stream, other = provider.stream("", extra_body=slow), provider.stream("", extra_body=slow)
    assert next(stream) == next(other) == "a"
    failures: list[PyAgentError] = []

    def read() -> None:
        try:
            list(other)
        except PyAgentError as failure:
            failures.append(failure)

    thread = threading.Thread(target=read)
    thread.start()
    time.sleep(0.05)
    first = process()
    kill(first)
    with pytest.raises(InternalError, match=r"was killed by signal 9 \(SIGKILL\).*starts it again") as caught:
        list(stream)
    assert caught.value.partial_text.startswith("a")
    assert caught.value.is_retryable
    thread.join(10)
    assert [type(failure) for failure in failures] == [InternalError]
    assert failures[0].partial_text.startswith("a")
    assert provider.generate_text("again") == "again"
    assert process()._pid != first._pid
    with pytest.raises(ChildProcessError):  # it was waited for
        os.waitpid(first._pid, os.WNOHANG)
    other.close()
    stream.cancel()


def test_a_crash_while_nothing_runs_is_not_noticed(process: Callable[[], Process], provider: Provider) -> None:
    for _ in range(3):
        assert provider.generate_text("hi") == "hi"
        victim = process()
        kill(victim)
        wait_until(lambda victim=victim: not victim.alive)  # type: ignore[misc]


def test_its_last_words_are_in_the_error(process: Callable[[], Process], provider: Provider, slow: Slow) -> None:
    stream = provider.stream("", extra_body=slow)
    next(stream)
    kill(process(), signal.SIGSEGV)
    with pytest.raises(InternalError, match="ended with status 2") as caught:
        list(stream)
    assert "SIGSEGV" in str(caught.value.body)
    assert "goroutine" in str(caught.value.body)


def test_a_crash_under_asyncio(process: Callable[[], Process], provider: Provider, slow: Slow) -> None:
    begun = 0

    async def read() -> str:
        nonlocal begun
        stream = provider.astream_text("", extra_body=slow)
        assert await stream.__anext__() == "a"
        begun += 1
        with pytest.raises(InternalError) as caught:
            assert [piece async for piece in stream]
        assert caught.value.partial_text.startswith("a")
        return caught.value.message

    async def main() -> None:
        loop = asyncio.get_running_loop()
        for times in (1, 2):
            tasks = [loop.create_task(read()) for _ in range(20)]
            while begun < 20 * times:
                await asyncio.sleep(0.01)
            kill(process())
            said = await asyncio.wait_for(asyncio.gather(*tasks), 10)
            assert all("was killed by signal 9" in message for message in said), said
            assert await provider.agenerate_text("again") == "again"

    asyncio.run(main())


def test_a_crash_under_trio(process: Callable[[], Process], provider: Provider, slow: Slow) -> None:
    trio = pytest.importorskip("trio")

    async def main() -> None:
        stream = provider.astream("", extra_body=slow)
        assert await stream.__anext__() == "a"
        kill(process())
        with trio.fail_after(10):
            with pytest.raises(InternalError, match="was killed by signal 9"):
                assert [piece async for piece in stream]
            assert await provider.agenerate_text("again") == "again"

    trio.run(main)


def test_a_crash_ends_maps(process: Callable[[], Process], provider: Provider) -> None:
    late = {"fake": {"header_delay": 30}}
    answers = provider.map(["x"] * 8, concurrency=4, extra_body=late)
    threading.Timer(0.3, lambda: kill(process())).start()
    with pytest.raises(InternalError, match="was killed by signal 9"):
        list(answers)

    async def main() -> None:
        answers = provider.amap(["x"] * 8, concurrency=4, extra_body=late)
        asyncio.get_running_loop().call_later(0.3, lambda: kill(process()))
        with pytest.raises(InternalError, match="was killed by signal 9"):
            async for _ in answers:
                pass

    asyncio.run(main())
    assert list(provider.map(["a", "b"])) == ["a", "b"]


def test_signals_are_the_hosts_business(process: Callable[[], Process], provider: Provider) -> None:
    assert provider.generate_text("one") == "one"
    first = process()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1):
        kill(first, number)
    assert provider.generate_text("two") == "two"
    assert process() is first


HOST = """
import os, sys
from pyagent import Provider, _loading
provider = Provider.compatible("m", base_url={url!r})
stream = provider.stream("", extra_body={{"fake": {{"pieces": ["a"], "repeat": 100000, "delay": 0.01}}}})
next(stream)
if {forks}:
    if os.fork() == 0:
        import time
        os.close(1)
        time.sleep(8)
        os._exit(0)
print(_loading.runtime()._pid, flush=True)
for piece in stream:
    pass
"""


@pytest.mark.parametrize("forks", [False, True], ids=["alone", "with-a-child"])
def test_it_ends_with_its_host(server: Server, forks: bool) -> None:
    code = HOST.format(url=server.url, forks=forks)
    environment = {**os.environ, "PYAGENT_TRANSPORT": "process"}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment, text=True) as host:
        assert host.stdout
        pid = int(host.stdout.readline())
        assert not is_gone(pid)
        host.kill()
        wait_until(lambda: is_gone(pid), 5)
    wait_until(lambda: all(request["state"] != "open" for request in server.requests()), 5)


# What it carries


def test_many_streams_at_once(process: Callable[[], Process], provider: Provider) -> None:
    body = {"fake": {"pieces": ["a"], "repeat": 20, "delay": 0.005}}

    async def main() -> set[str]:
        async def one() -> str:
            return "".join([piece async for piece in provider.astream_text("", extra_body=body)])

        return set(await asyncio.gather(*[one() for _ in range(1000)]))

    assert asyncio.run(main()) == {"a" * 20}


def test_connections_are_used_again(process: Callable[[], Process], provider: Provider) -> None:
    def ask() -> None:
        for _ in range(5):
            assert provider.generate_text("hi") == "hi"

    threads = [threading.Thread(target=ask) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= len(process()._idle) <= 17


@pytest.mark.parametrize("way", ["closed", "cancelled", "dropped", "async"])
def test_the_server_learns_of_the_end_at_once(
    process: Callable[[], Process], provider: Provider, server: Server, slow: Slow, way: str, collect: Any
) -> None:
    async def main() -> float:
        stream = provider.astream("", extra_body=slow)
        await stream.__anext__()
        began = time.monotonic()
        await stream.aclose()
        return began

    if way == "async":
        began = asyncio.run(main())
    else:
        stream = provider.stream("", extra_body=slow)
        next(stream)
        began = time.monotonic()
        if way == "closed":
            stream.close()
        elif way == "cancelled":
            stream.cancel()
        else:
            del stream
            collect()
    wait_until(lambda: all(request["state"] != "open" for request in server.requests()))
    assert time.monotonic() - began < 0.5  # 50 ms on a machine that has nothing else to do


def test_a_reader_that_sleeps_slows_the_vendor_down(process: Callable[[], Process]) -> None:
    sent = 0
    line = b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": "x" * 4000}}]}).encode() + b"\n\n"
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        nonlocal sent
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
            try:
                while sent < 1 << 28:
                    sent += connection.send(line)
            except OSError:
                pass

    thread = threading.Thread(target=serve)
    thread.start()
    stream = Provider.compatible("m", base_url=f"http://127.0.0.1:{listener.getsockname()[1]}/v1").stream("")
    next(stream)
    before = -1
    while sent != before:
        before = sent
        time.sleep(0.3)
    assert sent < 1 << 25
    stream.close()
    thread.join(10)
    listener.close()


# A connection that was broken off half made is closed by the garbage collector, and that complains.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_nothing_is_left_of_a_question_that_a_signal_handler_broke_off(
    process: Callable[[], Process], provider: Provider
) -> None:
    provider.generate_text("warm")

    class Interrupted(Exception):
        pass

    def strike(*_: object) -> None:
        raise Interrupted

    def ask(seconds: float) -> None:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            provider.generate_text("hi")
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    before = signal.signal(signal.SIGALRM, strike)
    try:
        for number in range(200):
            with suppress(Interrupted):
                ask(0.0001 + number * 0.00001)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert provider.generate_text("hi") == "hi"  # and the fixture looks for what is open


# The tests of everything else, for a part of it


@pytest.mark.timeout(240)
@pytest.mark.library("these tests run through the process already")
def test_others_pass_through_it() -> None:
    files = ["test_lib.py", "test_closing.py", "test_async.py", "test_fork.py::test_fork[works]"]
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYAGENT_TRANSPORT": "process"}
    done = subprocess.run(
        [*command, *(f"tests/unit/{name}" for name in files)],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=230,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-5000:]
