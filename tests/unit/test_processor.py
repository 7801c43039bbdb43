"""Functions that are called while a stream is read: which, when, with what, and what happens when one raises."""

from __future__ import annotations

import inspect
import io
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from pyagent import (
    AsyncStreamProcessor,
    ConfigurationError,
    Provider,
    Response,
    Snapshot,
    StreamCancelledError,
    StreamInterruptedError,
    StreamProcessor,
    ToolCall,
    Usage,
    events,
)
from pyagent import _frames as frames

if TYPE_CHECKING:
    from conftest import Server

Script = Callable[..., dict[str, Any]]

TOOLS = [{"id": "c1", "name": "add", "arguments": '{"a": 1}'}, {"id": "c2", "name": "now", "arguments": ""}]
FULL: dict[str, Any] = {"pieces": ["x", "y"], "reasoning": "hm hm", "tools": TOOLS, "tool_piece": 4}


def test_each_function_gets_what_it_is_named_for(provider: Provider, script: Script) -> None:
    stream = provider.stream("go", extra_body=script(**FULL))
    told: dict[str, list[Any]] = {}

    def keep(name: str) -> Callable[[Any], None]:
        return lambda value: told.setdefault(name, []).append(value)

    processor = stream.on_text(keep("text")).on_reasoning(keep("reasoning")).on_tool_call(keep("tool"))
    assert processor.on_usage(keep("usage")).on_error(keep("error")).on_finish(keep("finish")) is processor
    response = processor.on_event(keep("event")).run()
    assert told["text"] == ["x", "y"]
    assert told["reasoning"] == ["hm", " hm"]
    assert told["tool"] == [ToolCall("c1", "add", '{"a": 1}'), ToolCall("c2", "now", "")] == response.tool_calls
    assert told["usage"] == [response.usage]
    assert told["finish"] == [response]
    assert "error" not in told
    again = provider.stream("go", extra_body=script(**FULL)).events()
    assert [type(event) for event in told["event"]] == [type(event) for event in again]


def test_functions_are_called_in_the_order_in_which_they_were_named(provider: Provider, script: Script) -> None:
    order: list[str] = []
    stream = provider.stream("", extra_body=script(pieces=["a"]))
    stream.on_finish(lambda _: order.append("finish")).on_text(lambda _: order.append("first")).on_event(
        lambda event: order.append(event.type) if event.type != "usage" else None
    ).on_text(lambda _: order.append("second")).on_update(
        lambda snapshot: order.append("complete") if snapshot.complete else None
    ).run()
    assert order == ["start", "first", "text", "second", "text_done", "finish", "complete", "finish"]


def test_all_text_so_far(provider: Provider, script: Script) -> None:
    told: list[tuple[str, str]] = []
    stream = provider.stream("", extra_body=script(pieces=list("abcd"), delay=0.03))
    assert stream.on_text_with_full(lambda new, full: told.append((new, full))).run().text == "abcd"
    assert "".join(new for new, _ in told) == "abcd"
    assert [full for _, full in told] == ["abcd"[: len(full)] for _, full in told]
    assert len(told) >= 3


def test_all_text_so_far_joins_each_piece_a_fixed_number_of_times(provider: Provider, script: Script) -> None:
    class Counting(list):  # type: ignore[type-arg]
        taken = 0

        def __getitem__(self, place: Any) -> Any:
            found = super().__getitem__(place)
            self.taken += len(found)
            return found

    stream = provider.stream("", extra_body=script(pieces=["ab"], repeat=300, delay=0.001))
    pieces = stream._assembly._first_text = stream._assembly._deltas[frames.TEXT, 0] = Counting()
    lengths: list[int] = []
    stream.on_text_with_full(lambda _, full: lengths.append(len(full))).run()
    assert len(lengths) > 10
    assert lengths[-1] == 600
    assert pieces.taken <= 3 * len(pieces)  # what is new, all so far, and the done event


