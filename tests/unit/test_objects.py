"""generate_object: modes, repairs, errors, and every protocol, against servers that answer what a test says."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Optional

import pytest

import pyagent
from pyagent import (
    APIConnectionError,
    BadRequestError,
    ConfigurationError,
    ObjectRefusedError,
    ObjectTruncatedError,
    ObjectValidationError,
    Provider,
    UnsupportedFeatureError,
)


@dataclass
class City:
    name: str
    people: int
    country: str = "unknown"


PARIS = {"name": "Paris", "people": 2_100_000, "country": None}
ROME = City("Rome", 2_800_000)


Ask = Callable[..., Provider]


def chat(text: str | None = None, *calls: Any, finish: str = "stop", refusal: str | None = None) -> dict[str, Any]:
    """An answer of OpenAI's chat protocol."""
    message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": refusal}
    if calls:
        message["tool_calls"] = [
            {"id": f"call_{number}", "type": "function", "function": {"name": "City", "arguments": json.dumps(call)}}
            for number, call in enumerate(calls)
        ]
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    return {
        "id": "1",
        "object": "chat.completion",
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": usage,
    }


def refusal_of(option: str) -> tuple[int, Any]:
    return 400, {"error": {"message": f"Invalid parameter: '{option}' is not supported.", "param": option}}


STRICT = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "people": {"type": "integer"},
        "country": {"type": ["string", "null"]},
    },
    "required": ["name", "people", "country"],
    "additionalProperties": False,
}


