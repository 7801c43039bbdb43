"""Frames to values: cutting, the burst form, and assembling a Response from frames written by hand."""

from __future__ import annotations

import json
from typing import Any

from pyagent import _frames
from pyagent._assembly import Assembly
from pyagent.response import Response, ToolCall, Usage


def frame(kind: int, payload: bytes | dict[str, Any] | list[Any], index: int = 0, flags: int = 0) -> bytes:
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return _frames.HEADER.pack(len(data), kind, flags, index, 7) + data


def assemble(*frames: bytes) -> Assembly:
    assembly = Assembly()
    for kind, flags, index, payload in _frames.split(b"".join(frames)):
        assembly.add(kind, flags, index, payload)
    return assembly


def answer(*frames: bytes) -> Response:
    response = assemble(*frames).response
    assert response is not None
    return response


def test_split() -> None:
    data = frame(1, b"ab") + frame(4, b"", index=65535) + frame(64, {})
    assert list(_frames.split(data)) == [(1, 0, 0, b"ab"), (4, 0, 65535, b""), (64, 0, 0, b"{}")]
    assert list(_frames.split(b"")) == []


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
    assert assembly.response is None
    assert assembly.failure == {"kind": "connection", "message": "gone"}
    assert assembly.text == "part"
