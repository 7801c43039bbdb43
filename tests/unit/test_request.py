"""Requests: what becomes of the arguments, and what is refused before anything is sent."""

from __future__ import annotations

import json
import signal
import time
from typing import Any

import pytest

from pyagent import ConfigurationError, Limits, Provider, Timeouts, UnsupportedFeatureError
from pyagent._request import encode


def request(**arguments: Any) -> dict[str, Any]:
    return dict(json.loads(encode("generate", "m", {"self": object(), **arguments})))


def test_prompt() -> None:
    assert request(prompt="hi") == {"op": "generate", "model": "m", "messages": [{"role": "user", "content": "hi"}]}
    assert request(prompt="")["messages"] == [{"role": "user", "content": ""}]


@pytest.mark.parametrize(
    "prompt", ["", "hi", 'a "quote" and \\', "line\nbreak \x00\x7f", "\u00e9\u4e16\U0001f600\u2028"]
)
def test_a_bare_prompt_is_written_as_any_other(prompt: str) -> None:
    for window in (0, 1000):
        short = json.loads(encode("stream", 'm"', {"prompt": prompt, "include_raw": False}, window))
        long = json.loads(encode("stream", 'm"', {"messages": [{"role": "user", "content": prompt}]}, window))
        assert short == long


def test_flags_that_are_off() -> None:
    off = {"include_usage": False, "include_raw": False, "allow_unsupported": False}
    assert request(prompt="hi", **off) == request(prompt="hi")
    assert json.loads(encode("stream", "m", {"prompt": "hi", **off}))["include_usage"] is False
    assert request(prompt="hi", store=False)["store"] is False


class Array:
    """Something that has no truth when it is compared, as arrays of numbers have none."""

    def __eq__(self, other: object) -> bool:
        raise ValueError("the truth of an array is ambiguous")

    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize("given", [{"temperature": 0}, {"seed": 0}, {"store": False}, {"stop": []}, {"user": ""}])
def test_a_prompt_is_bare_only_without_anything_else(given: dict[str, Any]) -> None:
    plain = {"system_prompt": None, "temperature": None, "include_raw": False, "prompt": "hi", "tools": None}
    assert request(**plain) == request(prompt="hi")
    ((name, value),) = given.items()
    assert request(**{**plain, **given})[name] == value


