"""Waiting: other threads run, Ctrl-C acts at once, and a process ends with its streams."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from pyagent import Provider, StreamCancelledError

if TYPE_CHECKING:
    from conftest import Server

Script = Callable[..., dict[str, Any]]

CHILD = [sys.executable, "-W", "error", "-X", "dev", "-c"]

INTERRUPTED = """
import sys, time
from pyagent import Provider
provider = Provider.compatible("m", base_url={url!r})
try:
    {ask}
except KeyboardInterrupt:
    print("interrupted", time.time(), flush=True)
    {after}
"""

LIVE = """
import sys, threading
from pyagent import Provider
provider = Provider.compatible("m", base_url={url!r})
script = {{"fake": {{"pieces": ["a"], "repeat": 1000, "delay": 0.05}}}}
streams = [provider.stream("", extra_body=script) for _ in range(5)]
print([next(stream) for stream in streams])
iterators = [iter(stream) for stream in streams]
next(iterators[0])
threading.Thread(target=lambda: list(streams[1]), daemon=True).start()
keep = sys.modules["pyagent"].kept = streams
{ending}
"""


INLINE = """
import signal, threading
from pyagent import Provider
provider = Provider.compatible("m", base_url={url!r})
ask = lambda delay=0: provider.generate_text("hi", extra_body={{"fake": {{"header_delay": delay}}}})
seen = []
signal.signal(signal.SIGALRM, lambda *_: seen.append(1))
signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
for delay in [0] * 9 + [0.005, 0.01, 0.03, 0, 0, 0.2, 0, 0]:
    assert ask(delay) == "hi"
signal.setitimer(signal.ITIMER_REAL, 0)
assert seen
answers = []
threads = [threading.Thread(target=lambda: answers.extend(ask(0.001) for _ in range(50))) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert answers == ["hi"] * 200
"""


def test_one_call_after_another_with_signals_and_then_with_threads(server: Server) -> None:
    subprocess.run([*CHILD, INLINE.format(url=server.url)], check=True, timeout=30)


@pytest.mark.parametrize("method", ["generate_text", "stream_text"])
def test_other_threads_run_while_one_waits(provider: Provider, script: Script, method: str) -> None:
    ticks = 0
    done = threading.Event()

    def tick() -> None:
        nonlocal ticks
        while not done.wait(0.005):
            ticks += 1

    ticker = threading.Thread(target=tick)
    ticker.start()
    "".join(getattr(provider, method)("hi", extra_body=script(header_delay=0.5)))
    done.set()
    ticker.join()
    assert ticks > 40  # of about 100


def test_threads_wait_side_by_side(provider: Provider, script: Script) -> None:
    began = time.monotonic()
    ask = lambda: provider.generate_text("hi", extra_body=script(header_delay=0.5))  # noqa: E731
    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - began < 1.5


@pytest.mark.parametrize(
    "ask",
    [
        'provider.generate_text("hi", extra_body={"fake": {"header_delay": 30}})',
        '[provider.generate_text("hi", extra_body={"fake": {"header_delay": s}}) for s in [0] * 9 + [30]]',
        'list(provider.stream_text("hi", extra_body={"fake": {"header_delay": 30}}))',
        'list(provider.stream_text("hi ho", extra_body={"fake": {"after": 1, "end": "stall"}}))',
        'provider.stream("hi ho", extra_body={"fake": {"after": 1, "end": "stall"}}).result',
        'list(provider.map(["hi", "ho"], extra_body={"fake": {"header_delay": 30}}))',
    ],
    ids=["generate", "generate again", "headers", "idle", "result", "map"],
)
def test_ctrl_c_acts_at_once(server: Server, ask: str) -> None:
    code = INTERRUPTED.format(url=server.url, ask=ask, after="time.sleep(0.3)")
    child = subprocess.Popen([*CHILD, code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    request = server.wait_for(lambda request: bool(request["state"] == "open"), 10)
    time.sleep(0.2)
    sent = time.time()
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=10)
    assert (child.returncode, err) == (0, "")
    word, moment = out.split()
    assert word == "interrupted"
    assert float(moment) - sent < 0.3
    # The connection went with it, not with the process 0.3 s later. The first open one may have been a quick one.
    ended = server.wait_for(lambda r: r["id"] >= request["id"] and r["state"] == "disconnected")["ended"]
    assert ended - sent < 0.3


def test_an_exception_of_a_signal_handler_closes_the_stream(provider: Provider, script: Script, server: Server) -> None:
    def alarm(*_: object) -> None:
        raise LookupError("from the handler")

    stream = provider.stream("a b", extra_body=script(after=1, end="stall"))
    before = signal.signal(signal.SIGALRM, alarm)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(LookupError):
            list(stream)
    finally:
        signal.signal(signal.SIGALRM, before)
    server.wait_for_state("disconnected")
    with pytest.raises(StreamCancelledError):
        next(stream)


def test_a_signal_handler_that_asks_a_model_itself(provider: Provider, script: Script) -> None:
    answers: list[str] = []
    stream = provider.stream("a b c", extra_body=script(delay=0.1))
    before = signal.signal(signal.SIGALRM, lambda *_: answers.append(provider.generate_text("from the handler")))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        assert "".join(stream) == "a b c"
    finally:
        signal.signal(signal.SIGALRM, before)
    assert answers == ["from the handler"]


@pytest.mark.parametrize("ending", ["", "sys.exit(0)", "del streams, iterators", "raise SystemExit"])
def test_a_process_ends_at_once_with_live_streams(server: Server, ending: str) -> None:
    began = time.monotonic()
    done = subprocess.run(
        [*CHILD, LIVE.format(url=server.url, ending=ending)], capture_output=True, text=True, timeout=20, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == "['a', 'a', 'a', 'a', 'a']"
    assert time.monotonic() - began < 5
    server.wait_for(lambda request: all(r["state"] == "disconnected" for r in server.requests()))


def test_waiting_costs_no_processor_time(provider: Provider, script: Script) -> None:
    before = time.process_time()
    provider.generate_text("hi", extra_body=script(header_delay=1))
    assert time.process_time() - before < 0.1