def test_the_strict_mode(scripted: Any, ask: Ask) -> None:
    scripted.answers = [chat(json.dumps(PARIS))]
    found = ask().generate_object("Paris?", schema=City, system_prompt="Be short.", temperature=0)
    assert found.object == City("Paris", 2_100_000)
    assert (found.mode, found.attempts, found.usage.total_tokens) == ("strict", 1, 15)
    assert found.response.text == json.dumps(PARIS)
    (body,) = scripted.bodies
    assert body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "City", "schema": STRICT, "strict": True},
    }
    assert body["messages"] == [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Paris?"}]
    assert body["temperature"] == 0
    assert "tools" not in body


def test_the_tool_mode(scripted: Any, ask: Ask) -> None:
    scripted.answers = [chat(None, {"name": "Rome", "people": 2_800_000}, finish="tool_calls")]
    found = ask().generate_object("Rome?", schema=City, mode="tool")
    assert (found.object, found.mode) == (ROME, "tool")
    (body,) = scripted.bodies
    assert body["tool_choice"] == {"type": "function", "function": {"name": "City"}}
    assert body["tools"][0]["function"]["parameters"]["required"] == ["name", "people"]
    assert "response_format" not in body


def test_an_object_that_was_written_in_place_of_a_tool_call(scripted: Any, ask: Ask) -> None:
    scripted.answers = [chat('```json\n{"name": "Rome", "people": 2800000}\n```')]
    assert ask().generate_object("Rome?", schema=City, mode="tool").object == ROME


def test_the_prompt_mode(scripted: Any, ask: Ask) -> None:
    scripted.answers = [chat('Of course!\n```json\n{"name": "Rome", "people": 2800000}\n```\nMore?')]
    found = ask().generate_object("Rome?", schema=City, mode="prompt", system_prompt="Be short.")
    assert (found.object, found.mode) == (ROME, "prompt")
    (body,) = scripted.bodies
    assert set(body) == {"model", "messages"}
    said = body["messages"][0]["content"]
    assert said.startswith("Be short.\n\nAnswer with one JSON object")
    assert json.loads(said[said.index("{") :])["required"] == ["name", "people"]


def test_a_vendor_without_schemas_is_asked_by_a_tool(scripted: Any, ask: Ask) -> None:
    scripted.answers = [chat(None, {"name": "Rome", "people": 2_800_000}, finish="tool_calls")]
    found = ask("deepseek", "deepseek-chat").generate_object("Rome?", schema=City)
    assert (found.object, found.mode, found.attempts) == (ROME, "tool", 1)
    assert len(scripted.bodies) == 1, "what the vendor lacks is known before anything is sent"
    with pytest.raises(UnsupportedFeatureError) as caught:
        ask("deepseek", "deepseek-chat").generate_object("Rome?", schema=City, mode="strict")
    assert caught.value.param == "response_format"


def test_a_vendor_that_cannot_be_made_to_call_one_tool(scripted: Any, ask: Ask) -> None:
    row = {"name": "mine", "base_url": scripted.url, "formats": ["text"], "tool_choices": ["required"]}
    scripted.answers = [chat(None, {"name": "Rome", "people": 2_800_000}, finish="tool_calls")]
    provider = ask(row)
    assert provider.generate_object("Rome?", schema=City).object == ROME
    assert [body["tool_choice"] for body in scripted.bodies] == ["required"]


def test_a_vendor_without_schemas_and_tools_is_asked_in_words(scripted: Any, ask: Ask) -> None:
    row = {"name": "mine", "base_url": scripted.url, "formats": ["text"], "unsupported": ["tools", "tool_choice"]}
    scripted.answers = [chat('{"name": "Rome", "people": 2800000}')]
    found = ask(row).generate_object("Rome?", schema=City)
    assert (found.object, found.mode) == (ROME, "prompt")
    assert len(scripted.bodies) == 1


def test_a_model_that_says_that_it_takes_no_schema_is_asked_otherwise(scripted: Any, ask: Ask) -> None:
    answer = chat('{"name": "Rome", "people": 2800000}')
    scripted.answers = [refusal_of("response_format"), refusal_of("tool_choice"), refusal_of("tool_choice"), answer]
    found = ask().generate_object("Rome?", schema=City)
    assert (found.object, found.mode, found.attempts) == (ROME, "prompt", 1)


@pytest.mark.parametrize("mode", ["auto", "strict"])
def test_other_errors_are_not_about_the_mode(scripted: Any, ask: Ask, mode: Any) -> None:
    scripted.answers = [(400, {"error": {"message": "temperature is too high", "param": "temperature"}})]
    with pytest.raises(BadRequestError):
        ask().generate_object("Rome?", schema=City, mode=mode)
    assert len(scripted.bodies) == 1
    with pytest.raises(UnsupportedFeatureError, match="top_k"):
        ask("openai", "gpt-4o").generate_object("Rome?", schema=City, mode=mode, top_k=1)


def test_an_answer_that_does_not_fit_is_repaired(scripted: Any, ask: Ask) -> None:
    scripted.answers = [
        chat('{"name": "Rome", "people": "many"}'),
        chat('{"name": "Rome"}'),
        chat('{"name": "Rome", "people": 2800000}'),
    ]
    found = ask().generate_object("Rome?", schema=City, system_prompt="Be short.")
    assert (found.object, found.attempts) == (ROME, 3)
    assert (found.usage.prompt_tokens, found.usage.completion_tokens) == (30, 15)
    assert found.response.usage.prompt_tokens == 10
    last = scripted.bodies[-1]["messages"]
    assert [message["role"] for message in last] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert last[1]["content"] == "Rome?"
    assert last[2]["content"] == '{"name": "Rome", "people": "many"}'
    assert "- field 'people': expected a whole number, got 'many'" in last[3]["content"]
    assert "- field 'people': is required and missing" in last[5]["content"]


def test_a_tool_call_that_does_not_fit_is_answered_with_its_mistakes(scripted: Any, ask: Ask) -> None:
    messages = [{"role": "user", "content": "Rome?"}]
    scripted.answers = [
        chat(None, {"name": "Rome"}, {"name": "Roma"}, finish="tool_calls"),
        chat(None, {"name": "Rome", "people": 2_800_000}, finish="tool_calls"),
    ]
    assert ask().generate_object(messages=messages, schema=City, mode="tool").object == ROME
    said = scripted.bodies[1]["messages"]
    assert [message["role"] for message in said] == ["user", "assistant", "tool", "tool"]
    assert [message.get("tool_call_id") for message in said[2:]] == ["call_0", "call_1"]
    assert "field 'people': is required and missing" in said[2]["content"]
    assert messages == [{"role": "user", "content": "Rome?"}], "the caller's list stays as it is"


def test_the_error_after_the_last_repair(scripted: Any, ask: Ask) -> None:
    scripted.answers = [chat("No idea."), chat('{"name": 5, "extra": 1}')]
    with pytest.raises(ObjectValidationError) as caught:
        ask().generate_object("Rome?", schema=City, repairs=1)
    error = caught.value
    assert error.text == error.partial_text == '{"name": 5, "extra": 1}'
    assert error.errors == [
        "field 'name': expected a string, got 5",
        "field 'people': is required and missing",
        "field 'extra': is no field; the fields are country, name, people",
    ]
    assert error.usage is not None
    assert (error.usage.total_tokens, error.mode, error.attempts) == (30, "strict", 2)
    assert error.answer is not None
    assert error.answer.text == error.text
    assert str(error).startswith("The answer does not fit the schema: field 'name': expected a string, got 5; ")
    assert isinstance(error, pyagent.ResponseParseError)


def test_no_repairs_at_all(scripted: Any, ask: Ask) -> None:
    scripted.answers = [chat("No idea.")]
    with pytest.raises(ObjectValidationError, match="there is no JSON object in the answer"):
        ask().generate_object("Rome?", schema=City, repairs=0)
    assert len(scripted.bodies) == 1


def test_a_refusal_is_not_repaired(scripted: Any, ask: Ask) -> None:
    scripted.answers = [chat(None, refusal="I will not."), chat("", finish="content_filter")]
    with pytest.raises(ObjectRefusedError, match="refused to give the object: I will not") as caught:
        ask().generate_object("Rome?", schema=City)
    assert caught.value.usage is not None
    assert caught.value.usage.total_tokens == 15
    with pytest.raises(ObjectRefusedError, match="filter stopped the answer"):
        ask().generate_object("Rome?", schema=City)
    assert len(scripted.bodies) == 2


def test_an_answer_that_was_cut_is_not_repaired(scripted: Any, ask: Ask) -> None:
    scripted.answers = [chat('{"name": "Ro', finish="length")]
    with pytest.raises(ObjectTruncatedError, match="raise max_tokens") as caught:
        ask().generate_object("Rome?", schema=City, max_tokens=5)
    assert caught.value.text == '{"name": "Ro'


def test_failures_of_the_transport_are_no_repairs(scripted: Any, ask: Ask) -> None:
    busy = (503, {"error": {"message": "busy"}})
    scripted.answers = [busy, chat("No."), busy, chat('{"name": "Rome", "people": 2800000}')]
    found = ask(max_retries=1, retry_backoff=0.01).generate_object("Rome?", schema=City, repairs=1)
    assert (found.object, found.attempts, found.response.attempts) == (ROME, 2, 2)
    scripted.shutdown()
    scripted.server_close()
    with pytest.raises(APIConnectionError):
        ask().generate_object("Rome?", schema=City)


def test_a_schema_as_a_dict(scripted: Any, ask: Ask) -> None:
    schema = {"type": "object", "title": "A city", "properties": {"name": {"type": "string", "minLength": 2}}}
    scripted.answers = [chat('{"name": "R"}'), chat('{"name": "Rome"}')]
    found = ask().generate_object("Rome?", schema=schema)
    assert (found.object, found.attempts) == ({"name": "Rome"}, 2)
    asked = scripted.bodies[0]["response_format"]["json_schema"]
    assert asked["name"] == "A_city"
    assert asked["schema"]["properties"]["name"]["description"] == "(minLength: 2)"
    assert "expected at least 2 characters, got 1" in scripted.bodies[1]["messages"][-1]["content"]


@pytest.mark.parametrize("schema", [list[City], Optional[City], int, dict[str, int]], ids=str)
def test_types_that_are_no_objects(scripted: Any, ask: Ask, schema: Any) -> None:
    values = {list[City]: [PARIS], Optional[City]: None, int: 5, dict[str, int]: {"a": 1}}
    value = values[schema]
    is_table = schema == dict[str, int]
    text = json.dumps(value if is_table else {"value": value})
    scripted.answers = [chat(text)]
    found = ask().generate_object("?", schema=schema)
    assert found.object == ([City("Paris", 2_100_000)] if schema == list[City] else value)
    assert found.mode == ("tool" if is_table else "strict")


def test_from_a_coroutine(scripted: Any, ask: Ask) -> None:
    scripted.answers = [chat("No."), chat('{"name": "Rome", "people": 2800000}')]

    async def main() -> Any:
        return await ask().agenerate_object("Rome?", schema=City)

    found = asyncio.run(main())
    assert (found.object, found.attempts, found.usage.total_tokens) == (ROME, 2, 30)


@pytest.mark.parametrize(
    ("options", "param"),
    [({"mode": "json"}, "mode"), ({"repairs": -1}, "repairs"), ({"repairs": "2"}, "repairs"),
     ({"schema": complex}, "schema"), ({"schema": {"type": "x"}}, "schema"), ({"temperature": "hot"}, "temperature"),
     ({"prompt": None}, "messages")],
)  # fmt: skip
def test_wrong_options_are_found_before_anything_is_sent(ask: Ask, options: dict[str, Any], param: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        ask().generate_object(**{"prompt": "?", "schema": City, **options})
    assert caught.value.param == param


def test_the_object_methods_have_the_options_of_generate() -> None:
    def options(name: str) -> dict[str, tuple[Any, str]]:
        found = inspect.signature(getattr(Provider, name)).parameters
        return {name: (p.default, str(p.annotation)) for name, p in found.items() if name != "self"}

    whole, stream, chat = options("generate_object"), options("stream_object"), options("generate")
    assert whole.pop("repairs") == (2, "int")
    assert whole == stream == options("astream_object")
    own = {"schema", "mode"}
    assert {name: whole[name] for name in whole.keys() - own} == {name: chat[name] for name in whole.keys() - own}
    assert chat.keys() - whole.keys() == {
        "response_format", "tools", "tool_choice", "parallel_tool_calls", "logprobs", "top_logprobs", "n", "modalities",
        "audio", "stream_options",
    }  # fmt: skip
    from pyagent._option_types import ObjectOptions

    assert ObjectOptions.__annotations__.keys() == whole.keys() - {"prompt", "schema"}
    for method in (Provider.generate_object, Provider.stream_object, Provider.agenerate_object):
        text = inspect.getdoc(method) or ""
        for name in whole:
            assert f"\n    {name}: " in text, name
