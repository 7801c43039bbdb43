"""Frames to values: cutting, the burst form, and assembling a Response from frames written by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pyagent import _frames
from pyagent._assembly import Assembly
from pyagent.response import Response, ToolCall, Usage


def frame(kind: int, payload: bytes | dict[str, Any] | list[Any], index: int = 0, flags: int = 0) -> bytes:
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return _frames.HEADER.pack(len(data), kind, flags, index, 7) + data


def assemble(*frames: bytes) -> Assembly:
    assembly = Assembly()
    assembly.add(b"".join(frames))
    return assembly


def answer(*frames: bytes) -> Response:
    assembly = assemble(*frames)
    assert assembly.ended == _frames.FINISH
    return assembly.response


def test_split() -> None:
    data = frame(1, b"ab") + frame(4, b"", index=65535) + frame(64, {})
    assert _frames.split(data) == [(1, 0, 0, b"ab"), (4, 0, 65535, b""), (64, 0, 0, b"{}")]
    assert _frames.split(b"") == []


def test_a_burst_is_one_frame_of_many_deltas() -> None:
    assert _frames.deltas(_frames.MANY, "Grüße\0 \0👋".encode()) == ["Grüße", " ", "👋"]


def test_a_delta_with_a_nul_of_its_own_stays_whole() -> None:
    assert _frames.deltas(0, b"a\0b") == ["a\0b"]
    assert assemble(frame(1, b"a\0b"), frame(1, b"c\0d", flags=_frames.MANY)).text == "a\0bcd"


def test_unknown_kinds_are_skipped() -> None:
    response = answer(frame(1, b"a"), frame(9, b"\xff\xfe"), frame(40, {"new": 1}), frame(1, b"b"), frame(64, {}))
    assert response.text == "ab"


def test_several_choices_do_not_mix() -> None:
    response = answer(
        frame(1, b"a"),
        frame(1, b"B", index=1),
        frame(2, b"think", index=1),
        frame(3, b"no", index=2),
        frame(17, {"id": "c", "name": "f", "choice": 1}),
        frame(4, b'{"x":'),
        frame(4, b"1}"),
        frame(64, {"finish_reason": "stop", "choices": [{"index": 0, "finish_reason": "stop"},
                                                         {"index": 1, "finish_reason": "tool_calls"}]}),
    )  # fmt: skip
    assert [choice.text for choice in response.choices] == ["a", "B", ""]
    assert [choice.finish_reason for choice in response.choices] == ["stop", "tool_calls", None]
    assert response.choices[1].tool_calls == [ToolCall("c", "f", '{"x":1}')]
    assert (response.choices[1].reasoning, response.choices[2].refusal) == ("think", "no")
    assert (response.text, response.tool_calls) == ("a", [])


def test_the_vendors_data_is_kept_in_order() -> None:
    response = answer(
        frame(20, {"token": "a"}), frame(20, {"token": "b"}), frame(21, {"url": "u"}), frame(22, {"image": 1}),
        frame(23, {"signature": "s"}), frame(25, {"chunk": 1}), frame(25, {"chunk": 2}), frame(64, {}),
    )  # fmt: skip
    assert response.logprobs == [{"token": "a"}, {"token": "b"}]
    assert (response.annotations, response.parts) == ([{"url": "u"}], [{"image": 1}])
    assert response.reasoning_details == [{"signature": "s"}]
    assert response.message["reasoning_details"] == [{"signature": "s"}]
    assert response.raw == [{"chunk": 1}, {"chunk": 2}]


def test_start_and_finish_are_merged() -> None:
    response = answer(
        frame(16, {"id": "i", "model": "m", "request_id": "r", "headers": {"x": "y"}}),
        frame(19, {"prompt_tokens": 1}),
        frame(64, {"model": "m-2026", "usage": {"prompt_tokens": 2, "cost": 0.5}, "attempts": 2, "warnings": ["w"]}),
    )
    assert (response.id, response.model, response.request_id, response.headers) == ("i", "m-2026", "r", {"x": "y"})
    assert response.usage == Usage(prompt_tokens=2, cost=0.5)
    assert (response.attempts, response.warnings) == (2, ["w"])


def test_an_error_ends_without_a_response() -> None:
    assembly = assemble(frame(1, b"part"), frame(66, {"kind": "connection", "message": "gone"}))
    assert assembly.ended == _frames.ERROR
    assert assembly.failure == {"kind": "connection", "message": "gone"}
    assert assembly.text == "part"


def test_what_is_known_is_there_before_the_end() -> None:
    assembly = assemble(frame(16, {"id": "i"}), frame(19, {"prompt_tokens": 1}), frame(19, {"prompt_tokens": 3}))
    assert (assembly.start, assembly.usage, assembly.ended) == ({"id": "i"}, Usage(prompt_tokens=3), 0)


def test_nothing_is_parsed_until_it_is_asked_for() -> None:
    assembly = assemble(frame(16, b"not JSON"), frame(1, b"text"), frame(19, b"not JSON"), frame(64, b"not JSON"))
    assert (assembly.text, assembly.ended) == ("text", _frames.FINISH)
    with pytest.raises(ValueError, match="Expecting value"):
        _ = assembly.response


def test_frames_parsed_at_once_are_kept_all_the_same() -> None:
    assembly = Assembly()
    frames = [frame(16, {"id": "i"}), frame(1, b"a\0b", flags=_frames.MANY), frame(40, b"?"), frame(9, b"?"),
              frame(17, {"id": "c", "name": "f"}), frame(4, b"{}"), frame(18, {}), frame(64, {})]  # fmt: skip
    seen = list(assembly.add_and_parse(b"".join(frames)))
    call = ToolCall("c", "f", "{}")
    assert seen == [
        (16, 0, {"id": "i"}), (1, 0, ["a", "b"]), (40, 0, None), (9, 0, []), (17, 0, {"id": "c", "name": "f"}),
        (4, 0, ["{}"]), (18, 0, (call, 0)), (64, 0, assembly.response),
    ]  # fmt: skip
    assert (assembly.response.text, assembly.response.tool_calls) == ("ab", [call])
