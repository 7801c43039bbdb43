"""Kept-alive connections that the server has closed: the next request goes out again, and nobody is told."""

from __future__ import annotations

import threading

import pytest
from cases import both


@both
@pytest.mark.parametrize("end", ["close", "reset"])
def test_a_stale_connection_is_replaced(client, connect, wire, stream, end):
    """The server leaves a kept-alive connection when the next request comes: nobody is told, no retry is spent."""

    def behave(visit):
        visit.request()
        visit.send(wire.whole("first") if visit.number == 1 else good)
        visit.request()
        if end == "reset":
            visit.reset()

    length = len(wire.piece("second", "stop") + wire.done)
    good = wire.whole("second")
    if stream:
        good = wire.head(f"content-length: {length}") + wire.piece("second", "stop") + wire.done
    provider, server = connect(behave)
    assert client.ask(provider, False) == "first"
    assert client.ask(provider, stream) == "second"
    assert server.connections == 2


def test_a_kept_connection_that_was_closed_while_idle(client, connect, wire):
    def behave(visit):
        visit.request()
        visit.send(wire.whole(f"number {visit.number}"))

    provider, server = connect(behave)
    for number in range(1, 6):
        assert client.ask(provider, False) == f"number {number}"
    assert server.connections == 5


@both
def test_many_stale_connections_cost_one_request_each(client, connect, wire, stream):
    """Ten connections wait in the pool when the server forgets all of them. No retry is spent, none is needed twice."""
    forget = threading.Event()
    gathered = threading.Barrier(10)
    body = wire.piece("ok", "stop") + wire.done
    good = wire.head(f"content-length: {len(body)}") + body if stream else wire.whole("ok")

    def behave(visit):
        visit.request()
        if visit.number <= 10:
            gathered.wait(10)
        visit.send(good if visit.number > 10 else wire.whole("ok"))
        if visit.number <= 10:
            forget.wait(10)
            visit.reset()
        visit.request()

    provider, server = connect(behave)
    assert client.texts(provider, ["x"] * 10) == ["ok"] * 10
    forget.set()
    assert client.ask(provider, stream) == "ok"
    assert server.connections == 11
