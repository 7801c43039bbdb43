"""Every way to leave a stream closes its connection at once: looked at from the server's side."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from pyagent import Provider, Stream, StreamCancelledError, _loading

if TYPE_CHECKING:
    from conftest import Server

Script = Callable[..., dict[str, Any]]

AT_ONCE = 0.5  # seconds; generous for a loaded machine, far below every delay of the scripts


def leave_by_break(stream: Stream) -> None:
    for _ in stream:
        break


def leave_by_break_in_events(stream: Stream) -> None:
    for event in stream.events():
        if event.type == "text":
            break


def leave_by_exception(stream: Stream) -> None:
    def read() -> None:
        for _ in stream:
            raise KeyError("from the loop's body")

    with pytest.raises(KeyError):
        read()


def leave_by_islice(stream: Stream) -> None:
    assert list(itertools.islice(stream, 2)) == ["a", "a"]


def leave_by_with(stream: Stream) -> None:
    with stream as entered:
        assert entered is stream
        assert next(stream) == "a"


def leave_by_close(stream: Stream) -> None:
    assert next(stream) == "a"
    stream.close()
    stream.close()


def leave_by_cancel(stream: Stream) -> None:
    assert next(stream) == "a"
    stream.cancel()


WAYS = [leave_by_break, leave_by_break_in_events, leave_by_exception, leave_by_islice, leave_by_with, leave_by_close,
        leave_by_cancel]  # fmt: skip


@pytest.mark.parametrize("leave", WAYS, ids=lambda way: way.__name__)
def test_leaving_closes_the_connection(
    provider: Provider, server: Server, script: Script, leave: Callable[[Stream], None]
) -> None:
    stream = provider.stream("", extra_body=script(pieces=["a"], repeat=200, delay=0.02))
    leave(stream)
    left = time.time()
    request = server.wait_for_state("disconnected")
    assert request["ended"] - left < AT_ONCE
    assert request["deltas_sent"] < 100
    with pytest.raises(StreamCancelledError):  # the object is still there, and knows
        next(stream)


@pytest.mark.parametrize("begun", [False, True], ids=["unread", "begun"])
def test_dropping_closes_the_connection(
    provider: Provider, server: Server, script: Script, begun: bool, collect: Callable[[], None]
) -> None:
    stream = provider.stream("", extra_body=script(pieces=["a"], repeat=200, delay=0.02))
    server.wait_for_state("open")
    if begun:
        assert next(iter([next(stream)])) == "a"
    del stream  # without a run of the garbage collector: nothing refers in a circle
    collect()
    left = time.time()
    assert server.wait_for_state("disconnected")["ended"] - left < AT_ONCE


def test_dropping_an_iterator_that_nothing_else_knows(
    provider: Provider, server: Server, script: Script, collect: Callable[[], None]
) -> None:
    pieces = iter(provider.stream("", extra_body=script(pieces=["a"], repeat=200, delay=0.02)))
    assert next(pieces) == "a"
    del pieces
    collect()
    left = time.time()
    assert server.wait_for_state("disconnected")["ended"] - left < AT_ONCE


@pytest.mark.parametrize("begun", [False, True], ids=["headers", "idle"])
@pytest.mark.parametrize("end", ["close", "cancel"])
def test_closing_from_another_thread_wakes_the_reader(
    provider: Provider, server: Server, script: Script, begun: bool, end: str
) -> None:
    fields = script(pieces=["a", "b"], after=1, end="stall") if begun else script(header_delay=30)
    stream = provider.stream("", extra_body=fields)
    ended: list[tuple[type, float]] = []

    def read() -> None:
        try:
            list(stream)
        except StreamCancelledError as error:
            ended.append((type(error), time.monotonic()))

    reader = threading.Thread(target=read)
    reader.start()
    server.wait_for(lambda request: request["deltas_sent"] == (1 if begun else 0))
    time.sleep(0.05)
    closed = time.monotonic()
    getattr(stream, end)()
    reader.join(5)
    assert ended
    assert ended[0][1] - closed < AT_ONCE
    server.wait_for_state("disconnected")


def test_a_stream_nobody_reads_can_be_dropped_at_any_time(provider: Provider, script: Script, server: Server) -> None:
    began = time.monotonic()
    for _ in range(50):
        provider.stream("", extra_body=script(pieces=["abcdefgh"], repeat=10_000, per_write=500))
    assert time.monotonic() - began < 5


def test_nothing_is_left_in_the_core(provider: Provider, script: Script, collect: Callable[[], None]) -> None:
    for _ in range(20):
        next(provider.stream("", extra_body=script(pieces=["a"], repeat=3, delay=0.01)))
    collect()
    assert _loading.runtime().inspect()["handles"]["calls"] == 1  # the scripted server itself
