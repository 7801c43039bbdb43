"""Stream: reading, mixing the ways to read, events, results, and what is left after an end or a cut."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from pyagent import Provider, StreamCancelledError, StreamInterruptedError, ToolCall, events

if TYPE_CHECKING:
    from conftest import Server

Script = Callable[..., dict[str, Any]]

TOOLS = [{"id": "c1", "name": "add", "arguments": '{"a": 1}'}, {"id": "c2", "name": "now", "arguments": ""}]


def test_next_and_for_can_be_mixed(provider: Provider) -> None:
    stream = provider.stream("a b c d e")
    assert next(stream) == "a"
    assert next(stream) == " b"
    assert list(stream) == [" c", " d", " e"]
    assert stream.text == "a b c d e"


def test_a_stream_that_was_read_stays_read(provider: Provider) -> None:
    stream = provider.stream("a b")
    assert len(list(stream)) == 2
    for _ in range(2):
        assert next(stream, "end") == "end"
        assert list(stream) == []
        stream.close()
    assert stream.result.text == "a b"
    assert repr(stream) == "<Stream finished, 3 characters received>"


def test_metadata_is_there_as_soon_as_it_is_known(provider: Provider, script: Script) -> None:
    with provider.stream("a", extra_body=script(pieces=["a", "b"], delay=0.2)) as stream:
        assert (stream.model, stream.finish_reason) == (None, None)
        assert next(stream) == "a"
        assert (stream.model, stream.finish_reason, stream.total_tokens) == ("m", None, None)
        assert list(stream) == ["b"]
        assert (stream.finish_reason, stream.total_tokens) == ("stop", 3)


def test_result_reads_the_rest(provider: Provider) -> None:
    stream = provider.stream("a b c")
    assert next(stream) == "a"
    assert stream.result.text == "a b c"
    assert stream.result.usage.total_tokens == 6
    assert list(stream) == []


def test_result_inside_a_loop_ends_the_loop(provider: Provider) -> None:
    seen = []
    stream = provider.stream("a b c")
    for piece in stream:
        seen.append(piece)
        assert stream.result.text == "a b c"
    assert seen == ["a"]


def test_events(provider: Provider, script: Script) -> None:
    fields = script(pieces=["x", "y"], reasoning="hm hm", tools=TOOLS, tool_piece=4)
    stream = provider.stream("go", extra_body=fields, include_raw=True)
    seen = [event for event in stream.events() if not isinstance(event, events.RawEvent)]
    start, *middle, finish = seen
    assert isinstance(start, events.StartEvent)
    assert (start.model, start.request_id) == ("m", stream.result.request_id)
    assert isinstance(finish, events.FinishEvent)
    assert (finish.finish_reason, finish.usage) == ("tool_calls", stream.result.usage)
    first, second = ToolCall("c1", "add", '{"a": 1}'), ToolCall("c2", "now", "")
    by_type = [event for event in middle if not isinstance(event, (events.UsageEvent, events.ToolCallEnd))]
    assert by_type == [
        events.ReasoningDelta("hm"),
        events.ReasoningDelta(" hm"),
        events.ReasoningDone("hm hm"),
        events.TextDelta("x"),
        events.TextDelta("y"),
        events.TextDone("xy"),
        events.ToolCallStart(0, "c1", "add"),
        events.ToolCallDelta(0, '{"a"'),
        events.ToolCallDelta(0, ": 1}"),
        events.ToolCallStart(1, "c2", "now"),
    ]
    ends = [event for event in middle if isinstance(event, events.ToolCallEnd)]
    assert ends == [events.ToolCallEnd(0, first), events.ToolCallEnd(1, second)]
    assert stream.result.tool_calls == [first, second]
    assert (stream.result.text, stream.result.reasoning) == ("xy", "hm hm")
    assert first.parsed == {"a": 1}


def test_raw_events_only_on_request(provider: Provider) -> None:
    assert provider.stream("a").result.raw is None
    raw = provider.stream("a", include_raw=True).result.raw
    assert raw[0]["object"] == "chat.completion.chunk"
    assert provider.generate("a", include_raw=True).raw["object"] == "chat.completion"


def test_retries_are_events(provider: Provider, script: Script) -> None:
    stream = provider.stream("a", extra_body=script(status=503, times=1, key="event", headers={"retry-after": "0"}))
    retry = next(iter(stream.events()))
    assert isinstance(retry, events.RetryEvent)
    assert (retry.attempt, retry.error.status_code) == (1, 503)


def test_text_and_events_share_the_stream(provider: Provider, script: Script, server: Server) -> None:
    stream = provider.stream("a b c d", extra_body=script(per_write=100))
    assert next(stream) == "a"
    rest = stream.events()
    event = next(rest)
    while not isinstance(event, events.TextDelta):
        event = next(rest)
    assert event.text == " b"
    assert next(stream) == " c"
    texts = [event.text for event in rest if isinstance(event, events.TextDelta)]
    assert texts == [" d"]


def test_several_answers(provider: Provider) -> None:
    response = provider.generate("a b", n=2)
    assert [choice.text for choice in response.choices] == ["a b", "a b"]


def test_tool_loop_message_goes_back(provider: Provider, script: Script, server: Server) -> None:
    answer = provider.generate("go", extra_body=script(text="", tools=TOOLS[:1]))
    messages = [{"role": "user", "content": "go"}, answer.message]
    messages.append({"role": "tool", "tool_call_id": answer.tool_calls[0].id, "content": "1"})
    messages.append({"role": "user", "content": "and?"})
    assert provider.generate_text(messages=messages) == "and?"
    assert server.requests()[-1]["body"]["messages"] == messages


@pytest.mark.parametrize("end", ["close", "cancel"])
def test_reading_on_after_a_cut_raises(provider: Provider, script: Script, end: str) -> None:
    stream = provider.stream("", extra_body=script(pieces=["a"], repeat=5, delay=0.05))
    assert next(stream) == "a"
    getattr(stream, end)()
    for read in (lambda: next(stream), lambda: list(stream), lambda: list(stream.events()), lambda: stream.result):
        with pytest.raises(StreamCancelledError) as caught:
            read()
        assert caught.value.partial_text == stream.text
    assert stream.text.startswith("a")
    assert "cancelled" in repr(stream)


def test_what_was_fetched_and_not_read_is_cut_too(provider: Provider, script: Script, server: Server) -> None:
    stream = provider.stream("", extra_body=script(pieces=["a"], repeat=100, per_write=100))
    server.wait_for_state("finished")
    assert next(stream) == "a"
    stream.close()
    with pytest.raises(StreamCancelledError):
        next(stream)


def test_a_loop_that_runs_ends_at_once_when_the_stream_is_closed(provider: Provider, script: Script) -> None:
    seen: list[str] = []
    stream = provider.stream("", extra_body=script(pieces=["a"], repeat=1000, per_write=1000))

    def read() -> None:
        for piece in stream:
            seen.append(piece)
            if len(seen) == 3:
                stream.close()

    with pytest.raises(StreamCancelledError):
        read()
    assert len(seen) == 3


def test_a_failed_stream_stays_failed(provider: Provider, script: Script) -> None:
    stream = provider.stream("a b c", extra_body=script(after=2, end="cut"))
    with pytest.raises(StreamInterruptedError) as first:
        list(stream)
    stream.close()
    with pytest.raises(StreamInterruptedError) as second:
        next(stream)
    assert vars(first.value) == vars(second.value)
    assert first.value.partial_text == "a b"


def test_two_readers_are_told_so(provider: Provider, script: Script) -> None:
    stream = provider.stream("a b", extra_body=script(header_delay=0.5))
    got: list[str] = []
    reader = threading.Thread(target=lambda: got.extend(stream))
    reader.start()
    deadline = 200
    while not stream._reading.locked() and deadline:
        deadline -= 1
        threading.Event().wait(0.01)
    for read in (lambda: next(stream), lambda: list(stream), lambda: stream.result):
        with pytest.raises(RuntimeError, match="Another thread is reading this stream"):
            read()
    reader.join(5)
    assert got == ["a", " b"]


def test_text_with_every_kind_of_character(provider: Provider, script: Script) -> None:
    pieces = ["a\0b", "\0", "é", "日本", "👩‍👩‍👧", "\u2028", "\n", "\\", '"', "\ufeff", "\u0001"]
    assert list(provider.stream("", extra_body=script(pieces=pieces, per_write=100))) == pieces
    assert provider.generate_text("", extra_body=script(pieces=pieces)) == "".join(pieces)


def test_many_deltas_arrive_in_order(provider: Provider, script: Script) -> None:
    pieces = [str(number) for number in range(5000)]
    stream = provider.stream("", extra_body=script(pieces=pieces, per_write=64))
    assert list(itertools.chain.from_iterable([[next(stream)], stream])) == pieces
    assert stream.text == "".join(pieces)


def test_one_large_delta(provider: Provider, script: Script) -> None:
    piece = "0123456789abcdef" * 250_000
    assert provider.generate_text("", extra_body=script(pieces=[piece])) == piece
    assert list(provider.stream("", extra_body=script(pieces=["x", piece, "y"]))) == ["x", piece, "y"]


def test_several_answers_side_by_side(provider: Provider) -> None:
    with provider.stream("a b", n=2) as stream:
        seen = list(stream.events())
        said = {
            index: "".join(e.text for e in seen if type(e) is events.TextDelta and e.index == index) for index in (0, 1)
        }
        assert said == {0: "a b", 1: "a b"}
        assert [(choice.index, choice.text, choice.finish_reason) for choice in stream.result.choices] == [
            (0, "a b", "stop"), (1, "a b", "stop"),
        ]  # fmt: skip
    assert "".join(provider.stream("a b", n=2)) == "a b"

    async def main() -> None:
        async with provider.astream("a b", n=2) as stream:
            assert {event.index async for event in stream.events() if type(event) is events.TextDelta} == {0, 1}

    asyncio.run(main())
