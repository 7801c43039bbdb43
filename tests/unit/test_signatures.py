"""The methods that ask a model, their twins for coroutines, and the constructors: parameters and docstrings agree where
they are meant to."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pyagent import Answers, AsyncAnswers, AsyncStream, Provider, Stream
from pyagent._option_types import MapOptions, TextOptions
from pyagent._presets import Preset, Presets
from pyagent._registry import ROWS
from pyagent._request import _CHECKS

ROOT = Path(__file__).resolve().parents[2]
PLAIN = ("generate_text", "stream_text")
FULL = ("generate", "stream")
MANY = ("map",)
OPERATIONS = ("embed", "list_models", "count_tokens")

# rusty-agent-sdk's parameters with their defaults, in its order.
RUSTY = [
    ("prompt", None), ("system_prompt", None), ("messages", None), ("temperature", None), ("max_tokens", None),
    ("top_p", None), ("stop", None), ("frequency_penalty", None), ("presence_penalty", None), ("seed", None),
    ("response_format", None), ("include_usage", False),
]  # fmt: skip

# What a one-shot call and a stream cannot say in the same words.
OWN_WORDS = {"include_usage", "include_raw", "n", "stream_options", "timeout"}

# Parameters that are made into other fields of a request before the types of the rest are checked.
MADE_INTO_OTHERS = {"prompt", "system_prompt", "messages", "model", "timeout", "timeouts", "limits", "hooks"}


def parameters(name: str) -> list[tuple[str, Any, str]]:
    found = list(inspect.signature(getattr(Provider, name)).parameters.values())[1:]
    assert [p.kind for p in found] == [inspect.Parameter.POSITIONAL_OR_KEYWORD] + [inspect.Parameter.KEYWORD_ONLY] * (
        len(found) - 1
    )
    return [(p.name, p.default, str(p.annotation)) for p in found]


def section(function: Any, title: str) -> str:
    text = inspect.getdoc(function) or ""
    found = re.search(rf"^{title}:\n((?: .*\n|\n(?= ))+)", text + "\n", re.MULTILINE)
    assert found, f"{function.__qualname__} has no section {title}"
    return found.group(1)


def described(function: Any) -> list[tuple[str, str]]:
    """Each parameter that a docstring names, with its words."""
    entries = re.split(r"^    (?=\S)", section(function, "Args"), flags=re.MULTILINE)[1:]
    pairs = [entry.split(": ", 1) for entry in entries]
    return [(name, " ".join(words.split())) for name, words in pairs]


def test_rustys_parameters_come_first() -> None:
    assert [(name, default) for name, default, _ in parameters("generate_text")][: len(RUSTY)] == RUSTY


def test_pairs_have_equal_parameters() -> None:
    assert parameters("generate_text") == parameters("stream_text")
    assert parameters("generate") == parameters("stream")


def test_the_plain_and_the_full_methods_differ_in_one_parameter() -> None:
    plain = [p for p in parameters("generate_text") if p[0] != "include_usage"]
    full = [p for p in parameters("generate") if p[0] != "include_raw"]
    assert plain == full


@pytest.mark.parametrize("name", [*PLAIN, *FULL])
def test_the_twins_for_coroutines_are_the_same_but_for_what_they_return(name: str) -> None:
    method, twin = getattr(Provider, name), getattr(Provider, "a" + name)
    assert parameters("a" + name) == parameters(name)
    assert inspect.iscoroutinefunction(twin) is name.startswith("generate")
    returned = str(inspect.signature(method).return_annotation)
    assert inspect.signature(twin).return_annotation == returned.replace("Stream", "AsyncStream")
    words = (inspect.getdoc(method) or "").replace("A Stream", "An AsyncStream").replace("generate()", "agenerate()")
    assert inspect.getdoc(twin) == words


def test_map_has_the_options_of_generate_text() -> None:
    own = {"concurrency", "ordered", "return_exceptions", "progress"}
    plain = [p for p in parameters("generate_text")[1:] if p[0] != "messages"]
    assert sorted(p for p in parameters("map")[1:] if p[0] not in own) == sorted(plain)
    assert [p for p in parameters("map") if p not in plain] == [
        ("prompts", inspect.Parameter.empty, "Iterable[Prompt]"),
        ("concurrency", 16, "int"),
        ("ordered", True, "bool"),
        ("return_exceptions", False, "bool"),
        ("progress", None, "Callable[[int, int | None], object] | None"),
    ]


def test_map_and_its_twin_are_the_same_but_for_their_iterables() -> None:
    def twin(text: str) -> str:
        text = text.replace("Iterable[Prompt]", "Iterable[Prompt] | AsyncIterable[Prompt]")
        text = text.replace("any iterable", "any iterable or async iterable").replace("generate()", "agenerate()")
        return text.replace("Answers: an iterator", "Answers: an async iterator").replace("Answers", "AsyncAnswers")

    method, other = inspect.signature(Provider.map), inspect.signature(Provider.amap)
    assert parameters("amap") == [(name, default, twin(kind)) for name, default, kind in parameters("map")]
    assert other.return_annotation == twin(method.return_annotation)
    assert inspect.getdoc(Provider.amap) == twin(inspect.getdoc(Provider.map) or "")


def test_the_files_of_the_twins_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "twins.py", "--check"], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.returncode) == ("", 0)


def members(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}


def test_answers_are_iterators_that_can_be_closed() -> None:
    assert (members(Answers), members(AsyncAnswers)) == ({"close"}, {"aclose"})


def test_streams_have_the_same_members() -> None:
    assert members(AsyncStream) - members(Stream) == {"aclose"}
    assert members(Stream) - members(AsyncStream) == {"close"}
    for name in members(Stream) & members(AsyncStream):
        words = [inspect.getdoc(getattr(kind, name)) or "" for kind in (Stream, AsyncStream)]
        assert words[1].replace(": `await stream.result`", "") == words[0], name


def test_the_types_for_checkers_are_the_methods() -> None:
    taken = {name: kind for name, _, kind in parameters("generate_text") if name not in {"prompt", "include_usage"}}
    assert {name: getattr(kind, "__forward_arg__", kind) for name, kind in TextOptions.__annotations__.items()} == taken
    decisive = {"prompts", "ordered", "return_exceptions", "include_usage"}
    taken = {name: kind for name, _, kind in parameters("map") if name not in decisive}
    assert {name: getattr(kind, "__forward_arg__", kind) for name, kind in MapOptions.__annotations__.items()} == taken


def test_every_parameter_is_checked() -> None:
    named = {name for method in (*PLAIN, *FULL) for name, _, _ in parameters(method)}
    named |= {name for method in OPERATIONS for name in inspect.signature(getattr(Provider, method)).parameters}
    named -= {"self"}
    assert set(_CHECKS) == named - MADE_INTO_OTHERS


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations_and_their_twins_are_the_same(name: str) -> None:
    method, twin = getattr(Provider, name), getattr(Provider, "a" + name)
    assert inspect.iscoroutinefunction(twin)
    assert inspect.signature(twin) == inspect.signature(method)
    assert inspect.getdoc(twin) == inspect.getdoc(method)


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations_take_what_chats_take(name: str) -> None:
    chat = {name: kind for name, _, kind in parameters("generate")}
    own = {"input", "dimensions", "input_type"}
    for parameter in inspect.signature(getattr(Provider, name)).parameters.values():
        if parameter.name not in {"self", *own}:
            assert str(parameter.annotation) == chat[parameter.name], parameter.name


@pytest.mark.parametrize("name", [*PLAIN, *FULL, *MANY, *OPERATIONS])
def test_every_parameter_has_a_line_of_its_own(name: str) -> None:
    pairs = described(getattr(Provider, name))
    taken = [parameter for parameter in inspect.signature(getattr(Provider, name)).parameters if parameter != "self"]
    assert [parameter for parameter, _ in pairs] == taken
    assert all(words.endswith(".") for _, words in pairs)


def test_the_constructor_describes_every_parameter() -> None:
    taken = set(inspect.signature(Provider.__init__).parameters) - {"self"}
    assert sorted(name for name, _ in described(Provider)) == sorted(taken)


def test_the_methods_use_the_same_words() -> None:
    first = dict(described(Provider.generate_text))
    for name in ("stream_text", *FULL, *MANY):
        other = dict(described(getattr(Provider, name)))
        for parameter in (first.keys() & other.keys()) - OWN_WORDS:
            assert other[parameter] == first[parameter], f"{name}: {parameter}"


def test_the_methods_raise_the_same_errors() -> None:
    assert len({section(getattr(Provider, name), "Raises") for name in (*PLAIN, *FULL)}) == 1
    of_many = section(Provider.map, "Raises").replace(" When read: a prompt is.", "")
    assert of_many == section(Provider.generate, "Raises")


def test_presets_take_the_options_of_the_constructor() -> None:
    def options(function: Any) -> dict[str, Any]:
        found = inspect.signature(function).parameters
        return {name: (p.default, p.annotation) for name, p in found.items() if name not in {"self", "model"}}

    def without(*names: str) -> dict[str, Any]:
        return {name: rest for name, rest in options(Provider.__init__).items() if name not in names}

    assert options(Provider.azure) == without("provider")
    assert options(Provider.openai) == without("provider", "api_version", "deployment")
    keys = ("api_key", "extra_api_keys")
    assert options(Provider.echo) == without("provider", "api_version", "deployment", *keys, "base_url")
    named = {name: rest for name, rest in options(Provider.from_string).items() if name != "name"}
    assert named == without("provider")


def presets() -> dict[str, Preset]:
    return {name: entry for name, entry in vars(Presets).items() if isinstance(entry, Preset)}


@pytest.mark.parametrize("name", presets())
def test_each_preset_is_a_vendor(name: str) -> None:
    preset, made = presets()[name], getattr(Provider, name)("m", api_key="k", base_url="http://h/v1")
    assert preset.vendor in ROWS
    assert made._config["provider"] == preset.vendor
    constructor = getattr(Provider, name)
    assert constructor.__name__ == name
    assert constructor.__qualname__ == f"Provider.{name}"
    assert constructor.__doc__
    assert any(key in constructor.__doc__ for key in (*ROWS[preset.vendor].key_env, *ROWS[preset.vendor].base_url_env))


def test_a_preset_of_a_subclass_makes_the_subclass() -> None:
    class Mine(Provider):
        pass

    assert type(Mine.openai("m", api_key="k")) is Mine
    assert type(Mine.from_string("openai:m", api_key="k")) is Mine


def test_a_login_and_its_twin_are_the_same() -> None:
    assert inspect.signature(Provider.alogin).parameters == inspect.signature(Provider.login).parameters
    words = inspect.getdoc(Provider.login) or ""
    twin = (inspect.getdoc(Provider.alogin) or "").replace("await ", "").replace("alogin(", "login(")
    assert twin == words
