"""Snapshots: what they show at each moment, when they are given, and what they cost."""

from __future__ import annotations

import json
import pickle
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from pyagent import (
    APITimeoutError,
    ConfigurationError,
    Provider,
    Snapshot,
    StreamCancelledError,
    StreamInterruptedError,
    Timeouts,
    ToolCall,
    Usage,
)
from pyagent import _frames as frames
from pyagent._accumulation import Accumulation, Growth, Updates
from pyagent._assembly import Assembly

if TYPE_CHECKING:
    from conftest import Server

Script = Callable[..., dict[str, Any]]

TOOLS = [{"id": "c1", "name": "add", "arguments": '{"a": 1}'}]


def frame(kind: int, value: Any, index: int = 0) -> bytes:
    payload = (value if isinstance(value, str) else json.dumps(value)).encode()
    return frames.HEADER.pack(len(payload), kind, 0, index, 7) + payload


class Counting(list):  # type: ignore[type-arg]
    """Pieces of text that know how many of them were taken to be joined."""

    taken = 0

    def __getitem__(self, place: Any) -> Any:
        found = super().__getitem__(place)
        self.taken += len(found) if isinstance(place, slice) else 1
        return found


def counting() -> tuple[Assembly, Counting]:
    assembly, pieces = Assembly(), Counting()
    assembly._first_text = assembly._deltas[frames.TEXT, 0] = pieces
    return assembly, pieces


def test_every_state_is_shown(provider: Provider, script: Script) -> None:
    fields = script(pieces=["x", "y"], reasoning="hm hm", tools=TOOLS, tool_piece=4, delay=0.03, id="i")
    seen = list(provider.stream("go", extra_body=fields).snapshots())
    states = [(s.reasoning, s.text, [call.arguments for call in s.tool_calls]) for s in seen]
    for state in (
        ("hm", "", []),
        ("hm hm", "", []),
        ("hm hm", "x", []),
        ("hm hm", "xy", []),
        ("hm hm", "xy", ['{"a"']),
        ("hm hm", "xy", ['{"a": 1}']),
    ):
        assert state in states
    assert [s.complete for s in seen] == [False] * (len(seen) - 1) + [True]
    assert {s.finish_reason for s in seen[:-1]} == {None}
    assert {(s.id, s.model, s.error) for s in seen} == {("i", "m", None)}
    last = seen[-1]
    assert last.finish_reason == "tool_calls"
    assert last.tool_calls == [ToolCall("c1", "add", '{"a": 1}')]
    assert last.usage.completion_tokens == 7


def test_the_last_snapshot_is_the_result(provider: Provider) -> None:
    stream = provider.stream("a b c")
    *_, last = stream.snapshots()
    result = stream.result
    assert (last.text, last.usage, last.id, last.model) == (result.text, result.usage, result.id, result.model)
    assert list(stream.snapshots()) == [last] == [stream.snapshot]
    assert str(last) == "a b c"


def test_snapshots_stay_as_they_were(provider: Provider, script: Script) -> None:
    """Also when their fields are looked at late, in any order."""
    fields = script(pieces=list("abcdef"), delay=0.02, tools=TOOLS, tool_piece=2)
    kept = list(provider.stream("", extra_body=fields).snapshots())
    late = [snapshot.text for snapshot in reversed(kept)][::-1]
    assert late == sorted(late, key=len)
    assert late[-1] == "abcdef"
    assert len(set(late)) >= 4
    arguments = [s.tool_calls[0].arguments for s in kept if s.tool_calls]
    assert arguments == sorted(arguments, key=len)


