"""What the programs of the life tests begin with: a Provider for the scripted server, and a fork that is waited for."""

from __future__ import annotations

import gc
import json
import logging
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable
from typing import Any
from urllib.request import urlopen

from pyagent import Provider

# Python 3.12 warns in the parent of every fork of a process with threads. These programs are about just that.
warnings.filterwarnings("ignore", ".*multi-threaded.*fork", DeprecationWarning)

# asyncio's debug mode warns of steps that take long, which on a busy machine they do.
logging.getLogger("asyncio").setLevel(logging.ERROR)

# A shell starts what runs in its background with these ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)

provider = Provider.compatible("m", base_url=os.environ["SCRIPTED_URL"])


def fake(**fields: Any) -> dict[str, Any]:
    """Keyword arguments that tell the server how to answer."""
    return {"extra_body": {"fake": fields}}


SLOW = fake(pieces=["a"], repeat=50, delay=0.01)
ENDLESS = fake(pieces=["a"], repeat=100_000, delay=0.02)
SILENT = fake(pieces=["a", "b"], after=1, end="stall")


def fork(child: Callable[[], object], expected: int = 0) -> None:
    """Runs a function in a forked child, and waits until the child ends as expected."""
    wait_for(start_fork(child), expected)


def start_fork(child: Callable[[], object]) -> int:
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            child()
            code = 0
        except BaseException:  # noqa: BLE001 - shown, and told by the exit code
            sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
        finally:
            sys.stdout.flush()
            os._exit(code)
    return pid


def wait_for(pid: int, expected: int = 0) -> None:
    """Waits for a child: its exit code, or minus the signal that killed it, is as expected."""
    status = wait_in_time(pid)
    code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    assert code == expected, f"the child ended with {code} instead of {expected}"


def wait_in_time(pid: int, seconds: float = 20) -> int:
    deadline = time.monotonic() + seconds
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return status
        if time.monotonic() > deadline:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
            raise AssertionError(f"the child did not end within {seconds} s")
        time.sleep(0.002)


def ask(text: str = "hi") -> None:
    """A one-shot call and a stream, both of which must work."""
    assert provider.generate_text(text) == text
    assert "".join(provider.stream_text(text)) == text


def in_threads(*functions: Callable[[], object]) -> None:
    """Runs functions side by side, and fails with the first failure of one of them."""
    failures: list[BaseException] = []

    def run(function: Callable[[], object]) -> None:
        try:
            function()
        except BaseException as failure:  # noqa: BLE001 - raised below, in the thread that asked
            failures.append(failure)

    threads = [threading.Thread(target=run, args=[function]) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive(), "a thread is stuck"
    if failures:
        raise failures[0]


def descriptors() -> int:
    """How many descriptors this process has open; -1 where that cannot be seen."""
    try:
        return len(os.listdir("/proc/self/fd"))
    except FileNotFoundError:
        return -1


def open_calls() -> int:
    """How many calls the core holds or works on."""
    from pyagent import _loading

    handles = _loading.runtime().inspect()["handles"]
    return int(handles["calls"] + handles["working"])


def collect_where_late() -> None:
    """PyPy sees at its next collection what CPython sees at once: that nothing refers to an object any more."""
    if sys.implementation.name == "pypy":
        gc.collect()


def wait_until_closed(seconds: float = 5) -> None:
    """Waits until the core holds no call any more."""
    deadline = time.monotonic() + seconds
    while open_calls():
        assert time.monotonic() < deadline, f"{open_calls()} calls are still open"
        collect_where_late()
        time.sleep(0.01)


def wait_for_states(state: str, count: int, seconds: float = 3) -> None:
    """Waits until the server has seen so many requests end in a state."""
    deadline = time.monotonic() + seconds
    address = os.environ["SCRIPTED_URL"].rpartition("/v1")[0] + "/_fake/requests"
    while True:
        with urlopen(address, timeout=5) as answer:
            states = [request["state"] for request in json.load(answer)]
        if states.count(state) >= count:
            return
        assert time.monotonic() < deadline, f"the server saw {states}"
        collect_where_late()
        time.sleep(0.01)
