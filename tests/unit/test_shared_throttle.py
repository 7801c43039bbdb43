"""Throttle(shared=...) through the package: processes share one account, in a directory or on a Redis server."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pyagent import Provider, RateLimitError, StreamCancelledError, Throttle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from conftest import Server


# Asks as often as it is told, and says what came of it.
ASKER = """
import sys
from pyagent import Provider, RateLimitError, Throttle

url, shared, times = sys.argv[1], sys.argv[2], int(sys.argv[3])
options = dict(pair.split("=") for pair in sys.argv[4:])
throttle = Throttle(shared=shared, **{name: int(value) for name, value in options.items()})
provider = Provider("m", provider="openai", base_url=url, api_key="k", throttle=throttle)
for number in range(times):
    try:
        print(provider.generate_text("hello", extra_body={"fake": {"first_delay": 0.1}}), flush=True)
    except RateLimitError as error:
        print(error.code, flush=True)
"""

# Holds a place until it is killed.
HOLDER = """
import sys
from pyagent import Provider, Throttle

throttle = Throttle(shared=sys.argv[2], concurrency=1)
provider = Provider("m", provider="openai", base_url=sys.argv[1], api_key="k", throttle=throttle)
provider.generate_text("hello", extra_body={"fake": {"first_delay": 100}})
"""


def start(program: str, *arguments: object) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def ask(server: Server, shared: object, processes: int, times: int, *options: str) -> list[str]:
    """What several processes said, all in one list."""
    started = [start(ASKER, server.url, shared, times, *options) for _ in range(processes)]
    said = [process.communicate(timeout=60)[0].split() for process in started]
    assert [process.returncode for process in started] == [0] * processes
    return [line for lines in said for line in lines]


def provider(server: Server, shared: object, **options: Any) -> Provider:
    throttle = Throttle(shared=str(shared), **options)
    return Provider("m", provider="openai", base_url=server.url, api_key="k", throttle=throttle)


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server on loopback that keeps nothing."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed; Debian has it in the package of that name")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("redis")
    words = [
        program,
        "--bind",
        "127.0.0.1",
        "--port",
        str(port),
        "--dir",
        str(folder),
        "--save",
        "",
        "--appendonly",
        "no",
    ]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert time.monotonic() < deadline, "redis-server does not listen"
                time.sleep(0.02)
        yield f"redis://127.0.0.1:{port}/1"
    finally:
        process.kill()
        process.wait()


@pytest.fixture(params=["directory", "redis"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place that several processes share. On the one server, tests with different limits have different accounts."""
    if request.param == "directory":
        return str(tmp_path / "limits")
    return str(request.getfixturevalue("redis"))


def test_processes_share_one_account(server: Server, shared: str) -> None:
    said = ask(server, shared, 3, 3, "requests=5", "period=100", "max_wait=0")
    assert sorted(said) == ["hello"] * 5 + ["throttled"] * 4
    assert len(server.requests()) == 5


def test_processes_wait_for_one_another(server: Server, shared: str) -> None:
    asking = [start(ASKER, server.url, shared, 4, "concurrency=2") for _ in range(3)]
    most = 0
    while any(process.poll() is None for process in asking):
        most = max(most, sum(request["state"] == "open" for request in server.requests()))
        time.sleep(0.01)
    said = [line for process in asking for line in process.communicate()[0].split()]
    assert said == ["hello"] * 12
    assert 1 <= most <= 2


def test_who_waits_for_another_process_can_be_cancelled(server: Server, shared: str) -> None:
    options = {"requests": 1, "period": 101}
    assert ask(server, shared, 1, 1, "requests=1", "period=101") == ["hello"]
    stream = provider(server, shared, **options).stream("b")
    began = time.monotonic()
    time.sleep(0.2)
    stream.cancel()
    with pytest.raises(StreamCancelledError):
        next(stream)
    assert time.monotonic() - began < 5
    with pytest.raises(RateLimitError):
        provider(server, shared, max_wait=0, **options).generate_text("c")
    assert len(server.requests()) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_forked_process_has_part_in_the_account(server: Server, shared: str) -> None:
    parent = provider(server, shared, requests=2, period=102, max_wait=0)
    assert parent.generate_text("a") == "a"
    child = os.fork()
    if child == 0:
        said = 1
        try:
            assert parent.generate_text("b") == "b"
            try:
                parent.generate_text("c")
            except RateLimitError as error:
                said = 0 if error.code == "throttled" else 2
        finally:
            os._exit(said)
    assert os.waitpid(child, 0)[1] == 0
    with pytest.raises(RateLimitError):
        parent.generate_text("d")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_siblings_are_not_taken_for_one(server: Server, tmp_path: Path) -> None:
    """Processes forked off one start with the same random bytes; each counts by itself all the same."""
    several = provider(server, tmp_path, concurrency=8)
    children = []
    try:
        for _ in range(8):
            child = os.fork()
            if child == 0:
                try:
                    several.generate_text("a", extra_body={"fake": {"first_delay": 100}})
                finally:
                    os._exit(0)
            children.append(child)
        deadline = time.monotonic() + 30
        while sum(request["state"] == "open" for request in server.requests()) < 8:
            assert time.monotonic() < deadline, server.requests()
            time.sleep(0.05)
        with pytest.raises(RateLimitError):
            provider(server, tmp_path, concurrency=8, max_wait=0).generate_text("b")
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def test_a_killed_process_holds_nothing_for_ever(server: Server, tmp_path: Path) -> None:
    holder = start(HOLDER, server.url, tmp_path)
    server.wait_for_state("open", seconds=30)
    with pytest.raises(RateLimitError):
        provider(server, tmp_path, concurrency=1, max_wait=0).generate_text("a")
    holder.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    holder.communicate()
    began = time.monotonic()
    assert provider(server, tmp_path, concurrency=1).generate_text("b") == "b"
    assert time.monotonic() - began < 15


def test_a_server_that_is_not_there(server: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"redis://me:s3cret@127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(RateLimitError, match="cannot be asked") as caught:
        provider(server, address, requests=1).generate_text("a")
    assert (caught.value.code, caught.value.attempts) == ("throttle_unreachable", 0)
    assert "s3cret" not in str(caught.value)
    assert "if_unreachable" in str(caught.value)
    assert server.requests() == []
    alone = provider(server, address, requests=1, period=60, max_wait=0, if_unreachable="local")
    assert alone.generate_text("b") == "b"
    with pytest.raises(RateLimitError, match="within") as caught:
        alone.generate_text("c")
    assert caught.value.code == "throttled"


def test_a_directory_that_cannot_be_made(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(RateLimitError, match=r"file.*cannot be asked: .*not a directory") as caught:
        provider(server, tmp_path / "file" / "below", requests=1).generate_text("a")
    assert caught.value.code == "throttle_unreachable"
