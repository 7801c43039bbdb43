"""Tool: what a model is told of a function, how it is called with what a model sends, and a single step by hand."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import enum
import functools
import inspect
import json
import threading
import uuid
from typing import Annotated, Any, Dict, List, Literal, Optional, TypedDict  # noqa: UP035  # what Python 3.9 users write

import pytest

from pyagent import ConfigurationError, ToolCall, ToolError, Usage, arun_tool_calls, run_tool_calls, tool
from pyagent.tools import Tool


class Unit(enum.Enum):
    CELSIUS = "C"
    KELVIN = "K"


class Place(TypedDict):
    city: str


@dataclasses.dataclass
class Range:
    """A range of days."""

    first: int
    last: int = 7


def forecast(
    place: Place,
    days: Range,
    unit: Unit = Unit.CELSIUS,
    detail: Literal["low", "high"] = "low",
    tags: Optional[List[str]] = None,  # noqa: UP006, UP045
    extra: Dict[str, float] = {},  # noqa: B006, UP006
    note: Annotated[str, "Said by the annotation."] = "",
    free: Any = 0,
    bare=None,  # type: ignore[no-untyped-def]
) -> Any:
    """Gives the forecast.

    Args:
        place: Where.
        note: Said by the docstring.
        bare: No type.
    """
    return [place, days, unit, detail, tags, extra, note, free, bare]


def test_a_schema_of_every_kind() -> None:
    made = Tool(forecast)
    assert (made.name, made.description) == ("forecast", "Gives the forecast.")
    schema = made.parameters
    fields = schema["properties"]
    assert (schema["type"], schema["required"], schema["additionalProperties"]) == ("object", ["place", "days"], False)
    assert fields["place"]["properties"] == {"city": {"type": "string"}}
    assert fields["place"]["description"] == "Where."
    assert fields["days"]["required"] == ["first"]
    assert fields["unit"]["enum"] == ["C", "K"]
    assert fields["detail"]["enum"] == ["low", "high"]
    assert fields["detail"]["default"] == "low"
    assert {"type": "array", "items": {"type": "string"}} in fields["tags"]["anyOf"]
    assert fields["extra"]["additionalProperties"] == {"type": "number"}
    assert fields["note"]["description"] == "Said by the annotation."
    assert fields["free"] == {"default": 0}
    assert fields["bare"] == {"description": "No type."}
    json.dumps(made.to_dict())


def test_values_of_every_kind() -> None:
    sent = {
        "place": {"city": "Oslo"},
        "days": {"first": 2},
        "unit": "K",
        "tags": ["a"],
        "extra": {"x": 1},
        "detail": None,
    }
    place, days, unit, detail, tags, extra, *_ = Tool(forecast).call(sent)
    assert (place, days, unit, detail) == ({"city": "Oslo"}, Range(2, 7), Unit.KELVIN, "low")
    assert (tags, extra) == (["a"], {"x": 1})


def test_every_mistake_is_named() -> None:
    with pytest.raises(ToolError) as caught:
        Tool(forecast).call({"days": {"first": "x"}, "detail": "middle", "town": 1})
    for word in ("'place'", "'days.first'", "'detail'", "'town'"):
        assert word in str(caught.value)


def test_pydantic_models() -> None:
    pydantic = pytest.importorskip("pydantic", reason="pip install pydantic")
    model = pydantic.create_model("Order", item=(str, ...), count=(int, 1))

    def order(what):  # type: ignore[no-untyped-def]
        return what

    order.__annotations__["what"] = model
    made = Tool(order)
    assert made.parameters["properties"]["what"]["properties"]["item"]["type"] == "string"
    assert made.call({"what": {"item": "tea"}}) == model(item="tea")
    with pytest.raises(ToolError, match=r"what\.item"):
        made.call({"what": {}})


def test_a_tool_is_still_the_function() -> None:
    @tool
    def add(a: int, b: int = 1) -> int:
        """Adds."""
        return a + b

    assert add(1) == 2
    assert add(1, b=5) == 6
    assert str(inspect.signature(add)) == "(a: 'int', b: 'int' = 1) -> 'int'"
    assert repr(add) == "Tool('add')"


def test_methods() -> None:
    class Shop:
        def __init__(self, name: str) -> None:
            self.name = name

        @tool(description="Sells it.", timeout=3)
        def sell(self, item: str) -> str:
            return f"{self.name} sells {item}"

        def plain(self, item: str) -> str:
            return f"{self.name} has {item}"

    shop = Shop("Mine")
    assert shop.sell("tea") == "Mine sells tea"
    assert shop.sell.call({"item": "tea"}) == "Mine sells tea"
    assert (shop.sell.description, shop.sell.timeout) == ("Sells it.", 3)
    assert list(shop.sell.parameters["properties"]) == ["item"]
    assert Tool(shop.plain).call({"item": "tea"}) == "Mine has tea"


def test_callables_of_other_kinds() -> None:
    def send(to: str, text: str, *, key: str) -> str:
        return f"{to} {text} {key}"

    made = Tool(functools.partial(send, key="secret"))
    assert "key" not in json.dumps(made.to_dict()), "what is filled in is not the model's"
    assert made.call({"to": "a", "text": "b"}) == "a b secret"
    with pytest.raises(ToolError, match="'key'"):
        made.call({"to": "a", "text": "b", "key": "mine"})

    class Caller:
        def __call__(self, number: int) -> int:
            """Doubles."""
            return number * 2

    called = Tool(Caller())
    assert (called.name, called.description) == ("Caller", "Doubles.")
    assert called.call({"number": 2}) == 4

    def by_place(a: int, b: int = 2, /, *, c: int = 3) -> list[int]:
        return [a, b, c]

    assert Tool(by_place).call({"a": 1, "c": 5}) == [1, 2, 5]

    @functools.wraps(send)
    def wrapper(*args: Any, **named: Any) -> str:
        return send(*args, **named)

    assert Tool(wrapper).call({"to": "a", "text": "b", "key": "c"}) == "a b c"


def test_a_schema_of_ones_own() -> None:
    schema = {"type": "object", "properties": {"q": {"type": "string"}}}
    made = Tool(lambda **named: named, name="search", description="Searches.", parameters=schema)
    assert made.to_dict()["function"] == {"name": "search", "parameters": schema, "description": "Searches."}
    assert made.call({"q": "x", "more": 1}) == {"q": "x", "more": 1}


async def agather(*names: str) -> None:
    """Has no names."""


def generate() -> Any:
    yield 1


class Broken:
    value: int


@pytest.mark.parametrize(
    "function", [5, "f", str, lambda: 1, agather, generate, Tool(forecast), functools.partial(agather, "a")]
)
def test_what_cannot_be_a_tool(function: Any) -> None:
    with pytest.raises(ConfigurationError):
        Tool(function)


def test_types_without_a_form_and_without_a_meaning() -> None:
    def one(lock: Broken) -> None:
        """Takes an object."""

    def two(name: Nowhere) -> None:  # type: ignore[name-defined]  # noqa: F821
        """Names a type that is nowhere."""

    for function, word in ((one, "Broken"), (two, "Nowhere")):
        with pytest.raises(ConfigurationError, match=word):
            Tool(function)


@pytest.mark.parametrize("name", ["", "a b", "ä", "x" * 65, "a.b"])
def test_names_that_vendors_refuse(name: str) -> None:
    with pytest.raises(ConfigurationError, match="name"):
        Tool(forecast, name=name)


def test_call_and_acall() -> None:
    async def later(n: int) -> int:
        await asyncio.sleep(0)
        return n

    def here(n: int) -> str:
        return threading.current_thread().name

    def fail(n: int) -> None:
        raise KeyError(n)

    assert Tool(later).call({"n": 1}) == 1

    async def main() -> None:
        assert await Tool(later).acall({"n": 1}) == 1
        assert await Tool(here).acall({"n": 1}) == "pyagent tool here"
        with pytest.raises(KeyError):
            await Tool(fail).acall({"n": 1})
        with pytest.raises(RuntimeError, match="running event loop"):
            Tool(later).call({"n": 1})

    asyncio.run(main())


IDENTITY = uuid.UUID(int=5)


@pytest.mark.parametrize(
    ("value", "content"),
    [
        ("text", "text"), ("", ""), (None, "null"), (5, "5"), (True, "true"), ([1, "ä"], '[1, "ä"]'),
        ({"type": "text"}, '{"type": "text"}'), (Range(1, 2), '{"first": 1, "last": 2}'), (Unit.KELVIN, '"K"'),
        ({datetime.date(2026, 1, 2)}, '["2026-01-02"]'), (IDENTITY, f'"{IDENTITY}"'), (Usage, None), (object(), None),
        ({"type": "text", "text": "a"}, [{"type": "text", "text": "a"}]), (float("nan"), None), ((1, 2), "[1, 2]"),
        (["a", {"type": "text", "text": "b"}], [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]),
        ([5, {"type": "text", "text": "b"}], '[5, {"type": "text", "text": "b"}]'), (["a", "b"], '["a", "b"]'),
        (ValueError("no"), None),
    ],
    ids=repr,
)  # fmt: skip
def test_what_the_model_is_told_of_a_value(value: Any, content: Any) -> None:
    (result,) = run_tool_calls([ToolCall("1", "give", "{}")], [tool(name="give")(lambda: value)])
    if content is None:
        assert result.outcome == "failed"
        assert "no form" in result.content or "JSON" in result.content or result.content == "ValueError: no"
    else:
        assert (result.outcome, result.content, result.value) == ("ok", content, value)
    json.dumps(result.to_dict())


def test_a_value_that_holds_itself() -> None:
    loop: list[Any] = []
    loop.append(loop)
    (result,) = run_tool_calls([ToolCall("1", "give", "{}")], [tool(name="give")(lambda: loop)])
    assert result.outcome == "failed"


def test_a_single_step_for_coroutines() -> None:
    async def add(a: int, b: int) -> int:
        return a + b

    calls = [ToolCall("1", "add", '{"a": 1, "b": 2}'), ToolCall("2", "add", '{"a": 1}'), ToolCall("3", "sub", "")]
    results = asyncio.run(arun_tool_calls(calls, [add]))
    assert [result.outcome for result in results] == ["ok", "invalid", "unknown"]
    assert [result.message["tool_call_id"] for result in results] == ["1", "2", "3"]
    assert [result.outcome for result in run_tool_calls(calls, [add])] == ["ok", "invalid", "unknown"]
    assert run_tool_calls([], [add]) == []


def test_no_tool_of_the_model_says_what_there_is() -> None:
    (result,) = run_tool_calls([ToolCall("1", "f", "")], [])
    assert result.content == "There is no tool 'f'; the tools are: none."