@pytest.mark.parametrize(
    ("name", "value"), [("temperature", Array()), ("include_raw", 0), ("include_usage", ""), ("stop", Array())]
)
def test_a_bare_prompt_hides_no_wrong_argument(name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        request(prompt="hi", **{name: value})
    assert caught.value.param == name


def test_messages_win_over_the_prompt() -> None:
    messages = [{"role": "user", "content": "a"}]
    assert request(prompt="p", messages=messages)["messages"] == messages
    assert request(prompt="p", messages=[])["messages"] == [{"role": "user", "content": "p"}]


def test_the_system_prompt_comes_first() -> None:
    messages = [{"role": "user", "content": "a"}]
    assert request(messages=messages, system_prompt="s")["messages"] == [
        {"role": "system", "content": "s"},
        *messages,
    ]
    assert messages == [{"role": "user", "content": "a"}]


@pytest.mark.parametrize("arguments", [{}, {"messages": []}, {"system_prompt": "s"}])
def test_nothing_to_ask(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="Neither prompt nor messages was given"):
        request(**arguments)


def test_options_go_out_under_their_names() -> None:
    options = {
        "temperature": 0, "max_tokens": 5, "stop": ["a"], "response_format": {"type": "json_object"}, "store": False,
        "logit_bias": {50256: -100}, "tools": [{"type": "function"}], "extra_body": {"null": None}, "max_retries": 0,
    }  # fmt: skip
    body = request(prompt="p", model="other", timeout=2, limits=Limits(body_bytes=9), **options)
    assert body.pop("model") == "other"
    assert body.pop("timeouts") == {"request": 2}
    assert body.pop("limits") == {"body_bytes": 9}
    del body["op"], body["messages"]
    assert body == {**options, "logit_bias": {"50256": -100}}
    assert request(prompt="p", timeouts=Timeouts(total=0))["timeouts"] == {"total": 0}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"prompt": 5}, r"^prompt must be a string, got 5 \(int\)\.$"),
        ({"system_prompt": ["s"], "prompt": ""}, "^system_prompt must be a string"),
        ({"messages": ({"role": "user"},)}, "^messages must be a list of dicts"),
        ({"messages": "hi"}, r"^messages must be a list of dicts, got 'hi' \(str\)\.$"),
        ({"messages": ["hi"]}, r"^messages\[0\] must be a dict with role and content"),
        ({"messages": [{"content": "x"}]}, r"^role of messages\[0\] must be a string such as 'user', got None"),
        ({"prompt": "", "stop": 5}, r"^'stop' must be a string or list of strings\.$"),
        ({"prompt": "", "stop": ["a", 1]}, r"^'stop' must be a string or list of strings\.$"),
        ({"prompt": "", "temperature": "hot"}, r"^temperature must be a number, got 'hot' \(str\)\.$"),
        ({"prompt": "", "max_tokens": 1.5}, "^max_tokens must be a whole number"),
        ({"prompt": "", "seed": True}, "^seed must be a whole number"),
        ({"prompt": "", "response_format": "json"}, "^response_format must be a dict"),
        ({"prompt": "", "tools": {}}, "^tools must be a list"),
        ({"prompt": "", "model": 5}, "^model must be a string"),
        ({"prompt": "", "timeout": 1, "timeouts": Timeouts()}, "^timeout and timeouts were both given"),
        ({"prompt": "x" * 5000, "user": ["y" * 5000]}, r"^user must be a string, got \['y{78}\.\.\. \(list\)\.$"),
    ],
)
def test_wrong_arguments(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        request(**arguments)


LOOP: list[Any] = []
LOOP.append(LOOP)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        (
            "extra_body",
            {"a": [1, {2, 3}]},
            r"^Cannot convert Python type 'set' to JSON\. It is in extra_body\.a\[1\]\.$",
        ),
        (
            "response_format",
            {"x": b""},
            r"^Cannot convert Python type 'bytes' to JSON\. It is in response_format\.x\.$",
        ),
        ("metadata", {(1, 2): "x"}, "^The value has no JSON form: .* It is in metadata"),
        ("extra_body", {"loop": LOOP}, "^The value has no JSON form: Circular.* It is in extra_body"),
        ("extra_body", {"x": float("nan")}, r"^The value has no JSON form: .* It is in extra_body\.x\.$"),
        ("user", "a\udc80", r"^The text holds '\\udc80', which is half a character\. It is in user\.$"),
    ],
)
def test_values_without_a_json_form(field: str, value: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        request(prompt="p", **{field: value})
    assert caught.value.param == field


@pytest.mark.parametrize("name", ["generate_text", "stream_text"])
def test_several_answers_are_refused_where_they_cannot_be_shown(name: str) -> None:
    provider = Provider.echo()
    with pytest.raises(UnsupportedFeatureError, match=rf"^{name}\(\) gives one answer.*n=2.*use generate\(\)"):
        getattr(provider, name)("hi", n=2)


@pytest.mark.parametrize("name", ["generate_text", "stream_text", "generate", "stream"])
def test_wrong_arguments_raise_where_they_are_written(name: str) -> None:
    with pytest.raises(ValueError, match="Neither prompt nor messages"):
        getattr(Provider.echo(), name)()


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no setitimer")
@pytest.mark.parametrize("kind", [Exception, TypeError, ValueError, RecursionError, TimeoutError])
@pytest.mark.parametrize("options", [{}, {"temperature": 1.0, "stop": ["a"] * 50}], ids=["prompt", "options"])
def test_the_exception_of_a_signal_handler_is_not_taken_for_a_wrong_argument(
    kind: type[Exception], options: dict[str, Any]
) -> None:
    class Struck(kind):  # type: ignore[misc,valid-type]
        pass

    def strike(*_: object) -> None:
        raise Struck

    def be_struck(after: float) -> None:
        end = time.monotonic() + 5
        signal.setitimer(signal.ITIMER_REAL, after)
        while time.monotonic() < end:
            request(prompt="p", **options)

    before = signal.signal(signal.SIGALRM, strike)
    try:
        for turn in range(100):
            with pytest.raises(Struck):
                be_struck(0.0005 + turn * 0.000003)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
