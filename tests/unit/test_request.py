"""Requests: what becomes of the arguments, what is refused before anything is sent, and that the signatures agree."""

from __future__ import annotations

import inspect
import json
import re
from typing import Any

import pytest

from pyagent import ConfigurationError, Limits, Provider, Timeouts, UnsupportedFeatureError
from pyagent._option_types import TextOptions
from pyagent._request import encode

PLAIN = ("generate_text", "stream_text")
FULL = ("generate", "stream")

# rusty-agent-sdk's parameters with their defaults, in its order.
RUSTY = [
    ("prompt", None), ("system_prompt", None), ("messages", None), ("temperature", None), ("max_tokens", None),
    ("top_p", None), ("stop", None), ("frequency_penalty", None), ("presence_penalty", None), ("seed", None),
    ("response_format", None), ("include_usage", False),
]  # fmt: skip


def parameters(name: str) -> list[tuple[str, Any, str]]:
    found = list(inspect.signature(getattr(Provider, name)).parameters.values())[1:]
    assert [p.kind for p in found] == [inspect.Parameter.POSITIONAL_OR_KEYWORD] + [inspect.Parameter.KEYWORD_ONLY] * (
        len(found) - 1
    )
    return [(p.name, p.default, str(p.annotation)) for p in found]


def request(**arguments: Any) -> dict[str, Any]:
    return dict(json.loads(encode("generate", "m", {"self": object(), **arguments})))


def test_rustys_parameters_come_first() -> None:
    assert [(name, default) for name, default, _ in parameters("generate_text")][: len(RUSTY)] == RUSTY


def test_pairs_have_equal_parameters() -> None:
    assert parameters("generate_text") == parameters("stream_text")
    assert parameters("generate") == parameters("stream")


def test_the_plain_and_the_full_methods_differ_in_one_parameter() -> None:
    plain = [p for p in parameters("generate_text") if p[0] != "include_usage"]
    full = [p for p in parameters("generate") if p[0] != "include_raw"]
    assert plain == full


def test_the_types_for_checkers_are_the_methods() -> None:
    taken = {name: kind for name, _, kind in parameters("generate_text") if name not in {"prompt", "include_usage"}}
    assert {name: getattr(kind, "__forward_arg__", kind) for name, kind in TextOptions.__annotations__.items()} == taken


@pytest.mark.parametrize("pair", [PLAIN, FULL])
def test_pairs_describe_parameters_and_errors_alike(pair: tuple[str, str]) -> None:
    sections = []
    for name in pair:
        text = inspect.getdoc(getattr(Provider, name)) or ""
        arguments = re.search(r"^Args:\n(.*?)\n\nReturns:", text, re.DOTALL | re.MULTILINE)
        raises = re.search(r"^Raises:\n(.*)", text, re.DOTALL | re.MULTILINE)
        assert arguments
        assert raises
        named = re.findall(r"^    ((?:\w+,\s+)*\w+):", arguments.group(1), re.MULTILINE)
        listed = {word for part in named for word in re.split(r"[,\s]+", part)}
        assert listed == {parameter for parameter, _, _ in parameters(name)}
        sections.append(raises.group(1))
    assert sections[0] == sections[1]


def test_presets_take_the_options_of_the_constructor() -> None:
    def options(function: Any) -> set[str]:
        return set(inspect.signature(function).parameters) - {"self", "model"}

    azure = {"api_version", "deployment"}
    everything = options(Provider.__init__) - {"provider"}
    assert options(Provider.azure) == everything
    for name in ("openai", "anthropic", "openrouter", "compatible"):
        assert options(getattr(Provider, name)) == everything - azure
    assert options(Provider.echo) == everything - azure - {"api_key", "base_url"}


def test_prompt() -> None:
    assert request(prompt="hi") == {"op": "generate", "model": "m", "messages": [{"role": "user", "content": "hi"}]}
    assert request(prompt="")["messages"] == [{"role": "user", "content": ""}]


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


@pytest.mark.parametrize("name", ["generate_text", "stream_text", "stream"])
def test_several_answers_are_refused_where_they_cannot_be_shown(name: str) -> None:
    provider = Provider.echo()
    with pytest.raises(UnsupportedFeatureError, match=rf"^{name}\(\) gives one answer.*n=2.*use generate\(\)"):
        getattr(provider, name)("hi", n=2)


@pytest.mark.parametrize("name", [*PLAIN, *FULL])
def test_wrong_arguments_raise_where_they_are_written(name: str) -> None:
    with pytest.raises(ValueError, match="Neither prompt nor messages"):
        getattr(Provider.echo(), name)()
