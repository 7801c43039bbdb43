"""generate_object over the protocols of several vendors, and with the types of other libraries."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from pyagent import Provider


@dataclass
class City:
    name: str
    people: int
    country: str = "unknown"


PARIS = {"name": "Paris", "people": 2_100_000, "country": None}
ROME = City("Rome", 2_800_000)
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


def chat(text: str) -> dict[str, Any]:
    """An answer of OpenAI's chat protocol."""
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {"id": "1", "object": "chat.completion", "model": "m", "choices": [choice]}


def test_models_of_pydantic_and_structs_of_msgspec(scripted: Any, ask: Callable[..., Provider]) -> None:
    pydantic, msgspec = pytest.importorskip("pydantic"), pytest.importorskip("msgspec")
    place = pydantic.create_model("Place", name=(str, ...), people=(int, pydantic.Field(gt=0)))
    scripted.answers = [chat('{"name": "Rome", "people": -1}'), chat('{"name": "Rome", "people": 1}')]
    assert ask().generate_object("?", schema=place).object == place(name="Rome", people=1)
    assert "field 'people': Input should be greater than 0, got -1" in scripted.bodies[1]["messages"][-1]["content"]
    struct = msgspec.defstruct("Struct", [("name", str), ("people", int, 5)])
    scripted.answers = [chat('{"name": "Rome", "people": null}')]
    assert ask().generate_object("?", schema=struct).object == struct("Rome", 5)


def test_anthropic(scripted: Any, ask: Callable[..., Provider]) -> None:
    def message(*content: Any, stop: str) -> dict[str, Any]:
        usage = {"input_tokens": 3, "output_tokens": 4}
        return {"id": "1", "type": "message", "role": "assistant", "model": "c", "content": list(content),
                "stop_reason": stop, "stop_sequence": None, "usage": usage}  # fmt: skip

    scripted.answers = [message({"type": "text", "text": json.dumps(PARIS)}, stop="end_turn")]
    found = ask("anthropic", "claude-sonnet-4-5").generate_object("?", schema=City)
    assert (found.object.name, found.mode) == ("Paris", "strict")
    assert scripted.bodies[0]["output_config"]["format"] == {"type": "json_schema", "schema": STRICT}
    wrong = {"type": "tool_use", "id": "t", "name": "City", "input": {"name": "Rome"}}
    right = {"type": "tool_use", "id": "t", "name": "City", "input": {"name": "Rome", "people": 2_800_000}}
    scripted.answers = [message(wrong, stop="tool_use"), message(right, stop="tool_use")]
    found = ask("anthropic", "claude-sonnet-4-5").generate_object("?", schema=City, mode="tool")
    assert (found.object, found.attempts) == (ROME, 2)
    assert scripted.bodies[1]["tool_choice"] == {"type": "tool", "name": "City"}
    result = scripted.bodies[2]["messages"][-1]["content"][0]
    assert (result["type"], result["is_error"]) == ("tool_result", True)


def test_gemini(scripted: Any, ask: Callable[..., Provider]) -> None:
    parts = [{"text": json.dumps(PARIS)}]
    candidate = {"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}
    scripted.answers = [{"candidates": [candidate], "usageMetadata": {"promptTokenCount": 1}, "modelVersion": "g"}]
    found = ask("gemini", "gemini-2.5-flash").generate_object("?", schema=City)
    assert (found.object.name, found.mode) == ("Paris", "strict")
    assert scripted.bodies[0]["generationConfig"]["responseJsonSchema"]["required"] == ["name", "people", "country"]


def test_ollama(scripted: Any, ask: Callable[..., Provider]) -> None:
    said = {"role": "assistant", "content": json.dumps(PARIS)}
    scripted.answers = [{"model": "l", "message": said, "done": True, "done_reason": "stop", "eval_count": 3}]
    found = ask("ollama", "llama3.2", api_key=None).generate_object("?", schema=City)
    assert (found.object.name, found.mode) == ("Paris", "strict")
    assert scripted.bodies[0]["format"] == STRICT