def test_a_snapshot_is_a_value() -> None:
    made = Snapshot(id="i", model="m", text="a", tool_calls=[ToolCall("c", "f", "{")], usage=Usage(prompt_tokens=1))
    assembly = Assembly()
    assembly.add(frame(frames.START, {"id": "i", "model": "m"}) + frame(frames.TEXT, "a"))
    assembly.add(frame(frames.TOOL_BEGIN, {"id": "c", "name": "f"}) + frame(frames.TOOL_ARGS, "{"))
    assembly.add(frame(frames.USAGE, {"prompt_tokens": 1}))
    lazy = Accumulation(assembly).take()
    copy = pickle.loads(pickle.dumps(lazy))
    assembly.add(frame(frames.TEXT, "b") + frame(frames.TOOL_ARGS, "}"))
    assert made == lazy == copy
    assert repr(made) == repr(lazy)
    assert repr(lazy).startswith("Snapshot(id='i', model='m', text='a', ")
    plain = json.loads(json.dumps(lazy.to_dict()))
    assert (plain["text"], plain["complete"], plain["tool_calls"][0]["arguments"]) == ("a", False, "{")
    assert made != Snapshot(text="a")
    for snapshot in (made, lazy):
        with pytest.raises(AttributeError, match="A Snapshot has no 'txt'; it has id, model, text"):
            _ = snapshot.txt  # type: ignore[attr-defined]


def test_only_the_first_choice_is_shown() -> None:
    assembly = Assembly()
    assembly.add(frame(frames.TEXT, "a", 1) + frame(frames.TOOL_BEGIN, {"id": "c", "name": "f", "choice": 1}))
    assert (Accumulation(assembly).take().text, Accumulation(assembly).take().tool_calls) == ("", [])


def test_reading_every_text_joins_every_piece_once() -> None:
    assembly, pieces = counting()
    updates = Updates(Accumulation(assembly), None)
    for number in range(3000):
        assembly.add(frame(frames.TEXT, "ab"))
        snapshot = updates.take()
        assert snapshot is not None
        assert len(snapshot.text) == 2 * number + 2
        assert len(snapshot.text) == len(snapshot.text)
    assert pieces.taken == 3000


def test_a_snapshot_that_nobody_reads_joins_nothing() -> None:
    assembly, pieces = counting()
    updates = Updates(Accumulation(assembly), None)
    snapshots = []
    for _ in range(3000):
        assembly.add(frame(frames.TEXT, "ab"))
        snapshots.append(updates.take())
    assert pieces.taken == 0
    assert snapshots[-1].text == "ab" * 3000  # type: ignore[union-attr]
    assert pieces.taken == 3000
    assert snapshots[1].text == "abab"  # type: ignore[union-attr]
    assert pieces.taken == 3002


def test_a_text_grows_for_two_threads_at_once() -> None:
    pieces = [chr(97 + number % 26) for number in range(2000)]
    whole, growth, wrong = "".join(pieces), Growth(pieces), []

    def read() -> None:
        wrong.extend(count for count in range(len(pieces) + 1) if growth.text(count) != whole[:count])

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_what_arrives_together_is_one_snapshot(provider: Provider, script: Script, server: Server) -> None:
    stream = provider.stream("", extra_body=script(pieces=["a"], repeat=2000, per_write=2000))
    server.wait_for_state("finished")
    seen = list(stream.snapshots())
    assert len(seen) <= 10
    assert seen[-1].text == "a" * 2000


def test_a_frame_that_changes_nothing_is_no_update() -> None:
    assembly = Assembly()
    updates = Updates(Accumulation(assembly), None)
    assert updates.take() is None
    for kind, value in ((frames.RAW, {}), (frames.LOGPROBS, {}), (frames.NOTICE, {}), (frames.REFUSAL, "n")):
        assembly.add(frame(kind, value))
        assert (updates.take() is not None) is (kind == frames.REFUSAL)


def test_the_pace_of_updates() -> None:
    now = 100.0
    assembly = Assembly()
    updates = Updates(Accumulation(assembly), 2.0, lambda: now)

    def add(kind: int, value: Any) -> Snapshot | None:
        assembly.add(frame(kind, value))
        return updates.take()

    first = add(frames.TEXT, "a")
    assert first is not None
    assert updates.due is None
    now = 101.0
    assert add(frames.TEXT, "b") is None
    assert updates.due == 102.0
    now = 102.0
    second = updates.take()
    assert second is not None
    assert (second.text, updates.due, updates.take()) == ("ab", None, None)
    now = 102.5
    assert add(frames.TEXT, "c") is None
    last = add(frames.FINISH, {"finish_reason": "stop"})
    assert last is not None
    assert (last.text, last.complete, updates.due) == ("abc", True, None)


