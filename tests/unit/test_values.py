"""Response, ToolCall, Usage, events, Timeouts and Limits as values: equality, repr, pickling, conversion."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from pyagent import (
    ConfigurationError,
    GenerateResult,
    Limits,
    ResponseParseError,
    Stream,
    TextStream,
    Throttle,
    Timeouts,
    events,
)
from pyagent.errors import RateLimitError
from pyagent.response import Choice, Response, ToolCall, Usage


def response(text: str = "hello", **fields: object) -> Response:
    return Response([Choice(text=text, finish_reason="stop", **fields)], usage=Usage(prompt_tokens=1), model="m")  # type: ignore[arg-type]


def test_the_names_of_rusty_agent_sdk() -> None:
    assert GenerateResult is Response
    assert TextStream is Stream


def test_str_and_repr_of_a_response() -> None:
    assert str(response()) == "hello"
    assert repr(response()) == "Response(text='hello', finish_reason='stop', prompt_tokens=1, completion_tokens=None)"
    assert repr(response("x" * 60)).startswith(f"Response(text='{'x' * 50}...', ")


@pytest.mark.parametrize(
    "value",
    [
        response(tool_calls=[ToolCall("i", "f", "{}", extra={"sig": 1})]),
        Usage(prompt_tokens=1, cost=0.5),
        Timeouts(connect=1, idle=0),
        Limits(event_bytes=10),
        Throttle(requests=10, per="key"),
        Throttle(requests=10, shared="/run/limits", if_unreachable="local"),
        events.TextDelta("a", 1),
        events.ToolCallEnd(0, ToolCall("i", "f", "{}")),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_pickle_and_compare(value: object) -> None:
    copy = pickle.loads(pickle.dumps(value))
    assert copy == value
    assert repr(copy) == repr(value)
    assert value != object()


def test_different_values_are_not_equal() -> None:
    assert Usage(prompt_tokens=1) != Usage(prompt_tokens=2)
    assert events.TextDelta("a") != events.ReasoningDelta("a")


def test_to_dict_is_json() -> None:
    value = response(tool_calls=[ToolCall("i", "f", "{}")])
    flat = json.loads(json.dumps(value.to_dict()))
    assert (flat["text"], flat["model"], flat["usage"]) == ("hello", "m", {"prompt_tokens": 1})
    assert flat["choices"][0]["tool_calls"] == [{"id": "i", "name": "f", "arguments": "{}", "custom": False}]


def test_message_of_plain_text() -> None:
    assert response().message == {"role": "assistant", "content": "hello"}
    assert response("").message == {"role": "assistant", "content": ""}


def test_message_with_tool_calls_goes_back_with_its_signature() -> None:
    calls = [
        ToolCall("i", "f", '{"a":1}', extra={"extra_content": {"google": {"thought_signature": "s"}}}),
        ToolCall("j", "free", "select 1", custom=True),
    ]
    assert response("", tool_calls=calls, reasoning_details=[{"d": 1}]).message == {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {
                "id": "i",
                "type": "function",
                "function": {"name": "f", "arguments": '{"a":1}'},
                "extra_content": {"google": {"thought_signature": "s"}},
            },
            {"id": "j", "type": "custom", "custom": {"name": "free", "input": "select 1"}},
        ],
        "reasoning_details": [{"d": 1}],
    }


def test_message_with_a_refusal() -> None:
    assert response("", refusal="no").message == {"role": "assistant", "content": None, "refusal": "no"}


def test_parsed_arguments() -> None:
    assert ToolCall("i", "f", '{"a": [1]}').parsed == {"a": [1]}
    assert ToolCall("i", "f", "").parsed == {}


@pytest.mark.parametrize("arguments", ['{"a": ', "[1]", "nonsense"])
def test_arguments_that_are_not_an_object(arguments: str) -> None:
    with pytest.raises(ResponseParseError, match="tool call 'f' are not") as caught:
        _ = ToolCall("i", "f", arguments).parsed
    assert arguments in str(caught.value)


def test_every_event_has_its_own_type_word() -> None:
    kinds = [getattr(events, name) for name in events.__all__ if name != "Event"]
    assert len({kind.type for kind in kinds}) == len(kinds) > 10


def test_events_convert_to_json() -> None:
    assert events.TextDelta("a").to_dict() == {"type": "text", "text": "a", "index": 0}
    retry = events.RetryEvent(1, 0.5, RateLimitError("slow", status_code=429))
    assert json.loads(json.dumps(retry.to_dict()))["error"] == "API error (429 Too Many Requests): slow"


@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), "5", True])
def test_a_clock_must_be_a_number_of_seconds(value: object) -> None:
    with pytest.raises(ConfigurationError, match=r"idle must be a number.*got"):
        Timeouts(idle=value)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [0, -1, 1.5, "5", True])
def test_a_limit_must_be_a_number_of_bytes(value: object) -> None:
    with pytest.raises(ConfigurationError, match=r"body_bytes must be a whole number.*got"):
        Limits(body_bytes=value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"requests": 0}, "requests must be above 0; None is no limit"),
        ({"tokens": -1}, "tokens must be a whole number"),
        ({"concurrency": 1.5}, "concurrency must be"),
        ({"period": 0}, "period must be above 0"),
        ({"max_wait": -1}, "max_wait must be a number of seconds"),
        ({"per": "vendor"}, "per must be 'model' or 'key'"),
        ({"if_unreachable": "never"}, "if_unreachable must be 'error' or 'local'"),
        ({"if_unreachable": "local"}, "give it too"),
        ({"shared": 5}, "shared must be a directory or the URL of a Redis server, got 5"),
        ({"shared": ""}, "shared must be a directory or the URL of a Redis server"),
        ({"shared": "https://u:p@host"}, "got one that begins with https://"),
        ({"shared": "redis://host\n"}, "shared has a line break"),
    ],
)
def test_a_throttle_must_make_sense(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Throttle(**options)


def test_a_throttle_is_shared_in_one_place_whatever_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Throttle(shared="limits") == Throttle(shared=tmp_path / "limits")
    assert Throttle(shared="limits").shared == str(tmp_path / "limits")


def test_the_password_of_a_shared_throttle_is_not_shown() -> None:
    throttle = Throttle(shared="rediss://me:s3cret@host:7000/2")
    assert "shared='rediss://me:***@host:7000/2'" in repr(throttle)
    assert throttle.shared == "rediss://me:s3cret@host:7000/2"
    assert "redis://host/2" in repr(Throttle(shared="redis://host/2"))