def test_updates_keep_their_pace_and_end_with_the_whole(provider: Provider, script: Script) -> None:
    slow: list[Snapshot] = []
    fast: list[Snapshot] = []
    pieces: list[str] = []
    began = time.monotonic()
    stream = provider.stream("", extra_body=script(pieces=["a"], repeat=50, delay=0.01))
    stream.on_update(slow.append, every=0.2).on_update(fast.append).on_text(pieces.append).run()
    assert len(slow) <= (time.monotonic() - began) / 0.2 + 2
    assert len(slow) < len(fast)
    assert slow[-1] == fast[-1]
    assert (slow[-1].complete, slow[-1].text, len(pieces)) == (True, "a" * 50, 50)


def test_an_update_is_shown_though_nothing_follows_it(provider: Provider, script: Script) -> None:
    stream = provider.stream("", extra_body=script(pieces=["a", "b", "c"], delay=0.05, after=2, end="stall"))
    seen: list[str] = []

    def show(snapshot: Snapshot) -> None:
        seen.append(snapshot.text)
        if snapshot.text == "ab":
            stream.close()

    with pytest.raises(StreamCancelledError):
        stream.on_update(show, every=0.2).run()
    assert seen[-1] == "ab"


def test_collect_and_print(provider: Provider, capsys: pytest.CaptureFixture[str]) -> None:
    assert provider.stream("a b").collect().text == provider.stream("a b").on_text(str).collect().text == "a b"
    assert provider.stream_text("a b").print().text == "a b"
    assert capsys.readouterr().out == "a b\n"
    provider.stream_text("a b").print(end="")
    assert capsys.readouterr().out == "a b"
    written, told = io.StringIO(), []
    provider.stream_text("a b").on_text(told.append).print(file=written, end="!")
    assert (written.getvalue(), told, capsys.readouterr().out) == ("a b!", ["a", " b"], "")


def test_print_shows_each_piece_at_once(provider: Provider, script: Script) -> None:
    flushes: list[str] = []

    class File(io.StringIO):
        def flush(self) -> None:
            flushes.append(self.getvalue())

    provider.stream("", extra_body=script(pieces=["a", "b"])).print(file=File())
    assert flushes == ["a", "ab", "ab\n"]
    flushes.clear()
    provider.stream("", extra_body=script(pieces=["a", "b"])).print(file=File(), flush=False)
    assert flushes == []


def test_what_fails_is_printed_as_far_as_it_goes(
    provider: Provider, script: Script, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(StreamInterruptedError):
        provider.stream("a b c", extra_body=script(after=2, end="cut")).print()
    assert capsys.readouterr().out == "a b"


def test_a_failure_is_told_and_raised(provider: Provider, script: Script) -> None:
    told: list[Any] = []
    stream = provider.stream("a b c", extra_body=script(after=2, end="cut"))
    processor = stream.on_error(told.append).on_event(told.append).on_update(told.append, every=60).on_finish(print)
    with pytest.raises(StreamInterruptedError) as caught:
        processor.run()
    *_, event, snapshot, error = told
    assert event == events.ErrorEvent(caught.value)
    assert (snapshot.text, str(snapshot.error)) == ("a b", str(caught.value))
    assert error is caught.value
    assert error.partial_text == "a b"


@pytest.mark.parametrize("name", ["on_text", "on_text_with_full", "on_event", "on_update", "on_finish"])
def test_a_function_that_raises_closes_the_stream(
    provider: Provider, script: Script, server: Server, name: str
) -> None:
    last = name == "on_finish"
    stream = provider.stream("", extra_body=script(pieces=["a"], repeat=3 if last else 200, delay=0.02))
    mine = KeyError("mine")
    told: list[Any] = []

    def fail(*_: Any) -> None:
        raise mine

    processor = getattr(stream.on_error(told.append), name)(fail)
    with pytest.raises(KeyError) as caught:
        processor.run()
    assert caught.value is mine
    assert mine.__context__ is None
    assert told == []
    if last:
        assert stream.result.text == "aaa"
    else:
        server.wait_for_state("disconnected")
        assert stream.text in {"", "a"}
        with pytest.raises(StreamCancelledError):
            processor.run()
        assert len(told) == 1


def test_a_function_that_raises_about_a_failure_hides_nothing(provider: Provider, script: Script) -> None:
    def fail(_: object) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError) as caught:
        provider.stream("a b", extra_body=script(after=1, end="cut")).on_error(fail).run()
    assert isinstance(caught.value.__context__, StreamInterruptedError)


