"""What the cases of a hostile world share: both sides of a Provider, servers by behaviour, and a bound on memory.

Every case ends within seconds and leaves the memory of the process as it was: what it may take in between is `MIB`,
or what its mark says, `@pytest.mark.memory(MIB)`."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from driver import CLIENTS, SyncClient

from pyagent import Provider

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PYPY = sys.implementation.name == "pypy"  # which collects when it likes: memory is free later, and a case waits for it
SECONDS = 60 if PYPY else 20
MIB = 128 if sysconfig.get_config_var("Py_GIL_DISABLED") else 64  # free-threaded, Python frees later


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "memory(mib): what a case of a hostile world may add to the process meanwhile")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(SECONDS))


@pytest.fixture(autouse=True)
def _bounded_memory(request: pytest.FixtureRequest) -> Iterator[None]:
    """The peak of resident memory during the case is not far above what it was before."""
    if PYPY or not sys.platform.startswith("linux"):
        yield
        return
    mark = request.node.get_closest_marker("memory")
    allowed = mark.args[0] if mark else MIB
    Path("/proc/self/clear_refs").write_text("5")  # sets the peak to the present
    before = resident("VmRSS")
    yield
    grown = resident("VmHWM") - before
    assert grown < allowed, f"the process grew by {grown} MiB, {allowed} are allowed"


def resident(field: str) -> int:
    """VmRSS, the resident memory of this process, or VmHWM, its peak, in MiB."""
    with Path("/proc/self/status").open() as status:
        return int(next(line for line in status if line.startswith(field)).split()[1]) // 1024


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest) -> Iterator[SyncClient]:
    made = CLIENTS[request.param]()
    yield made
    made.finish()


@pytest.fixture
def connect(hostile: Callable[..., Any]) -> Callable[..., Any]:
    """A Provider for a server with this behaviour, and the server."""

    def begin(behave: Callable[[Any], None], **options: Any) -> tuple[Provider, Any]:
        server = hostile(behave)
        if "timeouts" not in options:
            options = {"timeout": 10, **options}
        options = {"api_key": "k", "max_retries": 0, **options}
        return Provider("m", base_url=server.url, provider="openai", **options), server

    return begin


@pytest.fixture
def serve(connect: Callable[..., Any]) -> Callable[..., Provider]:
    """A Provider for a server that sends these pieces to whoever asks, and then closes the connection."""

    def begin(*pieces: bytes, pause: float = 0.0, **options: Any) -> Provider:
        def behave(visit: Any) -> None:
            visit.request()
            visit.send(*pieces, pause=pause)

        provider: Provider = connect(behave, **options)[0]
        return provider

    return begin


@pytest.fixture
def answers(connect: Callable[..., Any]) -> Callable[..., Any]:
    """A Provider for a server that gives these answers, one to each request, on as many connections as it takes."""

    def begin(*given: bytes, **options: Any) -> tuple[Provider, Any]:
        waiting = list(given)

        def behave(visit: Any) -> None:
            while waiting:
                visit.request()
                visit.send(waiting.pop(0))

        pair: tuple[Provider, Any] = connect(behave, **options)
        return pair

    return begin


PROGRAM = """
import os, sys, threading, time, warnings
from driver import CLIENTS
from pyagent import Limits, Provider, Timeouts, errors
warnings.filterwarnings("ignore", ".*multi-threaded.*fork", DeprecationWarning)
client = CLIENTS[sys.argv[1]]()
provider = Provider("m", api_key="k", base_url=sys.argv[2], provider="openai", max_retries=0)
try:
    {program}
except errors.PyAgentError as error:
    print(type(error).__name__, error.message)
client.finish()
with open("/proc/self/status") as status:
    peak = next(line for line in status if line.startswith("VmHWM"))
print(int(peak.split()[1]) // 1024)
"""


@pytest.fixture
def alone(client: SyncClient, hostile: Callable[..., Any]) -> Callable[..., tuple[list[str], int]]:
    """Runs lines of a program against a server with this behaviour, in a process of its own, so that its peak of
    memory is that of one answer. Gives what it printed, the name and message of an error among it, and the peak in MiB.
    """
    if not sys.platform.startswith("linux"):
        pytest.skip("reads the peak of memory from /proc: run this on Linux")

    def run(behave: Callable[[Any], None], *lines: str) -> tuple[list[str], int]:
        program = PROGRAM.format(program="\n    ".join(lines))
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", program, client.name, hostile(behave).url],
            check=False, capture_output=True, text=True, cwd=ROOT, timeout=60,
            env={**os.environ, "PYTHONPATH": f"{ROOT}:{HERE}"},
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        *printed, peak = done.stdout.splitlines()
        return printed, int(peak)

    return run
