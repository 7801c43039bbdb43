"""One-shot calls underneath: one close, an answer that is cut, and frames that arrive in several polls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyagent import Provider, StreamCancelledError, StreamInterruptedError, _loading
from pyagent._call import Call, Client
from pyagent._whole import wait_for_all

Script = Callable[..., dict[str, Any]]


@pytest.mark.library("it is asked as often, by other means")
def test_the_library_is_asked_three_times(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    provider.generate_text("warm")
    runtime = _loading.runtime()
    asked: list[str] = []

    def counted(name: str, function: Callable[..., int]) -> Callable[..., int]:
        def call(*arguments: Any) -> int:
            asked.append(name)
            return function(*arguments)

        return call

    for name in ("_submit", "_poll", "close"):
        monkeypatch.setattr(runtime, name, counted(name, getattr(runtime, name)))
    assert provider.generate_text("hi") == "hi"
    assert (asked[0], asked[-1], asked.count("close")) == ("_submit", "close", 1)
    assert set(asked[1:-1]) == {"_poll"}


def test_a_call_that_is_closed_meanwhile_has_no_answer() -> None:
    client = Client.open(b'{"provider":"echo"}')
    call = client.start(b'{"op":"generate","model":"m","messages":[{"role":"user","content":"hi"}]}')
    call.close()
    with pytest.raises(StreamCancelledError, match="closed before its end"):
        wait_for_all(call)


def test_a_stream_can_be_read_whole_too(provider: Provider, script: Script) -> None:
    pieces = [f"{number} " for number in range(500)]
    call = provider._start("stream", {"self": provider, "prompt": "", "extra_body": script(pieces=pieces)})
    answer = wait_for_all(call)
    assert answer.text == answer.response.text == "".join(pieces)
    assert call.closed


def test_an_error_has_the_text_so_far(provider: Provider, script: Script) -> None:
    call = provider._start(
        "stream", {"self": provider, "prompt": "a b c", "extra_body": script(after=2, end="truncate")}
    )
    with pytest.raises(StreamInterruptedError) as caught:
        wait_for_all(call)
    assert caught.value.partial_text == "a b"
    assert call.closed


def test_a_call_that_is_dropped_is_closed_once(monkeypatch: pytest.MonkeyPatch, collect: Any) -> None:
    closed: list[int] = []
    runtime = _loading.runtime()
    close = runtime.close
    monkeypatch.setattr(runtime, "close", lambda place: closed.append(place.value) or close(place))
    client = Client.open(b'{"provider":"echo"}')
    call: Call | None = client.start(b'{"op":"generate","model":"m","messages":[{"role":"user","content":"hi"}]}')
    assert call is not None
    number = call.number
    call = None
    collect()
    assert closed == [number]