def test_a_function_may_close_the_stream(provider: Provider, script: Script) -> None:
    pieces: list[str] = []
    later: list[Any] = []
    stream = provider.stream("", extra_body=script(pieces=["a"], repeat=1000, per_write=1000))

    def stop(piece: str) -> None:
        pieces.append(piece)
        if len(pieces) == 3:
            stream.close()

    processor = stream.on_text(stop).on_text_with_full(lambda new, _: later.append(new))
    with pytest.raises(StreamCancelledError):
        processor.on_update(lambda snapshot: later.append(snapshot) if snapshot.text else None).run()
    assert (len(pieces), later) == (3, [])


def test_nothing_is_read_before_run(provider: Provider, script: Script, server: Server) -> None:
    stream = provider.stream("", extra_body=script(pieces=["a"], repeat=200, delay=0.02))
    processor = stream.on_text(print).on_update(print)
    assert repr(processor) == f"<StreamProcessor of {stream!r}: on_text, on_update>"
    assert repr(StreamProcessor(stream)) == f"<StreamProcessor of {stream!r}: no functions>"
    assert stream.text == ""
    server.wait_for_state("open")
    del stream, processor
    server.wait_for_state("disconnected")


def test_the_end_is_told_once_however_the_stream_was_read(provider: Provider, script: Script, server: Server) -> None:
    stream = provider.stream("a b c", extra_body=script(per_write=100))
    server.wait_for_state("finished")
    assert next(stream) == "a"  # and the end was fetched with it
    told: list[Any] = []
    pieces: list[str] = []
    processor = stream.on_finish(told.append).on_usage(told.append).on_text(pieces.append)
    response = processor.run()
    assert told == [response.usage, response]
    assert isinstance(told[0], Usage)
    assert isinstance(told[1], Response)
    assert pieces == [" b", " c"]
    assert processor.run() is response
    assert len(told) == 2


def test_a_coroutine_function_is_refused(provider: Provider, script: Script, server: Server) -> None:
    async def show(piece: str) -> None:
        """Never runs."""

    stream = provider.stream("", extra_body=script(pieces=["a"], repeat=200, delay=0.02))
    with pytest.raises(ConfigurationError, match=r"on_text was given the coroutine function .*show.*astream") as caught:
        stream.on_text(show).run()
    assert caught.value.param == "on_text"
    server.wait_for_state("disconnected")


def test_what_cannot_be_called_is_refused(provider: Provider) -> None:
    stream = provider.stream("a")
    for name in ("on_text", "on_update"):
        with pytest.raises(ConfigurationError, match=rf"{name} must be given a function, got 5 \(int\)"):
            getattr(stream, name)(5)
    assert stream.collect().text == "a"


def test_both_kinds_have_the_same_members_and_words() -> None:
    names = {name for name in dir(StreamProcessor) if not name.startswith("_")}
    assert names == {name for name in dir(AsyncStreamProcessor) if not name.startswith("_")}
    for name in names:
        method, twin = getattr(StreamProcessor, name), getattr(AsyncStreamProcessor, name)
        assert inspect.getdoc(method) == inspect.getdoc(twin)
        assert inspect.signature(method).parameters == inspect.signature(twin).parameters
        assert inspect.iscoroutinefunction(twin) is (name in {"run", "collect", "print"})