def test_every_bounds_the_number_and_not_the_end(provider: Provider, script: Script) -> None:
    began = time.monotonic()
    stream = provider.stream("", extra_body=script(pieces=["a"], repeat=60, delay=0.01))
    seen = list(stream.snapshots(every=0.2))
    took = time.monotonic() - began
    assert len(seen) <= took / 0.2 + 2
    assert (seen[-1].complete, seen[-1].text) == (True, "a" * 60)


def test_a_change_is_shown_though_nothing_follows_it(provider: Provider, script: Script) -> None:
    fields = script(pieces=["a", "b", "c"], delay=0.05, after=2, end="stall")
    stream = provider.stream("", extra_body=fields, timeouts=Timeouts(idle=2))
    seen: list[tuple[Snapshot, float]] = []
    threads = threading.active_count()
    with pytest.raises(APITimeoutError):
        seen.extend((snapshot, time.monotonic()) for snapshot in stream.snapshots(every=0.3))
    assert threading.active_count() == threads
    shown = next(moment for snapshot, moment in seen if snapshot.text == "ab")
    assert seen[-1][1] - shown > 0.5
    assert (seen[-1][0].error is not None, seen[-2][0].error) == (True, None)


def test_a_failure_is_shown_and_then_raised(provider: Provider, script: Script) -> None:
    stream = provider.stream("a b c", extra_body=script(after=2, end="cut"))
    seen: list[Snapshot] = []
    with pytest.raises(StreamInterruptedError) as caught:
        seen.extend(stream.snapshots(every=60))
    assert (seen[-1].text, seen[-1].complete, seen[-1].finish_reason) == ("a b", False, None)
    assert vars(seen[-1].error) == vars(caught.value)
    assert seen[-1] == stream.snapshot == pickle.loads(pickle.dumps(seen[-1]))
    assert seen[-1].to_dict()["error"] == str(caught.value)


def test_leaving_closes_the_stream(provider: Provider, script: Script, server: Server) -> None:
    stream = provider.stream("", extra_body=script(pieces=["a"], repeat=200, delay=0.02))
    for snapshot in stream.snapshots(every=0.05):
        if snapshot.text:
            break
    server.wait_for_state("disconnected")
    with pytest.raises(StreamCancelledError):
        next(stream.snapshots())
    assert stream.snapshot.text.startswith("a")


def test_another_thread_may_look_and_close(provider: Provider, script: Script) -> None:
    stream = provider.stream("", extra_body=script(pieces=["a"], repeat=400, delay=0.01))
    seen: list[str] = []
    caught: list[BaseException] = []

    def read() -> None:
        try:
            seen.extend(snapshot.text for snapshot in stream.snapshots(every=30))
        except StreamCancelledError as error:
            caught.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    deadline = time.monotonic() + 5
    while len(stream.snapshot.text) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    stream.close()
    reader.join(5)
    assert len(caught) == 1
    assert len(seen) <= 1
    assert len(stream.snapshot.text) >= 3


@pytest.mark.parametrize("every", [0, -1, float("inf"), float("nan"), "1", True])
def test_a_pace_must_be_a_number_of_seconds(provider: Provider, every: Any) -> None:
    stream = provider.stream("a")
    for ask in (lambda: stream.snapshots(every=every), lambda: stream.on_update(print, every=every)):
        with pytest.raises(ConfigurationError, match=r"every must be a number.*got"):
            ask()
    assert stream.result.text == "a"


def test_the_ways_to_read_share_the_stream(provider: Provider, script: Script) -> None:
    stream = provider.stream("", extra_body=script(pieces=["a", "b", "c", "d"], delay=0.03))
    assert next(stream) == "a"
    pieces = stream.snapshots()
    assert next(pieces).text == "a"
    assert next(pieces).text == "ab"
    assert next(stream) == "c"
    assert [snapshot.text for snapshot in pieces][-1] == "abcd"
